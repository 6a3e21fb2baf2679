// SPDX-License-Identifier: MIT
// com.microsoft: Attention, MultiHeadAttention, GroupQueryAttention, RotaryEmbedding.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_attention.hpp"
#include "import/onnx/ops_shared.hpp"

#include <algorithm>

namespace migraphx::onnx {

namespace {

using ms_ints = std::vector<int64_t>;

instruction_ref attend(node_reader& n, instruction_ref q, instruction_ref k, instruction_ref v,
                       std::optional<instruction_ref> mask, float scale) {
    instructions in{q, k, v};
    if (mask) {
        const auto t = q->get_shape().type();
        in.push_back((*mask)->get_shape().type() == shape::bool_type ? *mask : n.convert(*mask, t));
    }
    return n.add(make_op("attention", {{"scale", scale}}), in);
}

std::optional<instruction_ref> with_mask(node_reader& n, std::optional<instruction_ref> a, instruction_ref b, shape::type_t t) {
    return a ? combine_masks(n, *a, b, t) : b;
}

// Masks of keys: (B, T) or (B, S, T) of 0 and 1, or the lengths (B).
instruction_ref key_mask(node_reader& n, std::size_t i, instruction_ref k, shape::type_t t) {
    const auto m = n.input(i);
    const auto rank = m->get_shape().ndim();
    if (rank == 1) {
        // (2 * B) or (3 * B + 2) hold more than lengths.
        const auto batch = k->get_shape().dynamic() ? std::size_t{0} : k->get_shape().lens()[0];
        if (batch != 0 and not m->get_shape().dynamic() and m->get_shape().lens()[0] != batch)
            n.unsupported(str("a mask of one length for each sequence was expected, got ", m->get_shape()));
        const auto length = n.add(make_op("unsqueeze", {{"axes", ms_ints{1, 2, 3}}}), {n.convert(m, shape::int64_type)});
        return n.convert(n.add_common("greater", {length, count_along(n, k, 2)}), shape::bool_type);
    }
    if (rank != 2 and rank != 3)
        n.unsupported(str("a mask of one, two or three dimensions was expected, got ", m->get_shape()));
    const auto shaped = n.add(make_op("unsqueeze", {{"axes", rank == 2 ? ms_ints{1, 2} : ms_ints{1}}}), {m});
    // Hidden keys have a low score instead of none, so that rows that hide all keys stay defined.
    const auto seen = n.convert(n.with_number("greater", shaped, 0), shape::bool_type);
    const auto zero = n.broadcast_like(n.scalar(t, 0), shaped);
    const auto low = n.broadcast_like(n.scalar(t, double(n.real("mask_filter_value", -10000.0f))), shaped);
    return n.add("where", seen, zero, low);
}

instruction_ref offset_of(node_reader& n, std::optional<instruction_ref> past) {
    if (not past)
        return n.scalar(shape::int64_type, 0);
    return n.add(make_op("dimensions_of", {{"start", 2}, {"end", 3}}), {*past});
}

instruction_ref concat_keys(node_reader& n, instruction_ref past, instruction_ref x) {
    return n.add(make_op("concat", {{"axis", 2}}), {past, x});
}

// input (B, S, I), weights (I, 3 * hidden), bias[, mask][, past (2, B, N, P, H)][, bias of the scores]
instructions read_ms_attention(node_reader& n) {
    n.expect_inputs(2, 7);
    const auto heads = n.integer("num_heads");
    if (n.integer("do_rotary", 0) != 0)
        n.unsupported("do_rotary of 0 was expected, got 1");
    if (n.has(6))
        n.unsupported("no past_sequence_length was expected, got one");
    auto packed = n.expand("dot", {n.input(0), n.input(1)});
    if (n.has(2))
        packed = n.add_common("add", {packed, n.input(2)});
    const auto total = n.known_size(packed, -1);
    auto sizes = n.integers("qkv_hidden_sizes");
    if (sizes.empty())
        sizes = {total / 3, total / 3, total / 3};
    if (sizes.size() != 3 or sizes[0] + sizes[1] + sizes[2] != total or sizes[0] != sizes[1])
        n.malformed(str("qkv_hidden_sizes that add up to ", total, " were expected, got ", sizes));
    const auto q = split_heads(n, slice_along(n, packed, 2, 0, sizes[0]), heads);
    auto k = split_heads(n, slice_along(n, packed, 2, sizes[0], sizes[0] + sizes[1]), heads);
    auto v = split_heads(n, slice_along(n, packed, 2, sizes[0] + sizes[1], total), heads);
    std::optional<instruction_ref> past;
    if (n.has(4)) {
        const auto half = [&](int64_t i) {
            return n.add(make_op("squeeze", {{"axes", {0}}}), {slice_along(n, n.input(4), 0, i, i + 1)});
        };
        past = half(0);
        k = concat_keys(n, *past, k);
        v = concat_keys(n, half(1), v);
    }
    const auto t = q->get_shape().type();
    std::optional<instruction_ref> mask;
    if (n.has(3))
        mask = key_mask(n, 3, k, t);
    if (n.has(5))
        mask = with_mask(n, mask, n.input(5), t);
    if (n.integer("unidirectional", 0) != 0)
        mask = with_mask(n, mask, causal_mask(n, q, k, offset_of(n, past), 0), t);
    instructions results{merge_heads(n, attend(n, q, k, v, mask, n.real("scale", 0)))};
    if (n.wants_output(1)) {
        const auto k5 = n.add(make_op("unsqueeze", {{"axes", {0}}}), {k}), v5 = n.add(make_op("unsqueeze", {{"axes", {0}}}), {v});
        results.push_back(n.add(make_op("concat", {{"axis", 0}}), {k5, v5}));
    }
    return results;
}

struct qkv {
    instruction_ref q, k, v;
};

// One of the parts packed before the last dimension, (B, S, N, parts, H), as (B, N, S, H).
instruction_ref unpacked(node_reader& n, instruction_ref x, int64_t i) {
    const auto part = n.add(make_op("squeeze", {{"axes", {3}}}), {slice_along(n, x, 3, i, i + 1)});
    return n.add(make_op("transpose", {{"permutation", {0, 2, 1, 3}}}), {part});
}

qkv read_operands(node_reader& n, int64_t heads) {
    if (n.rank_of(0) == 5)
        return {unpacked(n, n.input(0), 0), unpacked(n, n.input(0), 1), unpacked(n, n.input(0), 2)};
    auto biased = [&](std::size_t i, int64_t from) {
        if (not n.has(3))
            return n.input(i);
        const auto width = n.known_size(n.input(i), -1);
        return n.add_common("add", {n.input(i), slice_along(n, n.input(3), 0, from, from + width)});
    };
    const auto hidden = n.has(3) ? n.known_size(n.input(0), -1) : 0;
    const auto q = split_heads(n, biased(0, 0), heads);
    if (n.rank_of(1) == 5)
        return {q, unpacked(n, n.input(1), 0), unpacked(n, n.input(1), 1)};
    if (n.rank_of(1) == 4)
        return {q, n.input(1), n.input(2)};
    return {q, split_heads(n, biased(1, hidden), heads), split_heads(n, biased(2, 2 * hidden), heads)};
}

// query, key, value[, bias][, key mask][, bias of the scores][, past key][, past value]
instructions read_multi_head(node_reader& n) {
    n.expect_inputs(1, 8);
    const auto heads = n.integer("num_heads");
    auto [q, k, v] = read_operands(n, heads);
    std::optional<instruction_ref> past;
    if (n.has(6) and n.has(7)) {
        past = n.input(6);
        k = concat_keys(n, *past, k);
        v = concat_keys(n, n.input(7), v);
    }
    const auto t = q->get_shape().type();
    std::optional<instruction_ref> mask;
    if (n.has(4))
        mask = key_mask(n, 4, k, t);
    if (n.has(5))
        mask = with_mask(n, mask, n.input(5), t);
    if (n.integer("unidirectional", 0) != 0)
        mask = with_mask(n, mask, causal_mask(n, q, k, offset_of(n, past), 0), t);
    return {merge_heads(n, attend(n, q, k, v, mask, n.real("scale", 0))), k, v};
}

// Position of the first query: 0 for a prompt, the length so far for a single token.
instruction_ref first_position(node_reader& n, instruction_ref seqlens, std::size_t queries) {
    if (queries > 1)
        return n.scalar(shape::int64_type, 0);
    const auto flat = n.add(make_op("reshape", {{"dims", ms_ints{-1, 1, 1, 1}}}), {seqlens});
    return n.convert(flat, shape::int64_type);
}

// query, key, value, past key, past value, lengths - 1, total length[, cos][, sin]; query may hold all three.
instructions read_group_query(node_reader& n) {
    n.expect_inputs(7, 11);
    const auto heads = n.integer("num_heads"), kv_heads = n.integer("kv_num_heads");
    if (n.real("softcap", 0) != 0)
        n.unsupported("softcap of 0 was expected, got another");
    if (n.integer("smooth_softmax", 0) != 0)
        n.unsupported("smooth_softmax of 0 was expected, got 1");
    if (n.has(9))
        n.unsupported("no position_ids were expected, got some");
    auto packed = n.input(0);
    if (n.has(1) and n.has(2))
        packed = n.add(make_op("concat", {{"axis", 2}}), {packed, n.input(1), n.input(2)});
    const auto& s = packed->get_shape();
    if (s.dynamic() or s.ndim() != 3)
        n.unsupported(str("a static shape of three dimensions was expected, got ", s));
    auto all = split_heads(n, packed, heads + 2 * kv_heads);
    const auto queries = s.lens()[1];
    const auto lengths = n.input(5);
    if (n.integer("do_rotary", 0) != 0)
        all = n.add(make_op("gqa_rotary_embedding", {{"num_heads", heads},
                                                     {"kv_num_heads", kv_heads},
                                                     {"interleaved", n.integer("rotary_interleaved", 0) != 0}}),
                    {all, n.convert(lengths, shape::int32_type), n.input(7), n.input(8)});
    const auto q = slice_along(n, all, 1, 0, heads);
    auto k = slice_along(n, all, 1, heads, heads + kv_heads);
    auto v = slice_along(n, all, 1, heads + kv_heads, heads + 2 * kv_heads);
    // The buffers of the past take the new rows at their place.
    if (n.has(3) and n.has(4) and n.known_size(n.input(3), 2) > 0) {
        const auto join = make_op("concat_past_present", {{"kv_num_heads", kv_heads}});
        k = n.add(join, {k, lengths, n.input(3)});
        v = n.add(join, {v, lengths, n.input(4)});
    }
    const auto window = n.integer("local_window_size", -1);
    std::optional<instruction_ref> mask = causal_mask(n, q, k, first_position(n, lengths, queries), window);
    if (n.has(10))
        mask = with_mask(n, mask, n.input(10), q->get_shape().type());
    return {merge_heads(n, attend(n, q, k, v, mask, n.real("scale", 0))), k, v};
}

// x, positions, cos, sin; one position is that of the first element of every sequence.
instructions read_ms_rotary(node_reader& n) {
    n.expect_inputs(4, 4);
    if (n.integer("is_packed_batching", 0) != 0)
        n.unsupported("is_packed_batching of 0 was expected, got 1");
    if (n.real("scale", 1) != 1)
        n.unsupported("scale of 1 was expected, got another");
    const bool flat = n.rank_of(0) == 3;
    auto heads = n.integer("num_heads", 0);
    const auto half = n.known_size(n.input(2), -1);
    if (flat and heads == 0)
        heads = n.known_size(n.input(0), -1) / std::max<int64_t>(1, 2 * half);
    const auto x = flat ? split_heads(n, n.input(0), heads) : n.input(0);
    auto positions = n.convert(n.input(1), shape::int64_type);
    if (positions->get_shape().ndim() == 1) {
        const auto steps = n.add(make_op("unsqueeze", {{"axes", {0}}}), {count_along(n, x, 2)});
        positions = n.add_common("add", {steps, positions});
    }
    const auto y = n.expand("rotary_embedding", {x, positions, n.input(2), n.input(3)},
                            {{"interleaved", n.integer("interleaved", 0) != 0}});
    return {flat ? merge_heads(n, y) : y};
}

const operators ms_attention_operators{{"Attention", read_ms_attention, "com.microsoft"},
                                       {"MultiHeadAttention", read_multi_head, "com.microsoft"},
                                       {"GroupQueryAttention", read_group_query, "com.microsoft"},
                                       {"RotaryEmbedding", read_ms_rotary, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
