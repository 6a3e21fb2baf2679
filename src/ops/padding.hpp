// SPDX-License-Identifier: MIT
// Padding of a tensor: where each position of the result comes from.
#pragma once

#include "ops/copy.hpp"

#include <migraphx/op/pad.hpp>

namespace migraphx {

/// Source of each of the `len + begin + end` positions (none if that is negative), or no_source for
/// the constant. Negative paddings cut. Throws when there is nothing to repeat.
std::vector<int64_t> padded_positions(std::size_t len, int64_t begin, int64_t end,
                                      op::pad::pad_op_mode_t mode);
/// Length of the result.
std::size_t padded_length(std::size_t len, int64_t begin, int64_t end);

/// out = in with these paddings (all begins, then all ends) and, for the constant, the bytes of one
/// element at `element`.
void pad_elements(const argument& out, const argument& in, const std::vector<int64_t>& pads,
                  op::pad::pad_op_mode_t mode, const void* element);

} // namespace migraphx
