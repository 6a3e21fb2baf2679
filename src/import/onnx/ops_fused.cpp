// SPDX-License-Identifier: MIT
// com.microsoft: what ONNX Runtime's optimiser and quantiser leave in a saved model.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"

namespace migraphx::onnx {

namespace {

// The activation that was merged into the node, if any.
instruction_ref activated(node_reader& n, instruction_ref y) {
    const auto name = n.text("activation", "");
    const auto coefficients = n.reals("activation_params");
    const auto coefficient = [&](std::size_t i, float fallback) {
        return i < coefficients.size() ? coefficients[i] : fallback;
    };
    const auto clipped = [&](instruction_ref x, double low, double high) {
        const auto t = x->get_shape().type();
        const auto lo = n.broadcast_like(n.scalar(t, low), x);
        return n.add("clip", x, lo, n.broadcast_like(n.scalar(t, high), x));
    };
    if (name.empty())
        return y;
    if (name == "Relu")
        return n.add("relu", y);
    if (name == "Tanh")
        return n.add("tanh", y);
    if (name == "Sigmoid")
        return n.add("sigmoid", y);
    if (name == "LeakyRelu")
        return n.add(
            make_op("leaky_relu", {{"alpha", coefficient(0, n.real("activation_alpha", 0.01f))}}),
            {y});
    if (name == "Clip")
        return clipped(y, double(coefficient(0, 0)), double(coefficient(1, 0)));
    if (name == "HardSigmoid") {
        const auto scaled = n.with_number("mul", y, double(coefficient(0, 0.2f)));
        return clipped(n.with_number("add", scaled, double(coefficient(1, 0.5f))), 0, 1);
    }
    n.unsupported(
        "activation: Relu, Tanh, Sigmoid, LeakyRelu, Clip or HardSigmoid was expected, got '" +
        name + "'");
}

// x, w[, bias][, z]: activation(convolution + bias + z)
instructions read_fused_conv(node_reader& n) {
    n.expect_inputs(2, 4);
    instructions in{n.input(0), n.input(1)};
    if (n.has(2))
        in.push_back(n.input(2));
    auto y = n.expand("convolution", in, convolution_options(n));
    if (n.has(3))
        y = n.add_common("add", {y, n.input(3)});
    return {activated(n, y)};
}

instructions read_fused_gemm(node_reader& n) {
    n.expect_inputs(2, 3);
    const auto y = n.expand("gemm", n.inputs(),
                            {{"alpha", n.real("alpha", 1)},
                             {"beta", n.real("beta", 1)},
                             {"transA", n.integer("transA", 0) != 0},
                             {"transB", n.integer("transB", 0) != 0}});
    return {activated(n, y)};
}

// ids, segment ids, word table, position table[, segment table], scale, bias[, mask][, positions]
instructions read_embed_layer_norm(node_reader& n) {
    n.expect_inputs(7, 9);
    const auto ids = n.input(0);
    const auto row = make_op("gather", {{"axis", 0}});
    auto sum = n.add(row, {n.input(2), ids});
    instruction_ref positions;
    if (n.has(8))
        positions = n.convert(n.input(8), shape::int64_type);
    else
        positions = count_along(n, ids, 1);
    sum = n.add_common("add", {sum, n.add(row, {n.input(3), positions})});
    if (n.has(1) and n.has(4))
        sum = n.add("add", sum, n.add(row, {n.input(4), n.input(1)}));
    const auto last = sum->get_shape().ndim() - 1;
    const auto y =
        n.add(make_op("layer_norm", {{"axis", last}, {"epsilon", n.real("epsilon", 1e-12f)}}),
              {sum, n.input(5), n.input(6)});
    // Words of each sequence; 0 without a mask.
    const auto mask = n.has(7) ? n.convert(n.input(7), shape::int32_type)
                               : n.with_number("mul", n.convert(ids, shape::int32_type), 0);
    const auto counts = n.add(make_op("reduce_sum", {{"axes", {1}}}), {mask});
    return {y, n.add(make_op("squeeze", {{"axes", {1}}}), {counts}), sum};
}

const operators fused_operators{
    {"FusedConv", read_fused_conv, "com.microsoft"},
    {"FusedGemm", read_fused_gemm, "com.microsoft"},
    {"EmbedLayerNormalization", read_embed_layer_norm, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
