// SPDX-License-Identifier: MIT
// Passes by name, for `--apply-pass` and the tests. A pass registers itself beside its definition:
//   const registered_pass normalize_ops_registered{"normalize_ops", [] { return normalize_ops{};
//   }};
#pragma once

#include <migraphx/pass.hpp>

#include <functional>
#include <string>
#include <vector>

namespace migraphx {

struct registered_pass {
    /// With the default values of its fields.
    registered_pass(const char* name, std::function<pass()> make);
};

/// Sorted.
std::vector<std::string> get_pass_names();
/// Throws for an unknown name.
pass make_pass(const std::string& name);

/// The pass manager validates the program after each pass: on when this or the setting
/// MIGRAPHX_VALIDATE_PASSES is.
void validate_after_passes(bool on);

} // namespace migraphx
