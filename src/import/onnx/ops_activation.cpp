// SPDX-License-Identifier: MIT
// Activations, most of them as formulas of elementwise operators.
#include <migraphx/make_op.hpp>

#include "import/onnx/importer.hpp"

#include <limits>

namespace migraphx::onnx {

namespace {

instruction_ref clip_between(node_reader& n, instruction_ref x, double low, double high) {
    const auto t = x->get_shape().type();
    return n.add("clip", x, n.broadcast_like(n.scalar(t, low), x),
                 n.broadcast_like(n.scalar(t, high), x));
}

instructions read_relu(node_reader& n) {
    n.expect_inputs(1, 1);
    return {n.add("relu", n.input(0))};
}

instructions read_sigmoid(node_reader& n) {
    n.expect_inputs(1, 1);
    return {n.add("sigmoid", n.input(0))};
}

instructions read_tanh(node_reader& n) {
    n.expect_inputs(1, 1);
    return {n.add("tanh", n.input(0))};
}

instructions read_elu(node_reader& n) {
    n.expect_inputs(1, 1);
    return {n.add(make_op("elu", {{"alpha", n.real("alpha", 1)}}), {n.input(0)})};
}

instructions read_leaky_relu(node_reader& n) {
    n.expect_inputs(1, 1);
    return {n.add(make_op("leaky_relu", {{"alpha", n.real("alpha", 0.01f)}}), {n.input(0)})};
}

instructions read_clip(node_reader& n) {
    n.expect_inputs(1, 3);
    if (n.opset() >= 11) {
        auto in = n.inputs();
        return {n.expand("clip", in)};
    }
    // Bounds as attributes; the opsets' defaults do not bound.
    const auto bound = [&](const char* name) -> std::optional<double> {
        if (not n.has_attribute(name))
            return std::nullopt;
        const auto v = n.real(name, 0);
        if (v <= std::numeric_limits<float>::lowest() or v >= std::numeric_limits<float>::max())
            return std::nullopt;
        return double(v);
    };
    const auto low = bound("min"), high = bound("max");
    const auto x = n.input(0);
    if (low and high)
        return {clip_between(n, x, *low, *high)};
    if (low)
        return {n.with_number("max", x, *low)};
    if (high)
        return {n.with_number("min", x, *high)};
    return {x};
}

instructions read_celu(node_reader& n) {
    n.expect_inputs(1, 1);
    return {n.expand("celu", {n.input(0)}, {{"alpha", n.real("alpha", 1)}})};
}

// scale * (x above 0, alpha * (exp(x) - 1) below)
instructions read_selu(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto alpha = n.real("alpha", 1.67326319217681884765625f);
    const auto gamma = n.real("gamma", 1.05070102214813232421875f);
    const auto inner = n.add(make_op("elu", {{"alpha", alpha}}), {n.input(0)});
    return {n.with_number("mul", inner, double(gamma))};
}

// log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), which does not overflow.
instruction_ref softplus(node_reader& n, instruction_ref x) {
    const auto small = n.add("exp", n.add("neg", n.add("abs", x)));
    return n.add("add", n.add("relu", x), n.add("log", n.with_number("add", small, 1)));
}

instructions read_softplus(node_reader& n) {
    n.expect_inputs(1, 1);
    return {softplus(n, n.input(0))};
}

// x * tanh(softplus(x))
instructions read_mish(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto x = n.input(0);
    return {n.add("mul", x, n.add("tanh", softplus(n, x)))};
}

// x * sigmoid(alpha * x)
instructions read_swish(node_reader& n) {
    n.expect_inputs(1, 1);
    return {n.expand("gelu_quick", {n.input(0)}, {{"alpha", n.real("alpha", 1)}})};
}

// swish(a) * b
instructions read_swiglu(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto &a = n.shape_of(0), &b = n.shape_of(1);
    if (a.type() != b.type() or a.ndim() != b.ndim() or
        (not a.dynamic() and not b.dynamic() and a.lens() != b.lens()))
        n.malformed(str("two tensors of one shape were expected, got ", a, " and ", b));
    return {
        n.add_common("mul", {n.expand("gelu_quick", {n.input(0)}, {{"alpha", n.real("alpha", 1)}}),
                             n.input(1)})};
}

instructions read_softsign(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto x = n.input(0);
    return {n.add("div", x, n.with_number("add", n.add("abs", x), 1))};
}

// x above alpha, else 0.
instructions read_thresholded_relu(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto x = n.input(0);
    const auto above =
        n.convert(n.with_number("greater", x, double(n.real("alpha", 1))), shape::bool_type);
    const auto zero = n.broadcast_like(n.scalar(x->get_shape().type(), 0), x);
    return {n.add("where", above, x, zero)};
}

// x + bias below -lambd, x - bias above lambd, else 0.
instructions read_shrink(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto x = n.input(0);
    const double bias = double(n.real("bias", 0)), lambd = double(n.real("lambd", 0.5f));
    const auto t = x->get_shape().type();
    const auto wide = shape::is_integral(t) ? n.convert(x, shape::float_type) : x;
    const auto zero = n.broadcast_like(n.scalar(wide->get_shape().type(), 0), wide);
    const auto below = n.convert(n.with_number("less", wide, -lambd), shape::bool_type);
    const auto above = n.convert(n.with_number("greater", wide, lambd), shape::bool_type);
    const auto upper = n.add("where", above, n.with_number("sub", wide, bias), zero);
    return {n.convert(n.add("where", below, n.with_number("add", wide, bias), upper), t)};
}

instruction_ref hard_sigmoid(node_reader& n, instruction_ref x, double alpha, double beta) {
    return clip_between(n, n.with_number("add", n.with_number("mul", x, alpha), beta), 0, 1);
}

instructions read_hard_sigmoid(node_reader& n) {
    n.expect_inputs(1, 1);
    return {
        hard_sigmoid(n, n.input(0), double(n.real("alpha", 0.2f)), double(n.real("beta", 0.5f)))};
}

instructions read_hard_swish(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto x = n.input(0);
    return {n.add("mul", x, hard_sigmoid(n, x, 1.0 / 6.0, 0.5))};
}

instructions read_gelu(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto approximate = n.text("approximate", "none");
    if (approximate == "tanh")
        return {n.expand("gelu_tanh", {n.input(0)})};
    if (approximate != "none")
        n.malformed("approximate: none or tanh was expected, got '" + approximate + "'");
    return {n.expand("gelu_erf", {n.input(0)})};
}

instructions read_microsoft_gelu(node_reader& n) {
    n.expect_inputs(1, 1);
    return {n.expand("gelu_erf", {n.input(0)})};
}

instructions read_bias_gelu(node_reader& n) {
    n.expect_inputs(1, 2);
    const auto x = n.has(1) ? n.add_common("add", {n.input(0), n.input(1)}) : n.input(0);
    const bool tanh = n.op_type() == "FastGelu";
    return {n.expand(tanh ? "gelu_tanh" : "gelu_erf", {x})};
}

instructions read_quick_gelu(node_reader& n) {
    n.expect_inputs(1, 1);
    return {n.expand("gelu_quick", {n.input(0)}, {{"alpha", n.real("alpha", 1.702f)}})};
}

instructions read_bias_split_gelu(node_reader& n) {
    n.expect_inputs(2, 2);
    return {n.expand("gelu_split", {n.add_common("add", {n.input(0), n.input(1)})})};
}

instructions read_bias_add(node_reader& n) {
    n.expect_inputs(3, 3);
    const auto sum = n.add_common("add", {n.input(0), n.input(1)});
    return {n.add_common("add", {sum, n.input(2)})};
}

const operators activation_operators{{"Relu", read_relu},
                                     {"Sigmoid", read_sigmoid},
                                     {"Tanh", read_tanh},
                                     {"Elu", read_elu},
                                     {"LeakyRelu", read_leaky_relu},
                                     {"Clip", read_clip},
                                     {"Celu", read_celu},
                                     {"Selu", read_selu},
                                     {"Softplus", read_softplus},
                                     {"Mish", read_mish},
                                     {"Swish", read_swish},
                                     {"SwiGLU", read_swiglu},
                                     {"Softsign", read_softsign},
                                     {"ThresholdedRelu", read_thresholded_relu},
                                     {"Shrink", read_shrink},
                                     {"HardSigmoid", read_hard_sigmoid},
                                     {"HardSwish", read_hard_swish},
                                     {"Gelu", read_gelu},
                                     {"Gelu", read_microsoft_gelu, "com.microsoft"},
                                     {"BiasGelu", read_bias_gelu, "com.microsoft"},
                                     {"FastGelu", read_bias_gelu, "com.microsoft"},
                                     {"QuickGelu", read_quick_gelu, "com.microsoft"},
                                     {"BiasSplitGelu", read_bias_split_gelu, "com.microsoft"},
                                     {"BiasAdd", read_bias_add, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
