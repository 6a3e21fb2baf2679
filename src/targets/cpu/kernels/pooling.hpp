// SPDX-License-Identifier: MIT
// Average, maximum and Lp pooling over three spatial axes, planes (NCDHW) or pixels (NDHWC); f32,
// f16, bf16. Fewer axes have a depth, and a height, of 1.
#pragma once

#include "targets/cpu/kernels/elem_type.hpp"

#include <cstdint>

namespace migraphx::cpu {

enum class pooling_kind : int32_t { average, max, lp };

// Per output position: first tap inside the data, number of taps inside, 1 / taps that an average
// counts.
struct pooling_axis_table {
    const int32_t* first;
    const int32_t* count;
    const float* factor;
};

struct pooling_params {
    static constexpr int64_t max_width = 8192; // of in_w + padding for planes
    const char* x;
    char* y;
    elem_type type;
    pooling_kind kind;
    float order; // of lp, > 0
    int64_t in_w, out_d, out_h, out_w;
    int64_t channels; // contiguous elements of a pixel; 1 for planes
    pooling_axis_table d, h, w;
    int64_t dilation_d, dilation_h, dilation_w;
    int64_t kernel_w, stride_w, before_w, padded_w; // planes: the row with its padding
    int32_t rank;                                   // outer axes, steps in elements
    int64_t lens[6], x_steps[6], y_steps[6];
    int64_t x_slice, y_slice; // elements from one depth to the next
    int64_t x_row, y_row;     // from row to row
    int64_t x_col, y_col;     // from pixel to pixel; planes are packed along a row
};

struct pooling_kernels {
    void (*rows)(const pooling_params& p, int64_t begin,
                 int64_t end); // units: outer x out_d x out_h
};

} // namespace migraphx::cpu
