// SPDX-License-Identifier: MIT
// What numbers an element type holds.
#pragma once

#include <migraphx/shape.hpp>

#include <utility>

namespace migraphx {

/// Integers of any width, the small ones included; not bool.
bool is_whole_number(shape::type_t t);

/// The 8-bit floating-point types that can be computed with.
inline bool is_fp8(shape::type_t t) {
    return t == shape::fp8e4m3fn_type or t == shape::fp8e4m3fnuz_type or t == shape::fp8e5m2_type or
           t == shape::fp8e5m2fnuz_type;
}

/// Least and greatest finite number, as doubles.
std::pair<double, double> number_limits(shape::type_t t);

} // namespace migraphx
