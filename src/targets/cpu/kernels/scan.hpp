// SPDX-License-Identifier: MIT
// Running sums along one axis, in double or wrapping 64-bit integers. y may be x.
#pragma once

#include "targets/cpu/kernels/elem_type.hpp"

#include <cstdint>

namespace migraphx::cpu {

struct scan_params {
    const void* x;
    void* y;
    elem_type type;
    bool exclusive, reverse;
    int32_t rank; // outer axes, steps in elements
    int64_t lens[8], x_steps[8], y_steps[8];
    int64_t n, x_n, y_n;                 // the axis
    int64_t inner, x_inner, y_inner;     // an axis beside it that is walked together; 1: none
    static constexpr int64_t block = 64; // of inner, in a unit
};

struct scan_kernels {
    void (*sum)(const scan_params& p, int64_t begin,
                int64_t end); // units: outer index x ceil(inner / block)
};

} // namespace migraphx::cpu
