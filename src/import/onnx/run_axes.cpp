// SPDX-License-Identifier: MIT
// Dimensions dropped or inserted at axes that only a run gives: their number is known, so the rank
// is, and the sizes are computed.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"

#include <numeric>

namespace migraphx::onnx {

namespace {

instruction_ref vector_of(node_reader& n, const std::vector<int64_t>& v) {
    return n.literal(migraphx::literal{shape{shape::int64_type, {v.size()}}, v});
}

std::size_t count_axes(node_reader& n, instruction_ref axes) {
    const auto& s = axes->get_shape();
    if (s.dynamic() or s.ndim() != 1)
        n.unsupported(str("a known number of axes was expected, got ", s));
    return s.elements();
}

// int64 {rank}: 1 at the axes, which may count from the end.
instruction_ref marked(node_reader& n, instruction_ref axes, std::size_t rank) {
    std::vector<int64_t> all(rank);
    std::iota(all.begin(), all.end(), 0);
    const auto positions = vector_of(n, all);
    const auto column =
        n.add(make_op("unsqueeze", {{"axes", {1}}}), {n.convert(axes, shape::int64_type)});
    const auto from_front = n.add_common("equal", {column, positions});
    const auto from_end =
        n.add_common("equal", {n.with_number("add", column, double(rank)), positions});
    const auto any =
        n.add(make_op("reduce_max", {{"axes", {0}}}), {n.add("max", from_front, from_end)});
    return n.add(make_op("squeeze", {{"axes", {0}}}), {any});
}

} // namespace

instruction_ref drop_axes(node_reader& n, instruction_ref x, instruction_ref axes) {
    const auto rank = x->get_shape().ndim(), count = count_axes(n, axes);
    if (count > rank)
        n.malformed(str("at most ", rank, " axes were expected, got ", count));
    if (count == rank) {
        std::vector<int64_t> all(rank);
        std::iota(all.begin(), all.end(), 0);
        return n.add(make_op("squeeze", {{"axes", all}}), {x});
    }
    // The axes that stay, in order: those that are marked come after all others.
    std::vector<int64_t> order(rank);
    std::iota(order.begin(), order.end(), 0);
    const auto keys = n.add("add", n.with_number("mul", marked(n, axes, rank), double(rank)),
                            vector_of(n, order));
    const auto first =
        n.add(make_op("topk", {{"k", rank - count}, {"axis", 0}, {"largest", false}}), {keys});
    const auto kept = n.add(make_op("get_tuple_elem", {{"index", 0}}), {first});
    const auto sizes = n.add(make_op("dimensions_of", {{"end", rank}}), {x});
    return n.add("reshape_dynamic", x, n.add(make_op("gather", {{"axis", 0}}), {sizes, kept}));
}

instruction_ref insert_axes(node_reader& n, instruction_ref x, instruction_ref axes) {
    const bool scalar = node_reader::is_scalar(x->get_shape());
    const auto rank = (scalar ? 0 : x->get_shape().ndim()) + count_axes(n, axes);
    const auto mask = marked(n, axes, rank);
    if (scalar)
        return n.add(make_op("reshape", {{"dims", std::vector<int64_t>(rank, 1)}}), {x});
    // Position i of the result is the input's dimension number (unmarked positions before i).
    const auto before = n.add(make_op("prefix_scan_sum", {{"axis", 0}, {"exclusive", true}}),
                              {n.add("sub", vector_of(n, std::vector<int64_t>(rank, 1)), mask)});
    const auto last = vector_of(n, std::vector<int64_t>(rank, int64_t(x->get_shape().ndim()) - 1));
    const auto sizes = n.add(make_op("dimensions_of", {{"end", x->get_shape().ndim()}}), {x});
    const auto own = n.add(make_op("gather", {{"axis", 0}}), {sizes, n.add("min", before, last)});
    const auto target = n.add("where", n.convert(mask, shape::bool_type),
                              vector_of(n, std::vector<int64_t>(rank, 1)), own);
    return n.add("reshape_dynamic", x, target);
}

} // namespace migraphx::onnx
