// SPDX-License-Identifier: MIT
// Attention, rotary embeddings and cache updates of ONNX (opset 23 and later).
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_attention.hpp"

namespace migraphx::onnx {

namespace {

shape::type_t softmax_type(node_reader& n, shape::type_t fallback) {
    if (not n.has_attribute("softmax_precision"))
        return fallback;
    switch (const auto number = n.integer("softmax_precision")) {
    case 1:
        return shape::float_type;
    case 10:
        return shape::half_type;
    case 11:
        return shape::double_type;
    case 16:
        return shape::bf16_type;
    default:
        n.malformed(str("softmax_precision of 1, 10, 11 or 16 was expected, got ", number));
    }
}

// The type of the softmax when it has fewer bits than that of the scores; others lose nothing in
// it.
std::optional<shape::type_t> narrower_softmax(node_reader& n, shape::type_t t) {
    const auto wanted = softmax_type(n, t);
    return shape{wanted}.type_size() < shape{t}.type_size() ? std::optional(wanted) : std::nullopt;
}

seen_scores scores_output(node_reader& n) {
    const auto mode = n.integer("qk_matmul_output_mode", 0);
    if (mode < 0 or mode > 3)
        n.malformed(str("qk_matmul_output_mode of 0 to 3 was expected, got ", mode));
    if (not n.wants_output(3))
        return seen_scores::none;
    constexpr seen_scores modes[] = {seen_scores::raw, seen_scores::bounded, seen_scores::masked,
                                     seen_scores::weights};
    return modes[mode];
}

// Q, K, V[, mask][, past key][, past value][, lengths of the keys]
instructions read_attention(node_reader& n) {
    n.expect_inputs(3, 7);
    const bool flat = n.rank_of(0) == 3;
    auto q = n.input(0), k = n.input(1), v = n.input(2);
    for (auto x : {q, k, v})
        if (x->get_shape().ndim() != (flat ? 3 : 4))
            n.malformed(str("Q, K and V of three or of four dimensions were expected, got ",
                            x->get_shape()));
    if (n.has(4) != n.has(5))
        n.malformed("past_key and past_value together were expected, got one of them");
    if (n.has(4) and n.has(6))
        n.malformed("one of past_key and nonpad_kv_seqlen was expected, got both");
    if (flat) {
        const auto heads = n.integer("q_num_heads"), kv_heads = n.integer("kv_num_heads");
        q = split_heads(n, q, heads);
        k = split_heads(n, k, kv_heads);
        v = split_heads(n, v, kv_heads);
    }
    // Position of the first query among the keys.
    instruction_ref offset = n.scalar(shape::int64_type, 0);
    if (n.has(4)) {
        offset = length_along(n, n.input(4), 2);
        k = concat_along(n, 2, {n.input(4), k});
        v = concat_along(n, 2, {n.input(5), v});
    } else if (n.has(6))
        offset = n.add_common("sub", {per_sequence(n, n.input(6)), length_along(n, q, 2)});
    const auto t = q->get_shape().type();
    attention_mask mask{t};
    if (n.has(3))
        mask.add(n, full_length(n, n.input(3), k));
    const auto left = n.integer("left_window_size", -1), right = n.integer("right_window_size", -1);
    if (left < -1 or right < -1)
        n.malformed(str("windows of at least -1 were expected, got ", left, " and ", right));
    if (n.integer("is_causal", 0) != 0)
        mask.add(n, window_mask(n, q, k, offset, left, 0));
    else if (left >= 0 or right >= 0)
        mask.add(n, window_mask(n, q, k, offset, left, right));
    if (n.has(6))
        mask.add(n, length_mask(n, k, n.input(6)));
    const auto [y, scores] = attend(n, q, k, n.convert(v, t),
                                    {.mask = mask.value(),
                                     .scale = n.real("scale", 0),
                                     .softcap = n.real("softcap", 0),
                                     .seen = scores_output(n),
                                     .softmax_type = narrower_softmax(n, t)});
    return {flat ? merge_heads(n, y) : y, k, v, scores};
}

// A subgraph of one input over `x`, of whose type and dimensions its result is.
instruction_ref modified(node_reader& n, const char* name, instruction_ref x) {
    if (not n.has_attribute(name))
        return x;
    const auto& g = n.subgraph(name);
    if (g.inputs.size() != 1 or g.outputs.size() != 1)
        n.malformed(str(name, ": a graph of one input and one output was expected, got ",
                        g.inputs.size(), " and ", g.outputs.size()));
    scope names{&n.whole().current()};
    names.set(g.inputs[0].name, x);
    const auto y = n.whole().read_subgraph_body(n.mod(), g, names).at(0);
    return n.broadcast_like(n.convert(y, x->get_shape().type()), x);
}

// Q, K, V of four dimensions, with graphs that change the scores and their softmax.
instructions read_flex_attention(node_reader& n) {
    n.expect_inputs(3, 3);
    for (std::size_t i = 0; i < 3; i++)
        if (n.rank_of(i) != 4)
            n.malformed(str("Q, K and V of four dimensions were expected, got ", n.shape_of(i)));
    const auto t = n.shape_of(0).type();
    const auto inner = softmax_type(n, t == shape::double_type ? t : shape::float_type);
    const auto heads = n.known_size(n.input(0), 1);
    auto scores =
        scaled_scores(n, n.input(0), repeat_heads(n, n.input(1), heads), n.real("scale", 0));
    scores = modified(n, "score_mod", n.convert(scores, inner));
    const auto weights =
        modified(n, "prob_mod", n.add(make_op("softmax", {{"axis", 3}}), {scores}));
    const auto v = n.convert(repeat_heads(n, n.input(2), heads), inner);
    return {n.convert(n.expand("dot", {weights, v}), n.shape_of(2).type())};
}

// X, cos, sin[, positions]
instructions read_rotary(node_reader& n) {
    n.expect_inputs(3, 4);
    const bool flat = n.rank_of(0) == 3;
    const auto x = flat ? split_heads(n, n.input(0), n.integer("num_heads")) : n.input(0);
    auto cos = n.input(1), sin = n.input(2);
    if (const auto size = n.integer("rotary_embedding_dim", 0);
        size > 0 and n.known_size(cos, -1) > size / 2) {
        const auto last = int64_t(cos->get_shape().ndim()) - 1;
        cos = slice_along(n, cos, last, 0, size / 2);
        sin = slice_along(n, sin, last, 0, size / 2);
    }
    instructions in{x, cos, sin};
    if (n.has(3))
        in.insert(in.begin() + 1, n.input(3));
    const auto y =
        n.expand("rotary_embedding", in, {{"interleaved", n.integer("interleaved", 0) != 0}});
    return {flat ? merge_heads(n, y) : y};
}

// cache, update[, positions]
instructions read_tensor_scatter(node_reader& n) {
    n.expect_inputs(2, 3);
    const auto mode = n.text("mode", "linear");
    if (mode != "linear" and mode != "circular")
        n.malformed("mode: linear or circular was expected, got '" + mode + "'");
    return {n.add(make_op("tensor_scatter",
                          {{"axis", n.integer("axis", -2)}, {"circular", mode == "circular"}}),
                  n.inputs())};
}

const operators attention_operators{{"Attention", read_attention},
                                    {"FlexAttention", read_flex_attention, "ai.onnx.preview"},
                                    {"RotaryEmbedding", read_rotary},
                                    {"TensorScatter", read_tensor_scatter}};

} // namespace

} // namespace migraphx::onnx
