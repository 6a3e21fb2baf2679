// SPDX-License-Identifier: MIT
// Element conversion with the rules of the `convert` operator: NaN gives 0 for integers, infinities stay
// for floating point, finite values out of range saturate, fractions are cut off, bool is x > 0;
// small types as small_number.hpp says.
#pragma once

#include <migraphx/argument.hpp>

namespace migraphx {

/// Converts every element of `in` to the type of `out`; equal dimensions, any strides.
void convert_elements(const argument& out, const argument& in);

} // namespace migraphx
