// SPDX-License-Identifier: MIT
// Tiles of a product in pairs (paired_tile.hpp): rows are scaled by powers of two so that their
// numbers are about as large as the weights. For kernel files only.
#pragma once

#include "targets/cpu/kernels/paired_tile.hpp"
#include "targets/cpu/kernels/panel_gemm.hpp"

namespace migraphx::cpu::KERNEL_ISA {

// Before the rows of a strip: what pairs of each row add, from strip_factors on what results of
// each row are multiplied by, and whether that is so: a strip with a number that is not finite or
// too large is multiplied plainly.
constexpr int64_t strip_head = 32, strip_factors = 16;
constexpr int64_t strip_scaled = strip_head - 1; // 1 or 0

// The sum of products of pairs of one row, whose parts are `step` floats apart.
inline float pairs_of_row(const float* row, int64_t step, int64_t depth) {
    const auto part = [&](int64_t i) -> const strip_part& {
        return *reinterpret_cast<const strip_part*>(row + i * step);
    };
    // Pairs begin at every third k: in three parts at 0, 3, 6 of the first, 1, 4, 7 of the second,
    // 2, 5 of the third.
    constexpr strip_part begins[3] = {
        {1, 0, 0, 1, 0, 0, 1, 0}, {0, 1, 0, 0, 1, 0, 0, 0}, {0, 0, 1, 0, 0, 1, 0, 0}};
    strip_part sums[3]{};
    float sum = 0;
    int64_t k = 0;
    for (int64_t i = 0; k + 3 * strip_depth <= depth; k += 3 * strip_depth, i += 3) {
#pragma GCC unroll 3
        for (int j = 0; j < 3; ++j) {
            const strip_part x = part(i + j);
            sums[j] += x * begins[j] * __builtin_shufflevector(x, x, 1, 2, 3, 4, 5, 6, 7, 0);
        }
        sum += part(i + 1)[7] * part(i + 2)[0];
    }
    for (; k + 3 <= depth; k += 3)
        sum += row[k / strip_depth * step + k % strip_depth] *
               row[(k + 1) / strip_depth * step + (k + 1) % strip_depth];
    sums[0] += sums[1] + sums[2];
    for (int j = 0; j < strip_depth; ++j)
        sum += sums[0][j];
    return sum;
}

// Factors are made about as large by powers of two. How large numbers are is told by the root of
// their mean square: single large ones, which trained weights have, say little of most sums.
struct magnitude {
    int exponent; // of the root, rounded down
    bool usual;   // finite, not 0, and the exponent is at most most_exponent either way
};

// Of n numbers whose squares are `squares` in sum, infinite or NaN where one is or where they are
// too large.
inline magnitude magnitude_of(float squares, int64_t n) {
    const float mean = squares / float(n);
    int32_t x;
    __builtin_memcpy(&x, &mean, sizeof(x));
    const int exponent = ((x >> 23) - 127) >> 1;
    return {exponent, x > 0 && exponent <= most_exponent && exponent >= -most_exponent};
}

// Of one row of a strip, whose parts are `step` floats apart.
inline float squares_of_row(const float* row, int64_t step, int64_t parts) {
    strip_part sums[4]{};
    const auto add = [&](int j, const float* at) __attribute__((always_inline)) {
        const strip_part x = *reinterpret_cast<const strip_part*>(at);
        sums[j] += x * x;
    };
    int64_t i = 0;
    for (; i + 4 <= parts; i += 4, row += 4 * step)
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j)
            add(j, row + j * step);
    for (; i < parts; ++i, row += step)
        add(0, row);
    sums[0] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    float sum = 0;
    for (int j = 0; j < strip_depth; ++j)
        sum += sums[0][j];
    return sum;
}

// Of a packed strip of which `depth` is a multiple of strip_depth. Each row has a factor of its
// own: rows are samples, tokens or pixels, and a large one among them is not to cost the others
// digits.
inline void scale_strip(float* head, int64_t rows, int64_t depth, int weight_exponent) {
    float* const strip = head + strip_head;
    const int64_t step = rows * strip_depth, parts = depth / strip_depth;
    float scales[paired_rows];
    head[strip_scaled] = 0;
    for (int64_t r = 0; r < rows; ++r) {
        const float squares = squares_of_row(strip + r * strip_depth, step, parts);
        const auto size = magnitude_of(squares, depth);
        if (squares == 0) { // of nothing but zeros, results are 0 to the last bit
            scales[r] = 1;
            head[strip_factors + r] = 0;
        } else if (size.usual) {
            scales[r] = power_of_two(weight_exponent - size.exponent);
            head[strip_factors + r] = power_of_two(size.exponent - weight_exponent);
        } else {
            return;
        }
    }
    head[strip_scaled] = 1;
    for (int64_t r = 0; r < rows; ++r) {
        float* const row = strip + r * strip_depth;
        for (int64_t i = 0; i < parts; ++i)
            *reinterpret_cast<strip_part*>(row + i * step) *= scales[r];
        head[r] = -pairs_of_row(row, step, depth);
    }
}

template <int R, int V>
inline void paired_tile(const strip_product& p, const float* pairs, const row_epilogue& e,
                        const tile_place& at) {
    vf acc[R][V];
    tile_approach come_near(*p.fetch, p.depth);
    multiply_strip_pairs<R, V>(acc, p.strip + strip_head, p.strip, p.panel, row_panel, pairs,
                               p.depth, come_near);
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
        const vf bias = load(p.bias + v * lanes);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r)
            acc[r][v] = fma(acc[r][v], splat(p.strip[strip_factors + r]), bias);
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
    if (p.strip[strip_scaled] == 0) {
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
