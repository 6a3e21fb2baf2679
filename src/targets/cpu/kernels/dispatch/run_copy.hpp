// SPDX-License-Identifier: MIT
// Strided copies, fills and pads of plain memory, threaded. Strides are in elements and may be zero
// (source only) or negative; the pointers address the element of index 0 of every axis. elem is 1,
// 2, 4 or 8 bytes; rank <= 8.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstddef>
#include <cstdint>

namespace migraphx::cpu {

// Merges and orders the axes and picks the inner kernel; done once per shape, then run_copy(plan,
// src, dst). Returns false when there is nothing to copy (an axis of length 0). Ranks above 8
// throw.
bool plan_copy(copy_params& p, int elem, int rank, const int64_t* lens, const int64_t* src_strides,
               const int64_t* dst_strides);

void run_copy(const copy_params& plan, const void* src, void* dst,
              const kernel_table& table = kernels());

void run_copy(int elem, int rank, const int64_t* lens, const void* src, const int64_t* src_strides,
              void* dst, const int64_t* dst_strides, const kernel_table& table = kernels());

// Every element of the strided region becomes *value.
void run_fill(int elem, int rank, const int64_t* lens, const void* value, void* dst,
              const int64_t* dst_strides, const kernel_table& table = kernels());

enum class pad_kind { constant, reflect, edge };

// dst has lens[i] + before[i] + after[i] along axis i; pads are >= 0. reflect leaves the edge out
// and wraps as often as needed. value is read for constant only.
void run_pad(pad_kind kind, int elem, int rank, const int64_t* lens, const int64_t* before,
             const int64_t* after, const void* value, const void* src, const int64_t* src_strides,
             void* dst, const int64_t* dst_strides, const kernel_table& table = kernels());

} // namespace migraphx::cpu
