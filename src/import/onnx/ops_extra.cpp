// SPDX-License-Identifier: MIT
// Products with weights of four or eight bits, and small operators from outside of ONNX.
#include <migraphx/common.hpp>
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"

#include <cmath>

namespace migraphx::onnx {

namespace {

using extra_ints = std::vector<int64_t>;

bool is_block(int64_t v) {
    return v >= 16 and (v & (v - 1)) == 0;
}

instruction_ref reshaped(node_reader& n, instruction_ref x, const extra_ints& dims) {
    return n.add(make_op("reshape", {{"dims", dims}}), {x});
}

// One number for each block, repeated over it: (N, blocks) → (N, blocks, size).
instruction_ref over_blocks(node_reader& n, instruction_ref v, int64_t size) {
    const auto lens = v->get_shape().lens();
    const auto y = n.add(make_op("unsqueeze", {{"axes", extra_ints{2}}}), {v});
    return n.add(make_op("multibroadcast",
                         {{"out_lens", extra_ints{int64_t(lens[0]), int64_t(lens[1]), size}}}),
                 {y});
}

// A times the transpose of B (N, K), whose rows hold blocks with a scale and a zero point each.
instructions read_matmul_nbits(node_reader& n) {
    n.expect_inputs(3, 6);
    const auto rows = n.integer("N"), depth = n.integer("K"), bits = n.integer("bits", 4),
               size = n.integer("block_size");
    if (bits != 4 and bits != 8)
        n.unsupported(str("bits of 4 or 8 were expected, got ", bits));
    if (not is_block(size))
        n.malformed(str("block_size as a power of 2 of at least 16 was expected, got ", size));
    if (rows < 1 or depth < 1)
        n.malformed(str("N and K above 0 were expected, got ", rows, " and ", depth));
    if (n.has(4))
        n.unsupported("no g_idx was expected, got one");
    const auto blocks = (depth + size - 1) / size, bytes = size * bits / 8;
    if (n.shape_of(1).dynamic() or int64_t(n.shape_of(1).elements()) != rows * blocks * bytes)
        n.malformed(str("B of ", rows, " rows with ", blocks, " blocks of ", bytes,
                        " bytes was expected, got ", n.shape_of(1)));
    auto b = reshaped(n, n.input(1), {rows, blocks, bytes});
    if (bits == 4)
        b = n.add(make_op("unpack_int4", {{"axis", 2}}), {b});
    const auto t = n.shape_of(0).type();
    const auto scale = over_blocks(n, n.convert(reshaped(n, n.input(2), {rows, blocks}), t), size);
    instruction_ref zero;
    bool whole_numbers = true;
    if (not n.has(3))
        zero = n.add(make_op("multibroadcast", {{"out_lens", extra_ints{rows, blocks, size}}}),
                     {n.scalar(shape::uint8_type, bits == 4 ? 8 : 128)});
    else if (n.shape_of(3).type() == shape::uint8_type) {
        const auto packed = bits == 4 ? (blocks + 1) / 2 : blocks;
        auto z = reshaped(n, n.input(3), {rows, packed});
        if (bits == 4)
            z = n.add(make_op("unpack_int4", {{"axis", 1}}), {z});
        if (int64_t(z->get_shape().lens()[1]) != blocks)
            z = n.add(make_op("slice", {{"axes", extra_ints{1}},
                                        {"starts", extra_ints{0}},
                                        {"ends", extra_ints{blocks}}}),
                      {z});
        zero = over_blocks(n, z, size);
    } else {
        whole_numbers = false;
        zero = over_blocks(n, n.convert(reshaped(n, n.input(3), {rows, blocks}), t), size);
    }
    auto w = whole_numbers ? n.add("dequantizelinear", b, scale, zero)
                           : n.add("mul", n.add("sub", n.convert(b, t), zero), scale);
    w = reshaped(n, w, {rows, blocks * size});
    if (blocks * size != depth)
        w = n.add(make_op("slice", {{"axes", extra_ints{1}},
                                    {"starts", extra_ints{0}},
                                    {"ends", extra_ints{depth}}}),
                  {w});
    w = n.add(make_op("transpose", {{"permutation", extra_ints{1, 0}}}), {w});
    auto y = n.expand("dot", {n.input(0), w});
    if (n.has(5))
        y = n.add_common("add", {y, n.input(5)});
    return {y};
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

// A times the transpose of B (N, K) of numbers from a table, the first of two in the high bits,
// with a scale for each block of the flat matrix.
instructions read_matmul_bnb4(node_reader& n) {
    n.expect_inputs(3, 3);
    const auto rows = n.integer("N"), depth = n.integer("K"), size = n.integer("block_size"),
               quant = n.integer("quant_type");
    if (quant != 0 and quant != 1)
        n.malformed(str("quant_type of 0 or 1 was expected, got ", quant));
    if (not is_block(size))
        n.malformed(str("block_size as a power of 2 of at least 16 was expected, got ", size));
    int64_t total = 0;
    if (rows < 1 or depth < 1 or __builtin_mul_overflow(rows, depth, &total))
        n.malformed(str("N and K above 0 were expected, got ", rows, " and ", depth));
    const auto blocks = (total + size - 1) / size, bytes = (total + 1) / 2;
    if (n.shape_of(1).dynamic() or int64_t(n.shape_of(1).elements()) != bytes or
        n.shape_of(2).dynamic() or int64_t(n.shape_of(2).elements()) != blocks)
        n.malformed(str("B of ", bytes, " bytes and ", blocks, " scales were expected, got ",
                        n.shape_of(1), " and ", n.shape_of(2)));
    auto index =
        n.add(make_op("unpack_int4", {{"axis", 1}}), {reshaped(n, n.input(1), {bytes, 1})});
    index = reshaped(n, n.add(make_op("reverse", {{"axes", extra_ints{1}}}), {index}), {2 * bytes});
    const auto t = n.shape_of(0).type();
    const auto* table = quant == 0 ? fp4_values : nf4_values;
    const auto values =
        n.literal(migraphx::literal{shape{t, {16}}, std::vector<float>(table, table + 16)});
    auto w = n.add(make_op("gather", {{"axis", 0}}), {values, index});
    const auto fit = [&](instruction_ref x, int64_t have) {
        return have == total ? x
                             : n.add(make_op("slice", {{"axes", extra_ints{0}},
                                                       {"starts", extra_ints{0}},
                                                       {"ends", extra_ints{total}}}),
                                     {x});
    };
    auto scale = over_blocks(n, n.convert(reshaped(n, n.input(2), {1, blocks}), t), size);
    scale = fit(reshaped(n, scale, {blocks * size}), blocks * size);
    w = reshaped(n, n.add("mul", fit(w, 2 * bytes), scale), {rows, depth});
    w = n.add(make_op("transpose", {{"permutation", extra_ints{1, 0}}}), {w});
    return {n.expand("dot", {n.input(0), w})};
}

// x * scale + bias, with a bias for each channel.
instructions read_image_scaler(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto x = n.input(0);
    const auto bias = n.reals("bias");
    const auto t = n.shape_of(0).type();
    const auto b = n.literal(migraphx::literal{shape{t, {bias.size()}}, bias});
    const auto scaled = n.with_number("mul", x, double(n.real("scale", 1)));
    return {n.add("add", scaled, n.stretch_along(b, 1, x))};
}

// ATen embedding_bag: rows of a table that indices pick, reduced to one.
instructions read_aten(node_reader& n) {
    if (n.text("operator", "") != "embedding_bag")
        n.unsupported("operator: embedding_bag was expected, got '" + n.text("operator", "") + "'");
    n.expect_inputs(2, 4);
    if (n.has(2) and (n.shape_of(2).dynamic() or n.shape_of(2).elements() != 1))
        n.unsupported(str("one offset was expected, got ", n.shape_of(2)));
    const auto mode = n.integer("mode", 0);
    if (mode < 0 or mode > 2)
        n.malformed(str("mode of 0 to 2 was expected, got ", mode));
    const char* reduce[] = {"reduce_sum", "reduce_mean", "reduce_max"};
    const auto rows = n.add(make_op("gather", {{"axis", 0}}), {n.input(0), n.input(1)});
    return {n.add(make_op(reduce[mode], {{"axes", extra_ints{0}}}), {rows})};
}

// Shifts as products and truncating quotients with 2^y in the type of x. A right shift of a
// negative x is that of ~x = -1 - x turned round again, so that it keeps the sign; beyond the bits
// nothing is left.
instructions read_bit_shift(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto direction = n.text("direction", "");
    if (direction != "LEFT" and direction != "RIGHT")
        n.malformed("direction: LEFT or RIGHT was expected, got '" + direction + "'");
    const auto t = n.shape_of(0).type();
    if (not shape::is_integral(t) or n.shape_of(1).type() != t)
        n.malformed(
            str("integers of one type were expected, got ", n.shape_of(0), " and ", n.shape_of(1)));
    const auto both = add_common_args(n.mod(), n.inputs());
    const auto x = both[0], y = both[1];
    const auto number = [&](double v) { return n.broadcast_like(n.scalar(t, v), x); };
    const auto test = [&](const char* op, instruction_ref a, instruction_ref b) {
        return n.convert(n.add(op, a, b), shape::bool_type);
    };
    const auto inverse = [&](instruction_ref v) { return n.add("sub", number(-1), v); };
    const auto last = number(double(8 * shape{t}.type_size() - 1));
    const bool is_signed = not shape::is_unsigned(t);
    auto gone = test("greater", y, last);
    if (is_signed)
        gone = n.add("logical_or", gone, test("less", y, number(0)));
    const auto power = n.add("pow", number(2), n.add("where", gone, number(0), y));
    const auto shifted = [&](const char* op, instruction_ref v) {
        return n.add("where", gone, number(0), n.add(op, v, power));
    };
    if (direction == "LEFT")
        return {shifted("mul", x)};
    if (not is_signed)
        return {shifted("div", x)};
    const auto negative = test("less", x, number(0));
    const auto result = shifted("div", n.add("where", negative, inverse(x), x));
    return {n.add("where", negative, inverse(result), result)};
}

const operators extra_operators{{"MatMulNBits", read_matmul_nbits, "com.microsoft"},
                                {"MatMulBnb4", read_matmul_bnb4, "com.microsoft"},
                                {"ImageScaler", read_image_scaler},
                                {"ATen", read_aten},
                                {"ATen", read_aten, "org.pytorch.aten"},
                                {"BitShift", read_bit_shift}};

} // namespace

} // namespace migraphx::onnx
