// SPDX-License-Identifier: MIT
// What a scatter does with the element that is already there.
#pragma once

#include <migraphx/argument.hpp>

#include <vector>

namespace migraphx {

enum class scatter_reduction { none, add, mul, min, max };

/// out[to[i]] = reduce(out[to[i]], updates[i]) one after another; `to` are logical positions, and a
/// negative one skips its update.
void scatter_elements(const argument& out, const argument& updates, const std::vector<int64_t>& to,
                      scatter_reduction reduction);

} // namespace migraphx
