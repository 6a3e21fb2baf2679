// SPDX-License-Identifier: MIT
// softmax or logsoftmax of scale * x + mask along an axis, threaded. Strides are in elements; rank
// <= 8.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstdint>

namespace migraphx::cpu {

struct softmax_problem {
    elem_type type = elem_type::f32; // f32, f16, bf16
    bool log = false;
    int rank = 0;
    int axis = 0;
    const int64_t* lens = nullptr;
    const void* x = nullptr;
    const int64_t* x_strides = nullptr;
    void* y = nullptr; // may be x with the same strides
    const int64_t* y_strides = nullptr;
    float scale = 1;
    const float* mask = nullptr;           // added after scaling
    const int64_t* mask_strides = nullptr; // 0 where broadcast
};

void run_softmax(const softmax_problem& problem, const kernel_table& table = kernels());

} // namespace migraphx::cpu
