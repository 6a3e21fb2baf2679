// SPDX-License-Identifier: MIT
// f32 products that a library's call overhead or blocking does not suit: few rows (GEMV and up to a
// handful), and batches of tiny matrices. c = a * b (+ bias), a is m x k, b is k x n; thin products
// clamp it at 0 when asked for.
#pragma once

#include <cstdint>

namespace migraphx::cpu {

struct small_gemm_params {
    static constexpr int max_rank = 6;
    static constexpr int64_t tiny = 64; // largest k of `batched` when b is not contiguous along n
    const float* a;
    const float* b;    // or what `pack` wrote
    float* c;          // rows contiguous
    const float* bias; // n values, or null
    int64_t m, n, k;
    int64_t a_row, a_k; // steps in elements
    int64_t b_k, b_n;
    int64_t c_row;
    bool relu;    // not read by `batched`
    int32_t rank; // batched: batch axes, steps 0 where broadcast
    int64_t lens[max_rank], a_steps[max_rank], b_steps[max_rank], c_steps[max_rank];
};

struct small_gemm_kernels {
    int64_t (*panel)(int64_t m); // columns of a packed panel, for that many rows of a
    // b in panels, k rows each, the last filled up with zeros. Units: panels.
    void (*pack)(const small_gemm_params& p, float* to, int64_t begin, int64_t end);
    void (*packed)(const small_gemm_params& p, int64_t begin, int64_t end); // units: panels
    // b_n == 1. Units: blocks of row_block columns.
    void (*rows)(const small_gemm_params& p, int64_t begin, int64_t end);
    // b_k == 1 and a_k == 1. Units: blocks of dot_block columns.
    void (*dots)(const small_gemm_params& p, int64_t begin, int64_t end);
    void (*batched)(const small_gemm_params& p, int64_t begin,
                    int64_t end); // units: items of the batch
    static constexpr int64_t row_block = 256;
    static constexpr int64_t dot_block = 16;
};

} // namespace migraphx::cpu
