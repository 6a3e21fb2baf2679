// SPDX-License-Identifier: MIT
// Reductions over any set of axes, threaded. Strides are in elements; pointers address index 0;
// rank <= 8.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstdint>

namespace migraphx::cpu {

// axes_mask has bit i set when axis i is reduced; dst_strides[i] of reduced axes is not read. dst
// has the type of src. Reducing no element gives 0, 1 (prod, all), -inf/+inf or the type's
// lowest/highest (max/min).
void run_reduce(reduce_op op, elem_type type, int rank, const int64_t* lens, uint32_t axes_mask,
                const void* src, const int64_t* src_strides, void* dst, const int64_t* dst_strides,
                const kernel_table& table = kernels());

// Index of the largest or smallest element along `axis`; dst is packed int64 with that axis of
// length 1. Ties go to the first element, or to the last one. lens[axis] > 0.
void run_arg(bool largest, bool last, elem_type type, int rank, const int64_t* lens, int axis,
             const void* src, const int64_t* src_strides, int64_t* dst,
             const kernel_table& table = kernels());

} // namespace migraphx::cpu
