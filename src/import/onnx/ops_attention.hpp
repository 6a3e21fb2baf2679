// SPDX-License-Identifier: MIT
// What the forms of attention share. q is (B, H, S, D), k and v are (B, K, T, D).
#pragma once

#include "import/onnx/importer.hpp"

namespace migraphx::onnx {

/// (B, S, H * D) as (B, H, S, D), and back.
instruction_ref split_heads(node_reader& n, instruction_ref x, int64_t heads);
instruction_ref merge_heads(node_reader& n, instruction_ref x);
/// Positions from:to of one axis.
instruction_ref slice_along(node_reader& n, instruction_ref x, int64_t axis, int64_t from, int64_t to);
/// Bool (…, S, T): query s at position s + offset sees keys up to there and, with a window, not more than
/// so many of them. `offset` stretches to (…, S, 1).
instruction_ref causal_mask(node_reader& n, instruction_ref q, instruction_ref k, instruction_ref offset, int64_t window);
/// The same with bounds on both sides; -1: none.
instruction_ref window_mask(node_reader& n, instruction_ref q, instruction_ref k, instruction_ref offset, int64_t left, int64_t right);
/// Both masks; one that is not bool is added to the scores of type `t`.
instruction_ref combine_masks(node_reader& n, instruction_ref a, instruction_ref b, shape::type_t t);

} // namespace migraphx::onnx
