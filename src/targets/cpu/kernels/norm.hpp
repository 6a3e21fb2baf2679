// SPDX-License-Identifier: MIT
// Normalisation of rows (layer norm, RMS norm) and of contiguous blocks of channels (group and
// instance norm):
//   y = (v - mean(v)) / sqrt(var(v) + epsilon) * gamma + beta,  v = x + residual;  RMS norm takes
//   no mean out.
// f32, f16 or bf16, computed in float.
#pragma once

#include "targets/cpu/kernels/elem_type.hpp"

#include <cstdint>

namespace migraphx::cpu {

struct norm_params {
    elem_type type;       // of x, y, residual, sum
    elem_type param_type; // of gamma and beta: `type` or f32
    bool rms;
    float epsilon;
    const void* x;
    void* y;              // may be x or residual
    const void* residual; // null: none
    void* sum;            // null, or where v goes; may be x or residual
    const void* gamma;    // null: 1
    const void* beta;     // null: 0
    int64_t n;            // elements of a row, contiguous
    int64_t x_row, y_row, residual_row,
        sum_row; // elements from row to row; residual_row 0: one row for all
    // groups only: a unit is `channels` rows of n, packed, and gamma and beta hold one value for
    // each of units_per_image * channels channels.
    int64_t channels, units_per_image;
};

struct norm_kernels {
    void (*rows)(const norm_params& p, int64_t begin, int64_t end);   // units: rows
    void (*groups)(const norm_params& p, int64_t begin, int64_t end); // units: groups of all images
};

} // namespace migraphx::cpu
