// SPDX-License-Identifier: MIT
// Tiles of a product in pairs (paired_tile.hpp): a strip of rows is scaled by a power of two so
// that its largest number is about the largest weight. For kernel files only.
#pragma once

#include "targets/cpu/kernels/paired_tile.hpp"
#include "targets/cpu/kernels/panel_gemm.hpp"

namespace migraphx::cpu::KERNEL_ISA {

// Before the rows of a strip: what pairs of each row add, then what results are multiplied by; 0:
// the strip is not scaled and has no such sums, since a number of it is not finite or too large.
constexpr int64_t strip_head = 16;
constexpr int64_t strip_unscale = strip_head - 1;

// Of a packed strip of which `depth` is a multiple of strip_depth; weights are below
// 2^weight_exponent.
inline void scale_strip(float* head, int64_t rows, int64_t depth, int weight_exponent) {
    float* strip = head + strip_head;
    const int64_t n = rows * depth;
    vi most[2]{};
    int64_t i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes)
        for (int j = 0; j < 2; ++j) {
            const vi x = bits(abs(load(strip + i + j * lanes)));
            most[j] = x > most[j] ? x : most[j];
        }
    int32_t largest = 0;
    for (int j = 0; j < lanes; ++j) {
        largest = most[0][j] > largest ? most[0][j] : largest;
        largest = most[1][j] > largest ? most[1][j] : largest;
    }
    for (; i < n; ++i) {
        const int32_t x = bits(abs(splat(strip[i])))[0];
        largest = x > largest ? x : largest;
    }
    constexpr int bound = 40;
    const int exponent = (largest >> 23) - 126;
    head[strip_unscale] = 0;
    if (exponent > bound || exponent < -bound)
        return;
    const auto power = [](int e) { return from_bits(splat_int((e + 127) << 23))[0]; };
    const float scale = power(weight_exponent - exponent);
    head[strip_unscale] = power(exponent - weight_exponent);
    for (i = 0; i + lanes <= n; i += lanes)
        store(strip + i, load(strip + i) * scale);
    for (; i < n; ++i)
        strip[i] *= scale;
    for (int64_t r = 0; r < rows; ++r)
        head[r] = 0;
    const auto at = [&](int64_t k) {
        return strip + k / strip_depth * (rows * strip_depth) + k % strip_depth;
    };
    for (int64_t k = 0; k + 3 <= depth; k += 3) {
        const float *x = at(k), *y = at(k + 1);
        for (int64_t r = 0; r < rows; ++r)
            head[r] -= x[r * strip_depth] * y[r * strip_depth];
    }
}

template <int R, int V>
inline void paired_tile(const strip_product& p, const float* pairs, const row_epilogue& e,
                        const tile_place& at) {
    vf acc[R][V];
    tile_approach come_near(*p.fetch, p.depth);
    multiply_strip_pairs<R, V>(acc, p.strip + strip_head, p.strip, p.panel, row_panel, pairs,
                               p.depth, come_near);
    const vf scale = splat(p.strip[strip_unscale]);
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
        const vf bias = load(p.bias + v * lanes);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r)
            acc[r][v] = fma(acc[r][v], scale, bias);
    }
    if (p.add)
        add_sums<R, V>(acc, at);
    if (p.finish)
        finish_tile<R, V>(acc, e, at);
    else
        store_sums<R, V>(acc, at);
}

// `rows` is at most paired_rows; `pairs`: pair_products of the panel.
inline void multiply_paired_tile(strip_product p, const float* pairs, const row_epilogue& e,
                                 const tile_place& at, int64_t rows) {
    if (p.strip[strip_unscale] == 0) {
        p.strip += strip_head;
        multiply_tile(p, e, at, rows);
        return;
    }
    if constexpr (lanes == 16)
        with_rows<paired_rows>(rows, [&](auto r) {
            if (at.channels > lanes)
                paired_tile<decltype(r)::value, 2>(p, pairs, e, at);
            else
                paired_tile<decltype(r)::value, 1>(p, pairs, e, at);
        });
}

} // namespace migraphx::cpu::KERNEL_ISA
