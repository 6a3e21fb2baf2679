// SPDX-License-Identifier: MIT
// What one case of tests/ops is checked for.
#pragma once

#include "case.hpp"

#include <string>
#include <vector>

namespace op_cases {

/// What is wrong, one line each; empty when all is well. Targets other than ref are compared with
/// it.
std::vector<std::string> check(const op_case& c, const std::vector<std::string>& targets);

} // namespace op_cases
