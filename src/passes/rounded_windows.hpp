// SPDX-License-Identifier: MIT
// Weights of convolutions in a shorter type. Neighbours in an image are alike, so what a window
// adds up is nearly its sum of weights times one value: the sum is what rounding must keep. Each
// weight takes over what those before it lost, from the largest to the smallest, so the sum is off
// by half a unit in the last place of the smallest weight, and no weight by more than a unit of
// its next larger one. Windows of one position are rounded to nearest.
#pragma once

#include <migraphx/argument.hpp>

namespace migraphx {

/// `weights` {outputs, channels, window …} of float or double, as half or bf16, packed.
argument rounded_windows(const argument& weights, shape::type_t t);

} // namespace migraphx
