// SPDX-License-Identifier: MIT
// 3x3 convolutions with stride 1 by Winograd's minimal filtering F(2,3) and F(4,3) (Lavin and Gray,
// "Fast Algorithms for Convolutional Neural Networks", 2016), channels last, f32. F(4,3)
// interpolates at 0, ±1/√2, ±√2 and infinity, which keeps its error near that of the direct sum.
// With stride 2 tiles are 2x2: along each axis two of three taps go by F(2,2), so 25 products take
// the place of 36.
//
//   V = Bᵀ d B for each tile d of the input, M[p] = V[p] U[p] for each point p, y = Aᵀ M A, then
//   y = clamp(y + bias + residual, low, high).
#pragma once

#include <cstdint>

namespace migraphx::cpu {

struct winograd_params {
    const float* x;
    const float* u;        // what `transform` wrote
    const float* bias;     // `outputs` values, or null
    const float* residual; // like y, or null
    float* y;
    int64_t channels, outputs;
    int64_t height, width; // of x
    int64_t out_height, out_width;
    int64_t pad_top, pad_left;
    // Steps in elements; those of channels are 1.
    int64_t x_image, x_row, x_col;
    int64_t y_image, y_row, y_col;
    int64_t r_image, r_row, r_col;
    int64_t tiles_y, tiles_x; // of an image
    float low, high;
    int32_t stride; // 1 or 2
    int32_t tile;   // outputs of a tile along an axis: 2, or 4 with stride 1
    int32_t panels; // of a block of outputs: what is multiplied before its results are transformed
    int64_t panel;  // outputs of a panel: one of those of winograd_kernels
    int64_t v_step, m_step; // between the points of V and of M
    // Products go in pairs (paired_tile.hpp): tiles and outputs are scaled by powers of two, each
    // on its own, so that V and u are about as large.
    bool paired;
};

// What is multiplied at once: tiles [first, first + count). For each point V holds them as strips
// of packed rows (strip_tile.hpp) of about the same height, at most that of the panel.
struct winograd_block {
    int64_t first, count;
};

// Steps of weights O, C, 3, 3.
struct winograd_weights {
    const float* data;
    int64_t output, channel, row, col;
};

struct winograd_kernels {
    // Outputs of a panel of u. Narrow ones are read once for up to `narrow_tiles` tiles.
    int64_t wide_panel, narrow_panel, narrow_tiles;
    int64_t paired_narrow_tiles; // the same in pairs; 0: there are no kernels for these
    // Of a tile: its points, and the weights that they are multiplied by.
    int64_t (*points)(const winograd_params& p);
    int64_t (*weights)(const winograd_params& p);
    // Floats of V for each tile and point. Behind V lies a float for each tile, behind M one for
    // each tile and point and one more.
    int64_t (*v_row)(int64_t channels);
    // Weights to u: blocks of panels, of which each holds for every weight its panels of `channels`
    // rows. Units: panels.
    void (*transform)(const winograd_params& p, const winograd_weights& w, float* u, int64_t begin,
                      int64_t end);
    // Tiles [begin, end) of a block to its V.
    void (*gather)(const winograd_params& p, const winograd_block& block, float* v, int64_t begin,
                   int64_t end);
    // The blocks of outputs [begin, end) of a block of tiles whose V is given; m is scratch.
    void (*produce)(const winograd_params& p, const winograd_block& block, const float* v, float* m,
                    int64_t begin, int64_t end);
};

} // namespace migraphx::cpu
