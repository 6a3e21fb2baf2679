// SPDX-License-Identifier: MIT
// com.microsoft: gates and norms of recurrent language models, and small operators of older
// exporters.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_attention.hpp"
#include "import/onnx/ops_shared.hpp"

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

instruction_ref in_float(node_reader& n, instruction_ref x) {
    return n.convert(x, shape::float_type);
}

// log(1 + exp(x)) that does not overflow
instruction_ref softplus(node_reader& n, instruction_ref x) {
    const auto small = n.add("exp", n.add("neg", n.add("abs", x)));
    return n.add("add", n.add("relu", x), n.add("log", n.with_number("add", small, 1)));
}

// x, scale (C), gate: each C elements of the last dimension normalised and gated, in float.
instructions read_gated_rms_norm(node_reader& n) {
    n.expect_inputs(3, 3);
    const auto activation = n.text("activation", "silu");
    if (activation != "silu" and activation != "swish" and activation != "sigmoid")
        n.malformed("activation: silu, swish or sigmoid was expected, got '" + activation + "'");
    const auto size = n.known_size(n.input(1), 0), last = n.known_size(n.input(0), -1);
    if (size < 1 or last % size != 0)
        n.malformed(str("a last dimension that is a multiple of ", size, " was expected, got ",
                        n.shape_of(0)));
    const auto rank = n.rank_of(0);
    ints split(rank - 1, 0), whole(rank - 1, 0);
    split.insert(split.end(), {last / size, size});
    whole.push_back(last);
    const auto grouped = n.add(make_op("reshape", {{"dims", split}}), {in_float(n, n.input(0))});
    const auto norm =
        n.add(make_op("rms_norm", {{"axis", int64_t(rank)}, {"epsilon", n.real("epsilon", 1e-5f)}}),
              {grouped, in_float(n, n.input(1))});
    const auto gate = in_float(n, n.input(2));
    auto opening = n.add("sigmoid", gate);
    if (activation != "sigmoid")
        opening = n.add("mul", gate, opening);
    const auto y =
        n.add_common("mul", {n.add(make_op("reshape", {{"dims", whole}}), {norm}), opening});
    return {n.convert(y, n.shape_of(0).type())};
}

// a, dt_bias (H), decay_scale (H)[, b]: decay_scale * softplus(a + dt_bias), sigmoid(b)
instructions read_linear_attention_gate(node_reader& n) {
    n.expect_inputs(3, 4);
    const auto t = n.shape_of(0).type();
    const auto open = softplus(n, n.add_common("add", {in_float(n, n.input(0)), n.input(1)}));
    instructions results{n.convert(n.add_common("mul", {open, n.input(2)}), t)};
    if (n.wants_output(1))
        results.push_back(n.convert(n.add("sigmoid", in_float(n, n.input(3))), t));
    return results;
}

// x[, scale]: z = scale * x, z * sigmoid(z)
instructions read_scaled_silu(node_reader& n) {
    n.expect_inputs(1, 2);
    const auto t = n.shape_of(0).type();
    const auto x = in_float(n, n.input(0));
    const auto scaled = n.has(1) ? n.add_common("mul", {x, in_float(n, n.input(1))})
                                 : n.with_number("mul", x, double(n.real("alpha", 1)));
    const auto z = n.convert(scaled, t);
    return {n.add("mul", z, n.add("sigmoid", z))};
}

// x, y, gate (…, 1): x + y * gate
instructions read_gated_add(node_reader& n) {
    n.expect_inputs(3, 4);
    if (n.has(3))
        n.unsupported("no gate_weight was expected, got one");
    return {n.add_common("add", {n.input(0), n.add_common("mul", {n.input(1), n.input(2)})})};
}

instructions read_inverse(node_reader& n) {
    n.expect_inputs(1, 1);
    return {n.add("inverse", n.input(0))};
}

// x, axis: a dimension of one element; negative axes count from behind the last.
instructions read_expand_dims(node_reader& n) {
    n.expect_inputs(2, 2);
    if (const auto axis = n.constant_ints(1)) {
        if (axis->size() != 1)
            n.malformed(str("one axis was expected, got ", n.shape_of(1)));
        return {n.add(make_op("unsqueeze", {{"axes", *axis}}), {n.input(0)})};
    }
    return {
        insert_axes(n, n.input(0), n.add(make_op("reshape", {{"dims", ints{1}}}), {n.input(1)}))};
}

// The distinct elements in order of occurrence, which of them each element is, how often each
// occurs.
instructions read_unique_in_order(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto all = n.add(make_op("unique", {{"sorted", false}}), {n.input(0)});
    const auto part = [&](std::size_t i) {
        return n.add(make_op("get_tuple_elem", {{"index", i}}), {all});
    };
    return {part(0), part(2), part(3)};
}

// start, limit[, delta of 1], each of one element
instructions read_range(node_reader& n) {
    n.expect_inputs(2, 3);
    const auto t = n.shape_of(0).type();
    const auto one = [&](instruction_ref x) {
        return node_reader::is_scalar(x->get_shape())
                   ? x
                   : n.add(make_op("squeeze", {{"axes", ints{0}}}), {x});
    };
    return {n.add("dynamic_range", one(n.input(0)), one(n.input(1)),
                  n.has(2) ? one(n.input(2)) : n.scalar(t, 1))};
}

// Distances between the rows of two matrices.
instructions read_distances(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto metric = n.text("metric", "sqeuclidean");
    if (metric != "sqeuclidean" and metric != "euclidean")
        n.unsupported("metric: sqeuclidean or euclidean was expected, got '" + metric + "'");
    const auto difference =
        n.add_common("sub", {unsqueezed(n, n.input(0), {1}), unsqueezed(n, n.input(1), {0})});
    const auto sum =
        n.add(make_op("reduce_sum", {{"axes", ints{2}}}), {n.add("mul", difference, difference)});
    const auto y = n.add(make_op("squeeze", {{"axes", ints{2}}}), {sum});
    return {metric == "euclidean" ? n.add("sqrt", y) : y};
}

// softmax(x + bias) over the dimensions from `axis` on. The bias has those before it of one
// element, or (inner) the ones between its own leading dimensions and `axis`.
instructions read_bias_softmax(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto axis = n.axis(n.integer("axis", 1), n.rank_of(0));
    if (axis + 1 != n.rank_of(0))
        n.unsupported(str("the last axis was expected, got ", axis));
    const auto sum = n.add_common("add", {n.input(0), n.input(1)});
    return {n.add(make_op("softmax", {{"axis", axis}}), {sum})};
}

const operators extra_operators{
    {"GatedRMSNorm", read_gated_rms_norm, "com.microsoft"},
    {"LinearAttentionGate", read_linear_attention_gate, "com.microsoft"},
    {"ScaledSiLU", read_scaled_silu, "com.microsoft"},
    {"GatedAdd", read_gated_add, "com.microsoft"},
    {"Inverse", read_inverse, "com.microsoft"},
    {"ExpandDims", read_expand_dims, "com.microsoft"},
    {"Unique", read_unique_in_order, "com.microsoft"},
    {"Range", read_range, "com.microsoft"},
    {"CDist", read_distances, "com.microsoft"},
    {"BiasSoftmax", read_bias_softmax, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
