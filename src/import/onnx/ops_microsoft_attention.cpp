// SPDX-License-Identifier: MIT
// com.microsoft: Attention, MultiHeadAttention, DecoderMaskedMultiHeadAttention, RotaryEmbedding.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_attention.hpp"
#include "import/onnx/ops_shared.hpp"

#include <algorithm>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

instruction_ref less_than(node_reader& n, instruction_ref a, instruction_ref b) {
    return n.convert(n.add_common("less", {a, b}), shape::bool_type);
}

// Lengths (B), (3 * B + 2) that begin with them, or ends and starts (2 * B), as bool (B, 1, 1, T).
instruction_ref keys_within(node_reader& n, instruction_ref m, instruction_ref k) {
    const auto &s = m->get_shape(), &keys = k->get_shape();
    if (s.dynamic() or keys.min_lens()[0] != keys.max_lens()[0])
        return length_mask(n, k, m);
    const auto count = int64_t(s.elements()), batch = int64_t(keys.max_lens()[0]);
    if (count == batch)
        return length_mask(n, k, m);
    const auto ends = length_mask(n, k, slice_along(n, m, 0, 0, std::min(batch, count)));
    if (count == 3 * batch + 2)
        return ends;
    if (count != 2 * batch)
        n.malformed(str("a mask of ", batch, ", ", 2 * batch, " or ", 3 * batch + 2,
                        " numbers was expected, got ", s));
    const auto starts = length_mask(n, k, slice_along(n, m, 0, batch, 2 * batch));
    return n.add_common("logical_and", {ends, n.add("not", starts)});
}

// Rows past : past + S and columns of the keys of a mask (B, 1, most, most).
instruction_ref part_of_square(node_reader& n, instruction_ref m, instruction_ref q,
                               instruction_ref k, instruction_ref offset) {
    const auto zero = n.literal(migraphx::literal{shape{shape::int64_type, {1}}, ints{0}});
    const auto first = n.add_common("add", {zero, offset});
    const auto last = n.add("add", first, length_along(n, q, 2));
    const auto axes = n.literal(migraphx::literal{shape{shape::int64_type, {2}}, ints{2, 3}});
    return n.add("slice_dynamic", m, concat_along(n, 0, {first, zero}),
                 concat_along(n, 0, {last, length_along(n, k, 2)}), axes);
}

// What hides keys: numbers of `keys_within`, or 0 and 1 of (B, T), (B, S, T) or (B, 1, most, most).
// Hidden keys have a low score instead of none, so that rows that hide all keys stay defined.
instruction_ref key_mask(node_reader& n, instruction_ref m, instruction_ref q, instruction_ref k,
                         instruction_ref offset) {
    const auto t = q->get_shape().type();
    const auto rank = m->get_shape().ndim();
    instruction_ref seen;
    if (rank == 1)
        seen = keys_within(n, m, k);
    else if (rank <= 4) {
        auto shaped = rank == 4 ? part_of_square(n, m, q, k, offset)
                                : unsqueezed(n, m, rank == 2 ? ints{1, 2} : ints{1});
        seen = n.convert(n.with_number("greater", shaped, 0), shape::bool_type);
    } else
        n.malformed(str("a mask of one to four dimensions was expected, got ", m->get_shape()));
    const auto low = n.scalar(t, double(n.real("mask_filter_value", -10000.0f)));
    return n.add("where", seen, n.broadcast_like(n.scalar(t, 0), seen),
                 n.broadcast_like(low, seen));
}

// Keys and values with those of earlier calls, and the position of the first query.
struct cached {
    instruction_ref k, v, offset;
    std::optional<instruction_ref> length =
        std::nullopt; ///< of the keys in use, for buffers with room
};

// `used`: the caches are buffers that are filled up to there.
cached with_past(node_reader& n, instruction_ref k, instruction_ref v,
                 std::optional<instruction_ref> past_k, std::optional<instruction_ref> past_v,
                 std::optional<instruction_ref> used) {
    if (not past_k or not past_v)
        return {k, v, n.scalar(shape::int64_type, 0)};
    if (not used)
        return {concat_along(n, 2, {*past_k, k}), concat_along(n, 2, {*past_v, v}),
                length_along(n, *past_k, 2)};
    const auto offset =
        n.add(make_op("reshape", {{"dims", ints{1}}}), {n.convert(*used, shape::int64_type)});
    const auto each = n.add_common("add", {offset, n.with_number("mul", count_along(n, k, 0), 0)});
    const auto into = [&](instruction_ref buffer, instruction_ref x) {
        return n.add(make_op("tensor_scatter", {{"axis", 2}}), {buffer, x, each});
    };
    const auto length = n.add("add", offset, length_along(n, k, 2));
    return {into(*past_k, k), into(*past_v, v), offset, length};
}

// Inputs by their position in the node.
struct mask_inputs {
    std::size_t keys, bias;
};

attention_request request_of(node_reader& n, instruction_ref q, const cached& c, mask_inputs at) {
    attention_mask mask{q->get_shape().type()};
    // Of buffers they reach what is in use.
    const auto fitting = [&](instruction_ref m) { return c.length ? full_length(n, m, c.k) : m; };
    if (n.has(at.keys))
        mask.add(n, fitting(key_mask(n, n.input(at.keys), q, c.k, c.offset)));
    if (n.has(at.bias))
        mask.add(n, fitting(n.input(at.bias)));
    if (n.integer("unidirectional", 0) != 0)
        mask.add(n, window_mask(n, q, c.k, c.offset, -1, 0));
    if (c.length)
        mask.add(n, less_than(n, count_along(n, c.k, 2), *c.length));
    return {.mask = mask.value(),
            .scale = n.real("scale", 0),
            .seen = n.wants_output(3) ? seen_scores::masked : seen_scores::none};
}

} // namespace

instructions attention_of_packed(node_reader& n, instruction_ref packed,
                                 const packed_attention& at) {
    const auto heads = n.integer("num_heads");
    if (n.integer("do_rotary", 0) != 0)
        n.unsupported("do_rotary of 0 was expected (RotaryEmbedding before MultiHeadAttention does "
                      "the same), got 1");
    const auto total = n.known_size(packed, -1);
    auto sizes = n.integers("qkv_hidden_sizes");
    if (sizes.empty())
        sizes = {total / 3, total / 3, total / 3};
    if (sizes.size() != 3 or sizes[0] + sizes[1] + sizes[2] != total or sizes[0] != sizes[1])
        n.malformed(str("qkv_hidden_sizes that add up to ", total, " were expected, got ", sizes));
    const auto part = [&](int64_t from, int64_t size) {
        return split_heads(n, slice_along(n, packed, 2, from, from + size), heads);
    };
    const auto q = part(0, sizes[0]), k = part(sizes[0], sizes[1]),
               v = part(sizes[0] + sizes[1], sizes[2]);
    std::optional<instruction_ref> past[2], used;
    if (n.has(at.past))
        for (int64_t i = 0; i < 2; i++)
            past[i] = n.add(make_op("squeeze", {{"axes", ints{0}}}),
                            {slice_along(n, n.input(at.past), 0, i, i + 1)});
    if (n.integer("past_present_share_buffer", 0) != 0)
        used = n.input(at.past_length);
    const auto c = with_past(n, k, v, past[0], past[1], used);
    instructions results{
        merge_heads(n, attend(n, q, c.k, c.v, request_of(n, q, c, {at.mask, at.bias})).first)};
    if (n.wants_output(1))
        results.push_back(concat_along(n, 0, {unsqueezed(n, c.k, {0}), unsqueezed(n, c.v, {0})}));
    return results;
}

namespace {

// input (B, S, I), weights (I, 3 * hidden)[, bias][, mask][, past (2, B, N, P, H)][, bias of the
// scores][, length of the past]
instructions read_ms_attention(node_reader& n) {
    n.expect_inputs(2, 7);
    auto packed = n.expand("dot", {n.input(0), n.input(1)});
    if (n.has(2))
        packed = n.add_common("add", {packed, n.input(2)});
    return attention_of_packed(n, packed, {.mask = 3, .past = 4, .bias = 5, .past_length = 6});
}

struct qkv {
    instruction_ref q, k, v;
};

// One of the parts packed before the last dimension, (B, S, N, parts, H), as (B, N, S, H).
instruction_ref unpacked(node_reader& n, instruction_ref x, int64_t i) {
    const auto part =
        n.add(make_op("squeeze", {{"axes", ints{3}}}), {slice_along(n, x, 3, i, i + 1)});
    return n.add(make_op("transpose", {{"permutation", ints{0, 2, 1, 3}}}), {part});
}

// `bias` (input `bias_at`) holds the parts of q, k and v one after the other.
qkv read_operands(node_reader& n, int64_t heads, std::size_t bias_at) {
    if (n.rank_of(0) == 5) {
        instruction_ref parts[3];
        for (int64_t i = 0; i < 3; i++) {
            parts[i] = unpacked(n, n.input(0), i);
            if (not n.has(bias_at))
                continue;
            const auto width = heads * n.known_size(parts[i], 3);
            const auto own =
                n.add(make_op("reshape", {{"dims", ints{1, heads, 1, width / heads}}}),
                      {slice_along(n, n.input(bias_at), 0, i * width, (i + 1) * width)});
            parts[i] = n.add_common("add", {parts[i], own});
        }
        return {parts[0], parts[1], parts[2]};
    }
    const auto hidden = n.has(bias_at) ? n.known_size(n.input(0), -1) : 0;
    const auto own = [&](std::size_t i, int64_t from) {
        if (not n.has(bias_at))
            return split_heads(n, n.input(i), heads);
        const auto width = n.known_size(n.input(i), -1);
        return split_heads(n,
                           n.add_common("add", {n.input(i), slice_along(n, n.input(bias_at), 0,
                                                                        from, from + width)}),
                           heads);
    };
    if (not n.has(1)) {
        // q, k and v side by side in (B, S, 3 * hidden).
        auto packed = n.input(0);
        if (n.has(bias_at))
            packed = n.add_common("add", {packed, n.input(bias_at)});
        const auto width = n.known_size(packed, -1) / 3;
        const auto part = [&](int64_t i) {
            return split_heads(n, slice_along(n, packed, 2, i * width, (i + 1) * width), heads);
        };
        return {part(0), part(1), part(2)};
    }
    if (n.rank_of(1) == 5)
        return {own(0, 0), unpacked(n, n.input(1), 0), unpacked(n, n.input(1), 1)};
    if (n.rank_of(1) == 4)
        return {own(0, 0), n.input(1), n.input(2)};
    return {own(0, 0), own(1, hidden), own(2, 2 * hidden)};
}

std::optional<instruction_ref> optional_input(node_reader& n, std::size_t i) {
    return n.has(i) ? std::optional(n.input(i)) : std::nullopt;
}

// query, key, value[, bias][, key mask][, bias of the scores][, past key][, past value][, length of
// the past]
instructions read_multi_head(node_reader& n) {
    n.expect_inputs(1, 10);
    if (n.has(9))
        n.unsupported("no cache_indirection was expected, got one");
    const auto [q, k, v] = read_operands(n, n.integer("num_heads"), 3);
    const auto c =
        with_past(n, k, v, optional_input(n, 6), optional_input(n, 7), optional_input(n, 8));
    const auto [y, scores] = attend(n, q, c.k, c.v, request_of(n, q, c, {4, 5}));
    return {merge_heads(n, y), c.k, c.v, scores};
}

// query, key, value[, key mask][, bias of the scores][, past key][, past value][, length of the
// past][, beam width][, cache indirection][, bias]: one token for each sequence.
instructions read_decoder_masked(node_reader& n) {
    n.expect_inputs(1, 11);
    if (n.has(9) and not(n.has(8) and n.constant_ints(8) == ints{1}))
        n.unsupported("no cache_indirection was expected, got one");
    const auto [q, k, v] = read_operands(n, n.integer("num_heads"), 10);
    const bool shared = n.integer("past_present_share_buffer", 0) != 0;
    const auto c = with_past(n, k, v, optional_input(n, 5), optional_input(n, 6),
                             shared ? optional_input(n, 7) : std::nullopt);
    const auto [y, scores] = attend(n, q, c.k, c.v, request_of(n, q, c, {3, 4}));
    return {merge_heads(n, y), c.k, c.v, scores};
}

// x, positions, cos, sin; one position is that of the first element of every sequence.
instructions read_ms_rotary(node_reader& n) {
    n.expect_inputs(4, 4);
    if (n.real("scale", 1) != 1)
        n.unsupported("scale of 1 was expected, got another");
    const bool flat = n.rank_of(0) == 3;
    auto heads = n.integer("num_heads", 0);
    const auto half = n.known_size(n.input(2), -1);
    if (n.integer("rotary_embedding_dim", 0) > 0 and n.integer("rotary_embedding_dim") != 2 * half)
        n.malformed(str("rotary_embedding_dim of ", 2 * half, " was expected, got ",
                        n.integer("rotary_embedding_dim")));
    if (flat and heads == 0)
        heads = n.known_size(n.input(0), -1) / std::max<int64_t>(1, 2 * half);
    const auto x = flat ? split_heads(n, n.input(0), heads) : n.input(0);
    auto positions = n.convert(n.input(1), shape::int64_type);
    if (positions->get_shape().ndim() == 1) {
        // (B, S): the same for every sequence.
        const auto first = n.add(make_op("reshape", {{"dims", ints{1, 1}}}), {positions});
        const auto rows = n.with_number("mul", unsqueezed(n, count_along(n, x, 0), {1}), 0);
        positions = n.add_common(
            "add", {n.add_common("add", {unsqueezed(n, count_along(n, x, 2), {0}), first}), rows});
    }
    const auto y = n.expand("rotary_embedding", {x, positions, n.input(2), n.input(3)},
                            {{"interleaved", n.integer("interleaved", 0) != 0}});
    return {flat ? merge_heads(n, y) : y};
}

const operators ms_attention_operators{
    {"Attention", read_ms_attention, "com.microsoft"},
    {"MultiHeadAttention", read_multi_head, "com.microsoft"},
    {"DecoderMaskedMultiHeadAttention", read_decoder_masked, "com.microsoft"},
    {"RotaryEmbedding", read_ms_rotary, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
