// SPDX-License-Identifier: MIT
// Gathers and scatters: rows by memcpy, single elements by typed loops.
#include "targets/cpu/kernels/gather.hpp"
#include "targets/cpu/kernels/convert.hpp"
#include "targets/cpu/kernels/walk.hpp"

#include <cstring>

namespace migraphx::cpu::KERNEL_ISA {
namespace {

inline int64_t raw_index(const index_list& l, int64_t i) {
    return l.type == elem_type::i32 ? static_cast<const int32_t*>(l.data)[i]
                                    : static_cast<const int64_t*>(l.data)[i];
}

inline int64_t index_at(const index_list& l, int64_t i, int64_t len) {
    const int64_t v = raw_index(l, i);
    return v < 0 ? v + len : v;
}

template <class T>
int64_t check_same(const T* idx, int64_t len, int64_t begin, int64_t end) {
    constexpr int64_t block = 256;
    for (int64_t i = begin; i < end; i += block) {
        const int64_t stop = end - i < block ? end : i + block;
        int64_t bad = 0;
        for (int64_t k = i; k < stop; ++k)
            bad |= int64_t(idx[k] < -len) | int64_t(idx[k] >= len);
        if (bad == 0)
            continue;
        for (int64_t k = i; k < stop; ++k)
            if (idx[k] < -len || idx[k] >= len)
                return k;
    }
    return -1;
}

int64_t check(const index_list& l, const int64_t* lens, int64_t depth, int64_t begin, int64_t end) {
    if (depth == 1)
        return l.type == elem_type::i32
                   ? check_same(static_cast<const int32_t*>(l.data), lens[0], begin, end)
                   : check_same(static_cast<const int64_t*>(l.data), lens[0], begin, end);
    for (int64_t i = begin; i < end; ++i) {
        const int64_t v = raw_index(l, i), len = lens[i % depth];
        if (v < -len || v >= len)
            return i;
    }
    return -1;
}

template <class T>
void gather_single(const gather_params& p, int64_t begin, int64_t end) {
    T* y = reinterpret_cast<T*>(p.y);
    for (int64_t unit = begin; unit < end;) {
        const int64_t o = unit / p.idx.count, first = unit % p.idx.count;
        const int64_t stop = end - unit < p.idx.count - first ? first + (end - unit) : p.idx.count;
        const T* x = reinterpret_cast<const T*>(p.x) + o * p.x_outer;
        for (int64_t j = first; j < stop; ++j)
            y[o * p.idx.count + j] = x[index_at(p.idx, j, p.axis_len) * p.x_axis];
        unit += stop - first;
    }
}

void gather(const gather_params& p, int64_t begin, int64_t end) {
    if (p.run == 1) {
        switch (p.elem) {
        case 1:
            gather_single<uint8_t>(p, begin, end);
            return;
        case 2:
            gather_single<uint16_t>(p, begin, end);
            return;
        case 4:
            gather_single<uint32_t>(p, begin, end);
            return;
        default:
            gather_single<uint64_t>(p, begin, end);
            return;
        }
    }
    const int64_t bytes = p.run * p.elem;
    int64_t o = begin / p.idx.count, j = begin % p.idx.count;
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t at = o * p.x_outer + index_at(p.idx, j, p.axis_len) * p.x_axis;
        std::memcpy(p.y + unit * bytes, p.x + at * p.elem, size_t(bytes));
        if (++j == p.idx.count) {
            j = 0;
            ++o;
        }
    }
}

template <class T>
void gather_elements_typed(const index_walk_params& p, int64_t begin, int64_t end) {
    const int last = p.rank - 1;
    const int64_t n = p.lens[last];
    int64_t steps[index_walk_params::max_rank];
    for (int d = 0; d < p.rank; ++d)
        steps[d] = d == p.axis ? 0 : p.steps[d];
    const int64_t axis_step = p.steps[p.axis], last_step = steps[last];
    walker<1> w{last, p.lens, {steps}, {}, {}};
    w.seek(begin);
    for (int64_t row = begin; row < end; ++row, w.next()) {
        const T* x = reinterpret_cast<const T*>(p.tensor) + w.at[0];
        T* y = reinterpret_cast<T*>(p.packed) + row * n;
        for (int64_t k = 0; k < n; ++k)
            y[k] = x[k * last_step + index_at(p.idx, row * n + k, p.axis_len) * axis_step];
    }
}

void gather_elements(const index_walk_params& p, int64_t begin, int64_t end) {
    switch (elem_size(p.type)) {
    case 1:
        gather_elements_typed<uint8_t>(p, begin, end);
        break;
    case 2:
        gather_elements_typed<uint16_t>(p, begin, end);
        break;
    case 4:
        gather_elements_typed<uint32_t>(p, begin, end);
        break;
    default:
        gather_elements_typed<uint64_t>(p, begin, end);
        break;
    }
}

inline int64_t tuple_offset(const index_tuple_params& p, int64_t tuple) {
    int64_t at = tuple / p.tuples * p.batch_step;
    for (int d = 0; d < p.depth; ++d)
        at += index_at(p.idx, tuple * p.depth + d, p.lens[d]) * p.steps[d];
    return at;
}

// Rows of B bytes, or of any number when B is 0.
template <int64_t B>
void gather_rows(const index_tuple_params& p, int64_t begin, int64_t end) {
    const int64_t elem = elem_size(p.type), bytes = B == 0 ? p.run * elem : B;
    for (int64_t t = begin; t < end;) {
        const int64_t batch = t / p.tuples, left = (batch + 1) * p.tuples;
        const int64_t stop = end < left ? end : left;
        const char* x = p.tensor + batch * p.batch_step * elem;
        for (; t < stop; ++t) {
            int64_t at = 0;
            for (int d = 0; d < p.depth; ++d)
                at += index_at(p.idx, t * p.depth + d, p.lens[d]) * p.steps[d];
            std::memcpy(p.packed + t * bytes, x + at * elem, size_t(bytes));
        }
    }
}

void gather_tuples(const index_tuple_params& p, int64_t begin, int64_t end) {
    switch (p.run * elem_size(p.type)) {
    case 4:
        gather_rows<4>(p, begin, end);
        return;
    case 8:
        gather_rows<8>(p, begin, end);
        return;
    case 16:
        gather_rows<16>(p, begin, end);
        return;
    default:
        gather_rows<0>(p, begin, end);
        return;
    }
}

// ---- scatter

template <class T>
struct plain_value {
    using wide = T;
    static T widen(T v) { return v; }
    static T narrow(T v) { return v; }
};

struct half_value {
    using wide = float;
    static float widen(uint16_t v) { return half_to_float(v); }
    static uint16_t narrow(float v) { return float_to_half(v); }
};

struct bf16_value {
    using wide = float;
    static float widen(uint16_t v) { return bf16_to_float(v); }
    static uint16_t narrow(float v) { return float_to_bf16(v); }
};

template <class W>
inline W join(scatter_op op, W a, W x) {
    switch (op) {
    case scatter_op::add:
        return W(a + x);
    case scatter_op::mul:
        return W(a * x);
    case scatter_op::max:
        return a < x ? x : a;
    case scatter_op::min:
        return x < a ? x : a;
    case scatter_op::none:
        break;
    }
    return x;
}

template <class T, class V>
void scatter_elements_typed(const index_walk_params& p, scatter_op op, int64_t begin, int64_t end) {
    const int last = p.rank - 1;
    const int64_t n = p.lens[last];
    int64_t rows = 1;
    int64_t steps[index_walk_params::max_rank];
    for (int d = 0; d < p.rank; ++d) {
        steps[d] = d == p.axis ? 0 : p.steps[d];
        if (d > 0 && d < last)
            rows *= p.lens[d];
    }
    const bool by_first = p.axis != 0 && p.rank > 1;
    const int64_t first = by_first ? begin * rows : 0;
    const int64_t stop = by_first ? end * rows : (p.rank > 1 ? p.lens[0] * rows : 1);
    walker<1> w{last, p.lens, {steps}, {}, {}};
    w.seek(first);
    for (int64_t row = first; row < stop; ++row, w.next()) {
        T* y = reinterpret_cast<T*>(p.tensor) + w.at[0];
        const T* u = reinterpret_cast<const T*>(p.packed) + row * n;
        for (int64_t k = 0; k < n; ++k) {
            const int64_t i = index_at(p.idx, row * n + k, p.axis_len);
            if (p.skip_outside && (i < 0 || i >= p.axis_len))
                continue;
            T* to = y + k * steps[last] + i * p.steps[p.axis];
            *to = V::narrow(join(op, V::widen(*to), V::widen(u[k])));
        }
    }
}

template <class T, class V>
void scatter_tuples_typed(const index_tuple_params& p, scatter_op op) {
    for (int64_t t = 0; t < p.batches * p.tuples; ++t) {
        T* to = reinterpret_cast<T*>(p.tensor) + tuple_offset(p, t);
        const T* u = reinterpret_cast<const T*>(p.packed) + t * p.run;
        for (int64_t i = 0; i < p.run; ++i)
            to[i] = V::narrow(join(op, V::widen(to[i]), V::widen(u[i])));
    }
}

// Calls f with the element type and its arithmetic; replacing needs no arithmetic, only the size.
template <class F>
inline void by_value_type(elem_type type, scatter_op op, F f) {
    if (op == scatter_op::none) {
        switch (elem_size(type)) {
        case 1:
            f(uint8_t{}, plain_value<uint8_t>{});
            return;
        case 2:
            f(uint16_t{}, plain_value<uint16_t>{});
            return;
        case 4:
            f(uint32_t{}, plain_value<uint32_t>{});
            return;
        default:
            f(uint64_t{}, plain_value<uint64_t>{});
            return;
        }
    }
    switch (type) {
    case elem_type::f32:
        f(float{}, plain_value<float>{});
        break;
    case elem_type::f64:
        f(double{}, plain_value<double>{});
        break;
    case elem_type::f16:
        f(uint16_t{}, half_value{});
        break;
    case elem_type::bf16:
        f(uint16_t{}, bf16_value{});
        break;
    case elem_type::i8:
        f(int8_t{}, plain_value<int8_t>{});
        break;
    case elem_type::boolean:
    case elem_type::u8:
        f(uint8_t{}, plain_value<uint8_t>{});
        break;
    case elem_type::i16:
        f(int16_t{}, plain_value<int16_t>{});
        break;
    case elem_type::u16:
        f(uint16_t{}, plain_value<uint16_t>{});
        break;
    case elem_type::i32:
        f(int32_t{}, plain_value<int32_t>{});
        break;
    case elem_type::u32:
        f(uint32_t{}, plain_value<uint32_t>{});
        break;
    case elem_type::i64:
        f(int64_t{}, plain_value<int64_t>{});
        break;
    case elem_type::u64:
        f(uint64_t{}, plain_value<uint64_t>{});
        break;
    }
}

void scatter_elements(const index_walk_params& p, scatter_op op, int64_t begin, int64_t end) {
    by_value_type(p.type, op, [&](auto t, auto v) {
        scatter_elements_typed<decltype(t), decltype(v)>(p, op, begin, end);
    });
}

void scatter_tuples(const index_tuple_params& p, scatter_op op) {
    if (op == scatter_op::none) {
        const int64_t elem = elem_size(p.type), bytes = p.run * elem;
        for (int64_t t = 0; t < p.batches * p.tuples; ++t)
            std::memcpy(p.tensor + tuple_offset(p, t) * elem, p.packed + t * bytes, size_t(bytes));
        return;
    }
    by_value_type(p.type, op,
                  [&](auto t, auto v) { scatter_tuples_typed<decltype(t), decltype(v)>(p, op); });
}

} // namespace

void fill_gather(gather_kernels& table) {
    table.check = check;
    table.gather = gather;
    table.gather_elements = gather_elements;
    table.gather_tuples = gather_tuples;
    table.scatter_elements = scatter_elements;
    table.scatter_tuples = scatter_tuples;
}

} // namespace migraphx::cpu::KERNEL_ISA
