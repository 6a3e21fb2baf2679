// SPDX-License-Identifier: MIT
// Convolutions of few channels, threaded over rows of the results.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstdint>

namespace migraphx::cpu {

/// Floats of scratch for so many threads.
int64_t planes_scratch(const plane_params& p, int64_t threads);
void run_planes(const plane_params& p, float* scratch, int64_t images, int64_t threads,
                const kernel_table& table = kernels());

} // namespace migraphx::cpu
