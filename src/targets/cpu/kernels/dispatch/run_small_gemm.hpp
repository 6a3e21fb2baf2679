// SPDX-License-Identifier: MIT
// f32 products with few rows, and batches of tiny ones, threaded.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstdint>

namespace migraphx::cpu {

// Floats that pack_gemm writes. The layout belongs to one instruction set and one width of panels,
// which depends on p.m: pack and run with the same table and p.m.
int64_t packed_gemm_size(const small_gemm_params& p, const kernel_table& table = kernels());
void pack_gemm(const small_gemm_params& p, float* to, const kernel_table& table = kernels());

// p.b is what pack_gemm wrote; best for up to a few dozen rows.
void run_packed_gemm(const small_gemm_params& p, const kernel_table& table = kernels());

// Plain b with b_n == 1, or b_k == 1 and a_k == 1; best for m <= 8. False when the steps are
// others.
bool run_thin_gemm(const small_gemm_params& p, const kernel_table& table = kernels());

// A product for each item of p.lens. False when b_n != 1 and k > small_gemm_params::tiny.
bool run_batched_gemm(const small_gemm_params& p, const kernel_table& table = kernels());

} // namespace migraphx::cpu
