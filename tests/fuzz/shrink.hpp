// SPDX-License-Identifier: MIT
// A smaller graph that fails as well.
#pragma once

#include "graph.hpp"

#include <functional>

namespace fuzz {

/// Keeps one output where that is enough, then replaces nodes by parameters, by literals of the
/// values they have, or by one of their operands, as long as `fails` still holds.
graph shrink(graph g, const std::function<bool(const graph&)>& fails,
             const std::function<std::vector<migraphx::argument>(const graph&)>& values_of);

} // namespace fuzz
