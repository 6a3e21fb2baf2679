// SPDX-License-Identifier: MIT
// A case with symbols for sizes: one for all dimensions of one extent that may grow by one.
#pragma once

#include "case.hpp"

#include <string>
#include <vector>

namespace op_cases {

/// What is wrong, one line each: an operator that refuses symbols, a result whose inferred size
/// does not follow from them or is another one than with static shapes, other values at either of
/// two sizes that run through one program. `ref` is always among the targets.
std::vector<std::string> check_symbols(const op_case& c, const std::vector<std::string>& targets);

} // namespace op_cases
