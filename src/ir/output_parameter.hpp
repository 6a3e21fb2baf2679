// SPDX-License-Identifier: MIT
// Parameters that are memory for results: with `offload_copy` off, result N of a program is written
// to what the caller gives under this name.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace migraphx {

/// "main:#output_0" … "main:#output_9", "main:#output_:00010" …: in the order of their names.
std::string output_parameter_name(std::size_t result);
/// The result that a parameter of this name is for; none for the model's own.
std::optional<std::size_t> output_parameter_index(const std::string& name);

} // namespace migraphx
