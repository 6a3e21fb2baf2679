// SPDX-License-Identifier: MIT
// Element conversion with the rules of the `convert` operator: NaN gives 0 for integers, infinities
// stay for floating point, finite values out of range saturate, fractions are cut off, bool is x >
// 0; small types as small_number.hpp says.
#pragma once

#include <migraphx/argument.hpp>

#include <cmath>
#include <limits>

namespace migraphx {

/// A number as an integer: cut off and saturated, NaN gives 0.
template <class Integer>
Integer integer_from(double x) {
    if (std::isnan(x))
        return 0;
    // The limits are compared as doubles: the cast of a value beyond them is undefined.
    if (x >= static_cast<double>(std::numeric_limits<Integer>::max()))
        return std::numeric_limits<Integer>::max();
    if (x <= static_cast<double>(std::numeric_limits<Integer>::lowest()))
        return std::numeric_limits<Integer>::lowest();
    return static_cast<Integer>(x);
}

/// Converts every element of `in` to the type of `out`; equal dimensions, any strides.
void convert_elements(const argument& out, const argument& in);

} // namespace migraphx
