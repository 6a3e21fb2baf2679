// SPDX-License-Identifier: MIT
// The row nests of problems: reductions, argmax and argmin, softmax, normalizations, and
// `fused_reduce` modules of these and pointwise operators.
#pragma once

#include "codegen/row_nest.hpp"
#include "runtime/kernel.hpp"

#include <string>
#include <vector>

namespace migraphx {

struct row_problem {
    codegen::row_nest nest; ///< inputs and outputs (leaves) of the problem in order
    std::string label;
    std::string refusal; ///< why there is none; empty: there is
};

row_problem rows_of(const problem& p);

/// Those of an operator with a body that a pass is about to make.
row_problem rows_of(const operation& op, const std::vector<shape>& inputs, const shape& output,
                    module& body);

} // namespace migraphx
