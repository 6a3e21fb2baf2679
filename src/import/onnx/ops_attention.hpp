// SPDX-License-Identifier: MIT
// What the forms of attention share. q is (B, H, S, D), k and v are (B, K, T, D).
#pragma once

#include "import/onnx/importer.hpp"

namespace migraphx::onnx {

/// (B, S, H * D) as (B, H, S, D), and back.
instruction_ref split_heads(node_reader& n, instruction_ref x, int64_t heads);
instruction_ref merge_heads(node_reader& n, instruction_ref x);
/// Positions from:to of one axis.
instruction_ref slice_along(node_reader& n, instruction_ref x, int64_t axis, int64_t from,
                            int64_t to);
instruction_ref unsqueezed(node_reader& n, instruction_ref x, std::vector<int64_t> axes);
instruction_ref concat_along(node_reader& n, int64_t axis, instructions parts);
/// The length of one axis as int64 of shape {1}.
instruction_ref length_along(node_reader& n, instruction_ref x, std::size_t axis);
/// A value for each sequence, as int64 (B, 1, 1, 1).
instruction_ref per_sequence(node_reader& n, instruction_ref x);

/// Each head of (B, K, T, D) as often as `heads` share it.
instruction_ref repeat_heads(node_reader& n, instruction_ref x, int64_t heads);
/// q . transpose(k) * scale for as many heads in both; scale 0: 1 / sqrt(D).
instruction_ref scaled_scores(node_reader& n, instruction_ref q, instruction_ref k, float scale);

/// Bool (…, S, T): query s at position s + offset sees the keys from `left` before to `right` after
/// it; -1: no bound. `offset` stretches to (…, S, 1).
instruction_ref window_mask(node_reader& n, instruction_ref q, instruction_ref k,
                            instruction_ref offset, int64_t left, int64_t right);
/// Bool (B, 1, 1, T): keys below lengths (B).
instruction_ref length_mask(node_reader& n, instruction_ref k, instruction_ref lengths);
/// `mask` up to the length of the keys; what it does not reach is hidden.
instruction_ref full_length(node_reader& n, instruction_ref mask, instruction_ref k);

/// Masks that apply together. Bool ones hide; others are added to the scores, in their type.
class attention_mask {
public:
    explicit attention_mask(shape::type_t t) : type(t) {}
    void add(node_reader& n, instruction_ref m);
    const std::optional<instruction_ref>& value() const { return all; }

private:
    shape::type_t type;
    std::optional<instruction_ref> all;
};

/// Which scores are wanted beside the result.
enum class seen_scores { none, raw, bounded, masked, weights };

struct attention_request {
    std::optional<instruction_ref> mask = std::nullopt;
    std::optional<instruction_ref> sink =
        std::nullopt;  ///< (H): one more score of each query, without a value
    float scale = 0;   ///< 0: 1 / sqrt(size of a head)
    float softcap = 0; ///< 0: none
    seen_scores seen = seen_scores::none;
    std::optional<shape::type_t> softmax_type = std::nullopt; ///< when narrower than that of q
};

/// The result (B, H, S, D) and the scores asked for (else the result again).
std::pair<instruction_ref, instruction_ref> attend(node_reader& n, instruction_ref q,
                                                   instruction_ref k, instruction_ref v,
                                                   const attention_request& r);

/// Inputs of com.microsoft's forms of Attention by their position in the node.
struct packed_attention {
    std::size_t mask, past;
    std::size_t bias = std::size_t(-1); ///< of the scores; -1: the form has no such input
    std::size_t past_length = std::size_t(-1);
};

/// What follows the projections of com.microsoft's Attention, for packed = (B, S, q + k + v).
instructions attention_of_packed(node_reader& n, instruction_ref packed,
                                 const packed_attention& at);

} // namespace migraphx::onnx
