// SPDX-License-Identifier: MIT
// The nest of a problem: a single pointwise operator, `convert`, a `pointwise` module, or a
// `fused_reduce` module that reduces nothing.
#pragma once

#include "codegen/nest.hpp"
#include "runtime/kernel.hpp"

#include <string>

namespace migraphx {

struct pointwise_nest {
    codegen::nest nest;  ///< inputs and outputs (leaves) of the problem in order, not simplified
    std::string label;   ///< the operators' names, joined by "_"
    std::string refusal; ///< why there is none; empty: there is
};

/// An operator that has a nest, if its types do.
bool is_pointwise(const problem& p);

/// Results that repeat their elements (no stride) are computed once.
pointwise_nest nest_of(const problem& p);

} // namespace migraphx
