// SPDX-License-Identifier: MIT
// A step whose operator runs sub-modules (if, loop …): the modules are executables of their own.
#pragma once

#include "runtime/kernel.hpp"
#include "runtime/plan.hpp"

#include <memory>
#include <vector>

namespace migraphx {

/// Inputs at run time: the operator's, then the captured values of each module in turn.
std::unique_ptr<kernel> make_module_kernel(const problem& p, std::vector<lifted_module> modules);

/// Evaluates the operator with its modules; `captured` holds the values that each module captures.
argument evaluate_with_modules(const operation& op, const shape& output,
                               const std::vector<argument>& inputs,
                               const std::vector<module_ref>& mods,
                               const std::vector<lifted_module>& lifted,
                               const std::vector<std::vector<argument>>& captured);

} // namespace migraphx
