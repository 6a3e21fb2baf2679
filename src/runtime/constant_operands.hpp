// SPDX-License-Identifier: MIT
// What operators do whose operands say it, where these are constants.
#pragma once

#include "ops/padding.hpp"
#include "runtime/kernel.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace migraphx {

struct known_padding {
    std::vector<int64_t> pads; ///< before each axis, then after each
    op::pad::pad_op_mode_t mode = op::pad::constant_pad;
    std::vector<char> element; ///< the padding value, in the result's type
    std::string refusal;       ///< why it is not known; empty: it is
};

/// Of `pad`, `pad_dynamic` or `fixed_pad`.
known_padding padding_of(const problem& p);

/// For each axis of the input: the first position that is taken, and the step to the next.
struct known_slice {
    std::vector<int64_t> starts, steps;
    std::string refusal; ///< why it is not known; empty: it is
};

/// Of `slice_dynamic`, whose result has the sizes that follow already.
known_slice slice_of(const problem& p);

/// An element's bytes.
std::vector<char> bytes_of(const argument& element);

} // namespace migraphx
