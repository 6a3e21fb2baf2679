// SPDX-License-Identifier: MIT
// Recipes of elementwise formulas: clip, celu, the forms of gelu, binary operators with
// broadcasting.
#include "ops/builder/site.hpp"

#include <cmath>

namespace migraphx::op::builder {

namespace {

bool is_float(shape::type_t t) {
    return not shape::is_integral(t) and t != shape::bool_type;
}

void expect_float(const site& s) {
    const auto t = s.operand(0)->get_shape().type();
    if (not is_float(t))
        s.malformed("floating point elements were expected, got " + shape::name(t));
}

// clip(x[, min][, max]): bounds that are absent do not bound.
instructions build_clip(site& s) {
    s.expect_operands(1, 3);
    const auto x = s.operand(0);
    const auto type = x->get_shape().type();
    const auto bound = [&](std::size_t i) { return s.stretch(s.convert(s.operand(i), type), x); };
    if (s.has(1) and s.has(2))
        return {s.add("clip", x, bound(1), bound(2))};
    if (s.has(1))
        return {s.add("max", x, bound(1))};
    if (s.has(2))
        return {s.add("min", x, bound(2))};
    return {s.add("identity", x)};
}

// celu(x) = max(0, x) + min(0, alpha * (exp(x / alpha) - 1)), which is alpha * elu(x / alpha).
instructions build_celu(site& s) {
    s.expect_operands(1, 1);
    const auto x = s.operand(0);
    const auto alpha = s.option<float>("alpha", 1);
    expect_float(s);
    if (alpha == 0)
        s.malformed("alpha other than 0 was expected, got 0");
    const auto scaled = s.with_number("mul", x, 1.0 / static_cast<double>(alpha));
    const auto below = s.with_number("mul", s.add(make_op("elu", {{"alpha", 1.0f}}), {scaled}),
                                     static_cast<double>(alpha));
    if (alpha > 0)
        return {below};
    // A negative alpha turns the branches round: take x where it is positive.
    const auto zero = s.stretch(s.scalar(x->get_shape().type(), 0), x);
    const auto tail = s.with_number("mul", s.with_number("sub", s.add("exp", scaled), 1),
                                    static_cast<double>(alpha));
    return {s.add("add", s.add("max", zero, x), s.add("min", zero, tail))};
}

// x * 0.5 * (1 + erf(x * sqrt(0.5)))
instruction_ref erf_gelu(site& s, instruction_ref x) {
    const auto half = s.with_number("mul", x, 0.5);
    const auto e = s.add("erf", s.with_number("mul", x, std::sqrt(0.5)));
    return s.add("mul", half, s.with_number("add", e, 1));
}

instructions build_gelu_erf(site& s) {
    s.expect_operands(1, 1);
    expect_float(s);
    return {erf_gelu(s, s.operand(0))};
}

// x * 0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))); fast: x * sigmoid of twice the
// argument.
instructions build_gelu_tanh(site& s) {
    s.expect_operands(1, 1);
    expect_float(s);
    const auto x = s.operand(0);
    const auto cube = s.add("mul", s.add("mul", x, x), x);
    const auto inner = s.add("add", x, s.with_number("mul", cube, 0.044715));
    const auto root = std::sqrt(2 / M_PI);
    if (s.option<bool>("fast", false))
        return {s.add("mul", x, s.add("sigmoid", s.with_number("mul", inner, 2 * root)))};
    const auto t = s.add("tanh", s.with_number("mul", inner, root));
    const auto half = s.with_number("mul", x, 0.5);
    return {s.add("mul", half, s.with_number("add", t, 1))};
}

// x * sigmoid(alpha * x)
instructions build_gelu_quick(site& s) {
    s.expect_operands(1, 1);
    expect_float(s);
    const auto x = s.operand(0);
    const auto alpha = s.option<float>("alpha", 1);
    const auto scaled = alpha == 1 ? x : s.with_number("mul", x, static_cast<double>(alpha));
    return {s.add("mul", x, s.add("sigmoid", scaled))};
}

// First half of the last dimension times gelu of the second.
instructions build_gelu_split(site& s) {
    s.expect_operands(1, 1);
    expect_float(s);
    const auto x = s.operand(0);
    const auto& shape_in = x->get_shape();
    const auto last = shape_in.max_lens().back();
    if (shape_in.min_lens().back() != last or last < 2 or last % 2 != 0)
        s.malformed(str("an even last dimension was expected, got ", shape_in));
    const auto axis = static_cast<int64_t>(shape_in.ndim()) - 1;
    const auto half = static_cast<int64_t>(last / 2);
    const auto part = [&](int64_t from) {
        return s.add(make_op("slice", {{"axes", std::vector<int64_t>{axis}},
                                       {"starts", std::vector<int64_t>{from}},
                                       {"ends", std::vector<int64_t>{from + half}}}),
                     {x});
    };
    const auto left = part(0);
    return {s.add("mul", left, erf_gelu(s, part(half)))};
}

// Operands broadcast to common dimensions. With `broadcasted_axis` the second one's dimensions lie
// along those of the first from that axis on.
instructions build_binary(site& s) {
    s.expect_operands(2, 2);
    auto a = s.operand(0), b = s.operand(1);
    const auto axis = s.option<int64_t>("broadcasted_axis", -1);
    if (axis >= 0) {
        const auto rank = static_cast<int64_t>(a->get_shape().ndim());
        const auto low = static_cast<int64_t>(b->get_shape().ndim());
        if (axis + low > rank)
            s.malformed(
                str("broadcasted_axis of at most ", rank - low, " was expected, got ", axis));
        std::vector<int64_t> axes;
        for (auto i = axis + low; i < rank; ++i)
            axes.push_back(low + i - axis - low);
        if (not axes.empty() and not b->get_shape().scalar())
            b = s.add(make_op("unsqueeze", {{"axes", axes}}), {b});
    }
    return {s.common(s.recipe_name(), {a, b})};
}

const std::vector<std::string> binary_options{"broadcasted_axis"};

const recipes pointwise_recipes{{"clip", build_clip},
                                {"celu", build_celu, {"alpha"}},
                                {"gelu_erf", build_gelu_erf},
                                {"gelu_tanh", build_gelu_tanh, {"fast"}},
                                {"gelu_quick", build_gelu_quick, {"alpha"}},
                                {"gelu_split", build_gelu_split},
                                {"add", build_binary, binary_options},
                                {"sub", build_binary, binary_options},
                                {"mul", build_binary, binary_options},
                                {"div", build_binary, binary_options},
                                {"pow", build_binary, binary_options},
                                {"prelu", build_binary, binary_options},
                                {"sqdiff", build_binary, binary_options},
                                {"logical_and", build_binary, binary_options},
                                {"logical_or", build_binary, binary_options},
                                {"logical_xor", build_binary, binary_options},
                                {"bitwise_and", build_binary, binary_options}};

} // namespace

} // namespace migraphx::op::builder
