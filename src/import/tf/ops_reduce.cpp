// SPDX-License-Identifier: MIT
// Reductions, searches, sums along a dimension, matrix products.
#include "import/tf/node_reader.hpp"

#include <migraphx/make_op.hpp>

#include <algorithm>
#include <numeric>

namespace migraphx::tf {

namespace {

struct op_name {
    std::string_view tf;
    const char* own;
};

constexpr op_name reduction_names[] = {
    {"All", "reduce_all"}, {"Any", "reduce_any"},   {"Max", "reduce_max"}, {"Mean", "reduce_mean"},
    {"Min", "reduce_min"}, {"Prod", "reduce_prod"}, {"Sum", "reduce_sum"}};

ints read_axes(const node_reader& n) {
    n.expect_inputs(2);
    return n.constant_ints(1, "reduction axes");
}

bool keeps_dims(const node_reader& n) {
    return n.flag(n.has_attribute("keepdims") ? "keepdims" : "keep_dims", false);
}

instructions read_reduction(node_reader& n) {
    const auto axes = read_axes(n);
    const auto* own = std::find_if(std::begin(reduction_names), std::end(reduction_names),
                                   [&](const auto& r) { return r.tf == n.op_type(); });
    return {n.convert(n.reduce(own->own, n.input(0), axes, keeps_dims(n)), n.type_of(0))};
}

instructions read_norm(node_reader& n) {
    const auto axes = read_axes(n);
    const auto x = n.input(0);
    return {n.pointwise("sqrt",
                        {n.reduce("reduce_sum", n.pointwise("mul", {x, x}), axes, keeps_dims(n))})};
}

instructions read_l2_loss(node_reader& n) {
    n.expect_inputs(1);
    ints axes(n.rank(0));
    std::iota(axes.begin(), axes.end(), 0);
    const auto x = n.input(0);
    return {n.pointwise_number(
        "mul", n.reduce("reduce_sum", n.pointwise("mul", {x, x}), axes, false), 0.5)};
}

instructions read_arg(node_reader& n) {
    n.expect_inputs(2);
    if (n.rank(0) == 0)
        n.malformed("data of at least one dimension was expected, got a scalar");
    const auto axis = int64_t(n.axis(n.constant_int(1, "dimension"), n.rank(0)));
    const auto y = n.add(make_op(n.op_type() == "ArgMax" ? "argmax" : "argmin", {{"axis", axis}}),
                         {n.input(0)});
    return {n.convert(n.squeeze(y, {axis}), n.type("output_type", shape::int64_type))};
}

instructions read_top_k(node_reader& n) {
    const bool first_form = n.op_type() == "TopK";
    n.expect_inputs(first_form ? 1 : 2);
    if (n.rank(0) == 0)
        n.malformed("data of at least one dimension was expected, got a scalar");
    const auto k = first_form ? n.integer("k", 0) : n.constant_int(1, "k");
    const auto most = n.dims(0).back();
    if (k < 1 or k > most)
        n.malformed(str("k of 1 to ", most, " was expected, got ", k));
    const auto both =
        n.add(make_op("topk", {{"k", k}, {"axis", -1}, {"largest", 1}}), {n.input(0)});
    const auto part = [&](std::size_t i) {
        return n.add(make_op("get_tuple_elem", {{"index", i}}), {both});
    };
    return {part(0), n.convert(part(1), n.type("index_type", shape::int32_type))};
}

instructions read_cumsum(node_reader& n) {
    n.expect_inputs(2);
    if (n.rank(0) == 0)
        n.malformed("data of at least one dimension was expected, got a scalar");
    const auto axis = int64_t(n.axis(n.constant_int(1, "axis"), n.rank(0)));
    return {n.add(make_op("prefix_scan_sum", {{"axis", axis},
                                              {"exclusive", n.flag("exclusive", false)},
                                              {"reverse", n.flag("reverse", false)}}),
                  {n.input(0)})};
}

// ---- products

instruction_ref with_last_two_swapped(const node_reader& n, instruction_ref x) {
    ints p(n.rank(x));
    std::iota(p.begin(), p.end(), 0);
    std::swap(p[p.size() - 1], p[p.size() - 2]);
    return n.transpose(x, p);
}

instructions product(const node_reader& n, bool swap_a, bool swap_b) {
    n.expect_inputs(2);
    for (std::size_t i = 0; i < 2; i++)
        if (n.rank(i) < 2)
            n.malformed(str("operands of at least two dimensions were expected, got ",
                            n.input(i)->get_shape()));
    auto a = n.input(0), b = n.input(1);
    const auto t = n.type("Tout", a->get_shape().type());
    a = n.convert(a, t);
    b = n.convert(b, t);
    if (swap_a)
        a = with_last_two_swapped(n, a);
    if (swap_b)
        b = with_last_two_swapped(n, b);
    return {n.expand("dot", {a, b})};
}

instructions read_matmul(node_reader& n) {
    return product(n, n.flag("transpose_a", false), n.flag("transpose_b", false));
}

instructions read_batch_matmul(node_reader& n) {
    return product(n, n.flag("adj_x", false), n.flag("adj_y", false));
}

instructions read_einsum(node_reader& n) {
    if (n.input_count() == 0)
        n.malformed("at least one input was expected, got none");
    const auto equation = n.text("equation", "");
    const auto y = n.expand("einsum", n.inputs(), {{"equation", equation}});
    // No indices after the arrow: one number.
    const auto arrow = equation.find("->");
    const bool scalar = arrow != std::string::npos and
                        equation.find_first_not_of(' ', arrow + 2) == std::string::npos;
    return {scalar ? n.to_scalar(y) : y};
}

const operators reduce_operators{{"All", read_reduction, "constant axes"},
                                 {"Any", read_reduction, "constant axes"},
                                 {"Max", read_reduction, "constant axes"},
                                 {"Mean", read_reduction, "constant axes"},
                                 {"Min", read_reduction, "constant axes"},
                                 {"Prod", read_reduction, "constant axes"},
                                 {"Sum", read_reduction, "constant axes"},
                                 {"EuclideanNorm", read_norm, "constant axes"},
                                 {"L2Loss", read_l2_loss},
                                 {"ArgMax", read_arg},
                                 {"ArgMin", read_arg},
                                 {"TopK", read_top_k, "", {"values", "indices"}},
                                 {"TopKV2", read_top_k, "constant k", {"values", "indices"}},
                                 {"Cumsum", read_cumsum, "constant axis"},
                                 {"MatMul", read_matmul},
                                 {"BatchMatMul", read_batch_matmul},
                                 {"BatchMatMulV2", read_batch_matmul},
                                 {"BatchMatMulV3", read_batch_matmul},
                                 {"Einsum", read_einsum}};

} // namespace

} // namespace migraphx::tf
