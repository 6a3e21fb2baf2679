// SPDX-License-Identifier: MIT
// Quantised operators: those of ONNX and, as dequantise → compute → quantise, the QLinear ones.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"
#include "import/onnx/tensor_argument.hpp"

#include <numeric>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

void expect_byte(node_reader& n, std::size_t i) {
    const auto t = n.shape_of(i).type();
    if (t != shape::int8_type and t != shape::uint8_type)
        n.malformed(str("int8 or uint8 was expected for input ", i, ", got ", shape::name(t)));
}

instructions read_quantize(node_reader& n) {
    n.expect_inputs(2, 3);
    value o = value::object{};
    o["axis"] = n.rank_of(0) > 1 ? n.integer("axis", 1) : 0;
    o["block_size"] = n.integer("block_size", 0);
    if (const auto dtype = n.integer("output_dtype", 0); dtype != 0) {
        const auto t = to_shape_type(element_type(dtype));
        if (not t or element_type(dtype) == element_type::int4 or element_type(dtype) == element_type::uint4 or
            *t == shape::fp4x2_type)
            n.unsupported("output_dtype: a type of at least 8 bits was expected, got " + type_name(element_type(dtype)));
        if (n.has(2) and n.shape_of(2).type() != *t)
            n.malformed(str("a zero point of output_dtype was expected, got ", n.shape_of(2)));
        o["output_type"] = *t;
    }
    return {n.expand("quantizelinear", n.inputs(), o)};
}

instructions read_dequantize(node_reader& n) {
    n.expect_inputs(2, 3);
    const auto axis = n.rank_of(0) > 1 ? n.integer("axis", 1) : 0;
    auto y = n.expand("dequantizelinear", n.inputs(), {{"axis", axis}, {"block_size", n.integer("block_size", 0)}});
    if (const auto dtype = n.integer("output_dtype", 0); dtype != 0)
        if (const auto t = to_shape_type(element_type(dtype)); t and shape::is_computable(*t))
            y = n.convert(y, *t);
    return {y};
}

// Scale and zero point from the range of x and 0: scale = (max - min) / 255, zero = round(-min / scale).
instructions read_dynamic_quantize(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto x = n.input(0);
    ints axes(n.rank_of(0));
    std::iota(axes.begin(), axes.end(), 0);
    const auto bound = [&](const char* reduce, const char* with_zero) {
        const auto all = n.add(make_op(reduce, {{"axes", axes}}), {x});
        return n.with_number(with_zero, n.add(make_op("squeeze", {{"axes", axes}}), {all}), 0);
    };
    const auto low = bound("reduce_min", "min"), high = bound("reduce_max", "max");
    const auto range = n.with_number("div", n.add("sub", high, low), 255);
    const auto t = x->get_shape().type();
    const auto is_zero = n.convert(n.with_number("equal", range, 0), shape::bool_type);
    const auto scale = n.add("where", is_zero, n.scalar(t, 1), range);
    const auto zero = n.add("nearbyint", n.add("div", n.add("neg", low), scale));
    const auto zero_point = n.convert(zero, shape::uint8_type);
    const auto y = n.expand("quantizelinear", {x, scale, zero_point});
    return {y, scale, zero_point};
}

// Input `i` with its scale and zero point behind it.
instruction_ref dequantised(node_reader& n, std::size_t i, int64_t axis = 1) {
    instructions in{n.input(i), n.input(i + 1)};
    if (n.has(i + 2))
        in.push_back(n.input(i + 2));
    if (in[0]->get_shape().ndim() <= 1)
        axis = 0;
    return n.expand("dequantizelinear", in, {{"axis", axis}});
}

// y in the form of the scale at input `i` and the zero point behind it.
instruction_ref quantised(node_reader& n, instruction_ref y, std::size_t i, shape::type_t t) {
    instructions in{y, n.input(i)};
    value o = value::object{};
    if (n.has(i + 1))
        in.push_back(n.input(i + 1));
    else
        o["output_type"] = t;
    return n.expand("quantizelinear", in, o);
}

instructions read_qlinear_conv(node_reader& n) {
    n.expect_inputs(8, 9);
    expect_byte(n, 0);
    expect_byte(n, 3);
    if (n.integer("channels_last", 0) != 0)
        n.unsupported("channels_last of 0 was expected, got 1");
    instructions in{dequantised(n, 0), dequantised(n, 3, 0)};
    if (n.has(8)) {
        // int32 in units of both scales.
        const auto scale = n.add_common("mul", {n.input(1), n.input(4)});
        const auto bias = n.convert(n.input(8), scale->get_shape().type());
        in.push_back(n.add_common("mul", {bias, scale}));
    }
    const auto y = n.expand("convolution", in, convolution_options(n));
    return {quantised(n, y, 6, n.shape_of(0).type())};
}

instructions read_qlinear_matmul(node_reader& n) {
    n.expect_inputs(8, 8);
    expect_byte(n, 0);
    expect_byte(n, 3);
    // One scale for each row of A; for each column of B.
    auto a = dequantised(n, 0, int64_t(n.rank_of(0)) - 2), b = dequantised(n, 3, int64_t(n.rank_of(3)) - 1);
    const bool row = n.rank_of(0) == 1, column = n.rank_of(3) == 1;
    if (row)
        a = n.add(make_op("unsqueeze", {{"axes", {0}}}), {a});
    if (column)
        b = n.add(make_op("unsqueeze", {{"axes", {1}}}), {b});
    auto y = n.expand("dot", {a, b});
    if (column)
        y = n.add(make_op("squeeze", {{"axes", ints{-1}}}), {y});
    if (row)
        y = n.add(make_op("squeeze", {{"axes", ints{column ? -1 : -2}}}), {y});
    return {quantised(n, y, 6, n.shape_of(0).type())};
}

instructions read_qlinear_binary(node_reader& n) {
    n.expect_inputs(7, 8);
    expect_byte(n, 0);
    expect_byte(n, 3);
    const char* op = n.op_type() == "QLinearAdd" ? "add" : "mul";
    const auto y = n.add_common(op, {dequantised(n, 0), dequantised(n, 3)});
    return {quantised(n, y, 6, n.shape_of(0).type())};
}

instructions read_qlinear_unary(node_reader& n) {
    n.expect_inputs(4, 5);
    expect_byte(n, 0);
    const auto x = dequantised(n, 0);
    const auto y = n.op_type() == "QLinearSigmoid"
                       ? n.add("sigmoid", x)
                       : n.add(make_op("leaky_relu", {{"alpha", n.real("alpha", 0.01f)}}), {x});
    return {quantised(n, y, 3, n.shape_of(0).type())};
}

instructions read_qlinear_pool(node_reader& n) {
    n.expect_inputs(4, 5);
    expect_byte(n, 0);
    if (n.integer("channels_last", 0) != 0)
        n.unsupported("channels_last of 0 was expected, got 1");
    const auto x = dequantised(n, 0);
    const auto y = n.op_type() == "QLinearAveragePool" ? pooling_of(n, x) : global_pooling_of(n, x);
    return {quantised(n, y, 3, n.shape_of(0).type())};
}

// Scale and zero point of the result, then data, scale and zero point of each part.
instructions read_qlinear_concat(node_reader& n) {
    if (n.input_count() < 5 or (n.input_count() - 2) % 3 != 0)
        n.malformed(str("2 + 3 * n inputs were expected, got ", n.input_count()));
    instructions parts;
    for (std::size_t i = 2; i < n.input_count(); i += 3)
        parts.push_back(dequantised(n, i));
    const auto y = n.add(make_op("concat", {{"axis", n.integer("axis")}}), parts);
    return {quantised(n, y, 0, n.shape_of(2).type())};
}

const operators quant_operators{
    {"QuantizeLinear", read_quantize},
    {"DequantizeLinear", read_dequantize},
    {"QuantizeLinear", read_quantize, "com.microsoft"},
    {"DequantizeLinear", read_dequantize, "com.microsoft"},
    {"DynamicQuantizeLinear", read_dynamic_quantize},
    {"QLinearConv", read_qlinear_conv},
    {"QLinearMatMul", read_qlinear_matmul},
    {"QLinearConv", read_qlinear_conv, "com.microsoft"},
    {"QLinearAdd", read_qlinear_binary, "com.microsoft"},
    {"QLinearMul", read_qlinear_binary, "com.microsoft"},
    {"QLinearSigmoid", read_qlinear_unary, "com.microsoft"},
    {"QLinearLeakyRelu", read_qlinear_unary, "com.microsoft"},
    {"QLinearAveragePool", read_qlinear_pool, "com.microsoft"},
    {"QLinearGlobalAveragePool", read_qlinear_pool, "com.microsoft"},
    {"QLinearConcat", read_qlinear_concat, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
