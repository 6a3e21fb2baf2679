// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/kernel.hpp"

namespace migraphx::cpu {

/// The kernel of a problem that has a nest (runtime/pointwise_nest.hpp).
lowered pointwise_kernel(const problem& p);

} // namespace migraphx::cpu
