// SPDX-License-Identifier: MIT
// QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"
#include "import/onnx/tensor_argument.hpp"

#include <numeric>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

instructions read_quantize(node_reader& n) {
    n.expect_inputs(2, 3);
    value o = value::object{};
    o["axis"] = n.rank_of(0) > 1 ? n.integer("axis", 1) : 0;
    o["block_size"] = n.integer("block_size", 0);
    o["saturate"] = n.integer("saturate", 1) != 0;
    if (const auto precision = n.integer("precision", 0); precision != 0) {
        const auto t = to_shape_type(element_type(precision));
        if (not t or not shape::is_computable(*t) or shape::is_integral(*t))
            n.malformed("precision: a floating-point type was expected, got " +
                        type_name(element_type(precision)));
        o["precision"] = *t;
    }
    if (const auto dtype = n.integer("output_dtype", 0); dtype != 0) {
        const auto t = to_shape_type(element_type(dtype));
        if (not t)
            n.unsupported("output_dtype: a type of numbers was expected, got " +
                          type_name(element_type(dtype)));
        if (n.has(2) and n.shape_of(2).type() != *t)
            n.malformed(str("a zero point of output_dtype was expected, got ", n.shape_of(2)));
        o["output_type"] = *t;
    }
    return {n.expand("quantizelinear", n.inputs(), o)};
}

instructions read_dequantize(node_reader& n) {
    n.expect_inputs(2, 3);
    const auto axis = n.rank_of(0) > 1 ? n.integer("axis", 1) : 0;
    auto in = n.inputs();
    const auto scale = n.shape_of(1).type();
    auto t = shape::is_small(scale) ? shape::float_type : scale;
    if (const auto dtype = n.integer("output_dtype", 0); dtype != 0) {
        const auto given = to_shape_type(element_type(dtype));
        if (not given or not shape::is_computable(*given) or shape::is_integral(*given))
            n.malformed("output_dtype: a floating-point type was expected, got " +
                        type_name(element_type(dtype)));
        t = *given;
    }
    // The product is rounded once.
    if (scale != t)
        in[1] = n.convert(n.input(1), t == shape::double_type ? t : shape::float_type);
    return {n.convert(n.expand("dequantizelinear", in,
                               {{"axis", axis}, {"block_size", n.integer("block_size", 0)}}),
                      t)};
}

} // namespace

// Scale and zero point from the range of x and 0: scale = (max - min) / 255, zero = round(-min /
// scale).
instructions dynamically_quantised(node_reader& n, instruction_ref x) {
    ints axes(x->get_shape().ndim());
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

namespace {

instructions read_dynamic_quantize(node_reader& n) {
    n.expect_inputs(1, 1);
    return dynamically_quantised(n, n.input(0));
}

const operators quant_operators{{"QuantizeLinear", read_quantize},
                                {"DequantizeLinear", read_dequantize},
                                {"QuantizeLinear", read_quantize, "com.microsoft"},
                                {"DequantizeLinear", read_dequantize, "com.microsoft"},
                                {"DynamicQuantizeLinear", read_dynamic_quantize}};

} // namespace

} // namespace migraphx::onnx
