// SPDX-License-Identifier: MIT
// com.microsoft: position biases of attention, and what text generation does to its scores.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_attention.hpp"
#include "import/onnx/ops_shared.hpp"

#include <cmath>
#include <limits>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

instruction_ref is(node_reader& n, const char* relation, instruction_ref x, double v) {
    return n.convert(n.with_number(relation, x, v), shape::bool_type);
}

// 0, 1 … as many as input `i` says, as int64.
instruction_ref count_to(node_reader& n, std::size_t i) {
    const auto scalar = [&](int64_t v) {
        return n.literal(migraphx::literal{shape{shape::int64_type}, ints{v}});
    };
    return n.add("dynamic_range", scalar(0), n.convert(n.input(i), shape::int64_type), scalar(1));
}

// Which of `buckets` a distance falls in: each its own up to half of them, then ever wider ones.
instruction_ref bucket_of(node_reader& n, instruction_ref distance, int64_t buckets, int64_t most) {
    const auto exact = double(buckets / 2);
    const auto wide = n.convert(n.with_number("max", distance, 1), shape::float_type);
    const auto factor = (double(buckets) - exact) / std::log(double(most) / exact);
    auto far = n.with_number("mul", n.add("log", n.with_number("div", wide, exact)), factor);
    far = n.with_number("add", n.convert(far, shape::int64_type), exact);
    far = n.with_number("min", far, double(buckets - 1));
    return n.add("where", is(n, "less", distance, exact), distance, far);
}

// table (buckets, heads), length of the queries, of the keys → (1, heads, queries, keys)
instructions read_relative_bias(node_reader& n) {
    n.expect_inputs(3, 3);
    const bool both_ways = n.integer("is_bidirectional", 0) != 0;
    const auto most = n.integer("max_distance");
    auto buckets = n.known_size(n.input(0), 0);
    const auto rows = unsqueezed(n, count_to(n, 1), {1}), keys = unsqueezed(n, count_to(n, 2), {0});
    const auto ahead = n.add_common("sub", {keys, rows});
    if (both_ways)
        buckets /= 2;
    if (buckets < 2 or most <= buckets / 2)
        n.malformed(str("at least 2 buckets and a distance beyond half of them were expected, got ",
                        buckets, " and ", most));
    instruction_ref index;
    if (both_ways) {
        const auto later = n.convert(is(n, "greater", ahead, 0), shape::int64_type);
        index = n.add("add", bucket_of(n, n.add("abs", ahead), buckets, most),
                      n.with_number("mul", later, double(buckets)));
    } else
        index = bucket_of(n, n.with_number("max", n.add("neg", ahead), 0), buckets, most);
    const auto picked = n.add(make_op("gather", {{"axis", 0}}), {n.input(0), index});
    return {unsqueezed(n, n.add(make_op("transpose", {{"permutation", ints{2, 0, 1}}}), {picked}),
                       {0})};
}

// query (B, S, N * H), its bias, position bias (1, N, S, S), weight (H, D), bias (D), eco_a (1, N,
// 1, 1)
instructions read_gated_bias(node_reader& n) {
    n.expect_inputs(6, 7);
    if (n.has(6) or n.rank_of(0) != 3)
        n.unsupported(
            "a query of three dimensions without token offsets was expected, got another");
    const auto heads = n.integer("num_heads");
    const auto x = split_heads(n, n.add_common("add", {n.input(0), n.input(1)}), heads);
    const auto size = n.known_size(n.input(3), 1);
    if (size < 2 or size % 2 != 0)
        n.malformed(str("an even number of gates was expected, got ", size));
    const auto gates = n.add_common("add", {n.expand("dot", {x, n.input(3)}), n.input(4)});
    const auto gate = [&](int64_t i) {
        const auto half = slice_along(n, gates, 3, i * size / 2, (i + 1) * size / 2);
        return n.add("sigmoid", n.add(make_op("reduce_sum", {{"axes", ints{3}}}), {half}));
    };
    const auto inner = n.with_number("sub", n.add_common("mul", {gate(1), n.input(5)}), 1);
    const auto factor = n.with_number("add", n.add("mul", gate(0), inner), 2);
    return {n.add_common("mul", {factor, n.input(2)})};
}

// ids (B, S), scores (B, V): -inf for a token that would repeat the n-gram which ends with the last
// ids.
instructions read_ngram_block(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto size = n.integer("ngram_size");
    if (size < 1 or size > 64)
        n.malformed(str("ngram_size from 1 to 64 was expected, got ", size));
    // Ids that occur nowhere in front, so that there is a window of that size, whatever the length.
    const auto ids = n.add(make_op("pad", {{"pads", ints{0, size, 0, 0}}, {"value", -1.0f}}),
                           {n.convert(n.input(0), shape::int64_type)});
    constexpr auto end = std::numeric_limits<int64_t>::max();
    const auto part = [&](int64_t from, int64_t behind) {
        return slice_along(n, ids, 1, from, behind == 0 ? end : -behind);
    };
    std::optional<instruction_ref> repeats;
    for (int64_t i = 0; i + 1 < size; i++) {
        const auto behind = size - 1 - i;
        const auto same = n.convert(
            n.add_common("equal", {part(i, behind), part(-behind, behind - 1)}), shape::bool_type);
        repeats = repeats ? n.add("logical_and", *repeats, same) : same;
    }
    const auto next = part(size - 1, 0);
    const auto t = n.shape_of(1).type();
    const auto like_next = [&](double v) { return n.broadcast_like(n.scalar(t, v), next); };
    constexpr double inf = std::numeric_limits<double>::infinity();
    const auto limit =
        repeats ? n.add("where", *repeats, like_next(-inf), like_next(inf)) : like_next(-inf);
    // What stands in front would be the last token.
    const auto harmless = n.add("where", is(n, "less", next, 0), like_next(inf), limit);
    return {n.add(make_op("scatter_min", {{"axis", 1}}), {n.input(1), next, harmless})};
}

const operators text_operators{{"RelativePositionBias", read_relative_bias, "com.microsoft"},
                               {"GatedRelativePositionBias", read_gated_bias, "com.microsoft"},
                               {"NGramRepeatBlock", read_ngram_block, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
