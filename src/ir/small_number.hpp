// SPDX-License-Identifier: MIT
// Numbers of the types of shape::is_small: two, four or eight bits, the code in the low bits of a
// byte, as numpy's ml_dtypes keep them.
#pragma once

#include <migraphx/shape.hpp>

#include <cstdint>
#include <utility>

namespace migraphx {

/// The number behind a code; bits above those of the type do not count.
double small_value(shape::type_t t, std::uint8_t code);

/// The code of x, saturated. Integers are cut off, fp4 is the nearest (ties to even), fp8e8m0 the
/// next power of two above. NaN is 0 where the type has none.
std::uint8_t small_code(shape::type_t t, double x);

/// Least and greatest finite number.
std::pair<double, double> small_limits(shape::type_t t);

/// int4, uint4, int2 or uint2: its bits; 0 for other types.
int small_integer_bits(shape::type_t t);

enum class power_rounding { up, down, nearest };

/// The fp8e8m0 code of |x|: its power of two. What is too large or infinite becomes the largest
/// where it saturates, else NaN.
std::uint8_t power_code(double x, power_rounding r, bool saturates);

} // namespace migraphx
