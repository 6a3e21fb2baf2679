// SPDX-License-Identifier: MIT
// Reductions, softmax, sorting.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"

#include <algorithm>
#include <numeric>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

struct reduction {
    std::optional<ints> axes; ///< none: given by a run, as input 1
    bool keep = true;
    bool nothing = false; ///< no axes mean no reduction

    instruction_ref of(node_reader& n, const char* op, instruction_ref x) const {
        if (axes)
            return n.add(make_op(op, {{"axes", *axes}}), {x});
        return n.add(op, x, n.input(1));
    }
    instruction_ref finish(node_reader& n, instruction_ref y) const {
        if (keep)
            return y;
        if (not axes)
            return drop_axes(n, y, n.input(1));
        return n.add(make_op("squeeze", {{"axes", *axes}}), {y});
    }
};

reduction read_reduction(node_reader& n) {
    n.expect_inputs(1, 2);
    reduction r;
    r.keep = n.integer("keepdims", 1) != 0;
    const auto rank = n.onnx_rank(0);
    if (n.has(1))
        r.axes = n.constant_ints(1);
    else
        r.axes = n.integers("axes");
    if (not r.axes)
        return r;
    for (auto& a : *r.axes)
        a = int64_t(n.axis(a, rank));
    if (r.axes->empty()) {
        r.nothing = n.integer("noop_with_empty_axes", 0) != 0;
        r.axes->resize(rank);
        std::iota(r.axes->begin(), r.axes->end(), 0);
    }
    // The one element of a scalar is held as one of a vector.
    if (rank == 0) {
        r.axes = ints{0};
        r.keep = false;
    }
    return r;
}

instructions reduce_plain(node_reader& n, const char* op) {
    const auto r = read_reduction(n);
    if (r.nothing)
        return {n.input(0)};
    return {r.finish(n, r.of(n, op, n.input(0)))};
}

instructions read_reduce_max(node_reader& n) {
    return reduce_plain(n, "reduce_max");
}
instructions read_reduce_min(node_reader& n) {
    return reduce_plain(n, "reduce_min");
}
instructions read_reduce_mean(node_reader& n) {
    return reduce_plain(n, "reduce_mean");
}
instructions read_reduce_prod(node_reader& n) {
    return reduce_plain(n, "reduce_prod");
}
instructions read_reduce_sum(node_reader& n) {
    return reduce_plain(n, "reduce_sum");
}

instructions read_reduce_l1(node_reader& n) {
    const auto r = read_reduction(n);
    const auto x = n.add("abs", n.input(0));
    return {r.nothing ? x : r.finish(n, r.of(n, "reduce_sum", x))};
}

instructions read_reduce_l2(node_reader& n) {
    const auto r = read_reduction(n);
    const auto x = n.input(0);
    const auto t = x->get_shape().type();
    auto sum = n.add("mul", x, x);
    if (not r.nothing)
        sum = r.of(n, "reduce_sum", sum);
    // The square root of whole numbers is taken in floating point.
    if (shape::is_integral(t))
        sum = n.convert(n.add("sqrt", n.convert(sum, shape::double_type)), t);
    else
        sum = n.add("sqrt", sum);
    return {r.nothing ? sum : r.finish(n, sum)};
}

instructions read_reduce_sum_square(node_reader& n) {
    const auto r = read_reduction(n);
    const auto x = n.add("mul", n.input(0), n.input(0));
    return {r.nothing ? x : r.finish(n, r.of(n, "reduce_sum", x))};
}

instructions read_reduce_log_sum(node_reader& n) {
    const auto r = read_reduction(n);
    if (r.nothing)
        return {n.add("log", n.input(0))};
    return {r.finish(n, n.add("log", r.of(n, "reduce_sum", n.input(0))))};
}

// Around the largest element, so that nothing overflows; an infinite one does not shift.
instructions read_reduce_log_sum_exp(node_reader& n) {
    const auto r = read_reduction(n);
    const auto x = n.input(0);
    if (r.nothing)
        return {x};
    const auto top = r.of(n, "reduce_max", x);
    const auto zero = n.broadcast_like(n.scalar(x->get_shape().type(), 0), top);
    const auto shift = n.add("where", n.add("isinf", top), zero, top);
    const auto sum =
        r.of(n, "reduce_sum", n.add("exp", n.add("sub", x, n.broadcast_like(shift, x))));
    return {r.finish(n, n.add_common("add", {n.add("log", sum), shift}))};
}

instructions read_arg(node_reader& n) {
    n.expect_inputs(1, 1);
    const bool scalar = n.onnx_rank(0) == 0;
    const auto axis = scalar ? 0 : n.axis(n.integer("axis", 0), n.rank_of(0));
    const bool last = n.integer("select_last_index", 0) != 0;
    const auto y = n.add(make_op(n.op_type() == "ArgMax" ? "argmax" : "argmin",
                                 {{"axis", axis}, {"select_last_index", last}}),
                         {n.input(0)});
    if (n.integer("keepdims", 1) != 0 and not scalar)
        return {y};
    return {n.add(make_op("squeeze", {{"axes", ints{int64_t(axis)}}}), {y})};
}

// y = f(x) along one axis; before opset 13 along all axes from there on, as a matrix.
template <class F>
instructions along_softmax_axis(node_reader& n, F f) {
    n.expect_inputs(1, 1);
    const auto x = n.input(0);
    if (n.onnx_rank(0) == 0)
        return {f(x, 0)};
    const auto rank = n.rank_of(0);
    const bool as_matrix = n.opset() < 13;
    const auto axis =
        n.axis(n.integer("axis", as_matrix ? 1 : -1), rank + (as_matrix and rank == 1 ? 1 : 0));
    const auto hi = x->get_shape().max_lens();
    if (not as_matrix or std::all_of(hi.begin() + std::ptrdiff_t(std::min(axis, rank - 1)) + 1,
                                     hi.end(), [](auto d) { return d == 1; }))
        return {f(x, std::min(axis, rank - 1))};
    const auto y = f(n.add(make_op("flatten", {{"axis", axis}}), {x}), 1);
    if (not x->get_shape().dynamic())
        return {n.add(make_op("reshape", {{"dims", x->get_shape().lens()}}), {y})};
    const auto sizes = n.add(make_op("dimensions_of", {{"end", rank}}), {x});
    return {n.add("reshape_dynamic", y, sizes)};
}

instructions read_softmax(node_reader& n) {
    const char* op = n.op_type() == "Softmax" ? "softmax" : "logsoftmax";
    return along_softmax_axis(n, [&](instruction_ref x, std::size_t axis) {
        return n.add(make_op(op, {{"axis", axis}}), {x});
    });
}

// 1 for the first of the largest elements.
instructions read_hardmax(node_reader& n) {
    return along_softmax_axis(n, [&](instruction_ref x, std::size_t axis) {
        const auto top = n.add(make_op("argmax", {{"axis", axis}}), {x});
        const auto& s = x->get_shape();
        const auto count = count_along(n, x, axis);
        const auto position = n.broadcast_like(n.along_axis(count, axis, s.ndim()), x);
        return n.convert(n.add("equal", n.broadcast_like(top, x), position), s.type());
    });
}

instructions read_scan(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto op = n.op_type() == "CumSum" ? "prefix_scan_sum" : "prefix_scan_prod";
    const auto x = n.input(0);
    const auto rank = n.rank_of(0);
    const auto along = [&](std::size_t axis) {
        return n.add(make_op(op, {{"axis", axis},
                                  {"exclusive", n.integer("exclusive", 0) != 0},
                                  {"reverse", n.integer("reverse", 0) != 0}}),
                     {x});
    };
    const auto axis = n.constant_ints(1);
    if (axis and axis->size() == 1)
        return {along(n.axis(axis->front(), rank))};
    // The axis of a run chooses between all of them.
    auto y = along(0);
    for (std::size_t d = 1; d < rank; d++) {
        const auto t = n.shape_of(1).type();
        const auto same = [&](int64_t a) {
            return n.add_common("equal", {n.input(1), n.scalar(t, double(a))});
        };
        const auto either = n.add("max", same(int64_t(d)), same(int64_t(d) - int64_t(rank)));
        const auto chosen = n.broadcast_like(n.convert(either, shape::bool_type), x);
        y = n.add("where", chosen, along(d), y);
    }
    return {y};
}

instructions members(node_reader& n, instruction_ref tuple) {
    instructions result;
    for (std::size_t i = 0; i < tuple->get_shape().sub_shapes().size(); i++)
        result.push_back(n.add(make_op("get_tuple_elem", {{"index", i}}), {tuple}));
    return result;
}

instructions read_topk(node_reader& n) {
    const auto axis = n.axis(n.integer("axis", -1), n.rank_of(0));
    const bool largest = n.integer("largest", 1) != 0;
    std::optional<ints> k;
    if (n.opset() < 10) {
        n.expect_inputs(1, 1);
        k = ints{n.integer("k")};
    } else {
        n.expect_inputs(2, 2);
        k = n.constant_ints(1);
        if (not k)
            return members(n, n.add(make_op("topk_dynamic", {{"axis", axis}, {"largest", largest}}),
                                    {n.input(0), n.input(1)}));
    }
    if (k->size() != 1)
        n.malformed(str("k as one number was expected, got ", *k));
    const auto& s = n.shape_of(0);
    // More than the smallest size of the dimension is decided by a run.
    if (s.dynamic() and k->front() > int64_t(s.min_lens()[axis]) and n.opset() >= 10)
        return members(n, n.add(make_op("topk_dynamic", {{"axis", axis}, {"largest", largest}}),
                                {n.input(0), n.input(1)}));
    return members(n,
                   n.add(make_op("topk", {{"k", k->front()}, {"axis", axis}, {"largest", largest}}),
                         {n.input(0)}));
}

instructions read_unique(node_reader& n) {
    n.expect_inputs(1, 1);
    value options = value::object{};
    options["sorted"] = n.integer("sorted", 1) != 0;
    if (n.has_attribute("axis"))
        options["axis"] = n.axis(n.integer("axis"), n.rank_of(0));
    return members(n, n.add(make_op("unique", options), {n.input(0)}));
}

instructions read_nms(node_reader& n) {
    n.expect_inputs(2, 5);
    const bool centre = n.integer("center_point_box", 0) != 0;
    return {n.add(
        make_op("nonmaxsuppression", {{"center_point_box", centre}, {"use_dyn_output", true}}),
        n.inputs())};
}

const operators reduce_operators{{"ReduceMax", read_reduce_max},
                                 {"ReduceMin", read_reduce_min},
                                 {"ReduceMean", read_reduce_mean},
                                 {"ReduceProd", read_reduce_prod},
                                 {"ReduceSum", read_reduce_sum},
                                 {"ReduceL1", read_reduce_l1},
                                 {"ReduceL2", read_reduce_l2},
                                 {"ReduceSumSquare", read_reduce_sum_square},
                                 {"ReduceLogSum", read_reduce_log_sum},
                                 {"ReduceLogSumExp", read_reduce_log_sum_exp},
                                 {"ArgMax", read_arg},
                                 {"ArgMin", read_arg},
                                 {"Softmax", read_softmax},
                                 {"LogSoftmax", read_softmax},
                                 {"Hardmax", read_hardmax},
                                 {"CumSum", read_scan},
                                 {"CumProd", read_scan},
                                 {"TopK", read_topk},
                                 {"Unique", read_unique},
                                 {"NonMaxSuppression", read_nms}};

} // namespace

} // namespace migraphx::onnx
