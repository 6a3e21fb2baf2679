// SPDX-License-Identifier: MIT
// half: IEEE binary16.
#ifndef MIGRAPHX_GUARD_HALF_HPP
#define MIGRAPHX_GUARD_HALF_HPP

#include <migraphx/generic_float.hpp>

namespace migraphx {
using half = generic_float<10, 5>;
static_assert(sizeof(half) == 2, "half has 2 bytes");
} // namespace migraphx
#endif
