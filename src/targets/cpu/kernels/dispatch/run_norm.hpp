// SPDX-License-Identifier: MIT
// Normalisations, threaded.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstdint>

namespace migraphx::cpu {

// Layer norm or RMS norm of `rows` rows of p.n.
void run_norm_rows(const norm_params& p, int64_t rows, const kernel_table& table = kernels());

// Group norm of packed {images, groups * channels, inner}; instance norm has channels == 1. Sets
// channels, units_per_image and n of the parameters; residual and sum are not read.
void run_norm_groups(norm_params p, int64_t images, int64_t groups, int64_t channels, int64_t inner,
                     const kernel_table& table = kernels());

} // namespace migraphx::cpu
