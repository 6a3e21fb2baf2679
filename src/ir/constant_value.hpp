// SPDX-License-Identifier: MIT
// Values that follow from literals alone.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/instruction.hpp>

#include <cstddef>
#include <optional>

namespace migraphx {

/// The value of a constant instruction; nullopt when only a run gives it, or when a step on the way
/// needs more than `most_bytes`. Each instruction is evaluated once, however often it is used.
std::optional<argument> constant_value(instruction_ref ins,
                                       std::size_t most_bytes = std::size_t{1} << 28);

} // namespace migraphx
