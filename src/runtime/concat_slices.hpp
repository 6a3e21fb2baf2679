// SPDX-License-Identifier: MIT
// Concats without copies: which values are written straight into their part of a concat's result.
#pragma once

#include <migraphx/instruction_ref.hpp>
#include <migraphx/shape.hpp>

#include <cstddef>
#include <functional>
#include <unordered_map>

namespace migraphx {

struct module;

struct concat_slice {
    instruction_ref whole;  ///< the concat
    std::size_t offset = 0; ///< bytes from the start of the concat's value
    shape layout;           ///< of the value there: the concat's strides
};

/// By the value that is written there. A concat may itself be a part of another one.
using concat_slices = std::unordered_map<instruction_ref, concat_slice>;

/// What the target can do at no cost.
struct slice_rules {
    /// The instruction writes a result of this layout.
    std::function<bool(instruction_ref ins, const shape& layout)> writes;
    /// The instruction reads `value` in this layout.
    std::function<bool(instruction_ref ins, instruction_ref value, const shape& layout)> reads;
};

concat_slices find_concat_slices(const module& m, const slice_rules& rules);

} // namespace migraphx
