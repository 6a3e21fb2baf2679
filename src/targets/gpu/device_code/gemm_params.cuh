// SPDX-License-Identifier: MIT
// What kernels of matrix products are given at run time; the same text is read by the engine.
#pragma once

namespace mgx {

constexpr int gemm_most_axes = 6;     // of a batch
constexpr int gemm_most_operands = 8; // of an epilogue

// Steps in elements; 0 where an operand is repeated.
struct gemm_steps {
    long long row, column, batch[gemm_most_axes];
};

struct gemm_params {
    gemm_steps a, b, d, operands[gemm_most_operands];
    const void* weights; // in the place of B where the engine has packed it; else null
    int batch[gemm_most_axes]; // sizes, outer to inner; 1 for axes that are not used
    int m, n, k;
    int batches;
    int splits, depth; // k is done in so many parts of `depth`, each by blocks of its own
};

// Weights in blocks along k that share a scale and a zero point.
struct block_params {
    gemm_params product; // b is not used
    int block, blocks;   // weights of a block, blocks of a column
};

} // namespace mgx
