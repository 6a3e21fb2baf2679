// SPDX-License-Identifier: MIT
// bf16: the upper 16 bits of a binary32, rounded to nearest even.
#ifndef MIGRAPHX_GUARD_BF16_HPP
#define MIGRAPHX_GUARD_BF16_HPP

#include <migraphx/generic_float.hpp>

namespace migraphx {
using bf16 = generic_float<7, 8>;
static_assert(sizeof(bf16) == 2, "bf16 has 2 bytes");
} // namespace migraphx
#endif
