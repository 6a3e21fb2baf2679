// SPDX-License-Identifier: MIT
// Selections: the best k of each line, boxes by non-maximum suppression, positions of nonzero
// elements, and running sums and local response normalisation. Strides are in elements.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstdint>
#include <vector>

namespace migraphx::cpu {

// Lines along `axis`, rank 1 to 8: values (strides y) and int64 positions (strides idx) of the k
// best, best first; equal elements by position; NaN counts as the largest. names: packed int64 in
// the lens of x to report in place of positions, or null. k <= lens[axis] < 2^32.
struct topk_problem {
    elem_type type = elem_type::f32;
    bool largest = true;
    int64_t k = 1;
    int rank = 0, axis = 0;
    const int64_t* lens = nullptr;
    const void* x = nullptr;
    const int64_t* x_strides = nullptr;
    void* y = nullptr;
    const int64_t* y_strides = nullptr;
    int64_t* idx = nullptr;
    const int64_t* idx_strides = nullptr;
    const int64_t* names = nullptr;
};
void run_topk(const topk_problem& p);

// boxes {batches, count, 4}, scores {batches, classes, count}, packed floats. Rows (batch, class,
// box), in that order of loops and by falling score; at most `most` of each batch and class; a box
// goes when it overlaps a chosen one by more than `iou`, or its score is not above `threshold`
// (with has_threshold).
struct suppression_problem {
    const float* boxes = nullptr;
    const float* scores = nullptr;
    int64_t batches = 0, classes = 0, count = 0;
    bool center_point_box =
        false; // (x center, y center, width, height), else two corners (y, x, y, x)
    int64_t most = 0;
    float iou = 0;
    bool has_threshold = false;
    float threshold = 0;
};
std::vector<int64_t> run_suppression(const suppression_problem& p,
                                     const kernel_table& table = kernels());

// Row-major positions of the nonzero elements of a packed tensor.
std::vector<int64_t> run_nonzero(elem_type type, const void* x, int64_t count);

// Running sums along `axis`; y may be x with the same strides.
void run_scan(elem_type type, bool exclusive, bool reverse, int rank, int axis, const int64_t* lens,
              const void* x, const int64_t* x_strides, void* y, const int64_t* y_strides,
              const kernel_table& table = kernels());

// Packed {images, channels, inner}, or with channels last {images, inner, channels} (channels +
// size at most lrn_params::max_channels).
void run_lrn(lrn_params p, int64_t images, bool channels_last,
             const kernel_table& table = kernels());

} // namespace migraphx::cpu
