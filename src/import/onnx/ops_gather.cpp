// SPDX-License-Identifier: MIT
// Operators that read or write at positions given by indices.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"
#include "ir/constant_value.hpp"

#include <algorithm>
#include <numeric>

namespace migraphx::onnx {

instruction_ref count_along(node_reader& n, instruction_ref x, std::size_t axis) {
    const auto& s = x->get_shape();
    const auto vector_of = [&](const std::vector<int64_t>& v) {
        return n.literal(migraphx::literal{shape{shape::int64_type, {v.size()}}, v});
    };
    const auto hi = s.max_lens()[axis];
    if (s.min_lens()[axis] == hi) {
        std::vector<int64_t> values(hi);
        std::iota(values.begin(), values.end(), 0);
        return vector_of(values);
    }
    const auto size = n.add(make_op("dimensions_of", {{"start", axis}, {"end", axis + 1}}), {x});
    return n.add("dynamic_range", vector_of({0}), size, vector_of({1}));
}

namespace {

instructions read_gather(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto axis = n.axis(n.integer("axis", 0), n.rank_of(0));
    return {n.add(make_op("gather", {{"axis", axis}}), {n.input(0), n.input(1)})};
}

instructions read_gather_elements(node_reader& n) {
    n.expect_inputs(2, 2);
    if (n.rank_of(0) != n.rank_of(1))
        n.malformed(str("data and indices of equal rank were expected, got ", n.shape_of(0),
                        " and ", n.shape_of(1)));
    const auto axis = n.axis(n.integer("axis", 0), n.rank_of(0));
    return {n.add(make_op("gather_elements", {{"axis", axis}}), {n.input(0), n.input(1)})};
}

instructions read_gather_nd(node_reader& n) {
    n.expect_inputs(2, 2);
    return {n.add(make_op("gathernd", {{"batch_dims", n.integer("batch_dims", 0)}}),
                  {n.input(0), n.input(1)})};
}

std::string reduction_of(node_reader& n) {
    const auto reduction = n.text("reduction", "none");
    for (const char* known : {"none", "add", "mul", "min", "max"})
        if (reduction == known)
            return reduction;
    n.malformed("reduction: none, add, mul, min or max was expected, got '" + reduction + "'");
}

instructions read_scatter_elements(node_reader& n) {
    n.expect_inputs(3, 3);
    const auto axis = n.axis(n.integer("axis", 0), n.rank_of(0));
    return {n.add(make_op("scatter_" + reduction_of(n), {{"axis", axis}}), n.inputs())};
}

// Negative indices count from the end of their dimension.
instruction_ref from_front(node_reader& n, instruction_ref indices, instruction_ref data) {
    const auto last = std::size_t(n.known_size(indices, -1));
    if (const auto known = constant_value(indices)) {
        const auto values = known->to_vector<int64_t>();
        if (std::all_of(values.begin(), values.end(), [](int64_t i) { return i >= 0; }))
            return indices;
    }
    const auto wide = n.convert(indices, shape::int64_type);
    const auto& s = data->get_shape();
    instruction_ref sizes;
    if (s.dynamic())
        sizes = n.add(make_op("dimensions_of", {{"end", last}}), {data});
    else
        sizes = n.literal(migraphx::literal{shape{shape::int64_type, {last}}, s.lens().begin(),
                                            s.lens().begin() + std::ptrdiff_t(last)});
    const auto length = n.broadcast_like(sizes, wide);
    const auto zero = n.broadcast_like(n.scalar(shape::int64_type, 0), wide);
    const auto negative = n.convert(n.add("less", wide, zero), shape::bool_type);
    return n.add("where", negative, n.add("add", wide, length), wide);
}

instructions read_scatter_nd(node_reader& n) {
    n.expect_inputs(3, 3);
    if (n.known_size(n.input(1), -1) > int64_t(n.rank_of(0)))
        n.malformed(str("indices whose last dimension is at most ", n.rank_of(0),
                        " were expected, got ", n.shape_of(1)));
    const auto indices = from_front(n, n.input(1), n.input(0));
    return {n.add(make_op("scatternd_" + reduction_of(n)), {n.input(0), indices, n.input(2)})};
}

// 0, 1 … along `axis` of `x` as {rows, 1} or {1, columns}.
instruction_ref positions(node_reader& n, instruction_ref x, std::size_t axis,
                          std::size_t unit_axis) {
    return n.add(make_op("unsqueeze", {{"axes", std::vector<std::size_t>{unit_axis}}}),
                 {count_along(n, x, axis)});
}

// The upper or lower triangle; the rest is 0, whatever stood there.
instructions read_trilu(node_reader& n) {
    n.expect_inputs(1, 2);
    const auto x = n.input(0);
    const auto rank = n.rank_of(0);
    if (rank < 2)
        n.malformed(str("matrices were expected, got ", n.shape_of(0)));
    instruction_ref diagonal = n.scalar(shape::int64_type, 0);
    if (n.has(1))
        diagonal = n.convert(n.input(1), shape::int64_type);
    const auto rows = positions(n, x, rank - 2, 1), columns = positions(n, x, rank - 1, 0);
    const auto distance = n.add_common("sub", {columns, rows});
    const bool upper = n.integer("upper", 1) != 0;
    const auto outside =
        n.convert(n.add_common(upper ? "less" : "greater", {distance, diagonal}), shape::bool_type);
    const auto keep = n.broadcast_like(n.add("not", outside), x);
    return {n.add("where", keep, x, n.broadcast_like(n.scalar(n.shape_of(0).type(), 0), x))};
}

// Each batch entry's first lengths[b] steps turned round.
instructions read_reverse_sequence(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto batch_axis = n.integer("batch_axis", 1), time_axis = n.integer("time_axis", 0);
    if ((batch_axis != 0 and batch_axis != 1) or time_axis != 1 - batch_axis)
        n.malformed(str("batch_axis and time_axis of 0 and 1 were expected, got ", batch_axis,
                        " and ", time_axis));
    const auto x = n.input(0);
    if (n.rank_of(0) < 2)
        n.malformed(str("at least two dimensions were expected, got ", n.shape_of(0)));
    // Step t of batch entry b comes from t' = t < length ? length - 1 - t : t.
    const auto time = std::size_t(time_axis);
    const auto steps = positions(n, x, time, std::size_t(batch_axis));
    const auto lengths =
        n.along_axis(n.convert(n.input(1), shape::int64_type), std::size_t(batch_axis), 2);
    const auto last = n.with_number("sub", lengths, 1);
    auto in_order = n.add_common("add", {steps, n.with_number("mul", lengths, 0)});
    const auto turned = n.add_common("sub", {last, steps});
    const auto inside = n.convert(n.add_common("greater", {lengths, steps}), shape::bool_type);
    auto source = n.add("where", inside, turned, in_order);
    std::vector<int64_t> rest;
    for (std::size_t d = 2; d < n.rank_of(0); d++)
        rest.push_back(int64_t(d));
    if (not rest.empty())
        source = n.broadcast_like(n.add(make_op("unsqueeze", {{"axes", rest}}), {source}), x);
    return {n.add(make_op("gather_elements", {{"axis", time_axis}}), {x, source})};
}

// Indices of the elements that are not 0, as many as there are.
instructions read_nonzero(node_reader& n) {
    n.expect_inputs(1, 1);
    return {n.add(make_op("nonzero", {{"use_dyn_output", true}}), {n.input(0)})};
}

// The entries along an axis (of the flat tensor without one) where the condition holds.
instructions read_compress(node_reader& n) {
    n.expect_inputs(2, 2);
    auto x = n.input(0);
    std::size_t axis = 0;
    if (n.has_attribute("axis"))
        axis = n.axis(n.integer("axis"), n.rank_of(0));
    else
        x = n.add(make_op("reshape", {{"dims", {-1}}}), {x});
    const auto found = n.add(make_op("nonzero", {{"use_dyn_output", true}}), {n.input(1)});
    const auto indices = n.add(make_op("squeeze", {{"axes", {0}}}), {found});
    return {n.add(make_op("gather", {{"axis", axis}}), {x, indices})};
}

const operators gather_operators{{"Gather", read_gather},
                                 {"GatherElements", read_gather_elements},
                                 {"GatherND", read_gather_nd},
                                 {"GatherND", read_gather_nd, "com.microsoft"},
                                 {"Scatter", read_scatter_elements},
                                 {"ScatterElements", read_scatter_elements},
                                 {"ScatterND", read_scatter_nd},
                                 {"Trilu", read_trilu},
                                 {"Trilu", read_trilu, "com.microsoft"},
                                 {"ReverseSequence", read_reverse_sequence},
                                 {"NonZero", read_nonzero},
                                 {"Compress", read_compress}};

} // namespace

} // namespace migraphx::onnx
