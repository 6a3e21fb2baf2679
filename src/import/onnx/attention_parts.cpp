// SPDX-License-Identifier: MIT
// Heads, masks and the product that all forms of attention are made of.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_attention.hpp"
#include "import/onnx/ops_shared.hpp"

#include <cmath>
#include <limits>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

constexpr double hidden = -std::numeric_limits<double>::infinity();

} // namespace

instruction_ref split_heads(node_reader& n, instruction_ref x, int64_t heads) {
    const auto& s = x->get_shape();
    const bool known = s.ndim() == 3 and s.min_lens()[2] == s.max_lens()[2];
    const auto size = known ? int64_t(s.max_lens()[2]) : 0;
    if (s.ndim() != 3 or heads < 1 or size % heads != 0)
        n.malformed(str("(batch, sequence, size) with a size that ", heads,
                        " heads divide was expected, got ", s));
    const auto split =
        n.add(make_op("reshape", {{"dims", ints{0, 0, heads, known ? size / heads : -1}}}), {x});
    return n.add(make_op("transpose", {{"permutation", ints{0, 2, 1, 3}}}), {split});
}

instruction_ref merge_heads(node_reader& n, instruction_ref x) {
    const auto lo = x->get_shape().min_lens(), hi = x->get_shape().max_lens();
    const bool known = lo[1] == hi[1] and lo[3] == hi[3];
    const auto moved = n.add(make_op("transpose", {{"permutation", ints{0, 2, 1, 3}}}), {x});
    return n.add(make_op("reshape", {{"dims", ints{0, 0, known ? int64_t(hi[1] * hi[3]) : -1}}}),
                 {moved});
}

instruction_ref slice_along(node_reader& n, instruction_ref x, int64_t axis, int64_t from,
                            int64_t to) {
    return n.add(
        make_op("slice", {{"axes", ints{axis}}, {"starts", ints{from}}, {"ends", ints{to}}}), {x});
}

instruction_ref unsqueezed(node_reader& n, instruction_ref x, ints axes) {
    return n.add(make_op("unsqueeze", {{"axes", std::move(axes)}}), {x});
}

instruction_ref concat_along(node_reader& n, int64_t axis, instructions parts) {
    return n.add(make_op("concat", {{"axis", axis}}), std::move(parts));
}

instruction_ref length_along(node_reader& n, instruction_ref x, std::size_t axis) {
    return n.add(make_op("dimensions_of", {{"start", axis}, {"end", axis + 1}}), {x});
}

instruction_ref per_sequence(node_reader& n, instruction_ref x) {
    const auto whole = n.convert(x, shape::int64_type);
    if (x->get_shape().ndim() == 1 and not node_reader::is_scalar(x->get_shape()))
        return unsqueezed(n, whole, {1, 2, 3});
    return n.add(make_op("reshape", {{"dims", ints{-1, 1, 1, 1}}}), {whole});
}

instruction_ref window_mask(node_reader& n, instruction_ref q, instruction_ref k,
                            instruction_ref offset, int64_t left, int64_t right) {
    const auto rows = unsqueezed(n, count_along(n, q, 2), {1});
    const auto keys = unsqueezed(n, count_along(n, k, 2), {0});
    // How far a key lies behind its query.
    const auto distance = n.add_common("sub", {keys, n.add_common("add", {rows, offset})});
    const auto within = [&](const char* beyond, int64_t bound) {
        return n.add("not",
                     n.convert(n.with_number(beyond, distance, double(bound)), shape::bool_type));
    };
    if (left < 0)
        return within("greater", right);
    const auto near = within("less", -left);
    return right < 0 ? near : n.add("logical_and", within("greater", right), near);
}

instruction_ref length_mask(node_reader& n, instruction_ref k, instruction_ref lengths) {
    return n.convert(n.add_common("greater", {per_sequence(n, lengths), count_along(n, k, 2)}),
                     shape::bool_type);
}

instruction_ref full_length(node_reader& n, instruction_ref mask, instruction_ref k) {
    const auto m = mask->get_shape(), s = k->get_shape();
    const auto last = m.ndim() - 1;
    const bool hides = m.type() == shape::bool_type;
    if (m.min_lens()[last] == s.max_lens()[2] or
        (m.dynamic() and s.dynamic() and m.dyn_dims()[last].is_symbolic() and
         m.dyn_dims()[last] == s.dyn_dims()[2]))
        return mask;
    if (m.max_lens()[last] == 1)
        return mask; // one for all keys
    if (not m.dynamic() and not s.dynamic()) {
        if (m.lens()[last] > s.lens()[2])
            n.malformed(str("a mask of at most ", s.lens()[2], " keys was expected, got ", m));
        ints pads(2 * m.ndim(), 0);
        pads.back() = int64_t(s.lens()[2] - m.lens()[last]);
        return n.add(make_op("pad", {{"pads", pads}, {"value", hides ? 0.0f : float(hidden)}}),
                     {mask});
    }
    const auto missing = n.add("sub", length_along(n, k, 2), length_along(n, mask, last));
    const auto pads = concat_along(
        n, 0, {n.literal(migraphx::literal{shape{shape::int64_type, {1}}, ints{0}}), missing});
    const auto axis =
        n.literal(migraphx::literal{shape{shape::int64_type, {1}}, ints{int64_t(last)}});
    return n.add("pad_dynamic", mask, pads, n.scalar(m.type(), hides ? 0 : hidden), axis);
}

void attention_mask::add(node_reader& n, instruction_ref m) {
    const auto hides = [](instruction_ref x) { return x->get_shape().type() == shape::bool_type; };
    if (not hides(m))
        m = n.convert(m, type);
    if (not all) {
        all = m;
        return;
    }
    if (hides(*all) and hides(m)) {
        all = n.add_common("logical_and", {*all, m});
        return;
    }
    const auto added = [&](instruction_ref x) {
        if (not hides(x))
            return x;
        const auto zero = n.broadcast_like(n.scalar(type, 0), x);
        return n.add("where", x, zero, n.broadcast_like(n.scalar(type, hidden), x));
    };
    all = n.add_common("add", {added(*all), added(m)});
}

instruction_ref repeat_heads(node_reader& n, instruction_ref x, int64_t heads) {
    const auto own = n.known_size(x, 1);
    if (own == heads)
        return x;
    const auto size = n.known_size(x, 3);
    if (own < 1 or heads % own != 0)
        n.malformed(str("heads of k that divide ", heads, " were expected, got ", own));
    const instructions copies(std::size_t(heads / own), unsqueezed(n, x, {2}));
    // (B, K, copies, T, D) → (B, H, T, D); one length at most may be inferred.
    const auto& s = x->get_shape();
    const bool known = s.min_lens()[2] == s.max_lens()[2];
    return n.add(
        make_op("reshape", {{"dims", ints{0, heads, known ? int64_t(s.max_lens()[2]) : -1, size}}}),
        {concat_along(n, 2, copies)});
}

instruction_ref scaled_scores(node_reader& n, instruction_ref q, instruction_ref k, float scale) {
    const auto kt = n.add(make_op("transpose", {{"permutation", ints{0, 1, 3, 2}}}), {k});
    const auto factor = scale != 0 ? double(scale) : 1 / std::sqrt(double(n.known_size(q, 3)));
    return n.with_number("mul", n.expand("dot", {q, kt}), factor);
}

namespace {

instruction_ref with_mask(node_reader& n, instruction_ref scores, instruction_ref mask) {
    const auto t = scores->get_shape().type();
    if (mask->get_shape().type() != shape::bool_type)
        return n.add_common("add", {scores, n.convert(mask, t)});
    mask = n.broadcast_like(mask, scores);
    // Lengths that come from values have other ranges here and there.
    if (scores->get_shape().dynamic())
        scores = n.broadcast_like(scores, mask);
    return n.add("where", mask, scores, n.broadcast_like(n.scalar(t, hidden), scores));
}

// The sinks as one more key, that is (B, H, S, 1).
instruction_ref sink_column(node_reader& n, instruction_ref sink, instruction_ref scores) {
    const auto one = slice_along(n, scores, 3, 0, 1);
    const auto column = unsqueezed(n, n.convert(sink, scores->get_shape().type()), {0, 2, 3});
    return n.broadcast_like(column, one);
}

instruction_ref weights_of(node_reader& n, instruction_ref scores, const attention_request& r) {
    const auto t = scores->get_shape().type();
    if (r.softmax_type)
        scores = n.convert(scores, *r.softmax_type);
    instruction_ref weights;
    if (r.sink) {
        const auto all = concat_along(n, 3, {scores, sink_column(n, *r.sink, scores)});
        weights = slice_along(n, n.add(make_op("softmax", {{"axis", 3}}), {all}), 3, 0, -1);
    } else
        weights = n.add(make_op("softmax", {{"axis", 3}}), {scores});
    if (r.mask) {
        // A query that sees no key gives 0.
        const auto top = n.add(make_op("reduce_max", {{"axes", ints{3}}}), {scores});
        const auto blind = n.broadcast_like(
            n.convert(n.with_number("equal", top, hidden), shape::bool_type), weights);
        weights =
            n.add("where", blind,
                  n.broadcast_like(n.scalar(weights->get_shape().type(), 0), weights), weights);
    }
    return n.convert(weights, t);
}

// Step by step, for what the operator does not give.
std::pair<instruction_ref, instruction_ref> attend_by_parts(node_reader& n, instruction_ref q,
                                                            instruction_ref k, instruction_ref v,
                                                            const attention_request& r) {
    const auto heads = n.known_size(q, 1);
    const auto raw = scaled_scores(n, q, repeat_heads(n, k, heads), r.scale);
    auto bounded = raw;
    if (r.softcap > 0) {
        const auto small = n.add("tanh", n.with_number("mul", raw, 1 / double(r.softcap)));
        bounded = n.with_number("mul", small, double(r.softcap));
    }
    const auto masked = r.mask ? with_mask(n, bounded, *r.mask) : bounded;
    const auto weights = weights_of(n, masked, r);
    const auto y = n.expand("dot", {weights, repeat_heads(n, v, heads)});
    switch (r.seen) {
    case seen_scores::none:
        return {y, y};
    case seen_scores::raw:
        return {y, raw};
    case seen_scores::bounded:
        return {y, bounded};
    case seen_scores::masked:
        return {y, masked};
    case seen_scores::weights:
        return {y, weights};
    }
    return {y, y};
}

} // namespace

std::pair<instruction_ref, instruction_ref> attend(node_reader& n, instruction_ref q,
                                                   instruction_ref k, instruction_ref v,
                                                   const attention_request& r) {
    if (r.seen != seen_scores::none or r.softmax_type)
        return attend_by_parts(n, q, k, v, r);
    instructions in{q, k, v};
    if (r.mask)
        in.push_back(*r.mask);
    if (r.sink) {
        if (not r.mask)
            in.push_back(n.add("undefined"));
        in.push_back(n.convert(*r.sink, q->get_shape().type()));
    }
    const auto y = n.add(make_op("attention", {{"scale", r.scale}, {"softcap", r.softcap}}), in);
    return {y, y};
}

} // namespace migraphx::onnx
