// SPDX-License-Identifier: MIT
// 8-bit operands of exact integer products: what a recipe multiplies is int8, whatever the type and
// the zero point it was given.
#pragma once

#include "ops/builder/site.hpp"

#include <optional>

namespace migraphx::op::builder {

/// x - zero = values - offset.
struct centred_operand {
    instruction_ref values; ///< int8
    std::optional<instruction_ref>
        offset; ///< int32, with the dimensions of `zero`; none where it is 0
};

/// Operand `x` of the recipe, int8 or uint8, around operand `zero` if it was given.
centred_operand centre(site& s, std::size_t x, std::size_t zero);

} // namespace migraphx::op::builder
