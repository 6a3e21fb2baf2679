// SPDX-License-Identifier: MIT
// Overlap of one box with many, for non-maximum suppression.
#pragma once

#include <cstdint>

namespace migraphx::cpu {

// Corners and areas, each `count` long.
struct box_list {
    const float* x0;
    const float* y0;
    const float* x1;
    const float* y1;
    const float* area;
    int64_t count;
};

struct box {
    float x0, y0, x1, y1, area;
};

struct overlap_kernels {
    // True when the intersection of `b` with some box of the list is more than `limit` of their
    // union.
    bool (*any)(const box_list& boxes, const box& b, float limit);
};

} // namespace migraphx::cpu
