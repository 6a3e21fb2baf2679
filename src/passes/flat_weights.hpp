// SPDX-License-Identifier: MIT
// Products with one constant matrix for all rows.
#pragma once

#include "passes/pattern.hpp"

namespace migraphx {

/// The (K, N) matrix that an operand of `dot` is, or repeats for each row of the leading axes;
/// none when it is not constant or has another form.
std::optional<instruction_ref> flat_weights(instruction_ref w);

/// A (K, N) matrix as the operand of a product whose result has these dimensions.
instruction_ref stretched_weights(instruction_ref w, std::vector<std::size_t> result, rewriter& rw);

} // namespace migraphx
