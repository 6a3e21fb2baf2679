// SPDX-License-Identifier: MIT
// f32 products of many rows with weights in panels of columns: c = a * b, then an epilogue on
// register tiles.
#pragma once

#include "targets/cpu/kernels/row_epilogue.hpp"

#include <cstdint>

namespace migraphx::cpu {

// Rows that are windows of images whose channels are neighbours: row r is a position of the result,
// k a place of the window (its rows, then its columns), then a channel.
struct gemm_windows {
    int64_t channels = 0; // 0: there are none
    int64_t height, width, out_height, out_width;
    int64_t kernel_w, stride_h, stride_w, dilation_h, dilation_w; // dilation 1: dense
    int64_t pad_top, pad_left;                                    // what is outside counts as zeros
    int64_t x_image, x_row, x_col;
};

struct gemm_params {
    const float* a; // (r, k) at a[r * a_row + k], or the images of `windows`
    const float* b; // panels of `panel` columns, k rows each, the last filled up with zeros
    float* c;       // (r, c) at c[r * c_row + c]
    int64_t m, n, k;
    int64_t a_row, c_row;
    // Rows and depth of the part of A that is used with all panels while it stays in a cache. With
    // less than the whole depth, c holds sums until the last part.
    int64_t block_rows, block_depth;
    // Longer sums are sums of parts. block_depth is a multiple of it, or all of k.
    int64_t sum_depth;
    // With seven products of half the rows, columns and depth instead of eight (strassen_tile.hpp):
    // fewer operations, larger errors. k and block_depth are multiples of 16; no windows.
    bool halved;
    // In pairs (paired_tile.hpp), where the kernel can; the root of the weights' mean square is
    // about 2^weight_exponent, at most 2^40 either way. `pairs` holds what pairs of each column
    // add, for each panel those of each sum_depth. k and sum_depth are multiples of 8.
    bool paired;
    int weight_exponent;
    const float* pairs;
    row_epilogue epilogue; // of one image
    gemm_windows windows;
};

// b as it lies: (k, n) at b[k * b_k + n * b_n].
struct gemm_weights {
    const float* b;
    int64_t k, n, b_k, b_n;
};

// A way to compute the product, in units that may be shared out in any way.
struct gemm_form {
    int64_t (*units)(const gemm_params& p);
    int64_t (*scratch)(const gemm_params& p); // floats that run() needs
    void (*run)(const gemm_params& p, float* scratch, int64_t begin, int64_t end);
};

struct gemm_kernels {
    bool pairs;    // `direct` can multiply in pairs
    int64_t panel; // columns
    void (*pack)(const gemm_weights& w, float* to, int64_t begin, int64_t end); // units: panels
    // p.b, p.k, p.sum_depth: p.pairs of panels [begin, end), and their sums of squares.
    void (*sum_pairs)(const gemm_params& p, float* pairs, float* squares, int64_t begin,
                      int64_t end);
    // Units of `direct`: a panel with a tile of rows; those of a block of rows panel by panel. Of
    // `halved`: two panels with two tiles.
    gemm_form direct, halved;
    const gemm_form& form(const gemm_params& p) const { return p.halved ? halved : direct; }
};

} // namespace migraphx::cpu
