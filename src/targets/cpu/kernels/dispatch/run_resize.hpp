// SPDX-License-Identifier: MIT
// Resize of two spatial axes, nearest or linear, planes (NCHW) or pixels (NHWC): tables once, then
// any number of runs.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace migraphx::cpu {

struct resize_problem {
    elem_type type = elem_type::f32;
    bool linear = false;                        // else nearest; linear takes f32, f16 and bf16
    std::string coordinate_mode = "half_pixel"; // as ops/resize_axis.hpp names them
    std::string nearest_mode = "floor";
    // Outer axes (batch, and channels of planes), then rows and columns. channels > 1: contiguous
    // elements of a pixel.
    int rank = 0;
    int64_t lens[6] = {}, x_steps[6] = {}, y_steps[6] = {}; // elements
    int64_t in_h = 1, in_w = 1, out_h = 1, out_w = 1;
    float scale_h = 1, scale_w = 1; // output length / input length, as the operator states it
    int64_t channels = 1;
    int64_t x_row = 0, y_row = 0; // elements from row to row; within a row pixels are packed
};

class resize_plan {
public:
    // Why the kernels do not take the problem, or null.
    static const char* refusal(const resize_problem& r);

    explicit resize_plan(const resize_problem& r);
    void run(const void* x, void* y, const kernel_table& table = kernels()) const;

private:
    resize_problem problem;
    std::vector<int32_t> low_h, high_h, low_w, high_w;
    std::vector<float> weight_h, weight_w;
    bool doubles_w = true;
};

} // namespace migraphx::cpu
