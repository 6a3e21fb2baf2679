// SPDX-License-Identifier: MIT
// Whether the cases leave an operator or an attribute out, and whether the operators have the
// attributes and defaults that tests/ops/interface/operators.txt states.
#pragma once

#include "case.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace op_cases {

/// Faults of the cases all together: `operator` or `operator.attribute` that no case names, without
/// a line `<name>  # <reason>` in uncovered.txt; and lines of uncovered.txt that are not needed.
std::vector<std::string> coverage_faults(const std::vector<op_case>& cases,
                                         const std::filesystem::path& folder);

/// Lines of operators.txt that differ from the operator of that name.
std::vector<std::string> interface_faults(const std::filesystem::path& folder);

} // namespace op_cases
