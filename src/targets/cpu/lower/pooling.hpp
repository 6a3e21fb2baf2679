// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/kernel.hpp"

namespace migraphx::cpu {

/// Pooling of pixels, whose channels are neighbours, with any step between the pixels.
bool pools_pixels(const problem& p);

} // namespace migraphx::cpu
