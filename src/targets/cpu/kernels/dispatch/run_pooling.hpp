// SPDX-License-Identifier: MIT
// Pooling over one to three spatial axes: window tables once, then any number of runs.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstdint>
#include <vector>

namespace migraphx::cpu {

struct pooling_axis {
    int64_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, before = 0, after = 0; // padding
};

struct pooling_problem {
    elem_type type = elem_type::f32; // f32, f16, bf16
    pooling_kind kind = pooling_kind::max;
    float order = 2;                // of lp, > 0
    bool count_include_pad = false; // taps beyond the padding (ceil_mode) never count
    pooling_axis d, h, w;           // one spatial axis: w, two: h and w
    // Outer axes (batch, and channels of planes), steps in elements; channels > 1: contiguous
    // elements of a pixel.
    int rank = 0;
    int64_t lens[6] = {}, x_steps[6] = {}, y_steps[6] = {};
    int64_t channels = 1;
    int64_t x_slice = 0, y_slice = 0; // elements from one depth to the next
    int64_t x_row = 0, y_row = 0;     // from row to row
    int64_t x_col = 0, y_col = 0;     // from pixel to pixel; planes are packed along a row
};

class pooling_plan {
public:
    // Why the kernels do not take the problem, or null.
    static const char* refusal(const pooling_problem& p);

    explicit pooling_plan(const pooling_problem& p);
    void run(const void* x, void* y, const kernel_table& table = kernels()) const;

private:
    struct axis_tables {
        std::vector<int32_t> first, count;
        std::vector<float> factor;
    };
    static axis_tables tables_of(const pooling_axis& a, bool count_include_pad);

    pooling_problem problem;
    axis_tables d, h, w;
};

} // namespace migraphx::cpu
