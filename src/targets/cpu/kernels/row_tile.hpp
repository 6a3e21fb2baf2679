// SPDX-License-Identifier: MIT
// The end of a register tile of rows x vectors of channels: epilogue and store. For kernel files
// only.
#pragma once

#include "targets/cpu/kernels/lanes.hpp"
#include "targets/cpu/kernels/row_epilogue.hpp"
#include "targets/cpu/kernels/row_parts.hpp"
#include "targets/cpu/kernels/vec_math.hpp"

namespace migraphx::cpu::KERNEL_ISA {

// Where a tile lies in the result.
struct tile_place {
    float* y; // of its first row and channel
    int64_t y_row;
    int64_t image, row, channel; // its first
    int64_t channels;            // that exist, from the first on; at least one
};

#if MIGRAPHX_VEC_BYTES == 64
// 2^t within 2 ulp; infinity only for more than 127. The processor splits t: what is above the next
// lower integer goes through a polynomial (relative error 9e-8), the scaling takes the rest.
MIGRAPHX_VEC_INLINE vf power(vf t) {
    constexpr int down_quietly = 0x09;
    const vf f = vf(_mm512_reduce_ps(__m512(t), down_quietly));
    vf p = splat(1.8775767e-3f);
    p = fma(p, f, splat(8.98934e-3f));
    p = fma(p, f, splat(5.5826318e-2f));
    p = fma(p, f, splat(2.4015361e-1f));
    p = fma(p, f, splat(6.931531e-1f));
    p = fma(p, f, splat(9.9999994e-1f));
    return vf(_mm512_scalef_ps(__m512(p), __m512(t)));
}
#endif

// x / (1 + 2^t), which is x * sigmoid(-log(2) t). Beyond the bounds the result is x, or below
// 1e-32, where its last bits do not matter.
template <bool Divides>
MIGRAPHX_VEC_INLINE vf over_one_and_power(vf x, vf t) {
    t = raw_min(splat(116.0f), t);
#if MIGRAPHX_VEC_BYTES == 64
    const vf d = power(t) + 1.0f;
    if (Divides)
        return x / d;
    const vf q = (vf)_mm512_rcp14_ps((__m512)d);
    return x * fma(q, fma(-d, q, splat(1.0f)), q);
#else
    t = raw_max(splat(-200.0f), t);
    const vf n = nearest(t);
    return x / (scale_by_power(power_of_part(t - n), n) + 1.0f);
#endif
}

template <bool Divides = false>
MIGRAPHX_VEC_INLINE vf swish(vf x, float alpha) {
    return over_one_and_power<Divides>(x, x * (-1.44269504f * alpha));
}

// With t = -log2(e) * sqrt(8 / pi) * (x + 0.044715 x^3). Of less than -32 nothing is left.
template <bool Divides = false>
MIGRAPHX_VEC_INLINE vf gelu_tanh(vf x) {
    x = raw_max(splat(-32.0f), x);
    return over_one_and_power<Divides>(x,
                                       x * fma(x * x, splat(-0.102943241f), splat(-2.30220819f)));
}

MIGRAPHX_VEC_INLINE vf unary_step(const row_step& s, vf x) {
    switch (s.op) {
    case row_op::clamp:
        return raw_min(splat(s.beta), raw_max(splat(s.alpha), x)); // keeps NaN
    case row_op::hard_swish:
        return x *
               raw_min(splat(1.0f), raw_max(splat(0.0f), fma(splat(s.alpha), x, splat(s.beta))));
    case row_op::hard_sigmoid:
        return raw_min(splat(1.0f), raw_max(splat(0.0f), fma(splat(s.alpha), x, splat(s.beta))));
    case row_op::linear:
        return fma(splat(s.alpha), x, splat(s.beta));
    case row_op::leaky_relu:
        return x > 0.0f ? x : x * s.alpha;
    case row_op::swish:
        return swish(x, s.alpha);
    case row_op::sigmoid:
        return sigmoid(x);
    case row_op::tanh:
        return tanh(x);
    case row_op::gelu_erf:
        return gelu_erf(x);
    case row_op::gelu_tanh:
        return gelu_tanh(x);
    default:
        return x;
    }
}

MIGRAPHX_VEC_INLINE vf binary_step(row_op op, vf x, vf y) {
    switch (op) {
    case row_op::subtract:
        return x - y;
    case row_op::multiply:
        return x * y;
    case row_op::maximum:
        return max(x, y);
    case row_op::minimum:
        return min(x, y);
    default:
        return x + y;
    }
}

// A loop for each operation, so that its switch is outside.
template <row_op Op>
inline void apply_unary(row_step s, vf* tile, int64_t n) {
    s.op = Op;
    for (int64_t i = 0; i < n; ++i)
        tile[i] = unary_step(s, tile[i]);
}

template <row_op Op>
inline void apply_binary(const row_step& s, vf* tile, int64_t rows, int64_t vectors,
                         const tile_place& at) {
    const float* first = s.operand + at.image * s.image + at.row * s.row + at.channel * s.channel;
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t v = 0; v < vectors; ++v) {
            const int64_t left = at.channels - v * lanes;
            const float* from = first + r * s.row + v * lanes * s.channel;
            const vf y = s.channel == 0  ? splat(*from)
                         : left >= lanes ? load(from)
                                         : load_first(from, left < 0 ? 0 : left);
            tile[r * vectors + v] = binary_step(Op, tile[r * vectors + v], y);
        }
}

// From step `first` on.
__attribute__((noinline)) static void apply_steps(const row_epilogue& e, int first, vf* tile,
                                                  int64_t rows, int64_t vectors,
                                                  const tile_place& at) {
    for (int i = first; i < e.count; ++i) {
        const row_step& s = e.steps[i];
        switch (s.op) {
        case row_op::none:
            break;
        case row_op::clamp:
            apply_unary<row_op::clamp>(s, tile, rows * vectors);
            break;
        case row_op::hard_swish:
            apply_unary<row_op::hard_swish>(s, tile, rows * vectors);
            break;
        case row_op::hard_sigmoid:
            apply_unary<row_op::hard_sigmoid>(s, tile, rows * vectors);
            break;
        case row_op::linear:
            apply_unary<row_op::linear>(s, tile, rows * vectors);
            break;
        case row_op::leaky_relu:
            apply_unary<row_op::leaky_relu>(s, tile, rows * vectors);
            break;
        case row_op::swish:
            apply_unary<row_op::swish>(s, tile, rows * vectors);
            break;
        case row_op::sigmoid:
            apply_unary<row_op::sigmoid>(s, tile, rows * vectors);
            break;
        case row_op::tanh:
            apply_unary<row_op::tanh>(s, tile, rows * vectors);
            break;
        case row_op::gelu_erf:
            apply_unary<row_op::gelu_erf>(s, tile, rows * vectors);
            break;
        case row_op::gelu_tanh:
            apply_unary<row_op::gelu_tanh>(s, tile, rows * vectors);
            break;
        case row_op::add:
            apply_binary<row_op::add>(s, tile, rows, vectors, at);
            break;
        case row_op::subtract:
            apply_binary<row_op::subtract>(s, tile, rows, vectors, at);
            break;
        case row_op::multiply:
            apply_binary<row_op::multiply>(s, tile, rows, vectors, at);
            break;
        case row_op::maximum:
            apply_binary<row_op::maximum>(s, tile, rows, vectors, at);
            break;
        case row_op::minimum:
            apply_binary<row_op::minimum>(s, tile, rows, vectors, at);
            break;
        }
    }
}

template <int R, int V>
MIGRAPHX_VEC_INLINE void clamp_tile(vf (&acc)[R][V], float low_bound, float high_bound) {
    const vf low = splat(low_bound), high = splat(high_bound);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v)
            acc[r][v] = raw_min(high, raw_max(low, acc[r][v]));
}

// Swish of a tile whose constants have no registers beside it, from memory to its place.
template <bool Divides>
__attribute__((noinline)) static void swish_to_place(const vf* tile, int64_t rows, int64_t vectors,
                                                     float alpha, const tile_place& at) {
    for (int64_t v = 0; v < vectors; ++v) {
        const int64_t left = at.channels - v * lanes, y_row = at.y_row;
        float* y = at.y + v * lanes;
        const vf* x = tile + v;
        if (left >= lanes)
            for (int64_t r = 0; r < rows; ++r, y += y_row, x += vectors)
                store(y, swish<Divides>(*x, alpha));
        else
            for (int64_t r = 0; r < rows && left > 0; ++r, y += y_row, x += vectors)
                store_first(y, swish<Divides>(*x, alpha), left);
    }
}

// The bias is in the accumulators already. The first activation, a residual and the clamp after it
// are done in registers, others on a copy in memory.
template <int R, int V>
MIGRAPHX_VEC_INLINE void finish_tile(vf (&acc)[R][V], const row_epilogue& e, const tile_place& at) {
    if (e.first == row_op::clamp) {
        clamp_tile<R, V>(acc, e.low, e.high);
    } else if (e.first == row_op::hard_swish) {
        const vf alpha = splat(e.alpha), beta = splat(e.beta), shift = splat(e.shift);
        const vf low = splat(e.low), high = splat(e.high);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v)
                acc[r][v] =
                    fma(acc[r][v], raw_min(high, raw_max(low, fma(alpha, acc[r][v], beta))), shift);
    }
    int done = 0;
    if (e.count > 0 && at.channels >= V * lanes && e.steps[0].op == row_op::add &&
        e.steps[0].channel == 1) {
        const row_step& s = e.steps[0];
        const float* from = s.operand + at.image * s.image + at.row * s.row + at.channel;
        const int64_t step = s.row;
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r, from += step)
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v)
                acc[r][v] += load(from + v * lanes);
        done = 1;
        if (e.count > 1 && e.steps[1].op == row_op::clamp) {
            clamp_tile<R, V>(acc, e.steps[1].alpha, e.steps[1].beta);
            done = 2;
        }
    }
    const bool swishes = e.count == done + 1 && e.steps[done].op == row_op::swish;
    constexpr int few = lanes == 16 ? 16 : 4; // which leave registers for the constants
    if constexpr (R * V <= few)
        if (swishes) {
            const float alpha = e.steps[done].alpha;
            const auto all = [&](auto divides) __attribute__((always_inline)) {
#pragma GCC unroll 16
                for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
                    for (int v = 0; v < V; ++v)
                        acc[r][v] = swish<divides.value != 0>(acc[r][v], alpha);
            };
            if (e.divides)
                all(row_count<1>{});
            else
                all(row_count<0>{});
            ++done;
        }
    const int64_t y_row = at.y_row;
    if (__builtin_expect(e.count == done, 1)) {
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
            float* y = at.y + v * lanes;
            const int64_t left = at.channels - v * lanes;
            if (left >= lanes) {
#pragma GCC unroll 16
                for (int r = 0; r < R; ++r, y += y_row)
                    store(y, acc[r][v]);
            } else if (left > 0) {
#pragma GCC unroll 16
                for (int r = 0; r < R; ++r, y += y_row)
                    store_first(y, acc[r][v], left);
            }
        }
        return;
    }
    vf tile[R * V];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v)
            tile[r * V + v] = acc[r][v];
    if (swishes)
        return e.divides ? swish_to_place<true>(tile, R, V, e.steps[done].alpha, at)
                         : swish_to_place<false>(tile, R, V, e.steps[done].alpha, at);
    apply_steps(e, done, tile, R, V, at);
    for (int r = 0; r < R; ++r)
        for (int v = 0; v < V; ++v) {
            float* to = at.y + r * y_row + v * lanes;
            const int64_t left = at.channels - v * lanes;
            if (left >= lanes)
                store(to, tile[r * V + v]);
            else if (left > 0)
                store_first(to, tile[r * V + v], left);
        }
}

} // namespace migraphx::cpu::KERNEL_ISA
