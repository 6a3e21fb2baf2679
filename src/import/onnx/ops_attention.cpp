// SPDX-License-Identifier: MIT
// Attention and rotary embeddings of ONNX (opset 23).
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_attention.hpp"
#include "import/onnx/ops_shared.hpp"

#include <cmath>
#include <limits>

namespace migraphx::onnx {

using attention_ints = std::vector<int64_t>;

instruction_ref split_heads(node_reader& n, instruction_ref x, int64_t heads) {
    const auto& s = x->get_shape();
    const bool known = s.ndim() == 3 and s.min_lens()[2] == s.max_lens()[2];
    const auto hidden = known ? int64_t(s.max_lens()[2]) : 0;
    if (s.ndim() != 3 or heads < 1 or hidden % heads != 0)
        n.malformed(str("(batch, sequence, size) with a size that ", heads, " heads divide was expected, got ", s));
    const auto split = n.add(make_op("reshape", {{"dims", attention_ints{0, 0, heads, known ? hidden / heads : -1}}}), {x});
    return n.add(make_op("transpose", {{"permutation", attention_ints{0, 2, 1, 3}}}), {split});
}

instruction_ref merge_heads(node_reader& n, instruction_ref x) {
    const auto lo = x->get_shape().min_lens(), hi = x->get_shape().max_lens();
    const bool known = lo[1] == hi[1] and lo[3] == hi[3];
    const auto moved = n.add(make_op("transpose", {{"permutation", attention_ints{0, 2, 1, 3}}}), {x});
    return n.add(make_op("reshape", {{"dims", attention_ints{0, 0, known ? int64_t(hi[1] * hi[3]) : -1}}}), {moved});
}

instruction_ref slice_along(node_reader& n, instruction_ref x, int64_t axis, int64_t from, int64_t to) {
    return n.add(make_op("slice", {{"axes", attention_ints{axis}}, {"starts", attention_ints{from}}, {"ends", attention_ints{to}}}), {x});
}

instruction_ref causal_mask(node_reader& n, instruction_ref q, instruction_ref k, instruction_ref offset, int64_t window) {
    return window_mask(n, q, k, offset, window > 0 ? window - 1 : -1, 0);
}

instruction_ref window_mask(node_reader& n, instruction_ref q, instruction_ref k, instruction_ref offset, int64_t left,
                            int64_t right) {
    const auto rows = n.add(make_op("unsqueeze", {{"axes", attention_ints{1}}}), {count_along(n, q, 2)});
    const auto keys = n.add(make_op("unsqueeze", {{"axes", attention_ints{0}}}), {count_along(n, k, 2)});
    // How far a key lies behind its query.
    const auto distance = n.add_common("sub", {keys, n.add_common("add", {rows, offset})});
    const auto within = [&](const char* beyond, int64_t bound) {
        return n.add("not", n.convert(n.with_number(beyond, distance, double(bound)), shape::bool_type));
    };
    if (left < 0)
        return within("greater", right);
    const auto near = within("less", -left);
    return right < 0 ? near : n.add("logical_and", within("greater", right), near);
}

instruction_ref combine_masks(node_reader& n, instruction_ref a, instruction_ref b, shape::type_t t) {
    const bool plain_a = a->get_shape().type() == shape::bool_type, plain_b = b->get_shape().type() == shape::bool_type;
    if (plain_a and plain_b)
        return n.add_common("logical_and", {a, b});
    const auto additive = [&](instruction_ref m, bool is_plain) {
        if (not is_plain)
            return m;
        const auto zero = n.broadcast_like(n.scalar(t, 0), m);
        return n.add("where", m, zero, n.broadcast_like(n.scalar(t, -std::numeric_limits<double>::infinity()), m));
    };
    return n.add_common("add", {additive(a, plain_a), additive(b, plain_b)});
}

namespace {

// The scores with all that ONNX can ask for, when they are an output or bounded by softcap.
struct scores_request {
    float scale, softcap;
    int64_t output_mode = 0; ///< 0 raw, 1 after softcap, 2 after the mask, 3 after softmax
};

instruction_ref repeat_heads(node_reader& n, instruction_ref x, int64_t heads) {
    const auto own = n.known_size(x, 1);
    if (own == heads)
        return x;
    const auto size = n.known_size(x, 3);
    if (own < 1 or heads % own != 0)
        n.malformed(str("heads of k that divide ", heads, " were expected, got ", own));
    auto y = n.add(make_op("unsqueeze", {{"axes", attention_ints{2}}}), {x});
    const auto copies = heads / own;
    instructions all(std::size_t(copies), y);
    y = n.add(make_op("concat", {{"axis", 2}}), all);
    if (x->get_shape().dynamic())
        return n.add(make_op("reshape", {{"dims", attention_ints{0, heads, -1, size}}}), {y});
    const auto& lens = x->get_shape().lens();
    return n.add(make_op("reshape", {{"dims", attention_ints{int64_t(lens[0]), heads, int64_t(lens[2]), size}}}), {y});
}

std::pair<instruction_ref, instruction_ref> attend_by_parts(node_reader& n, instruction_ref q, instruction_ref k,
                                                            instruction_ref v, std::optional<instruction_ref> mask,
                                                            const scores_request& r) {
    const auto heads = n.known_size(q, 1);
    k = repeat_heads(n, k, heads);
    v = repeat_heads(n, v, heads);
    const auto kt = n.add(make_op("transpose", {{"permutation", attention_ints{0, 1, 3, 2}}}), {k});
    auto scores = n.with_number("mul", n.expand("dot", {q, kt}), double(r.scale));
    instruction_ref seen = scores;
    const auto t = scores->get_shape().type();
    if (r.softcap > 0) {
        const auto bounded = n.add("tanh", n.with_number("mul", scores, 1.0 / double(r.softcap)));
        scores = n.with_number("mul", bounded, double(r.softcap));
    }
    if (r.output_mode == 1)
        seen = scores;
    if (mask) {
        if ((*mask)->get_shape().type() == shape::bool_type) {
            const auto low = n.broadcast_like(n.scalar(t, -std::numeric_limits<double>::infinity()), scores);
            scores = n.add("where", n.broadcast_like(*mask, scores), scores, low);
        } else
            scores = n.add_common("add", {scores, n.convert(*mask, t)});
    }
    if (r.output_mode == 2)
        seen = scores;
    auto weights = n.add(make_op("softmax", {{"axis", 3}}), {scores});
    if (mask) {
        // A query that sees no key gives 0.
        const auto top = n.add(make_op("reduce_max", {{"axes", attention_ints{3}}}), {scores});
        const auto blind = n.broadcast_like(n.add("isinf", top), weights);
        weights = n.add("where", blind, n.broadcast_like(n.scalar(t, 0), weights), weights);
    }
    if (r.output_mode == 3)
        seen = weights;
    return {n.expand("dot", {weights, v}), seen};
}

// Keys t below length[b], as (B, 1, 1, T).
instruction_ref length_mask(node_reader& n, instruction_ref k, instruction_ref lengths) {
    const auto length = n.add(make_op("unsqueeze", {{"axes", attention_ints{1, 2, 3}}}), {n.convert(lengths, shape::int64_type)});
    return n.convert(n.add_common("greater", {length, count_along(n, k, 2)}), shape::bool_type);
}

// A mask that is shorter than the keys hides those that it does not reach.
instruction_ref full_length(node_reader& n, instruction_ref mask, instruction_ref k) {
    const auto& s = mask->get_shape();
    if (s.dynamic() or k->get_shape().dynamic() or s.lens().back() == 1 or s.lens().back() >= k->get_shape().lens()[2])
        return mask;
    attention_ints pads(2 * s.ndim(), 0);
    pads.back() = int64_t(k->get_shape().lens()[2] - s.lens().back());
    const float hidden = s.type() == shape::bool_type ? 0 : -std::numeric_limits<float>::infinity();
    return n.add(make_op("pad", {{"pads", pads}, {"value", hidden}}), {mask});
}

// Q, K, V[, mask][, past key][, past value][, lengths of the keys]
instructions read_attention(node_reader& n) {
    n.expect_inputs(3, 7);
    const bool flat = n.rank_of(0) == 3;
    auto q = n.input(0), k = n.input(1), v = n.input(2);
    for (auto x : {q, k, v})
        if (x->get_shape().ndim() != (flat ? 3 : 4))
            n.malformed(str("Q, K and V of three or of four dimensions were expected, got ", x->get_shape()));
    if (flat) {
        const auto heads = n.integer("q_num_heads"), kv_heads = n.integer("kv_num_heads");
        q = split_heads(n, q, heads);
        k = split_heads(n, k, kv_heads);
        v = split_heads(n, v, kv_heads);
    }
    // Position of the first query among the keys.
    instruction_ref offset = n.scalar(shape::int64_type, 0);
    if (n.has(4) and n.has(5)) {
        offset = n.add(make_op("dimensions_of", {{"start", 2}, {"end", 3}}), {n.input(4)});
        k = n.add(make_op("concat", {{"axis", 2}}), {n.input(4), k});
        v = n.add(make_op("concat", {{"axis", 2}}), {n.input(5), v});
    } else if (n.has(6)) {
        const auto queries = n.add(make_op("dimensions_of", {{"start", 2}, {"end", 3}}), {q});
        const auto before = n.add_common("sub", {n.convert(n.input(6), shape::int64_type), queries});
        offset = n.add(make_op("unsqueeze", {{"axes", attention_ints{1, 2, 3}}}), {before});
    }
    const auto t = q->get_shape().type();
    std::optional<instruction_ref> mask;
    const auto hide = [&](instruction_ref m) { mask = mask ? combine_masks(n, *mask, m, t) : m; };
    if (n.has(3))
        hide(full_length(n, n.input(3), k));
    if (n.integer("is_causal", 0) != 0)
        hide(causal_mask(n, q, k, offset, 0));
    if (const auto left = n.integer("left_window_size", -1), right = n.integer("right_window_size", -1); left >= 0 or right >= 0)
        hide(window_mask(n, q, k, offset, left, right));
    if (n.has(6))
        hide(length_mask(n, k, n.input(6)));
    // 0: 1 / sqrt(size of a head)
    const auto scale = n.real("scale", 0);
    const auto softcap = n.real("softcap", 0);
    instruction_ref y, scores = q;
    if (softcap == 0 and not n.wants_output(3)) {
        instructions in{q, k, v};
        if (mask)
            in.push_back(*mask);
        y = n.add(make_op("attention", {{"scale", scale}}), in);
    } else {
        const auto factor = scale != 0 ? scale : float(1 / std::sqrt(double(n.known_size(q, 3))));
        const scores_request request{factor, softcap, n.integer("qk_matmul_output_mode", 0)};
        std::tie(y, scores) = attend_by_parts(n, q, k, v, mask, request);
    }
    return {flat ? merge_heads(n, y) : y, k, v, scores};
}

// X, cos, sin[, positions]
instructions read_rotary(node_reader& n) {
    n.expect_inputs(3, 4);
    const bool flat = n.rank_of(0) == 3;
    const auto x = flat ? split_heads(n, n.input(0), n.integer("num_heads")) : n.input(0);
    auto cos = n.input(1), sin = n.input(2);
    if (const auto size = n.integer("rotary_embedding_dim", 0); size > 0 and n.known_size(cos, -1) > size / 2) {
        const auto last = int64_t(cos->get_shape().ndim()) - 1;
        cos = slice_along(n, cos, last, 0, size / 2);
        sin = slice_along(n, sin, last, 0, size / 2);
    }
    instructions in{x, cos, sin};
    if (n.has(3))
        in.insert(in.begin() + 1, n.input(3));
    const auto y = n.expand("rotary_embedding", in, {{"interleaved", n.integer("interleaved", 0) != 0}});
    return {flat ? merge_heads(n, y) : y};
}

const operators attention_operators{{"Attention", read_attention}, {"RotaryEmbedding", read_rotary}};

} // namespace

} // namespace migraphx::onnx
