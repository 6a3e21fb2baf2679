// SPDX-License-Identifier: MIT
// Constants, dimensions as values, and operators that see the same elements with other dimensions.
#include "import/tf/importer.hpp"
#include "import/tf/tensor.hpp"

#include <migraphx/common_shape.hpp>
#include <migraphx/make_op.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace migraphx::tf {

namespace {

instructions read_const(node_reader& n) {
    n.expect_inputs(0);
    const auto& a = n.get("value");
    if (a.kind != attribute_kind::tensor or a.tensors.empty())
        n.malformed("attribute \"value\": a tensor was expected");
    const auto t = read_constant(n.whole().get_model(), a.tensors.back());
    const auto x = n.literal(literal::adopt(t.value));
    return {t.repeated ? n.broadcast_to(x, {t.dims.begin(), t.dims.end()}) : x};
}

// Pre-filled by the importer in the main graph.
instructions read_placeholder(node_reader& n) {
    n.unsupported("inputs of the main graph were expected, got one inside of a function");
}

// The default, unless dimensions are given: then it is an input.
instructions read_placeholder_with_default(node_reader& n) {
    n.expect_inputs(1);
    const std::string name(n.get_node().name);
    const auto& given = n.whole().options().map_input_dims;
    const auto it = given.find(name);
    if (it == given.end())
        return {n.input(0)};
    const auto type = n.type("dtype");
    return {n.mod().insert_parameter(n.mod().end(), name,
                                     it->second.empty() ? shape{type} : shape{type, it->second})};
}

// ---- dimensions as values
instruction_ref shape_vector(const node_reader& n, instruction_ref x, shape::type_t t) {
    if (node_reader::has_static_dims(x))
        return n.ints_literal(n.dims(x), t);
    return n.convert(n.add(make_op("dimensions_of", {{"end", x->get_shape().ndim()}}), {x}), t);
}

instructions read_shape(node_reader& n) {
    if (n.op_type() == "Shape")
        n.expect_inputs(1);
    instructions result;
    for (auto x : n.inputs())
        result.push_back(shape_vector(n, x, n.type("out_type", shape::int32_type)));
    return result;
}

instructions read_size(node_reader& n) {
    n.expect_inputs(1);
    const auto t = n.type("out_type", shape::int32_type);
    if (node_reader::has_static_dims(n.input(0)))
        return {n.scalar(t, double(n.input(0)->get_shape().elements()))};
    const auto all = shape_vector(n, n.input(0), shape::int64_type);
    return {n.convert(n.to_scalar(n.add(make_op("reduce_prod", {{"axes", {0}}}), {all})), t)};
}

instructions read_rank(node_reader& n) {
    n.expect_inputs(1);
    return {n.scalar(shape::int32_type, double(n.rank(0)))};
}

// ---- the same elements
instructions read_reshape(node_reader& n) {
    n.expect_inputs(2);
    const auto shape_constant = n.find_constant(1);
    const auto x = n.input(0);
    if (not shape_constant)
        return {n.add(make_op("reshape_dynamic", {{"allowzero", true}}),
                      {x, n.convert(n.input(1), shape::int64_type)})};
    auto to = shape_constant->to_vector<int64_t>();
    int64_t product = 1;
    auto open = to.end();
    for (auto it = to.begin(); it != to.end(); ++it) {
        if (*it < -1 or (*it == -1 and open != to.end()))
            n.malformed(str("sizes of which at most one is -1 were expected, got ", to));
        if (*it == -1)
            open = it;
        else if (__builtin_mul_overflow(product, *it, &product))
            n.malformed(str("sizes that fit the address space were expected, got ", to));
    }
    if (node_reader::has_static_dims(x)) {
        const auto elements = int64_t(x->get_shape().elements());
        const bool fits = open == to.end() ? product == elements
                          : product == 0   ? elements == 0
                                           : elements % product == 0;
        if (not fits)
            n.malformed(str("sizes for ", elements, " elements were expected, got ", to));
        if (open != to.end())
            *open = product == 0 ? 0 : elements / product;
    }
    return {n.reshape(x, to)};
}

instructions read_squeeze(node_reader& n) {
    n.expect_inputs(1);
    const auto d = n.dims(0);
    auto axes = n.integers(n.has_attribute("axis") ? "axis" : "squeeze_dims");
    for (auto& a : axes) {
        a = int64_t(n.axis(a, d.size()));
        if (d[std::size_t(a)] != 1)
            n.malformed(str("dimensions of one element were expected, got ", d[std::size_t(a)],
                            " for axis ", a));
    }
    std::sort(axes.begin(), axes.end());
    axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
    if (axes.empty())
        for (std::size_t i = 0; i < d.size(); i++)
            if (d[i] == 1)
                axes.push_back(int64_t(i));
    return {n.squeeze(n.input(0), axes)};
}

instructions read_expand_dims(node_reader& n) {
    n.expect_inputs(2);
    const auto axis = n.axis(n.constant_int(1, "dim"), n.rank(0) + 1);
    return {n.unsqueeze(n.input(0), {int64_t(axis)})};
}

instructions read_transpose(node_reader& n) {
    n.expect_inputs(2);
    auto p = n.constant_ints(1, "perm");
    const auto rank = n.rank(0);
    if (p.size() != rank)
        n.malformed(str("perm of ", rank, " values was expected, got ", p));
    ints seen(rank, 0);
    for (auto& a : p) {
        a = int64_t(n.axis(a, rank));
        if (seen[std::size_t(a)]++ != 0)
            n.malformed(str("perm of different axes was expected, got ", p));
    }
    return {rank < 2 ? n.input(0) : n.transpose(n.input(0), p)};
}

// ---- more elements
std::vector<std::size_t> as_sizes(const node_reader& n, const ints& v) {
    for (auto d : v)
        if (d < 0)
            n.malformed(str("sizes of 0 or more were expected, got ", v));
    return {v.begin(), v.end()};
}

instructions read_broadcast_to(node_reader& n) {
    n.expect_inputs(2);
    const auto to = n.constant_ints(1, "shape");
    const auto d = n.dims(0);
    if (compute_broadcasted_lens(as_sizes(n, d), as_sizes(n, to)) != as_sizes(n, to))
        n.malformed(str("dimensions that broadcast to ", to, " were expected, got ", d));
    return {n.broadcast_to(n.input(0), to)};
}

instructions read_broadcast_args(node_reader& n) {
    n.expect_inputs(2);
    const auto a = n.constant_ints(0, "first shape"), b = n.constant_ints(1, "second shape");
    const auto lens = compute_broadcasted_lens(as_sizes(n, a), as_sizes(n, b));
    return {n.ints_literal({lens.begin(), lens.end()}, n.type_of(0))};
}

instructions read_fill(node_reader& n) {
    n.expect_inputs(2);
    const auto to = n.constant_ints(0, "dims");
    as_sizes(n, to);
    return {n.broadcast_to(n.to_scalar(n.input(1)), to)};
}

instructions read_tile(node_reader& n) {
    n.expect_inputs(2);
    const auto repeats = n.constant_ints(1, "multiples");
    if (repeats.size() != n.rank(0))
        n.malformed(str("multiples of ", n.rank(0), " values were expected, got ", repeats));
    return {repeats.empty() ? n.input(0) : n.expand("tile", {n.input(0)}, {{"repeats", repeats}})};
}

instructions read_range(node_reader& n) {
    n.expect_inputs(3);
    const auto start = n.find_constant(0), limit = n.find_constant(1), delta = n.find_constant(2);
    const auto t = n.type_of(0);
    if (not start or not limit or not delta)
        return {
            n.add("dynamic_range", n.input(0), n.convert(n.input(1), t), n.convert(n.input(2), t))};
    const auto a = n.constant_real(0, "start"), b = n.constant_real(1, "limit"),
               step = n.constant_real(2, "delta");
    if (step == 0)
        n.malformed("a delta other than 0 was expected, got 0");
    const auto count = std::max(0.0, std::ceil((b - a) / step));
    constexpr double most = 1 << 28;
    if (not(count <= most))
        n.malformed(str("at most ", most, " elements were expected, got ", count));
    std::vector<double> v(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < v.size(); i++)
        v[i] = a + double(i) * step;
    return {n.literal(migraphx::literal{shape{t, {v.size()}}, v})};
}

instructions read_lin_space(node_reader& n) {
    n.expect_inputs(3);
    const auto a = n.constant_real(0, "start"), b = n.constant_real(1, "stop");
    const auto count = n.constant_int(2, "num");
    if (count < 1 or count > 1 << 28)
        n.malformed(str("num of 1 or more was expected, got ", count));
    std::vector<double> v(std::size_t(count), a);
    for (std::size_t i = 1; i < v.size(); i++)
        v[i] = i + 1 == v.size() ? b : a + (b - a) / double(count - 1) * double(i);
    return {n.literal(migraphx::literal{shape{n.type_of(0), {v.size()}}, v})};
}

instructions read_invert_permutation(node_reader& n) {
    n.expect_inputs(1);
    const auto p = n.constant_ints(0, "permutation");
    ints result(p.size(), -1);
    for (std::size_t i = 0; i < p.size(); i++) {
        if (p[i] < 0 or p[i] >= int64_t(p.size()) or result[std::size_t(p[i])] >= 0)
            n.malformed(str("a permutation was expected, got ", p));
        result[std::size_t(p[i])] = int64_t(i);
    }
    return {n.ints_literal(result, n.type_of(0))};
}

// ---- blocks of pixels

// Dimensions split and put in another order: every axis of `split` goes where `order` says, then to
// `merged`.
instruction_ref rearranged(const node_reader& n, instruction_ref x, const ints& split,
                           const ints& order, const ints& merged) {
    return n.reshape(n.transpose(n.reshape(x, split), order), merged);
}

struct block_node {
    ints dims; ///< N, H, W, C
    int64_t block = 0;
    bool last = true;
};

block_node read_block(const node_reader& n) {
    n.expect_inputs(1);
    n.expect_rank(0, 4);
    block_node b;
    b.last = n.channels_last();
    b.block = n.integer("block_size", 0);
    if (b.block < 1 or b.block > 65536)
        n.malformed(str("block_size of 1 or more was expected, got ", b.block));
    b.dims = n.dims(0);
    if (not b.last)
        b.dims = {b.dims[0], b.dims[2], b.dims[3], b.dims[1]};
    return b;
}

instructions read_space_to_depth(node_reader& n) {
    const auto [d, b, last] = read_block(n);
    if (d[1] % b != 0 or d[2] % b != 0)
        n.malformed(str("block_size that divides ", d[1], " and ", d[2], " was expected, got ", b));
    const auto h = d[1] / b, w = d[2] / b;
    if (last)
        return {rearranged(n, n.input(0), {d[0], h, b, w, b, d[3]}, {0, 1, 3, 2, 4, 5},
                           {d[0], h, w, d[3] * b * b})};
    return {rearranged(n, n.input(0), {d[0], d[3], h, b, w, b}, {0, 3, 5, 1, 2, 4},
                       {d[0], d[3] * b * b, h, w})};
}

instructions read_depth_to_space(node_reader& n) {
    const auto [d, b, last] = read_block(n);
    if (d[3] % (b * b) != 0)
        n.malformed(str("block_size whose square divides ", d[3], " was expected, got ", b));
    const auto c = d[3] / (b * b);
    if (last)
        return {rearranged(n, n.input(0), {d[0], d[1], d[2], b, b, c}, {0, 1, 3, 2, 4, 5},
                           {d[0], d[1] * b, d[2] * b, c})};
    return {rearranged(n, n.input(0), {d[0], b, b, c, d[1], d[2]}, {0, 3, 4, 1, 5, 2},
                       {d[0], c, d[1] * b, d[2] * b})};
}

// Block sizes, one for each of the dimensions after the batch, and the pairs of paddings or crops.
struct batch_blocks {
    ints block, before, after;
};

batch_blocks read_batch_blocks(const node_reader& n) {
    const bool general = n.op_type().ends_with("ND");
    n.expect_inputs(general ? 3 : 2);
    batch_blocks b;
    const auto pairs = n.constant_ints(general ? 2 : 1, "paddings or crops");
    b.block = general ? n.constant_ints(1, "block_shape") : ints(2, n.integer("block_size", 0));
    for (auto v : b.block)
        if (v < 1 or v > 65536)
            n.malformed(str("block sizes of 1 or more were expected, got ", b.block));
    if (pairs.size() != 2 * b.block.size() or n.rank(0) < b.block.size() + 1)
        n.malformed(str("two paddings or crops and a dimension for each of ", b.block.size(),
                        " block sizes were expected, got ", pairs));
    for (std::size_t i = 0; i < pairs.size(); i++) {
        if (pairs[i] < 0 or pairs[i] > 1 << 30)
            n.malformed(str("paddings or crops of 0 or more were expected, got ", pairs));
        (i % 2 == 0 ? b.before : b.after).push_back(pairs[i]);
    }
    return b;
}

instructions read_space_to_batch(node_reader& n) {
    const auto b = read_batch_blocks(n);
    const auto rank = n.rank(0), m = b.block.size();
    ints pads(2 * rank, 0);
    for (std::size_t i = 0; i < m; i++) {
        pads[i + 1] = b.before[i];
        pads[rank + i + 1] = b.after[i];
    }
    const auto x = n.add(make_op("pad", {{"pads", pads}}), {n.input(0)});
    const auto d = n.dims(x);
    // N, (h, b)…, rest  →  b…, N, h…, rest
    ints split{d[0]}, order, merged{d[0]};
    for (std::size_t i = 0; i < m; i++) {
        if (d[i + 1] % b.block[i] != 0)
            n.malformed(str("block sizes that divide ", d, " were expected, got ", b.block));
        split.push_back(d[i + 1] / b.block[i]);
        split.push_back(b.block[i]);
        order.push_back(int64_t(2 * i + 2));
        merged[0] *= b.block[i];
        merged.push_back(d[i + 1] / b.block[i]);
    }
    order.push_back(0);
    for (std::size_t i = 0; i < m; i++)
        order.push_back(int64_t(2 * i + 1));
    for (std::size_t i = m + 1; i < rank; i++) {
        order.push_back(int64_t(split.size()));
        split.push_back(d[i]);
        merged.push_back(d[i]);
    }
    return {rearranged(n, x, split, order, merged)};
}

instructions read_batch_to_space(node_reader& n) {
    const auto b = read_batch_blocks(n);
    const auto rank = n.rank(0), m = b.block.size();
    const auto d = n.dims(0);
    const auto blocks =
        std::accumulate(b.block.begin(), b.block.end(), int64_t{1}, std::multiplies<>{});
    if (blocks < 1 or d[0] % blocks != 0)
        n.malformed(
            str("block sizes whose product divides ", d[0], " were expected, got ", b.block));
    // b…, N, h…, rest  →  N, (h, b)…, rest
    ints split = b.block, order{int64_t(m)}, merged{d[0] / blocks}, axes, starts, ends;
    split.push_back(d[0] / blocks);
    for (std::size_t i = 0; i < m; i++) {
        split.push_back(d[i + 1]);
        order.push_back(int64_t(m + 1 + i));
        order.push_back(int64_t(i));
        merged.push_back(d[i + 1] * b.block[i]);
        axes.push_back(int64_t(i) + 1);
        starts.push_back(b.before[i]);
        ends.push_back(merged.back() - b.after[i]);
        if (starts.back() > ends.back())
            n.malformed(str("crops of at most ", merged.back(), " were expected, got ", b.before[i],
                            " and ", b.after[i]));
    }
    for (std::size_t i = m + 1; i < rank; i++) {
        order.push_back(int64_t(split.size()));
        split.push_back(d[i]);
        merged.push_back(d[i]);
    }
    return {n.slice(rearranged(n, n.input(0), split, order, merged), axes, starts, ends)};
}

const operators shape_operators{
    {"Const", read_const},
    {"Placeholder", read_placeholder},
    {"PlaceholderWithDefault", read_placeholder_with_default},
    {"Shape", read_shape},
    {"ShapeN", read_shape},
    {"Size", read_size},
    {"Rank", read_rank},
    {"Reshape", read_reshape},
    {"Squeeze", read_squeeze},
    {"ExpandDims", read_expand_dims, "constant dim"},
    {"Transpose", read_transpose, "constant perm"},
    {"BroadcastTo", read_broadcast_to, "constant shape"},
    {"BroadcastArgs", read_broadcast_args, "constant shapes"},
    {"Fill", read_fill, "constant dims"},
    {"Tile", read_tile, "constant multiples"},
    {"Range", read_range},
    {"LinSpace", read_lin_space, "constant operands"},
    {"InvertPermutation", read_invert_permutation, "constant operand"},
    {"SpaceToDepth", read_space_to_depth},
    {"DepthToSpace", read_depth_to_space},
    {"SpaceToBatch", read_space_to_batch, "constant paddings"},
    {"SpaceToBatchND", read_space_to_batch, "constant block_shape and paddings"},
    {"BatchToSpace", read_batch_to_space, "constant crops"},
    {"BatchToSpaceND", read_batch_to_space, "constant block_shape and crops"}};

} // namespace

} // namespace migraphx::tf
