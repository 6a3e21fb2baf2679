// SPDX-License-Identifier: MIT
// QLinear operators of com.microsoft: dequantised, computed, quantised.
#include <migraphx/common.hpp>
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"

#include <numeric>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

// Input `i`, 8-bit integers, with the scale and the zero point behind it.
instruction_ref dequantised(node_reader& n, std::size_t i) {
    const auto t = n.shape_of(i).type();
    if (t != shape::int8_type and t != shape::uint8_type)
        n.malformed(str("int8 or uint8 was expected for input ", i, ", got ", shape::name(t)));
    instructions in{n.input(i), n.input(i + 1)};
    if (n.has(i + 2))
        in.push_back(n.input(i + 2));
    return n.expand("dequantizelinear", in, {{"axis", in[0]->get_shape().ndim() > 1 ? 1 : 0}});
}

// y in the form of the scale at input `i` and the zero point behind it; in type `t` without one.
instruction_ref quantised(node_reader& n, instruction_ref y, std::size_t i, shape::type_t t) {
    instructions in{y, n.input(i)};
    value o = {{"output_type", t}};
    if (n.has(i + 1)) {
        in.push_back(n.input(i + 1));
        o = value::object{};
    }
    return n.expand("quantizelinear", in, o);
}

instructions read_qlinear_binary(node_reader& n) {
    n.expect_inputs(7, 8);
    const char* op = n.op_type() == "QLinearAdd" ? "add" : "mul";
    const auto y = n.add_common(op, {dequantised(n, 0), dequantised(n, 3)});
    return {quantised(n, y, 6, n.shape_of(0).type())};
}

instructions read_qlinear_unary(node_reader& n) {
    n.expect_inputs(4, 5);
    const auto x = dequantised(n, 0);
    const auto y = n.op_type() == "QLinearSigmoid"
                       ? n.add("sigmoid", x)
                       : n.add(make_op("leaky_relu", {{"alpha", n.real("alpha", 0.01f)}}), {x});
    return {quantised(n, y, 3, n.shape_of(0).type())};
}

instructions read_qlinear_pool(node_reader& n) {
    n.expect_inputs(4, 5);
    const bool last = n.integer("channels_last", 0) != 0;
    auto x = dequantised(n, 0);
    if (last)
        x = channels_first(n, x);
    auto y = n.op_type() == "QLinearAveragePool" ? pooling_of(n, x) : global_pooling_of(n, x);
    if (last)
        y = channels_last(n, y);
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

// Before opset 13 the axes from `axis` on count as one.
instructions read_qlinear_softmax(node_reader& n) {
    n.expect_inputs(4, 5);
    const auto x = dequantised(n, 0);
    const auto rank = x->get_shape().ndim();
    const auto axis = n.axis(n.integer("axis", -1), rank);
    auto y = x;
    if (n.integer("opset", 13) >= 13 or axis + 1 == rank)
        y = n.add(make_op("softmax", {{"axis", axis}}), {x});
    else {
        const auto& s = x->get_shape();
        if (s.dynamic())
            n.unsupported(str("a static shape was expected, got ", s));
        const auto rows = std::accumulate(s.lens().begin(), s.lens().begin() + std::ptrdiff_t(axis),
                                          std::size_t{1}, std::multiplies<>{});
        const auto flat = n.add(
            make_op("reshape", {{"dims", {rows, s.elements() / std::max<std::size_t>(1, rows)}}}),
            {x});
        y = n.add(make_op("softmax", {{"axis", 1}}), {flat});
        y = n.add(make_op("reshape", {{"dims", s.lens()}}), {y});
    }
    return {quantised(n, y, 3, n.shape_of(0).type())};
}

// Condition, X with scale and zero point, Y with both, those of the result.
instructions read_qlinear_where(node_reader& n) {
    n.expect_inputs(9, 9);
    common_options keep_types;
    keep_types.common_type = false;
    const auto in =
        add_common_args(n.mod(), {n.input(0), dequantised(n, 1), dequantised(n, 4)}, keep_types);
    return {quantised(n, n.add("where", in[0], in[1], in[2]), 7, n.shape_of(1).type())};
}

const operators qlinear_operators{{"QLinearAdd", read_qlinear_binary, "com.microsoft"},
                                  {"QLinearMul", read_qlinear_binary, "com.microsoft"},
                                  {"QLinearSigmoid", read_qlinear_unary, "com.microsoft"},
                                  {"QLinearLeakyRelu", read_qlinear_unary, "com.microsoft"},
                                  {"QLinearAveragePool", read_qlinear_pool, "com.microsoft"},
                                  {"QLinearGlobalAveragePool", read_qlinear_pool, "com.microsoft"},
                                  {"QLinearConcat", read_qlinear_concat, "com.microsoft"},
                                  {"QLinearSoftmax", read_qlinear_softmax, "com.microsoft"},
                                  {"QLinearWhere", read_qlinear_where, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
