// SPDX-License-Identifier: MIT
// Constant weights in few bits, as an operand of dequantizelinear.
#pragma once

#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>
#include <migraphx/shape.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace migraphx {

/// One operand of a dot or a convolution that is constant, with the axes that matter.
struct weight_operand {
    std::size_t index;
    std::size_t channel; ///< axis of the outputs
    std::size_t depth;   ///< axis of the inputs, over which products are added
};

/// An operand of `ins`, when it is a dot or convolution of floating-point numbers of static shape
/// and some operand but not all of them are constant.
std::optional<weight_operand> find_weights(instruction_ref ins);

/// How numbers are stored.
struct weight_format {
    shape::type_t type; ///< int8, int4 (packed two a byte) or an 8-bit floating-point type
    double largest;     ///< magnitude that the largest weight gets
    std::size_t block;  ///< inputs that share a scale; 0: all of them
};

/// Operand `w` of `ins`, quantised and dequantised before `ins`.
instruction_ref quantised_weights(module& m, instruction_ref ins, const weight_operand& w,
                                  const weight_format& f);

} // namespace migraphx
