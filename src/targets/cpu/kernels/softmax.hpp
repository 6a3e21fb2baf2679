// SPDX-License-Identifier: MIT
// softmax and logsoftmax of scale * x + mask along one axis; f32, f16 or bf16, computed in float. y
// may be x.
#pragma once

#include "targets/cpu/kernels/elem_type.hpp"

#include <cstdint>

namespace migraphx::cpu {

struct softmax_params {
    static constexpr int max_rank = 8;
    const void* x;
    void* y;
    const float* mask; // null: none
    float scale;
    bool log;
    elem_type type;
    int32_t rank; // outer axes; strides in elements
    int64_t lens[max_rank], x_steps[max_rank], y_steps[max_rank], mask_steps[max_rank];
    int64_t n, x_n, y_n, mask_n;                          // the axis
    int64_t inner, inner_mask, inner_block, inner_blocks; // columns: contiguous axis beside it
};

struct softmax_kernels {
    // f32, f16, bf16; x_n == y_n == 1 and mask_n is 0 or 1. Units: outer index.
    void (*rows)(const softmax_params& p, int64_t begin, int64_t end);
    // f32; `inner` contiguous in x and y, inner_mask 0 or 1. Units: outer index x inner_blocks.
    void (*columns)(const softmax_params& p, int64_t begin, int64_t end);
    // Any strides. Units: outer index.
    void (*lines)(const softmax_params& p, int64_t begin, int64_t end);
};

} // namespace migraphx::cpu
