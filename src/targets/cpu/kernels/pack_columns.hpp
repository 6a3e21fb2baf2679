// SPDX-License-Identifier: MIT
// Weights of a product in panels of columns. For kernel files only.
#pragma once

#include "targets/cpu/kernels/lanes.hpp"
#include "targets/cpu/kernels/transpose_tile.hpp"

namespace migraphx::cpu::KERNEL_ISA {

// Panels [begin, end) of b, which has (k, n) at b[k * b_k + n * b_n]: `width` columns, depth rows
// each; columns from n on are 0. `width` is a number of whole vectors.
inline void pack_columns(const float* b, int64_t b_k, int64_t b_n, int64_t depth, int64_t n,
                         int64_t width, float* to, int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
        const int64_t first = panel * width;
        const int64_t cols = n - first < width ? n - first : width;
        float* out = to + panel * width * depth;
        if (b_k == 1 && b_n != 1) {
            if (cols < width)
                for (int64_t i = 0; i < width * depth; ++i)
                    out[i] = 0;
            transpose_floats(b + first * b_n, b_n, out, width, depth, cols);
            continue;
        }
        if (b_n == 0 && cols == width) {
            for (int64_t k = 0; k < depth; ++k, out += width)
                for (int64_t j = 0; j < width; j += lanes)
                    store(out + j, splat(b[k * b_k]));
            continue;
        }
        for (int64_t k = 0; k < depth; ++k, out += width) {
            const float* from = b + k * b_k + first * b_n;
            for (int64_t j = 0; j < cols; ++j)
                out[j] = from[j * b_n];
            for (int64_t j = cols; j < width; ++j)
                out[j] = 0;
        }
    }
}

} // namespace migraphx::cpu::KERNEL_ISA
