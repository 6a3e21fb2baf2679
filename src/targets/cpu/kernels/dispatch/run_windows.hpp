// SPDX-License-Identifier: MIT
// Convolutions as products of windows that are read where they lie, threaded.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstdint>

namespace migraphx::cpu {

/// `outputs`, filled up to whole vectors.
int64_t window_columns(int64_t outputs, const kernel_table& table = kernels());

/// Weights as a matrix, (k, o) at w[o * o_step + k], to panels of windows_kernels:
/// window_columns(outputs) * depth floats.
void pack_window_weights(const float* w, int64_t o_step, int64_t outputs, int64_t depth, float* to,
                         const kernel_table& table = kernels());

/// Chooses p.block_rows for at most `threads` threads.
void block_windows(window_params& p, int64_t threads, const kernel_table& table = kernels());
void run_windows(const window_params& p, int64_t threads, const kernel_table& table = kernels());

} // namespace migraphx::cpu
