// SPDX-License-Identifier: MIT
// f32 products of many rows with packed weights, threaded.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstdint>

namespace migraphx::cpu {

// Floats that pack_gemm_weights writes. The layout, panels of table.gemm.panel columns filled up
// with zeros, belongs to one instruction set: pack and run with the same table.
int64_t packed_weights_size(int64_t k, int64_t n, const kernel_table& table = kernels());
void pack_gemm_weights(const gemm_weights& w, float* to, const kernel_table& table = kernels());

// Chooses p.block_rows and p.block_depth.
void block_gemm(gemm_params& p, const kernel_table& table = kernels());
void run_gemm(const gemm_params& p, const kernel_table& table = kernels());

} // namespace migraphx::cpu
