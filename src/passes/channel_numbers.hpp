// SPDX-License-Identifier: MIT
// Constants of images {N, C, …} that are one number for each channel, or one for all: biases,
// scales and shifts.
#pragma once

#include <migraphx/instruction_ref.hpp>

#include <optional>
#include <vector>

namespace migraphx {

struct module;
struct operation;

using channel_list = std::vector<double>;

/// Of "multibroadcast" or "broadcast", as often as there are, what they stretch; else `x`.
instruction_ref stretched_source(instruction_ref x);

/// Who reads the values of `ins`, not only its sizes.
std::vector<instruction_ref> value_readers(instruction_ref ins);

/// The numbers of a constant operand of rank 2 or more that differ along axis 1 at most, whether it
/// is stretched (to sizes that may be open) or not: one, or one for each channel.
std::optional<channel_list> channel_numbers(instruction_ref x);

/// What a pointwise operator makes of such operands, in float; none where one has another number of
/// them.
std::optional<channel_list> computed_numbers(const operation& op, std::size_t channels,
                                             std::vector<channel_list> operands);

/// Operands of pointwise operators that are computed from such constants become constants of
/// channels themselves, however large what they are stretched to.
void fold_channel_constants(module& m);

/// `ins`, an image, with a number more in each channel: what its only reader adds changes where
/// that is such a constant, else there is an addition more, for all readers. Nothing where all
/// numbers are 0.
void add_to_channels(module& m, instruction_ref ins, const channel_list& numbers);

} // namespace migraphx
