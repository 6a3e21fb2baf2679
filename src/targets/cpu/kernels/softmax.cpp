// SPDX-License-Identifier: MIT
// softmax(x) = exp(x - max) / sum(exp(x - max)). Rows short enough stay in registers, longer ones
// in cache.
#include "targets/cpu/kernels/softmax.hpp"
#include "targets/cpu/kernels/convert.hpp"
#include "targets/cpu/kernels/vec_math.hpp"
#include "targets/cpu/kernels/walk.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

struct softmax_row {
    const void* x;
    void* y;
    const float* mask;
    int64_t mask_n;
    float scale;
    int64_t n;
};

inline float log_of(float x) {
    return log(splat(x))[0];
}

// Plain: no mask, and a scale of 1.
template <elem_type T, bool Plain = false>
MIGRAPHX_VEC_INLINE vf row_values(const softmax_row& r, int64_t i) {
    if (Plain)
        return load_lanes<T>(r.x, i);
    vf v = load_lanes<T>(r.x, i) * r.scale;
    if (r.mask != nullptr)
        v += r.mask_n != 0 ? load(r.mask + i) : splat(*r.mask);
    return v;
}

// Lanes past the end are -infinity: no part of the maximum, and 0 after exp.
template <elem_type T>
MIGRAPHX_VEC_INLINE vf row_tail(const softmax_row& r, int64_t i) {
    const int64_t m = r.n - i;
    vf v = load_lanes_first<T>(r.x, i, m) * r.scale;
    if (r.mask != nullptr)
        v += r.mask_n != 0 ? load_first(r.mask + i, m) : splat(*r.mask);
    return iota() < int32_t(m) ? v : splat(-infinity);
}

// n in ((K - 1) * lanes, K * lanes]
template <elem_type T, int K, bool Log>
void softmax_in_registers(const softmax_row& r) {
    const int64_t last = int64_t(K - 1) * lanes;
    vf v[K];
    for (int k = 0; k < K - 1; ++k)
        v[k] = row_values<T>(r, k * lanes);
    v[K - 1] = row_tail<T>(r, last);
    vf m = v[0];
    for (int k = 1; k < K; ++k)
        m = raw_max(m, v[k]);
    const float top = largest_of(m);
    vf sum{};
    vf e[K];
    for (int k = 0; k < K; ++k) {
        v[k] -= top;
        e[k] = exp(v[k]);
        if (k == K - 1)
            e[k] = iota() < int32_t(r.n - last) ? e[k] : vf{};
        sum += e[k];
    }
    const float total = sum_of(sum);
    const float factor = Log ? log_of(total) : 1.0f / total;
    for (int k = 0; k < K; ++k) {
        const vf out = Log ? v[k] - factor : e[k] * factor;
        if (k < K - 1)
            store_lanes<T>(r.y, k * lanes, out);
        else
            store_lanes_first<T>(r.y, last, out, r.n - last);
    }
}

template <elem_type T, bool Log, bool Plain>
void softmax_in_cache(const softmax_row& r) {
    constexpr int wide = 4;
    const int64_t step = wide * lanes;
    const int64_t n = r.n;
    vf m[wide];
    for (auto& v : m)
        v = splat(-infinity);
    int64_t i = 0;
    for (; i + step <= n; i += step)
        for (int k = 0; k < wide; ++k)
            m[k] = raw_max(row_values<T, Plain>(r, i + k * lanes), m[k]);
    for (; i + lanes <= n; i += lanes)
        m[0] = raw_max(row_values<T, Plain>(r, i), m[0]);
    if (i < n)
        m[0] = raw_max(row_tail<T>(r, i), m[0]);
    const float top = largest_of(raw_max(raw_max(m[0], m[1]), raw_max(m[2], m[3])));

    // Exponentials are kept in y when it is wide enough for them, else made again.
    constexpr bool keep = T == elem_type::f32 && !Log;
    double total = 0;
    for (i = 0; i < n;) {
        const int64_t stop = n - i > 64 * step ? i + 64 * step : n;
        vf sum[wide] = {};
        for (; i + step <= stop; i += step)
            for (int k = 0; k < wide; ++k) {
                const vf e = exp(row_values<T, Plain>(r, i + k * lanes) - top);
                sum[k] += e;
                if (keep)
                    store_lanes<T>(r.y, i + k * lanes, e);
            }
        for (; i + lanes <= stop; i += lanes) {
            const vf e = exp(row_values<T, Plain>(r, i) - top);
            sum[0] += e;
            if (keep)
                store_lanes<T>(r.y, i, e);
        }
        if (i < stop) {
            const vf e = iota() < int32_t(n - i) ? exp(row_tail<T>(r, i) - top) : vf{};
            sum[1] += e;
            if (keep)
                store_lanes_first<T>(r.y, i, e, n - i);
            i = stop;
        }
        total += double(sum_of((sum[0] + sum[1]) + (sum[2] + sum[3])));
    }

    const float factor = Log ? log_of(float(total)) : float(1 / total);
    const auto finish = [&](vf v) { return Log ? v - top - factor : exp(v - top) * factor; };
    for (i = 0; i + lanes <= n; i += lanes)
        store_lanes<T>(r.y, i,
                       keep ? load_lanes<T>(r.y, i) * factor : finish(row_values<T, Plain>(r, i)));
    if (i < n)
        store_lanes_first<T>(
            r.y, i, keep ? load_lanes_first<T>(r.y, i, n - i) * factor : finish(row_tail<T>(r, i)),
            n - i);
}

template <elem_type T, bool Log>
void softmax_one_row(const softmax_row& r) {
    switch ((r.n + lanes - 1) / lanes) {
    case 0:
        return;
    case 1:
        softmax_in_registers<T, 1, Log>(r);
        return;
    case 2:
        softmax_in_registers<T, 2, Log>(r);
        return;
    case 3:
        softmax_in_registers<T, 3, Log>(r);
        return;
    case 4:
        softmax_in_registers<T, 4, Log>(r);
        return;
    default:
        break;
    }
    if constexpr (lanes == 16 && T == elem_type::f32 && !Log) // 32 registers: attention's 128 keys
        switch ((r.n + lanes - 1) / lanes) {
        case 5:
            softmax_in_registers<T, 5, Log>(r);
            return;
        case 6:
            softmax_in_registers<T, 6, Log>(r);
            return;
        case 7:
            softmax_in_registers<T, 7, Log>(r);
            return;
        case 8:
            softmax_in_registers<T, 8, Log>(r);
            return;
        default:
            break;
        }
    if (r.mask == nullptr && r.scale == 1)
        softmax_in_cache<T, Log, true>(r);
    else
        softmax_in_cache<T, Log, false>(r);
}

template <elem_type T, bool Log>
void softmax_rows_of(const softmax_params& p, int64_t begin, int64_t end) {
    walker<3> w{p.rank, p.lens, {p.x_steps, p.y_steps, p.mask_steps}, {}, {}};
    w.seek(begin);
    for (int64_t unit = begin; unit < end; ++unit, w.next())
        softmax_one_row<T, Log>({static_cast<const char*>(p.x) + w.at[0] * elem_size(T),
                                 static_cast<char*>(p.y) + w.at[1] * elem_size(T),
                                 p.mask == nullptr ? nullptr : p.mask + w.at[2], p.mask_n, p.scale,
                                 p.n});
}

template <bool Log>
void softmax_rows_typed(const softmax_params& p, int64_t begin, int64_t end) {
    switch (p.type) {
    case elem_type::f16:
        softmax_rows_of<elem_type::f16, Log>(p, begin, end);
        break;
    case elem_type::bf16:
        softmax_rows_of<elem_type::bf16, Log>(p, begin, end);
        break;
    default:
        softmax_rows_of<elem_type::f32, Log>(p, begin, end);
        break;
    }
}

void rows(const softmax_params& p, int64_t begin, int64_t end) {
    p.log ? softmax_rows_typed<true>(p, begin, end) : softmax_rows_typed<false>(p, begin, end);
}

// ---- one vector of lines side by side

template <bool Log>
void softmax_column(const softmax_params& p, const float* x, float* y, const float* mask,
                    int64_t m) {
    const auto value = [&](int64_t i) {
        vf v = (m == lanes ? load(x + i * p.x_n) : load_first(x + i * p.x_n, m)) * p.scale;
        if (mask != nullptr) {
            const float* q = mask + i * p.mask_n;
            v += p.inner_mask != 0 ? load_first(q, m) : splat(*q);
        }
        return v;
    };
    const auto put = [&](int64_t i, vf v) {
        if (m == lanes)
            store(y + i * p.y_n, v);
        else
            store_first(y + i * p.y_n, v, m);
    };
    vf top = splat(-infinity);
    for (int64_t i = 0; i < p.n; ++i)
        top = raw_max(value(i), top);
    vf sum{};
    for (int64_t i = 0; i < p.n; ++i) {
        const vf e = exp(value(i) - top);
        sum += e;
        if (!Log)
            put(i, e);
    }
    if (Log) {
        const vf shift = log(sum);
        for (int64_t i = 0; i < p.n; ++i)
            put(i, value(i) - top - shift);
        return;
    }
    const vf factor = 1.0f / sum;
    for (int64_t i = 0; i < p.n; ++i)
        put(i, load_first(y + i * p.y_n, m) * factor);
}

void columns(const softmax_params& p, int64_t begin, int64_t end) {
    walker<3> w{p.rank, p.lens, {p.x_steps, p.y_steps, p.mask_steps}, {}, {}};
    w.seek(begin / p.inner_blocks);
    int64_t part = begin % p.inner_blocks;
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t first = part * p.inner_block;
        const int64_t last = p.inner - first < p.inner_block ? p.inner : first + p.inner_block;
        for (int64_t c = first; c < last; c += lanes) {
            const int64_t m = last - c < lanes ? last - c : lanes;
            const float* x = static_cast<const float*>(p.x) + w.at[0] + c;
            float* y = static_cast<float*>(p.y) + w.at[1] + c;
            const float* mask = p.mask == nullptr ? nullptr : p.mask + w.at[2] + c * p.inner_mask;
            p.log ? softmax_column<true>(p, x, y, mask, m)
                  : softmax_column<false>(p, x, y, mask, m);
        }
        if (++part == p.inner_blocks) {
            part = 0;
            w.next();
        }
    }
}

// ---- any strides, through a buffer

void softmax_line(const softmax_params& p, const char* x, char* y, const float* mask) {
    constexpr int64_t chunk = 256;
    const int64_t size = elem_size(p.type);
    float b[chunk + lanes];
    // Values i .. i + m in the buffer, filled up to whole vectors with -infinity.
    const auto fetch = [&](int64_t i) {
        const int64_t m = p.n - i < chunk ? p.n - i : chunk;
        load_floats(b, x + i * p.x_n * size, p.type, m, p.x_n);
        for (int64_t k = 0; k < m; ++k)
            b[k] = b[k] * p.scale + (mask == nullptr ? 0.0f : mask[(i + k) * p.mask_n]);
        store(b + m, splat(-infinity));
        return m;
    };
    vf m4 = splat(-infinity);
    for (int64_t i = 0; i < p.n; i += chunk)
        for (int64_t m = fetch(i), k = 0; k < m; k += lanes)
            m4 = raw_max(load(b + k), m4);
    const float top = largest_of(m4);
    double total = 0;
    for (int64_t i = 0; i < p.n; i += chunk) {
        const int64_t m = fetch(i);
        vf sum{};
        for (int64_t k = 0; k < m; k += lanes) {
            const vf e = exp(load(b + k) - top);
            sum += m - k < lanes ? (iota() < int32_t(m - k) ? e : vf{}) : e;
        }
        total += double(sum_of(sum));
    }
    const float factor = p.log ? log_of(float(total)) : float(1 / total);
    for (int64_t i = 0; i < p.n; i += chunk) {
        const int64_t m = fetch(i);
        for (int64_t k = 0; k < m; k += lanes) {
            const vf v = load(b + k) - top;
            store(b + k, p.log ? v - factor : exp(v) * factor);
        }
        store_floats(y + i * p.y_n * size, b, p.type, m, p.y_n);
    }
}

void lines(const softmax_params& p, int64_t begin, int64_t end) {
    walker<3> w{p.rank, p.lens, {p.x_steps, p.y_steps, p.mask_steps}, {}, {}};
    w.seek(begin);
    const int64_t size = elem_size(p.type);
    for (int64_t unit = begin; unit < end; ++unit, w.next())
        softmax_line(p, static_cast<const char*>(p.x) + w.at[0] * size,
                     static_cast<char*>(p.y) + w.at[1] * size,
                     p.mask == nullptr ? nullptr : p.mask + w.at[2]);
}

} // namespace

void fill_softmax(softmax_kernels& table) {
    table.rows = rows;
    table.columns = columns;
    table.lines = lines;
}

} // namespace migraphx::cpu::KERNEL_ISA
