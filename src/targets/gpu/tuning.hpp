// SPDX-License-Identifier: MIT
// Where an operator has several good kernels, the faster one is found by running them once for each
// distinct problem and device; the answer is kept in the tuning cache.
#pragma once

#include "targets/gpu/lowering.hpp"

#include <vector>

namespace migraphx::gpu {

/// The fastest of those that take the problem; the first of them on the host, for programs that
/// meet many sizes, and where timing is impossible. MIGRAPHX_TRACE=tuning shows the times.
lowered fastest(const device_problem& p, const std::vector<implementation>& candidates);

/// Whether a problem of this program may be timed.
bool may_be_timed(const device_problem& p);

} // namespace migraphx::gpu
