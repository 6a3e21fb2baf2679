// SPDX-License-Identifier: MIT
// com.microsoft GroupQueryAttention. A sequence of T = seqlens_k + 1 keys has Q queries, the last
// of them; its first query is at position T - Q. The caches are buffers with room for the longest
// sequence, or grow.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_attention.hpp"
#include "import/onnx/ops_shared.hpp"

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

enum inputs_of_group_query : std::size_t {
    in_query,
    in_key,
    in_value,
    in_past_key,
    in_past_value,
    in_lengths,
    in_total,
    in_cos,
    in_sin,
    in_positions,
    in_bias,
    in_sink,
    in_key_scale,
    in_value_scale,
    in_query_norm,
    in_key_norm,
    in_query_lengths
};

void expect_supported(node_reader& n) {
    n.expect_inputs(7, 17);
    if (n.integer("sliding_window_cache", 0) != 0)
        n.unsupported("sliding_window_cache of 0 was expected, got 1");
    if (n.has(in_key_scale) or n.has(in_value_scale) or n.text("k_quant_type", "NONE") != "NONE" or
        n.text("v_quant_type", "NONE") != "NONE")
        n.unsupported("caches that are not quantized were expected, got others");
    const auto causal = n.integer("causal", 1), output = n.integer("qk_output", 0);
    if (causal != 0 and causal != 1)
        n.malformed(str("causal of 0 or 1 was expected, got ", causal));
    if (output < 0 or output > 2)
        n.malformed(str("qk_output of 0 to 2 was expected, got ", output));
    if (n.has(in_past_key) != n.has(in_past_value))
        n.malformed("past_key and past_value together were expected, got one of them");
}

struct parts {
    instruction_ref q, k, v;
};

// Three tensors, or one that holds the heads of all.
parts read_parts(node_reader& n, int64_t heads, int64_t kv_heads) {
    if (n.has(in_key) and n.has(in_value))
        return {split_heads(n, n.input(in_query), heads), split_heads(n, n.input(in_key), kv_heads),
                split_heads(n, n.input(in_value), kv_heads)};
    const auto all = split_heads(n, n.input(in_query), heads + 2 * kv_heads);
    return {slice_along(n, all, 1, 0, heads), slice_along(n, all, 1, heads, heads + kv_heads),
            slice_along(n, all, 1, heads + kv_heads, heads + 2 * kv_heads)};
}

// A root mean square norm for every head (before the rotation).
instruction_ref normalised(node_reader& n, instruction_ref x, std::size_t weight,
                           const char* epsilon) {
    if (not n.has(weight))
        return x;
    const auto e = n.real(epsilon, n.real("qk_norm_epsilon", 1e-6f));
    return n.add(make_op("rms_norm", {{"axis", 3}, {"epsilon", e}}), {x, n.input(weight)});
}

// int64 (B, S)
instruction_ref positions_of(node_reader& n, instruction_ref q, instruction_ref first) {
    if (n.has(in_positions))
        return n.convert(n.input(in_positions), shape::int64_type);
    const auto start = n.add(make_op("squeeze", {{"axes", ints{2, 3}}}), {first});
    const auto each = n.add_common("add", {unsqueezed(n, count_along(n, q, 2), {0}), start});
    if (not n.has(in_query_lengths))
        return each;
    // Padding may lie behind the last angle.
    return n.with_number("min", each, double(n.known_size(n.input(in_cos), 0) - 1));
}

// The cache with zeros behind it up to the total length.
instruction_ref grown(node_reader& n, instruction_ref cache) {
    const auto& s = cache->get_shape();
    const auto known = n.constant_ints(in_total);
    if (known and known->size() == 1 and s.min_lens()[2] == s.max_lens()[2]) {
        const auto missing = (*known)[0] - int64_t(s.max_lens()[2]);
        if (missing <= 0)
            return cache;
        return n.add(make_op("pad", {{"pads", ints{0, 0, 0, 0, 0, 0, missing, 0}}}), {cache});
    }
    const auto vector = [&](int64_t v) {
        return n.literal(migraphx::literal{shape{shape::int64_type, {1}}, ints{v}});
    };
    const auto total = n.add(make_op("reshape", {{"dims", ints{1}}}),
                             {n.convert(n.input(in_total), shape::int64_type)});
    const auto missing = n.add("max", n.add("sub", total, length_along(n, cache, 2)), vector(0));
    const auto pads = concat_along(n, 0, {vector(0), missing});
    const auto y = n.add("pad_dynamic", cache, pads, n.scalar(s.type(), 0), vector(2));
    // The same dimensions, of which the heads and their size are known.
    return n.add(
        make_op("reshape", {{"dims", ints{0, n.known_size(cache, 1), -1, n.known_size(cache, 3)}}}),
        {y});
}

// `x` in the cache from position `first` on.
instruction_ref updated_cache(node_reader& n, instruction_ref cache, instruction_ref x,
                              instruction_ref first) {
    const auto start = n.add(make_op("squeeze", {{"axes", ints{1, 2, 3}}}), {first});
    return n.add(make_op("tensor_scatter", {{"axis", 2}}), {grown(n, cache), x, start});
}

instructions read_group_query(node_reader& n) {
    expect_supported(n);
    const auto heads = n.integer("num_heads"), kv_heads = n.integer("kv_num_heads");
    if (heads < 1 or kv_heads < 1 or heads % kv_heads != 0)
        n.malformed(str("kv_num_heads that divide num_heads were expected, got ", kv_heads, " and ",
                        heads));
    auto [q, k, v] = read_parts(n, heads, kv_heads);
    const auto lengths = n.with_number("add", per_sequence(n, n.input(in_lengths)), 1);
    const auto queries = n.has(in_query_lengths) ? per_sequence(n, n.input(in_query_lengths))
                                                 : length_along(n, q, 2);
    const auto first = n.with_number("max", n.add_common("sub", {lengths, queries}), 0);
    q = normalised(n, q, in_query_norm, "q_norm_epsilon");
    k = normalised(n, k, in_key_norm, "k_norm_epsilon");
    if (n.integer("do_rotary", 0) != 0) {
        const auto positions = positions_of(n, q, first);
        const auto rotated = [&](instruction_ref x) {
            return n.expand("rotary_embedding", {x, positions, n.input(in_cos), n.input(in_sin)},
                            {{"interleaved", n.integer("rotary_interleaved", 0) != 0}});
        };
        q = rotated(q);
        k = rotated(k);
    }
    if (n.has(in_past_key)) {
        k = updated_cache(n, n.input(in_past_key), k, first);
        v = updated_cache(n, n.input(in_past_value), v, first);
    }
    const auto t = q->get_shape().type();
    attention_mask mask{t};
    const auto window = n.integer("local_window_size", -1);
    if (n.integer("causal", 1) != 0)
        mask.add(n, window_mask(n, q, k, first, window > 0 ? window - 1 : -1, 0));
    else
        mask.add(n, n.convert(n.add_common("greater", {lengths, count_along(n, k, 2)}),
                              shape::bool_type));
    if (n.has(in_bias))
        mask.add(n, full_length(n, n.input(in_bias), k));
    attention_request request{
        .mask = mask.value(), .scale = n.real("scale", 0), .softcap = n.real("softcap", 0)};
    if (n.has(in_sink))
        request.sink = n.input(in_sink);
    else if (n.integer("smooth_softmax", 0) == 1)
        request.sink = n.literal(migraphx::literal{shape{t, {std::size_t(heads)}},
                                                   std::vector<float>(std::size_t(heads), 0.0f)});
    if (const auto output = n.integer("qk_output", 0); output != 0 and n.wants_output(3))
        request.seen = output == 1 ? seen_scores::masked : seen_scores::weights;
    const auto [y, scores] = attend(n, q, k, v, request);
    return {merge_heads(n, y), k, v, scores};
}

const operators group_query_operators{{"GroupQueryAttention", read_group_query, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
