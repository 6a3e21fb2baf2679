// SPDX-License-Identifier: MIT
// f32 convolutions of few channels, each a plane of its own, to results whose channels are
// neighbours: the first of a network. Lines of the image are copied between zeros, and positions
// are the rows of register tiles, read where they lie side by side.
#pragma once

#include "targets/cpu/kernels/gemm.hpp"

#include <cstdint>

namespace migraphx::cpu {

struct plane_params {
    const float* x;    // channel c of a position is windows.x_* and c * x_channel away
    const float* w;    // panels of gemm_kernels::panel outputs; k: channel, row, column of a window
    const float* bias; // whole panels
    float* y; // output o of image i, row r, column c: i * y_image + r * y_row + c * y_col + o
    gemm_windows windows; // stride_w is at most planes_kernels::most_stride
    int64_t x_channel, kernel_h, outputs;
    int64_t y_image, y_row, y_col;
    row_epilogue epilogue;
};

struct planes_kernels {
    static constexpr int64_t most_stride = 4; // of columns
    static constexpr int64_t most_taps = 512; // channels and places of a window
    // Rows [begin, end) of an image of the result. `scratch`: plane_scratch(p) floats.
    void (*run)(const plane_params& p, float* scratch, int64_t image, int64_t begin, int64_t end);
};

// Rows of the image that a window reaches over, all of which are kept for each channel.
constexpr int64_t plane_rows(const plane_params& p) {
    return (p.kernel_h - 1) * p.windows.dilation_h + 1;
}

// A line of the image is kept with zeros on both sides, its column 0 where a line of the cache
// begins: floats on its left, and all.
constexpr int64_t plane_left(const gemm_windows& w) {
    return (w.pad_left + 15) / 16 * 16;
}
constexpr int64_t plane_line(const gemm_windows& w) {
    const int64_t seen = (w.out_width - 1) * w.stride_w + (w.kernel_w - 1) * w.dilation_w + 1;
    return (plane_left(w) + seen - w.pad_left + 15) / 16 * 16;
}

constexpr int64_t plane_scratch(const plane_params& p) {
    return (p.windows.channels * plane_rows(p) + 1) * plane_line(p.windows);
}

} // namespace migraphx::cpu
