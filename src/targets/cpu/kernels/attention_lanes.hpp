// SPDX-License-Identifier: MIT
// Attention of many queries, which lie in the lanes of vectors. For kernel files only.
#pragma once

#include "targets/cpu/kernels/attention.hpp"

namespace migraphx::cpu::KERNEL_ISA {

// See attention_kernels::lane_tiles and lane_scratch.
void attention_in_lanes(const attention_params& p, float* scratch, int64_t begin, int64_t end);
int64_t attention_in_lanes_scratch(const attention_params& p);

} // namespace migraphx::cpu::KERNEL_ISA
