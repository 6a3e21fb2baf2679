// SPDX-License-Identifier: MIT
// Weights of two, four or eight bits in bytes, with a scale and a zero point for each block
// (com.microsoft).
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"

namespace migraphx::onnx {

namespace {

using dims = std::vector<int64_t>;

// Sizes of weights are products of attributes.
constexpr int64_t most_elements = int64_t{1} << 40;

bool is_block(int64_t v) {
    return v >= 16 and v < most_elements and (v & (v - 1)) == 0;
}

// N and K of a matrix; the product of them, filled up to whole blocks, does not overflow.
void expect_matrix(node_reader& n, int64_t rows, int64_t depth) {
    int64_t total = 0;
    if (rows < 1 or depth < 1 or __builtin_mul_overflow(rows, depth, &total) or
        total > most_elements)
        n.malformed(
            str("N and K above 0 that fit the memory were expected, got ", rows, " and ", depth));
}

instruction_ref reshaped(node_reader& n, instruction_ref x, const dims& d) {
    return n.add(make_op("reshape", {{"dims", d}}), {x});
}

instruction_ref transposed(node_reader& n, instruction_ref x) {
    return n.add(make_op("transpose", {{"permutation", dims{1, 0}}}), {x});
}

// The first `count` positions of `axis`.
instruction_ref first_of(node_reader& n, instruction_ref x, int64_t axis, int64_t count) {
    if (int64_t(x->get_shape().lens()[std::size_t(axis)]) == count)
        return x;
    return n.add(
        make_op("slice", {{"axes", dims{axis}}, {"starts", dims{0}}, {"ends", dims{count}}}), {x});
}

// The numbers in each byte along the last axis, the first in the low bits, as uint8.
instruction_ref unpacked(node_reader& n, instruction_ref x, int64_t bits) {
    const auto rank = int64_t(x->get_shape().ndim());
    if (bits == 8)
        return x;
    if (bits == 4)
        return n.add(make_op("unpack_int4", {{"axis", rank - 1}}), {x});
    auto lens = x->get_shape().lens();
    const auto wide =
        n.add(make_op("unsqueeze", {{"axes", dims{rank}}}), {n.convert(x, shape::int32_type)});
    const auto powers = n.literal(
        migraphx::literal{shape{shape::int32_type, {4}}, std::vector<int32_t>{1, 4, 16, 64}});
    const auto shifted = n.add_common("div", {wide, powers});
    const auto parts = n.convert(n.with_number("mod", shifted, 4), shape::uint8_type);
    lens.back() *= 4;
    return n.add(make_op("reshape", {{"dims", lens}}), {parts});
}

// One number for each block (N, blocks) as one for each of K columns: repeated, or picked by
// `groups`.
instruction_ref over_columns(node_reader& n, instruction_ref v, int64_t size, int64_t depth,
                             const std::optional<instruction_ref>& groups) {
    if (groups)
        return n.add(make_op("gather", {{"axis", 1}}), {v, first_of(n, *groups, 0, depth)});
    const auto rows = int64_t(v->get_shape().lens()[0]), blocks = int64_t(v->get_shape().lens()[1]);
    auto y = n.add(make_op("unsqueeze", {{"axes", dims{2}}}), {v});
    y = n.add(make_op("multibroadcast", {{"out_lens", dims{rows, blocks, size}}}), {y});
    return first_of(n, reshaped(n, y, {rows, blocks * size}), 1, depth);
}

// A times the transpose of B (N, K), whose rows hold blocks with a scale and a zero point each.
instructions read_matmul_nbits(node_reader& n) {
    n.expect_inputs(3, 6);
    const auto rows = n.integer("N"), depth = n.integer("K"), bits = n.integer("bits", 4),
               size = n.integer("block_size");
    if (bits != 2 and bits != 4 and bits != 8)
        n.unsupported(str("bits of 2, 4 or 8 were expected, got ", bits));
    if (n.integer("weight_prepacked", 0) != 0)
        n.unsupported("weight_prepacked of 0 was expected, got 1");
    if (not is_block(size))
        n.malformed(str("block_size as a power of 2 of at least 16 was expected, got ", size));
    expect_matrix(n, rows, depth);
    const auto t = n.shape_of(0).type();
    const auto with_bias = [&](instruction_ref y) {
        return n.has(5) ? n.add_common("add", {y, n.input(5)}) : y;
    };
    if (not n.shape_of(1).dynamic() and n.shape_of(1).elements() == 0) {
        // Weights left out stand for zeros.
        const auto zeros =
            n.add(make_op("multibroadcast", {{"out_lens", dims{depth, rows}}}), {n.scalar(t, 0)});
        return {with_bias(n.expand("dot", {n.input(0), zeros}))};
    }
    const auto blocks = (depth + size - 1) / size, bytes = size * bits / 8;
    if (n.shape_of(1).dynamic() or
        n.shape_of(1).elements() / std::size_t(rows) != std::size_t(blocks) * std::size_t(bytes) or
        n.shape_of(1).elements() % std::size_t(rows) != 0)
        n.malformed(str("B of ", rows, " rows with ", blocks, " blocks of ", bytes,
                        " bytes was expected, got ", n.shape_of(1)));
    const auto groups = n.has(4) ? std::optional(n.input(4)) : std::nullopt;
    if (groups and (n.shape_of(4).dynamic() or n.shape_of(4).ndim() != 1 or
                    int64_t(n.shape_of(4).elements()) < depth))
        n.malformed(str("g_idx of ", depth, " block numbers was expected, got ", n.shape_of(4)));
    const auto q =
        first_of(n,
                 reshaped(n, unpacked(n, reshaped(n, n.input(1), {rows, blocks * bytes}), bits),
                          {rows, blocks * size}),
                 1, depth);
    const auto columns = [&](instruction_ref v) { return over_columns(n, v, size, depth, groups); };
    const auto scale = columns(n.convert(reshaped(n, n.input(2), {rows, blocks}), t));
    instruction_ref w;
    if (not n.has(3))
        w = n.add("dequantizelinear", q, scale,
                  n.broadcast_like(n.scalar(shape::uint8_type, double(1 << (bits - 1))), q));
    else if (n.shape_of(3).type() == shape::uint8_type) {
        const auto packed = (blocks * bits + 7) / 8;
        const auto zero =
            first_of(n, unpacked(n, reshaped(n, n.input(3), {rows, packed}), bits), 1, blocks);
        w = n.add("dequantizelinear", q, scale, columns(zero));
    } else {
        const auto zero = columns(n.convert(reshaped(n, n.input(3), {rows, blocks}), t));
        w = n.add("mul", n.add("sub", n.convert(q, t), zero), scale);
    }
    return {with_bias(n.expand("dot", {n.input(0), transposed(n, w)}))};
}

constexpr float fp4_values[16] = {
    0.0f,  5.208333333e-03f,  0.66666667f,  1.0f,  0.33333333f,  0.5f,  0.16666667f,  0.25f,
    -0.0f, -5.208333333e-03f, -0.66666667f, -1.0f, -0.33333333f, -0.5f, -0.16666667f, -0.25f};
constexpr float nf4_values[16] = {-1.0f,
                                  -0.6961928009986877f,
                                  -0.5250730514526367f,
                                  -0.39491748809814453f,
                                  -0.28444138169288635f,
                                  -0.18477343022823334f,
                                  -0.09105003625154495f,
                                  0.0f,
                                  0.07958029955625534f,
                                  0.16093020141124725f,
                                  0.24611230194568634f,
                                  0.33791524171829224f,
                                  0.44070982933044434f,
                                  0.5626170039176941f,
                                  0.7229568362236023f,
                                  1.0f};

// A times the transpose of B (N, K), or B itself, of numbers from a table, the first of two in the
// high bits, with a scale for each block of the flat matrix.
instructions read_matmul_bnb4(node_reader& n) {
    n.expect_inputs(3, 3);
    const auto rows = n.integer("N"), depth = n.integer("K"), size = n.integer("block_size"),
               quant = n.integer("quant_type");
    if (quant != 0 and quant != 1)
        n.malformed(str("quant_type of 0 or 1 was expected, got ", quant));
    if (not is_block(size))
        n.malformed(str("block_size as a power of 2 of at least 16 was expected, got ", size));
    expect_matrix(n, rows, depth);
    const auto total = rows * depth;
    const auto blocks = (total + size - 1) / size, bytes = (total + 1) / 2;
    if (n.shape_of(1).dynamic() or int64_t(n.shape_of(1).elements()) != bytes or
        n.shape_of(2).dynamic() or int64_t(n.shape_of(2).elements()) != blocks)
        n.malformed(str("B of ", bytes, " bytes and ", blocks, " scales were expected, got ",
                        n.shape_of(1), " and ", n.shape_of(2)));
    auto index = unpacked(n, reshaped(n, n.input(1), {bytes, 1}), 4);
    index = reshaped(n, n.add(make_op("reverse", {{"axes", dims{1}}}), {index}), {2 * bytes});
    const auto t = n.shape_of(0).type();
    const auto* table = quant == 0 ? fp4_values : nf4_values;
    const auto values =
        n.literal(migraphx::literal{shape{t, {16}}, std::vector<float>(table, table + 16)});
    const auto w = first_of(n, n.add(make_op("gather", {{"axis", 0}}), {values, index}), 0, total);
    const auto scale =
        over_columns(n, n.convert(reshaped(n, n.input(2), {1, blocks}), t), size, total, {});
    const auto b = reshaped(n, n.add("mul", w, reshaped(n, scale, {total})), {rows, depth});
    return {n.expand("dot", {n.input(0), n.integer("transB", 1) != 0 ? transposed(n, b) : b})};
}

// A scale has one number along axes other than that of the blocks where it is the same for all of
// them.
instruction_ref stretched(node_reader& n, instruction_ref scale, instruction_ref x,
                          std::size_t axis) {
    auto lens = x->get_shape().lens();
    const auto& own = scale->get_shape().lens();
    if (own.size() != lens.size())
        return scale;
    lens[axis] = own[axis];
    return lens == own ? scale : n.add(make_op("multibroadcast", {{"out_lens", lens}}), {scale});
}

// Rows of a table in blocks along another axis, or along the same, dequantised.
instructions read_gather_block_quantized(node_reader& n) {
    n.expect_inputs(3, 4);
    for (std::size_t i : {0, 2})
        if (n.shape_of(i).dynamic())
            n.unsupported(
                str("data and scales of static shape were expected, got ", n.shape_of(i)));
    auto data = n.input(0), scale = n.input(2);
    const auto rank = data->get_shape().ndim();
    if (scale->get_shape().ndim() != rank or (n.has(3) and n.rank_of(3) != rank))
        n.malformed(str("scales and zero points of ", rank, " dimensions were expected, got ",
                        scale->get_shape()));
    const auto from = n.axis(n.integer("gather_axis", 0), rank),
               blocked = n.axis(n.integer("quantize_axis", 1), rank);
    const auto bits = n.integer("bits", 4), size = n.integer("block_size", 128);
    if (size != 0 and not is_block(size))
        n.malformed(str("block_size as a power of 2 of at least 16 was expected, got ", size));
    std::optional<instruction_ref> zero;
    if (n.has(3))
        zero = n.input(3);
    if (data->get_shape().type() == shape::uint8_type) {
        if (bits != 2 and bits != 4 and bits != 8)
            n.unsupported(str("bits of 2, 4 or 8 were expected, got ", bits));
        data = unpacked(n, data, bits);
        if (zero)
            zero = first_of(n, unpacked(n, *zero, bits), int64_t(rank) - 1,
                            int64_t(scale->get_shape().lens().back()));
        else
            zero = n.scalar(shape::uint8_type, double(1 << (bits - 1)));
    }
    const auto rows = [&](instruction_ref x) {
        return n.add(make_op("gather", {{"axis", from}}), {x, n.input(1)});
    };
    const auto wide = [&](instruction_ref x, std::size_t axis) {
        instructions in{x, stretched(n, scale, x, axis)};
        if (zero)
            in.push_back(*zero);
        return n.expand("dequantizelinear", in, {{"axis", axis}, {"block_size", size}});
    };
    if (from == blocked)
        return {rows(wide(data, blocked))};
    const bool one_for_all =
        scale->get_shape().lens()[from] == 1 and data->get_shape().lens()[from] != 1;
    if (one_for_all)
        scale = stretched(n, scale, data, blocked);
    const auto x = rows(data);
    scale = rows(scale);
    if (zero and (*zero)->get_shape().elements() != 1)
        zero = rows(*zero);
    return {wide(x, blocked < from ? blocked : blocked + x->get_shape().ndim() - rank)};
}

const operators nbits_operators{
    {"MatMulNBits", read_matmul_nbits, "com.microsoft"},
    {"MatMulBnb4", read_matmul_bnb4, "com.microsoft"},
    {"GatherBlockQuantized", read_gather_block_quantized, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
