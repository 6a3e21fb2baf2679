// SPDX-License-Identifier: MIT
// f32 convolutions as products of windows that are read where they lie, by panels of weights that
// the caches hold: no copies, each value of the image is spread once for a panel.
#pragma once

#include "targets/cpu/kernels/gemm.hpp"

#include <cstdint>

namespace migraphx::cpu {

struct window_params {
    const float* x;     // images, as `windows` says
    const float* w;     // panels, see windows_kernels
    const float* zeros; // one for each channel: what lies outside an image
    float* y;           // (r, o) at y[r * y_row + o]
    gemm_windows windows;
    int64_t rows;    // positions of the result, of all images
    int64_t outputs; // columns
    int64_t places;  // of a window
    int64_t y_row;
    int64_t block_rows;    // that meet a panel one after another: `most_places` / places at most
    row_epilogue epilogue; // of one image; its bias is filled up to whole vectors
};

// Outputs are cut in vectors, and these in ceil(vectors / panel) panels of about as many: (k, c) of
// panel i, whose first vector is f = vectors * i / panels, lies at
// w[(f * depth + k * v) * vector + c], with v the vectors that it has and k a place of the window
// (its rows, then its columns), then a channel. Columns that are not there are zeros.
struct windows_kernels {
    static constexpr int64_t most_places = 3072; // of the rows of a block
    int64_t vector;                              // floats
    int64_t panel;                               // vectors at most
    // Units: panel i of a block of rows, block after block.
    void (*run)(const window_params& p, int64_t begin, int64_t end);
};

} // namespace migraphx::cpu
