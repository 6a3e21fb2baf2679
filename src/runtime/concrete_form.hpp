// SPDX-License-Identifier: MIT
// Operators that take their sizes from inputs (from values or from shapes), once those are known:
// the static operator that does the same, so that passes and kernels see attributes and views.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/operation.hpp>

#include <vector>

namespace migraphx {

struct static_form {
    operation op;
    std::vector<std::size_t> inputs; ///< which inputs it still takes, in order
};

/// `values`: the known inputs have data. Without a better form: the operator itself, or, when its
/// own shape rule would not give `output`, the operator inside `with_shape`.
static_form concrete_form(const operation& op, const std::vector<argument>& values,
                          const shape& output);

} // namespace migraphx
