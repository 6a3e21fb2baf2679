// SPDX-License-Identifier: MIT
// What a node of a tree_ensemble does.
#pragma once

namespace migraphx {

/// How x compares with the threshold for the true branch; `member`: is one of a list; a leaf has
/// none. The values are those in the operator's table of nodes.
enum class tree_mode : int { leq, lt, gte, gt, eq, neq, member, leaf };

} // namespace migraphx
