// SPDX-License-Identifier: MIT
// Products by own kernels (device_code/gemm_mma.cuh, gemm_plain.cuh, gemv.cuh) with any epilogue.
#pragma once

#include "targets/gpu/lowering.hpp"

namespace migraphx::gpu {

/// Variants of matrix_unit_product: 128 x 32 sums a block, 64 x 64.
constexpr int narrow_tiles = 3, small_tiles = 4;
/// half, bf16, bytes and fp8 on matrix units. `variant` of the problem chooses the tiles; 0: by
/// size.
lowered matrix_unit_product(const device_problem& p);
/// The same with constants of twice the precision (`in_parts`): the fastest tiles for them.
lowered product_in_parts(const device_problem& p);
/// half and bf16 whose operands lie along k, by Hopper's groups of four warps: 128 x 128 or 128 x
/// 64 sums a block.
lowered wide_group_product(const device_problem& p);
lowered narrow_group_product(const device_problem& p);
/// float on matrix units, each number as three of bf16: as exact as multiply-adds. Refuses where
/// fast_math is off.
lowered split_float_product(const device_problem& p);
/// Few rows, constant weights or such whose neighbours lie along k: they are read once, as fast as
/// memory gives them.
lowered thin_product(const device_problem& p);
/// Every type, all strides; by multiply-adds.
lowered plain_product_kernel(const device_problem& p);

} // namespace migraphx::gpu
