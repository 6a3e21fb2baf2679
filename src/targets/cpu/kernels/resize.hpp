// SPDX-License-Identifier: MIT
// Resize of the two spatial axes by tables made beforehand: nearest for elements of any size,
// linear for f32, f16 and bf16.
#pragma once

#include "targets/cpu/kernels/elem_type.hpp"

#include <cstdint>

namespace migraphx::cpu {

// For each output position: the input positions it blends and the weight of the second. Nearest
// reads low only.
struct resize_axis_table {
    const int32_t* low;
    const int32_t* high;
    const float* weight;
};

struct resize_params {
    const char* x;
    char* y;
    elem_type type;
    int64_t in_h, in_w, out_h, out_w;
    int64_t channels; // contiguous elements of a pixel; 1 for planes
    resize_axis_table h, w;
    bool doubles_w; // w.low[i] == i / 2
    // Steps in elements. Pixels of a row are `channels` apart (x) and packed (y).
    int32_t rank; // outer axes
    int64_t lens[6], x_steps[6], y_steps[6];
    int64_t x_row, y_row;
    static constexpr int64_t max_width = 8192; // of in_w for linear planes
};

struct resize_kernels {
    // Units: outer index x out_h.
    void (*nearest)(const resize_params& p, int64_t begin, int64_t end);
    void (*linear)(const resize_params& p, int64_t begin, int64_t end);
};

} // namespace migraphx::cpu
