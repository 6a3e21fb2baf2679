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

// True if p.halved makes the product faster, by its sizes and whether the processor
// adds_beside_multiplies().
bool gains_by_halves(const gemm_params& p, const kernel_table& table = kernels(),
                     bool adds_beside = adds_beside_multiplies());
// True if p.paired makes it faster than both other forms, by its sizes.
bool gains_by_pairs(const gemm_params& p, const kernel_table& table = kernels(),
                    bool adds_beside = adds_beside_multiplies());
// What products in pairs have from the weights alone, to be kept beside their packed form: floats
// that sum_weight_pairs writes, for sums of `depth` or 0: of as many as here are best.
int64_t weight_pairs_size(int64_t k, int64_t n, const kernel_table& table = kernels(),
                          int64_t depth = 0);
void sum_weight_pairs(const float* panels, int64_t k, int64_t n, float* to,
                      const kernel_table& table = kernels(), int64_t depth = 0);
// Sets what of p belongs to the weights; false if they are too large or small, or not finite.
bool can_pair(gemm_params& p, const float* pairs);
// Chooses p.block_rows, p.block_depth and p.sum_depth for at most `threads` threads.
void block_gemm(gemm_params& p, int64_t threads, const kernel_table& table = kernels());
// Floats of scratch that run_gemm needs with at most `threads` threads.
int64_t gemm_scratch(const gemm_params& p, int64_t threads, const kernel_table& table = kernels());
void run_gemm(const gemm_params& p, float* scratch, int64_t threads,
              const kernel_table& table = kernels());

} // namespace migraphx::cpu
