// SPDX-License-Identifier: MIT
// What is used of cuBLASLt's binary interface (version 12 and later), declared here so that no
// toolkit is needed to build; a test compares it with cublasLt.h where that is found.
#pragma once

#include <cstddef>
#include <cstdint>

namespace migraphx::gpu::cublaslt {

using handle = struct opaque_handle*;
using matrix_layout = struct opaque_layout*;
using matmul_desc = struct opaque_desc*;
using preference = struct opaque_preference*;

struct algorithm {
    uint64_t data[8];
};

struct heuristic_result {
    algorithm algo;
    std::size_t workspace;
    int state; ///< a status
    float waves;
    int reserved[4];
};

enum status : int { success = 0 };

enum data_type : int {
    r_32f = 0,
    r_64f = 1,
    r_16f = 2,
    r_8i = 3,
    r_32i = 10,
    r_16bf = 14,
    r_8f_e4m3 = 28,
    r_8f_e5m2 = 29
};

enum compute_type : int {
    compute_32f = 68,
    compute_64f = 70,
    compute_32i = 72,
    compute_32f_fast_tf32 = 77
};

enum operation : int { op_n = 0, op_t = 1 };

enum layout_attribute : int { layout_batch_count = 5, layout_batch_offset = 6 };

enum desc_attribute : int {
    desc_transpose_a = 3,
    desc_transpose_b = 4,
    desc_epilogue = 7,
    desc_bias_pointer = 8,
    desc_a_scale_pointer = 17,
    desc_b_scale_pointer = 18,
    desc_bias_type = 26
};

enum preference_attribute : int {
    preference_workspace = 1,
    preference_alignment_a = 5,
    preference_alignment_b = 6,
    preference_alignment_c = 7,
    preference_alignment_d = 8
};

enum epilogue : int {
    epilogue_default = 1,
    epilogue_relu = 2,
    epilogue_bias = 4,
    epilogue_relu_bias = 6,
    epilogue_gelu = 32,
    epilogue_gelu_bias = 36
};

/// The library's functions, without their prefix `cublasLt`.
struct functions {
    int (*Create)(handle*);
    std::size_t (*GetVersion)();
    const char* (*GetStatusString)(int);
    int (*MatrixLayoutCreate)(matrix_layout*, int type, uint64_t rows, uint64_t columns,
                              int64_t step);
    int (*MatrixLayoutDestroy)(matrix_layout);
    int (*MatrixLayoutSetAttribute)(matrix_layout, int what, const void* value, std::size_t bytes);
    int (*MatmulDescCreate)(matmul_desc*, int compute, int scale);
    int (*MatmulDescDestroy)(matmul_desc);
    int (*MatmulDescSetAttribute)(matmul_desc, int what, const void* value, std::size_t bytes);
    int (*MatmulPreferenceCreate)(preference*);
    int (*MatmulPreferenceDestroy)(preference);
    int (*MatmulPreferenceSetAttribute)(preference, int what, const void* value, std::size_t bytes);
    int (*MatmulAlgoGetHeuristic)(handle, matmul_desc, matrix_layout a, matrix_layout b,
                                  matrix_layout c, matrix_layout d, preference, int wanted,
                                  heuristic_result*, int* found);
    int (*MatmulAlgoCheck)(handle, matmul_desc, matrix_layout a, matrix_layout b, matrix_layout c,
                           matrix_layout d, const algorithm*, heuristic_result*);
    int (*Matmul)(handle, matmul_desc, const void* alpha, const void* a, matrix_layout,
                  const void* b, matrix_layout, const void* beta, const void* c, matrix_layout,
                  void* d, matrix_layout, const algorithm*, void* workspace,
                  std::size_t workspace_bytes, void* stream);
};

} // namespace migraphx::gpu::cublaslt
