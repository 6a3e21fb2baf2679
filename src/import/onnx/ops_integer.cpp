// SPDX-License-Identifier: MIT
// Products and convolutions of 8-bit integers: exact int32 sums, then a factor, a bias or the way
// back to eight bits. The factor is that of all scales, applied once.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_attention.hpp"
#include "import/onnx/ops_shared.hpp"

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

instruction_ref input_or_none(node_reader& n, std::size_t i) {
    return n.has(i) ? n.input(i) : n.add(make_op("undefined"), {});
}

bool is_byte(const shape& s) {
    return s.type() == shape::int8_type or s.type() == shape::uint8_type;
}

bool is_one(const shape& s) {
    return not s.dynamic() and s.elements() == 1;
}

// A parameter of one dimension has one number for each row: (M) → (M, 1).
instruction_ref for_rows(node_reader& n, instruction_ref v) {
    const auto& s = v->get_shape();
    return s.ndim() == 1 and not is_one(s) ? n.add(make_op("unsqueeze", {{"axes", ints{1}}}), {v})
                                           : v;
}

instruction_ref as_float(node_reader& n, instruction_ref v) {
    return n.convert(v, shape::float_type);
}

// sums * factor rounded to the integers around `zero`, whose type the result has.
instruction_ref requantised(node_reader& n, instruction_ref sums, instruction_ref factor,
                            instruction_ref zero) {
    const auto y = n.add_common("mul", {as_float(n, sums), factor});
    return n.add("quantizelinear", y, n.broadcast_like(n.scalar(shape::float_type, 1), y),
                 n.broadcast_like(zero, y));
}

// Inputs: the operand at `a`, its scale, its zero point; those of the other from `b` on.
instruction_ref factor_of(node_reader& n, std::size_t a_scale, std::size_t b_scale) {
    return n.add_common(
        "mul", {for_rows(n, as_float(n, n.input(a_scale))), as_float(n, n.input(b_scale))});
}

instructions read_matmul_integer(node_reader& n) {
    n.expect_inputs(2, 4);
    return {product_of(n, "quant_dot",
                       {n.input(0), n.input(1), input_or_none(n, 2), input_or_none(n, 3)})};
}

// MatMulInteger, then scales and a bias: a_scale * b_scale * product + bias.
instructions read_matmul_integer_to_float(node_reader& n) {
    n.expect_inputs(4, 7);
    const auto sums = product_of(
        n, "quant_dot", {n.input(0), n.input(1), input_or_none(n, 4), input_or_none(n, 5)});
    auto y = n.add_common("mul", {as_float(n, sums), factor_of(n, 2, 3)});
    if (n.has(6))
        y = n.add_common("add", {y, as_float(n, n.input(6))});
    return {n.convert(y, n.shape_of(2).type())};
}

// The same with A quantised by its own range: A, B, the scale of B, its zero point, a bias.
instructions read_dynamic_quantize_matmul(node_reader& n) {
    n.expect_inputs(3, 5);
    const auto a = dynamically_quantised(n, n.input(0));
    const auto sums = product_of(n, "quant_dot", {a[0], n.input(1), a[2], input_or_none(n, 3)});
    auto y = n.add_common("mul", {as_float(n, sums), n.add_common("mul", {a[1], n.input(2)})});
    if (n.has(4))
        y = n.add_common("add", {y, n.input(4)});
    return {y};
}

// Products of other types than 8-bit integers: dequantised, multiplied, quantised.
instructions product_of_numbers(node_reader& n) {
    const auto operand = [&](std::size_t i, bool rows) {
        const auto wide = [&](std::size_t at) { return as_float(n, n.input(at)); };
        const auto place = [&](instruction_ref v) { return rows ? for_rows(n, v) : v; };
        const auto centred = n.add_common("sub", {wide(i), place(wide(i + 2))});
        return n.add_common("mul", {centred, place(wide(i + 1))});
    };
    const auto y = product_of(n, "dot", {operand(0, true), operand(3, false)});
    const auto scale = for_rows(n, as_float(n, n.input(6)));
    return {n.add("quantizelinear", y, n.broadcast_like(scale, y),
                  n.broadcast_like(for_rows(n, n.input(7)), y))};
}

instructions read_qlinear_matmul(node_reader& n) {
    n.expect_inputs(8, 8);
    if (not is_byte(n.shape_of(0)) or not is_byte(n.shape_of(3)))
        return product_of_numbers(n);
    const auto sums = product_of(n, "quant_dot", {n.input(0), n.input(3), n.input(2), n.input(5)});
    const auto factor =
        n.add_common("div", {factor_of(n, 1, 4), for_rows(n, as_float(n, n.input(6)))});
    return {requantised(n, sums, factor, for_rows(n, n.input(7)))};
}

// alpha * a_scale * b_scale * (A' * B' + C), quantised where there is a scale for that.
instructions read_qgemm(node_reader& n) {
    n.expect_inputs(6, 9);
    const auto matrix = [&](std::size_t i, const char* flag) {
        if (n.rank_of(i) != 2)
            n.malformed(str("matrices were expected, got ", n.shape_of(i)));
        return n.integer(flag, 0) == 0
                   ? n.input(i)
                   : n.add(make_op("transpose", {{"permutation", {1, 0}}}), {n.input(i)});
    };
    auto sums =
        n.expand("quant_dot", {matrix(0, "transA"), matrix(3, "transB"), n.input(2), n.input(5)});
    if (n.has(6))
        sums = n.add_common("add", {sums, n.input(6)});
    auto factor = n.with_number("mul", factor_of(n, 1, 4), double(n.real("alpha", 1)));
    if (not n.has(7))
        return {n.add_common("mul", {as_float(n, sums), factor})};
    factor = n.add_common("div", {factor, n.input(7)});
    const auto zero = n.has(8) ? n.input(8) : n.scalar(n.shape_of(0).type(), 0);
    return {requantised(n, sums, factor, zero)};
}

instructions read_qlinear_conv(node_reader& n) {
    n.expect_inputs(8, 9);
    const bool last = n.integer("channels_last", 0) != 0;
    const auto rank = int64_t(n.rank_of(0));
    if (rank < 3)
        n.malformed(str("data of at least three dimensions was expected, got ", n.shape_of(0)));
    const auto x = last ? channels_first(n, n.input(0)) : n.input(0);
    auto sums = n.expand("quant_convolution", {x, n.input(3), n.input(2), n.input(5)},
                         convolution_options(n));
    // The bias is in units of both scales.
    if (n.has(8))
        sums = n.add("add", sums, n.stretch_along(n.input(8), 1, sums));
    auto factor = n.add_common("div", {n.add_common("mul", {n.input(1), n.input(4)}), n.input(6)});
    if (not is_one(factor->get_shape()))
        factor = n.stretch_along(factor, 1, sums);
    const auto y = requantised(n, sums, factor, n.input(7));
    return {last ? channels_last(n, y) : y};
}

// x (B, S, I), weights (I, 3 * hidden), bias, their scales[, mask][, zero points][, past]
instructions read_qattention(node_reader& n) {
    n.expect_inputs(5, 9);
    const auto sums =
        n.expand("quant_dot", {n.input(0), n.input(1), input_or_none(n, 6), input_or_none(n, 7)});
    const auto scaled = n.add_common("mul", {as_float(n, sums), factor_of(n, 3, 4)});
    const auto packed = n.add_common("add", {n.convert(scaled, n.shape_of(2).type()), n.input(2)});
    return attention_of_packed(n, packed, {.mask = 5, .past = 8});
}

const operators integer_operators{
    {"MatMulInteger", read_matmul_integer},
    {"QLinearMatMul", read_qlinear_matmul},
    {"QLinearConv", read_qlinear_conv},
    {"QLinearConv", read_qlinear_conv, "com.microsoft"},
    {"MatMulIntegerToFloat", read_matmul_integer_to_float, "com.microsoft"},
    {"DynamicQuantizeMatMul", read_dynamic_quantize_matmul, "com.microsoft"},
    {"QGemm", read_qgemm, "com.microsoft"},
    {"QAttention", read_qattention, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
