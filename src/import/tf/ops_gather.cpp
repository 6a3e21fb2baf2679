// SPDX-License-Identifier: MIT
// Elements chosen by indices or conditions, and written at positions.
#include "import/tf/node_reader.hpp"

#include <migraphx/make_op.hpp>

#include <algorithm>
#include <numeric>

namespace migraphx::tf {

namespace {

void expect_integral(const node_reader& n, std::size_t i) {
    if (not shape::is_integral(n.type_of(i)))
        n.malformed(
            str("integers were expected for input ", i, ", got ", shape::name(n.type_of(i))));
}

// Leading dimensions are walked through together: the gathered axis comes right behind them, and
// the dimensions of the indices then go where it was.
instruction_ref gather_batched(const node_reader& n, std::size_t axis, std::size_t batch) {
    const auto rank = n.rank(0), q = n.rank(1);
    ints order(rank);
    std::iota(order.begin(), order.end(), 0);
    std::rotate(order.begin() + std::ptrdiff_t(batch), order.begin() + std::ptrdiff_t(axis),
                order.begin() + std::ptrdiff_t(axis) + 1);
    const auto y = n.add(make_op("gathernd", {{"batch_dims", batch}}),
                         {n.transpose(n.input(0), order), n.unsqueeze(n.input(1), {int64_t(q)})});
    // Now batch, indices, dimensions before the axis, dimensions behind it.
    const auto moved = q - batch, before = axis - batch;
    ints back;
    for (std::size_t i = 0; i < batch; i++)
        back.push_back(int64_t(i));
    for (std::size_t i = 0; i < before; i++)
        back.push_back(int64_t(batch + moved + i));
    for (std::size_t i = 0; i < moved; i++)
        back.push_back(int64_t(batch + i));
    for (std::size_t i = batch + moved + before; i < q + rank - 1 - batch; i++)
        back.push_back(int64_t(i));
    return n.transpose(y, back);
}

instructions read_gather(node_reader& n) {
    const bool v2 = n.op_type() == "GatherV2";
    n.expect_inputs(v2 ? 3 : 2);
    expect_integral(n, 1);
    if (n.rank(0) == 0)
        n.malformed("data of at least one dimension was expected, got a scalar");
    const auto axis = v2 ? n.axis(n.constant_int(2, "axis"), n.rank(0)) : std::size_t{0};
    auto batch = n.integer("batch_dims", 0);
    const auto most = int64_t(std::min(axis, n.rank(1)));
    if (batch < 0)
        batch += int64_t(n.rank(1));
    if (batch < 0 or batch > most)
        n.malformed(str("batch_dims of 0 to ", most, " was expected, got ", batch));
    if (batch > 0)
        return {gather_batched(n, axis, std::size_t(batch))};
    const auto y = n.add(make_op("gather", {{"axis", axis}}), {n.input(0), n.input(1)});
    return {n.rank(0) == 1 and n.rank(1) == 0 ? n.to_scalar(y) : y};
}

instructions read_gather_nd(node_reader& n) {
    n.expect_inputs(2);
    expect_integral(n, 1);
    // How many tuples there are may depend on data.
    const auto indices = n.input(1)->get_shape().max_lens();
    if (n.rank(1) == 0 or indices.back() < 1 or indices.back() > n.rank(0))
        n.malformed(str("index tuples of 1 to ", n.rank(0), " values were expected, got ",
                        n.input(1)->get_shape()));
    const auto y = n.add(make_op("gathernd", {{"batch_dims", n.integer("batch_dims", 0)}}),
                         {n.input(0), n.input(1)});
    return {indices.size() == 1 and indices[0] == n.rank(0) ? n.to_scalar(y) : y};
}

// An index outside of the depth gives a row of `off`.
instructions read_one_hot(node_reader& n) {
    n.expect_inputs(4);
    expect_integral(n, 0);
    const auto depth = n.constant_int(1, "depth");
    if (depth < 0 or depth > 1 << 30)
        n.malformed(str("depth of 0 or more was expected, got ", depth));
    const auto rank = n.rank(0);
    const auto axis = n.axis(n.integer("axis", -1), rank + 1);
    ints count(std::size_t(depth), 0);
    std::iota(count.begin(), count.end(), 0);
    const auto positions = n.along_axis(n.ints_literal(count, n.type_of(0)), axis, rank + 1);
    const auto indices = rank == 0 ? n.input(0) : n.unsqueeze(n.input(0), {int64_t(axis)});
    return {n.select(n.compare("equal", indices, positions), n.input(2), n.input(3))};
}

instructions read_scatter_nd(node_reader& n) {
    n.expect_inputs(3);
    expect_integral(n, 0);
    const auto to = n.constant_ints(2, "shape");
    if (to.empty() or std::any_of(to.begin(), to.end(), [](auto d) { return d < 0; }))
        n.malformed(str("a shape of at least one dimension was expected, got ", to));
    const auto zeros = n.broadcast_to(n.scalar(n.type_of(1), 0), to);
    return {n.add("scatternd_add", n.contiguous(zeros), n.input(0), n.input(1))};
}

instructions read_tensor_scatter(node_reader& n) {
    n.expect_inputs(3);
    expect_integral(n, 1);
    const auto kind = n.op_type().substr(std::string_view("TensorScatter").size());
    const auto* op = kind == "Update" ? "scatternd_none"
                     : kind == "Max"  ? "scatternd_max"
                     : kind == "Min"  ? "scatternd_min"
                                      : "scatternd_add";
    const auto updates = kind == "Sub" ? n.pointwise("neg", {n.input(2)}) : n.input(2);
    return {n.add(std::string(op), n.input(0), n.input(1), updates)};
}

// Indices of the elements that are not zero, one in each row.
instructions read_where(node_reader& n) {
    n.expect_inputs(1);
    if (n.rank(0) == 0)
        n.unsupported("data of at least one dimension was expected, got a scalar");
    const auto columns = n.add(make_op("nonzero", {{"use_dyn_output", true}}), {n.input(0)});
    return {n.add(make_op("transpose", {{"permutation", ints{1, 0}}}), {columns})};
}

instructions read_unique(node_reader& n) {
    n.expect_inputs(1);
    n.expect_rank(0, 1);
    const auto t = n.type("out_idx", shape::int32_type);
    const auto all = n.add(make_op("unique", {{"sorted", 0}}), {n.input(0)});
    const auto part = [&](std::size_t i) {
        return n.add(make_op("get_tuple_elem", {{"index", i}}), {all});
    };
    instructions result{part(0), n.convert(part(2), t)};
    if (n.op_type() == "UniqueWithCounts")
        result.push_back(n.convert(part(3), t));
    return result;
}

// All but a band around the diagonal of the last two dimensions becomes 0.
instructions read_band_part(node_reader& n) {
    n.expect_inputs(3);
    const auto d = n.dims(0);
    if (d.size() < 2)
        n.malformed(str("matrices were expected, got ", n.input(0)->get_shape()));
    const auto rows = d[d.size() - 2], columns = d[d.size() - 1];
    const auto lower = n.constant_int(1, "num_lower"), upper = n.constant_int(2, "num_upper");
    if (rows > 1 << 15 or columns > 1 << 15)
        n.unsupported(str("matrices of at most 32768 rows and columns were expected, got ", rows,
                          " x ", columns));
    std::vector<int> keep;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            keep.push_back((lower < 0 or i - j <= lower) and (upper < 0 or j - i <= upper) ? 1 : 0);
    const auto mask = n.literal(migraphx::literal{
        shape{shape::bool_type, {std::size_t(rows), std::size_t(columns)}}, keep});
    return {n.select(mask, n.input(0), n.scalar(n.type_of(0), 0))};
}

const operators gather_operators{{"Gather", read_gather},
                                 {"GatherV2", read_gather, "constant axis"},
                                 {"GatherNd", read_gather_nd},
                                 {"OneHot", read_one_hot, "constant depth"},
                                 {"ScatterNd", read_scatter_nd, "constant shape"},
                                 {"TensorScatterAdd", read_tensor_scatter},
                                 {"TensorScatterMax", read_tensor_scatter},
                                 {"TensorScatterMin", read_tensor_scatter},
                                 {"TensorScatterSub", read_tensor_scatter},
                                 {"TensorScatterUpdate", read_tensor_scatter},
                                 {"Where", read_where},
                                 {"Unique", read_unique, "", {"y", "idx"}},
                                 {"UniqueWithCounts", read_unique, "", {"y", "idx", "count"}},
                                 {"MatrixBandPart", read_band_part, "constant band"}};

} // namespace

} // namespace migraphx::tf
