// SPDX-License-Identifier: MIT
// A problem in words, for caches of what was found out about it.
#pragma once

#include "runtime/kernel.hpp"

#include <string>

namespace migraphx {

/// Operator, shapes, which inputs are constant, what follows: equal for problems that any
/// implementation treats alike, whatever their modules are called.
std::string problem_text(const problem& p);

} // namespace migraphx
