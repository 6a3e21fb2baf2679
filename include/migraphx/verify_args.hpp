// SPDX-License-Identifier: MIT
// Comparing results with what was expected, with a report of the differences.
#ifndef MIGRAPHX_VERIFY_ARGS_HPP
#define MIGRAPHX_VERIFY_ARGS_HPP

#include <migraphx/argument.hpp>
#include <migraphx/verify.hpp>
#include <string>

namespace migraphx {

/// True within `tols`; else logs what differs: RMS error, largest difference, first mismatch,
/// zeros, NaN.
bool verify_args(const std::string& name, const argument& actual,
                 const verify::expected<argument>& gold, verify::tolerance tols);

/// `tolerance` in units of the element type's epsilon, for the relative root mean square error.
bool verify_args_with_tolerance(const std::string& name, const argument& actual,
                                const verify::expected<argument>& gold, std::size_t tolerance = 80);

} // namespace migraphx
#endif
