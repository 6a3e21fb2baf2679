// SPDX-License-Identifier: MIT
// Pooling. Planes join the rows of a window, of all its depths, first, into one padded row, and
// then along it; pixels of many channels join their taps as vectors.
#include "targets/cpu/kernels/pooling.hpp"
#include "targets/cpu/kernels/convert.hpp"
#include "targets/cpu/kernels/vec_math.hpp"
#include "targets/cpu/kernels/walk.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

// Joins taps; `first` maps an element before joining, `last` the result of n joined ones.
struct average_pool {
    static constexpr float start = 0;
    MIGRAPHX_VEC_INLINE vf first(vf x) const { return x; }
    MIGRAPHX_VEC_INLINE static vf join(vf a, vf x) { return a + x; }
    MIGRAPHX_VEC_INLINE vf last(vf a, vf factor) const { return a * factor; }
};

struct max_pool {
    static constexpr float start = -infinity;
    MIGRAPHX_VEC_INLINE vf first(vf x) const { return x; }
    MIGRAPHX_VEC_INLINE static vf join(vf a, vf x) { return max(x, a); }
    MIGRAPHX_VEC_INLINE vf last(vf a, vf) const { return a; }
};

struct square_pool {
    static constexpr float start = 0;
    MIGRAPHX_VEC_INLINE vf first(vf x) const { return x * x; }
    MIGRAPHX_VEC_INLINE static vf join(vf a, vf x) { return a + x; }
    MIGRAPHX_VEC_INLINE vf last(vf a, vf) const { return vec::sqrt(a); }
};

struct power_pool {
    static constexpr float start = 0;
    float order;
    MIGRAPHX_VEC_INLINE vf first(vf x) const { return vec::pow(vec::abs(x), splat(order)); }
    MIGRAPHX_VEC_INLINE static vf join(vf a, vf x) { return a + x; }
    MIGRAPHX_VEC_INLINE vf last(vf a, vf) const { return vec::pow(a, splat(1 / order)); }
};

// What a row of the result joins: rows of some depths.
struct window_rows {
    int64_t first; // elements from the image's first
    int64_t depths, depth_step, rows, row_step;
    float factor;
};

window_rows rows_at(const pooling_params& p, int64_t depth, int64_t row) {
    return {p.d.first[depth] * p.x_slice + p.h.first[row] * p.x_row,
            p.d.count[depth],
            p.dilation_d * p.x_slice,
            p.h.count[row],
            p.dilation_h * p.x_row,
            p.d.factor[depth] * p.h.factor[row]};
}

template <class Join>
MIGRAPHX_VEC_INLINE void for_rows(const window_rows& r, Join join) {
    for (int64_t z = 0; z < r.depths; ++z)
        for (int64_t i = 0; i < r.rows; ++i)
            join(z * r.depth_step + i * r.row_step);
}

template <elem_type T, class Op>
void pool_pixels(const pooling_params& p, const Op& op, const char* x, char* y,
                 const window_rows& rows) {
    const int64_t n = p.channels;
    for (int64_t col = 0; col < p.out_w; ++col) {
        const int64_t first_w = p.w.first[col], count_w = p.w.count[col];
        const vf factor = splat(rows.factor * p.w.factor[col]);
        const int64_t at = rows.first + first_w * p.x_col;
        constexpr int wide = 4;
        int64_t c = 0;
        for (; c + wide * lanes <= n; c += wide * lanes) {
            vf a[wide];
            for (auto& v : a)
                v = splat(Op::start);
            for_rows(
                rows, [&](int64_t r) __attribute__((always_inline)) {
                    for (int64_t j = 0; j < count_w; ++j) {
                        const int64_t tap = at + r + j * p.dilation_w * p.x_col + c;
                        for (int k = 0; k < wide; ++k)
                            a[k] = Op::join(a[k], op.first(load_lanes<T>(x, tap + k * lanes)));
                    }
                });
            for (int k = 0; k < wide; ++k)
                store_lanes<T>(y, col * p.y_col + c + k * lanes, op.last(a[k], factor));
        }
        for (; c < n; c += lanes) {
            const int64_t m = n - c < lanes ? n - c : lanes;
            vf a = splat(Op::start);
            for_rows(
                rows, [&](int64_t r) __attribute__((always_inline)) {
                    for (int64_t j = 0; j < count_w; ++j)
                        a = Op::join(a, op.first(load_lanes_first<T>(
                                            x, at + r + j * p.dilation_w * p.x_col + c, m)));
                });
            store_lanes_first<T>(y, col * p.y_col + c, op.last(a, factor), m);
        }
    }
}

// Taps `step` elements apart; S is the stride of outputs when known, else 0.
template <class Op, int S>
inline vf joined_taps(const float* row, int64_t kernel, int64_t step, int64_t stride) {
    vf a = splat(Op::start);
    for (int64_t k = 0; k < kernel; ++k) {
        vf v;
        if constexpr (S == 1)
            v = load(row + k * step);
        else if constexpr (S == 2) {
            const vf low = load(row + k * step), high = load(row + k * step + lanes);
#if MIGRAPHX_VEC_BYTES == 64
            v = __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24,
                                        26, 28, 30);
#elif MIGRAPHX_VEC_BYTES == 32
            v = __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14);
#else
            v = __builtin_shufflevector(low, high, 0, 2, 4, 6);
#endif
        } else
            for (int l = 0; l < lanes; ++l)
                v[l] = row[k * step + l * stride];
        a = Op::join(a, v);
    }
    return a;
}

constexpr int64_t row_slack = 3 * 16; // what vectors may read past the padded row

template <elem_type T, class Op>
void pool_plane(const pooling_params& p, const Op& op, const char* x, char* y,
                const window_rows& rows) {
    float padded[pooling_params::max_width + row_slack];
    const char* top = x + rows.first * elem_size(T);
    for (int64_t i = 0; i < p.before_w; ++i)
        padded[i] = Op::start;
    for (int64_t i = p.before_w + p.in_w; i < p.padded_w + row_slack; ++i)
        padded[i] = Op::start;
    float* joined = padded + p.before_w;
    for (int64_t i = 0; i < p.in_w; i += lanes) {
        const int64_t m = p.in_w - i < lanes ? p.in_w - i : lanes;
        vf a = splat(Op::start);
        for_rows(
            rows, [&](int64_t r) __attribute__((always_inline)) {
                a = Op::join(a, op.first(m == lanes ? load_lanes<T>(top, r + i)
                                                    : load_lanes_first<T>(top, r + i, m)));
            });
        if (m == lanes)
            store(joined + i, a);
        else
            store_first(joined + i, a, m);
    }
    for (int64_t i = 0; i < p.out_w; i += lanes) {
        const int64_t m = p.out_w - i < lanes ? p.out_w - i : lanes;
        const float* from = padded + i * p.stride_w;
        vf a;
        if (p.stride_w == 1)
            a = joined_taps<Op, 1>(from, p.kernel_w, p.dilation_w, 1);
        else if (p.stride_w == 2)
            a = joined_taps<Op, 2>(from, p.kernel_w, p.dilation_w, 2);
        else if (m == lanes)
            a = joined_taps<Op, 0>(from, p.kernel_w, p.dilation_w, p.stride_w);
        else {
            a = splat(Op::start);
            for (int64_t k = 0; k < p.kernel_w; ++k) {
                vf v = splat(Op::start);
                for (int64_t l = 0; l < m; ++l)
                    v[l] = from[k * p.dilation_w + l * p.stride_w];
                a = Op::join(a, v);
            }
        }
        const vf factors = load_first(p.w.factor + i, m) * rows.factor;
        if (m == lanes)
            store_lanes<T>(y, i, op.last(a, factors));
        else
            store_lanes_first<T>(y, i, op.last(a, factors), m);
    }
}

template <elem_type T, class Op>
void pool_rows(const pooling_params& p, const Op& op, int64_t begin, int64_t end) {
    const int64_t size = elem_size(T);
    walker<2> w{p.rank, p.lens, {p.x_steps, p.y_steps}, {}, {}};
    w.seek(begin / (p.out_d * p.out_h));
    int64_t depth = begin / p.out_h % p.out_d, row = begin % p.out_h;
    for (int64_t unit = begin; unit < end; ++unit) {
        const char* x = p.x + w.at[0] * size;
        char* y = p.y + (w.at[1] + depth * p.y_slice + row * p.y_row) * size;
        const auto rows = rows_at(p, depth, row);
        if (p.channels == 1)
            pool_plane<T>(p, op, x, y, rows);
        else
            pool_pixels<T>(p, op, x, y, rows);
        if (++row < p.out_h)
            continue;
        row = 0;
        if (++depth == p.out_d) {
            depth = 0;
            w.next();
        }
    }
}

template <elem_type T>
void pool_typed(const pooling_params& p, int64_t begin, int64_t end) {
    switch (p.kind) {
    case pooling_kind::average:
        pool_rows<T>(p, average_pool{}, begin, end);
        break;
    case pooling_kind::max:
        pool_rows<T>(p, max_pool{}, begin, end);
        break;
    case pooling_kind::lp:
        if (p.order == 2)
            pool_rows<T>(p, square_pool{}, begin, end);
        else
            pool_rows<T>(p, power_pool{p.order}, begin, end);
        break;
    }
}

void rows(const pooling_params& p, int64_t begin, int64_t end) {
    switch (p.type) {
    case elem_type::f16:
        pool_typed<elem_type::f16>(p, begin, end);
        break;
    case elem_type::bf16:
        pool_typed<elem_type::bf16>(p, begin, end);
        break;
    default:
        pool_typed<elem_type::f32>(p, begin, end);
        break;
    }
}

} // namespace

void fill_pooling(pooling_kernels& table) {
    table.rows = rows;
}

} // namespace migraphx::cpu::KERNEL_ISA
