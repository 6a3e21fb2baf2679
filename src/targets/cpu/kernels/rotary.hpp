// SPDX-License-Identifier: MIT
// Pairs of the two halves of rows turned by angles: y1 = x1 c1 - x2 s1, y2 = x2 c2 + x1 s2. f32.
#pragma once

#include <cstdint>

namespace migraphx::cpu {

struct rotary_params {
    static constexpr int max_rank = 8;
    const float* x;
    const float* cos;
    const float* sin;
    float* y;
    int64_t half;               // elements of half a row; rows are contiguous
    int64_t cos_half, sin_half; // where the second half's angles begin: half, or 0 for the same
    int rank;                   // axes of rows
    int64_t lens[max_rank];
    int64_t x_steps[max_rank], cos_steps[max_rank], sin_steps[max_rank], y_steps[max_rank];
};

struct rotary_kernels {
    void (*rows)(const rotary_params& p, int64_t begin, int64_t end);
};

} // namespace migraphx::cpu
