// SPDX-License-Identifier: MIT
// Constants stretched to the sizes of another operand, which are not known yet.
#pragma once

#include "passes/pattern.hpp"

#include <string>

namespace migraphx {

/// broadcast(c, y) or multibroadcast(c, y) with a constant c.
bool is_stretched_constant(instruction_ref ins);

/// f(x, y) of two such constants with the same dimensions, itself one, stretched to `like`, which
/// has them, too; computed at once in the type of x. Declines for other operands.
replacement stretched_result(const std::string& f, instruction_ref x, instruction_ref y,
                             instruction_ref like, rewriter& rw);

} // namespace migraphx
