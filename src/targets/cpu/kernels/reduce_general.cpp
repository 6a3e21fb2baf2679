// SPDX-License-Identifier: MIT
// Reductions of any type and strides in double or 64-bit integers, and argmax / argmin.
#include "targets/cpu/kernels/convert.hpp"
#include "targets/cpu/kernels/reduce.hpp"
#include "targets/cpu/kernels/walk.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

constexpr int64_t chunk = 256;

template <class Acc, class T>
inline void widen(Acc* to, const void* from, int64_t at, int64_t n, int64_t stride) {
    const T* p = static_cast<const T*>(from) + at;
    for (int64_t i = 0; i < n; ++i)
        to[i] = Acc(p[i * stride]);
}

inline void widen_floats(double* to, const void* from, elem_type type, int64_t at, int64_t n,
                         int64_t stride) {
    float b[chunk];
    load_floats(b, static_cast<const char*>(from) + at * elem_size(type), type, n, stride);
    for (int64_t i = 0; i < n; ++i)
        to[i] = double(b[i]);
}

// n <= chunk elements from offset `at`, `stride` apart.
inline void load_wide(double* to, const void* from, elem_type type, int64_t at, int64_t n,
                      int64_t stride) {
    if (type == elem_type::f64)
        widen<double, double>(to, from, at, n, stride);
    else
        widen_floats(to, from, type, at, n, stride);
}

template <class Acc>
inline void load_wide(Acc* to, const void* from, elem_type type, int64_t at, int64_t n,
                      int64_t stride) {
    switch (type) {
    case elem_type::i8:
        widen<Acc, int8_t>(to, from, at, n, stride);
        break;
    case elem_type::u8:
        widen<Acc, uint8_t>(to, from, at, n, stride);
        break;
    case elem_type::i16:
        widen<Acc, int16_t>(to, from, at, n, stride);
        break;
    case elem_type::u16:
        widen<Acc, uint16_t>(to, from, at, n, stride);
        break;
    case elem_type::i32:
        widen<Acc, int32_t>(to, from, at, n, stride);
        break;
    case elem_type::u32:
        widen<Acc, uint32_t>(to, from, at, n, stride);
        break;
    case elem_type::i64:
        widen<Acc, int64_t>(to, from, at, n, stride);
        break;
    case elem_type::u64:
        widen<Acc, uint64_t>(to, from, at, n, stride);
        break;
    case elem_type::boolean:
        widen<Acc, uint8_t>(to, from, at, n, stride);
        break;
    default:
        break;
    }
}

inline void store_wide(void* to, int64_t at, elem_type type, double v) {
    if (type == elem_type::f64) {
        static_cast<double*>(to)[at] = v;
        return;
    }
    const float f = float(v);
    store_floats(static_cast<char*>(to) + at * elem_size(type), &f, type, 1);
}

template <class Acc>
inline void store_wide(void* to, int64_t at, elem_type type, Acc v) {
    switch (elem_size(type)) {
    case 1:
        static_cast<uint8_t*>(to)[at] = uint8_t(type == elem_type::boolean ? v != 0 : v);
        break;
    case 2:
        static_cast<uint16_t*>(to)[at] = uint16_t(v);
        break;
    case 4:
        static_cast<uint32_t*>(to)[at] = uint32_t(v);
        break;
    default:
        static_cast<uint64_t*>(to)[at] = uint64_t(v);
        break;
    }
}

template <class Acc>
constexpr Acc lowest() {
    if constexpr (Acc(0.5) != 0)
        return -Acc(__builtin_inf());
    else
        return Acc(-1) > Acc(0) ? Acc(0) : Acc(uint64_t(1) << 63);
}

template <class Acc>
constexpr Acc highest() {
    if constexpr (Acc(0.5) != 0)
        return Acc(__builtin_inf());
    else
        return Acc(-1) > Acc(0) ? Acc(-1) : Acc(~(uint64_t(1) << 63));
}

template <class Acc>
inline Acc start_of(reduce_op op) {
    switch (op) {
    case reduce_op::max:
        return lowest<Acc>();
    case reduce_op::min:
        return highest<Acc>();
    case reduce_op::prod:
    case reduce_op::all:
        return Acc(1);
    default:
        return Acc(0);
    }
}

template <class Acc>
inline Acc join_chunk(reduce_op op, Acc a, const Acc* x, int64_t n) {
    switch (op) {
    case reduce_op::sum:
    case reduce_op::mean: {
        Acc s[4] = {};
        int64_t i = 0;
        for (; i + 4 <= n; i += 4)
            for (int k = 0; k < 4; ++k)
                s[k] += x[i + k];
        for (; i < n; ++i)
            s[0] += x[i];
        return a + ((s[0] + s[1]) + (s[2] + s[3]));
    }
    case reduce_op::max:
        for (int64_t i = 0; i < n; ++i)
            a = x[i] > a || x[i] != x[i] ? x[i] : a;
        return a;
    case reduce_op::min:
        for (int64_t i = 0; i < n; ++i)
            a = x[i] < a || x[i] != x[i] ? x[i] : a;
        return a;
    case reduce_op::prod:
        for (int64_t i = 0; i < n; ++i)
            a *= x[i];
        return a;
    case reduce_op::all:
        for (int64_t i = 0; i < n; ++i)
            a = a != 0 && x[i] != 0;
        return a;
    case reduce_op::any:
        for (int64_t i = 0; i < n; ++i)
            a = a != 0 || x[i] != 0;
        return a;
    }
    return a;
}

template <class Acc>
void general_with(const reduce_params& p, int64_t begin, int64_t end) {
    walker<2> kept{p.kept_rank, p.kept_lens, {p.kept_src, p.kept_dst}, {}, {}};
    walker<1> reduced{p.reduced_rank, p.reduced_lens, {p.reduced_src}, {}, {}};
    int64_t rows = 1;
    for (int d = 0; d < p.reduced_rank; ++d)
        rows *= p.reduced_lens[d];
    kept.seek(begin);
    for (int64_t unit = begin; unit < end; ++unit, kept.next()) {
        Acc total = start_of<Acc>(p.op);
        reduced.seek(0);
        for (int64_t r = 0; r < rows; ++r, reduced.next())
            for (int64_t i = 0; i < p.n; i += chunk) {
                Acc b[chunk];
                const int64_t m = p.n - i < chunk ? p.n - i : chunk;
                load_wide(b, p.src, p.type, kept.at[0] + reduced.at[0] + i * p.src_n, m, p.src_n);
                total = join_chunk(p.op, total, b, m);
            }
        if (p.partial != nullptr) {
            p.partial[unit] = double(total);
            continue;
        }
        if (p.op == reduce_op::mean)
            total = total / Acc(p.count);
        store_wide(p.dst, kept.at[1], p.type, total);
    }
}

void general(const reduce_params& p, int64_t begin, int64_t end) {
    if (is_floating(p.type))
        general_with<double>(p, begin, end);
    else if (p.type == elem_type::u64)
        general_with<uint64_t>(p, begin, end);
    else
        general_with<int64_t>(p, begin, end);
}

// ---- argmax and argmin

// NaN beats every number; T may be a vector.
template <bool Largest, class T>
inline auto precedes(T x, T y) {
    return (Largest ? x > y : x < y) | ((x != x) & (y == y));
}

template <bool Largest, bool Last, class T>
inline auto beats(T x, T best) {
    return Last ? !precedes<Largest>(best, x) : precedes<Largest>(x, best);
}

template <bool Largest, bool Last, class Acc>
int64_t arg_line(const arg_params& p, int64_t at) {
    Acc best{};
    int64_t found = 0;
    for (int64_t i = 0; i < p.n; i += chunk) {
        Acc b[chunk];
        const int64_t m = p.n - i < chunk ? p.n - i : chunk;
        load_wide(b, p.src, p.type, at + i * p.src_n, m, p.src_n);
        if (i == 0)
            best = b[0];
        for (int64_t k = i == 0; k < m; ++k)
            if (beats<Largest, Last>(b[k], best)) {
                best = b[k];
                found = i + k;
            }
    }
    return found;
}

// Contiguous floats: the extreme value by vectors, then where it is. NaN asks for the plain loop.
template <bool Largest, bool Last>
int64_t arg_row(const arg_params& p, int64_t at) {
    const float* x = static_cast<const float*>(p.src) + at;
    vf best[4];
    vi ordered = vi{} == vi{};
    for (auto& v : best)
        v = splat(x[0]);
    int64_t i = 0;
    for (; i + 4 * lanes <= p.n; i += 4 * lanes)
        for (int k = 0; k < 4; ++k) {
            const vf v = load(x + i + k * lanes);
            ordered &= v == v;
            best[k] = Largest ? raw_max(v, best[k]) : raw_min(v, best[k]);
        }
    for (; i < p.n; i += lanes) {
        const vf v = load_first(x + i, p.n - i < lanes ? p.n - i : lanes, x[0]);
        ordered &= v == v;
        best[0] = Largest ? raw_max(v, best[0]) : raw_min(v, best[0]);
    }
    int32_t all = -1;
    for (int l = 0; l < lanes; ++l)
        all &= ordered[l];
    if (all == 0)
        return arg_line<Largest, Last, double>(p, at);
    for (int k = 1; k < 4; ++k)
        best[0] = Largest ? raw_max(best[k], best[0]) : raw_min(best[k], best[0]);
    const float value = Largest ? largest_of(best[0]) : smallest_of(best[0]);
    if (Last) {
        for (i = p.n - 1; i > 0; --i)
            if (x[i] == value)
                return i;
        return 0;
    }
    constexpr int64_t skip = 64;
    for (i = 0; i + skip <= p.n; i += skip) {
        int32_t hit = 0;
        for (int64_t k = 0; k < skip; ++k)
            hit |= x[i + k] == value;
        if (hit != 0)
            break;
    }
    for (; i < p.n; ++i)
        if (x[i] == value)
            return i;
    return 0;
}

// Lines side by side in memory: a vector of lines at a time, n < 2^31.
template <bool Largest, bool Last>
void arg_columns(const arg_params& p, int64_t at, int64_t first, int64_t last, int64_t* out) {
    const float* x = static_cast<const float*>(p.src) + at;
    for (int64_t c = first; c < last; c += lanes) {
        const int64_t m = last - c < lanes ? last - c : lanes;
        vf best = load_first(x + c, m);
        vi found = {};
        for (int64_t i = 1; i < p.n; ++i) {
            const vf v = load_first(x + c + i * p.src_n, m);
            const vi wins = beats<Largest, Last>(v, best);
            best = wins ? v : best;
            found = wins ? vi{} + int32_t(i) : found;
        }
        for (int64_t l = 0; l < m; ++l)
            out[c + l] = found[l];
    }
}

template <bool Largest, bool Last>
void arg_with(const arg_params& p, int64_t begin, int64_t end) {
    const int64_t blocks = (p.inner + p.inner_block - 1) / p.inner_block;
    walker<1> outer{p.rank, p.lens, {p.src_steps}, {}, {}};
    outer.seek(begin / blocks);
    int64_t part = begin % blocks;
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t first = part * p.inner_block;
        const int64_t last = p.inner - first < p.inner_block ? p.inner : first + p.inner_block;
        int64_t* out = p.dst + unit / blocks * p.inner;
        const bool f32 = p.type == elem_type::f32;
        if (f32 && p.src_inner == 1 && last - first >= lanes && p.n <= INT32_MAX)
            arg_columns<Largest, Last>(p, outer.at[0], first, last, out);
        else
            for (int64_t c = first; c < last; ++c) {
                const int64_t at = outer.at[0] + c * p.src_inner;
                if (f32 && p.src_n == 1)
                    out[c] = arg_row<Largest, Last>(p, at);
                else if (is_floating(p.type))
                    out[c] = arg_line<Largest, Last, double>(p, at);
                else if (p.type == elem_type::u64)
                    out[c] = arg_line<Largest, Last, uint64_t>(p, at);
                else
                    out[c] = arg_line<Largest, Last, int64_t>(p, at);
            }
        if (++part == blocks) {
            part = 0;
            outer.next();
        }
    }
}

void arg(const arg_params& p, int64_t begin, int64_t end) {
    if (p.largest)
        p.last ? arg_with<true, true>(p, begin, end) : arg_with<true, false>(p, begin, end);
    else
        p.last ? arg_with<false, true>(p, begin, end) : arg_with<false, false>(p, begin, end);
}

} // namespace

void fill_reduce_general(reduce_kernels& table) {
    table.general = general;
    table.arg = arg;
}

} // namespace migraphx::cpu::KERNEL_ISA
