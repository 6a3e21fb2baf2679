// SPDX-License-Identifier: MIT
// Elementwise operators: arithmetic, comparison, logic, casts, activations.
#include "import/tf/node_reader.hpp"

#include <migraphx/make_op.hpp>

#include <algorithm>
#include <limits>

namespace migraphx::tf {

namespace {

struct op_name {
    std::string_view tf;
    const char* own;
};

constexpr op_name unary_names[] = {
    {"Abs", "abs"},     {"Acos", "acos"},       {"Acosh", "acosh"},      {"Asin", "asin"},
    {"Asinh", "asinh"}, {"Atan", "atan"},       {"Atanh", "atanh"},      {"Cos", "cos"},
    {"Cosh", "cosh"},   {"Erf", "erf"},         {"Exp", "exp"},          {"Inv", "recip"},
    {"Log", "log"},     {"Neg", "neg"},         {"Reciprocal", "recip"}, {"Relu", "relu"},
    {"Rsqrt", "rsqrt"}, {"Sigmoid", "sigmoid"}, {"Sin", "sin"},          {"Sinh", "sinh"},
    {"Sqrt", "sqrt"},   {"Tan", "tan"},         {"Tanh", "tanh"}};

constexpr op_name rounding_names[] = {
    {"Ceil", "ceil"}, {"Floor", "floor"}, {"Rint", "nearbyint"}, {"Round", "nearbyint"}};

constexpr op_name binary_names[] = {{"Add", "add"},
                                    {"AddV2", "add"},
                                    {"Sub", "sub"},
                                    {"Mul", "mul"},
                                    {"Div", "div"},
                                    {"RealDiv", "div"},
                                    {"TruncateDiv", "div"},
                                    {"Pow", "pow"},
                                    {"Maximum", "max"},
                                    {"Minimum", "min"},
                                    {"FloorMod", "mod"},
                                    {"Mod", "fmod"},
                                    {"TruncateMod", "fmod"},
                                    {"SquaredDifference", "sqdiff"},
                                    {"BitwiseAnd", "bitwise_and"}};

constexpr op_name logical_names[] = {{"LogicalAnd", "logical_and"},
                                     {"LogicalOr", "logical_or"},
                                     {"Equal", "equal"},
                                     {"Greater", "greater"},
                                     {"Less", "less"}};

template <std::size_t N>
const char* own_name(const op_name (&names)[N], std::string_view tf) {
    return std::find_if(std::begin(names), std::end(names),
                        [&](const auto& n) { return n.tf == tf; })
        ->own;
}

bool is_real(shape::type_t t) {
    return not shape::is_integral(t) and t != shape::bool_type;
}

instructions read_unary(node_reader& n) {
    n.expect_inputs(1);
    return {n.pointwise(own_name(unary_names, n.op_type()), {n.input(0)})};
}

// Whole numbers stay as they are.
instructions read_rounding(node_reader& n) {
    n.expect_inputs(1);
    return {is_real(n.type_of(0)) ? n.pointwise(own_name(rounding_names, n.op_type()), {n.input(0)})
                                  : n.input(0)};
}

void expect_same_type(const node_reader& n, std::size_t a, std::size_t b) {
    if (n.type_of(a) != n.type_of(b))
        n.malformed(str("operands of equal types were expected, got ", shape::name(n.type_of(a)),
                        " and ", shape::name(n.type_of(b))));
}

instructions read_binary(node_reader& n) {
    n.expect_inputs(2);
    expect_same_type(n, 0, 1);
    return {n.pointwise(own_name(binary_names, n.op_type()), {n.input(0), n.input(1)})};
}

instructions read_logical(node_reader& n) {
    n.expect_inputs(2);
    expect_same_type(n, 0, 1);
    return {n.compare(own_name(logical_names, n.op_type()), n.input(0), n.input(1))};
}

instructions read_not_equal(node_reader& n) {
    n.expect_inputs(2);
    expect_same_type(n, 0, 1);
    return {n.negate(n.compare("equal", n.input(0), n.input(1)))};
}

// For numbers that may be NaN x >= y is not the opposite of x < y.
instructions read_or_equal(node_reader& n) {
    n.expect_inputs(2);
    expect_same_type(n, 0, 1);
    const auto x = n.input(0), y = n.input(1);
    const bool greater = n.op_type() == "GreaterEqual";
    if (not is_real(n.type_of(0)))
        return {n.negate(n.compare(greater ? "less" : "greater", x, y))};
    const auto strict = n.compare(greater ? "greater" : "less", x, y);
    return {n.compare("logical_or", strict, n.compare("equal", x, y))};
}

instructions read_logical_not(node_reader& n) {
    n.expect_inputs(1);
    return {n.negate(n.input(0))};
}

instructions read_floor_div(node_reader& n) {
    n.expect_inputs(2);
    expect_same_type(n, 0, 1);
    const auto x = n.input(0), y = n.input(1);
    if (is_real(n.type_of(0)))
        return {n.pointwise("floor", {n.pointwise("div", {x, y})})};
    return {n.pointwise("div", {n.pointwise("sub", {x, n.pointwise("mod", {x, y})}), y})};
}

// 0 where `zero` is, whatever the other value.
instruction_ref unless_zero(const node_reader& n, instruction_ref zero, instruction_ref value) {
    const auto none = n.scalar(zero->get_shape().type(), 0);
    return n.select(n.compare("equal", zero, none), none, value);
}

instructions read_without_nan(node_reader& n) {
    n.expect_inputs(2);
    expect_same_type(n, 0, 1);
    const auto x = n.input(0), y = n.input(1);
    if (n.op_type() == "DivNoNan")
        return {unless_zero(n, y, n.pointwise("div", {x, y}))};
    if (n.op_type() == "MulNoNan")
        return {unless_zero(n, y, n.pointwise("mul", {x, y}))};
    if (n.op_type() == "Xdivy")
        return {unless_zero(n, x, n.pointwise("div", {x, y}))};
    return {unless_zero(n, x, n.pointwise("mul", {x, n.pointwise("log", {y})}))};
}

instructions read_bitwise(node_reader& n) {
    n.expect_inputs(2);
    expect_same_type(n, 0, 1);
    const auto x = n.input(0), y = n.input(1);
    auto both = n.pointwise("bitwise_and", {x, y});
    if (n.op_type() == "BitwiseXor")
        both = n.pointwise("add", {both, both});
    return {n.pointwise("sub", {n.pointwise("add", {x, y}), both})};
}

instructions read_invert(node_reader& n) {
    n.expect_inputs(1);
    // ~x = -x - 1, in unsigned arithmetic as well.
    return {n.pointwise_number("sub", n.pointwise("neg", {n.input(0)}), 1)};
}

instructions read_square(node_reader& n) {
    n.expect_inputs(1);
    return {n.pointwise("mul", {n.input(0), n.input(0)})};
}

instructions read_erfc(node_reader& n) {
    n.expect_inputs(1);
    const auto t = n.type_of(0);
    return {n.pointwise("sub", {n.scalar(t, 1), n.pointwise("erf", {n.input(0)})})};
}

instructions read_sign(node_reader& n) {
    n.expect_inputs(1);
    const auto x = n.input(0);
    const auto y = n.pointwise("sign", {x});
    return {is_real(n.type_of(0)) ? n.select(n.pointwise("isnan", {x}), x, y) : y};
}

instructions read_is_kind(node_reader& n) {
    n.expect_inputs(1);
    const auto x = n.input(0);
    if (n.op_type() == "IsNan")
        return {n.convert(n.pointwise("isnan", {x}), shape::bool_type)};
    const auto infinite = n.convert(n.pointwise("isinf", {x}), shape::bool_type);
    if (n.op_type() == "IsInf")
        return {infinite};
    return {n.negate(
        n.compare("logical_or", infinite, n.convert(n.pointwise("isnan", {x}), shape::bool_type)))};
}

// log(1 + x) as exact near 0 as elsewhere: log(u) * x / (u - 1) with u = 1 + x as it is rounded.
instruction_ref log1p(const node_reader& n, instruction_ref x) {
    const auto t = x->get_shape().type();
    const auto u = n.pointwise_number("add", x, 1);
    const auto d = n.pointwise_number("sub", u, 1);
    const auto exact = n.pointwise("mul", {n.pointwise("log", {u}), n.pointwise("div", {x, d})});
    const auto finite = n.select(n.pointwise("isinf", {u}), u, exact);
    return n.select(n.compare("equal", d, n.scalar(t, 0)), x, finite);
}

instructions read_log1p(node_reader& n) {
    n.expect_inputs(1);
    return {log1p(n, n.input(0))};
}

// `elu` is exact near 0 from below; above, exp(x) - 1 = -(exp(-x) - 1) * exp(x).
instructions read_expm1(node_reader& n) {
    n.expect_inputs(1);
    const auto x = n.input(0);
    const auto elu = make_op("elu", {{"alpha", 1.0f}});
    const auto mirrored = n.pointwise("neg", {n.pointwise(elu, {n.pointwise("neg", {x})})});
    const auto above = n.pointwise("mul", {mirrored, n.pointwise("exp", {x})});
    return {
        n.select(n.compare("greater", x, n.scalar(n.type_of(0), 0)), above, n.pointwise(elu, {x}))};
}

// max(x, 0) + log(1 + exp(-|x|)), which does not overflow.
instructions read_softplus(node_reader& n) {
    n.expect_inputs(1);
    const auto x = n.input(0);
    const auto tail = log1p(n, n.pointwise("exp", {n.pointwise("neg", {n.pointwise("abs", {x})})}));
    return {n.pointwise("add", {n.pointwise("relu", {x}), tail})};
}

instructions read_softsign(node_reader& n) {
    n.expect_inputs(1);
    const auto x = n.input(0);
    return {n.pointwise("div", {x, n.pointwise_number("add", n.pointwise("abs", {x}), 1)})};
}

instructions read_elu(node_reader& n) {
    n.expect_inputs(1);
    return {n.pointwise(make_op("elu", {{"alpha", 1.0f}}), {n.input(0)})};
}

instructions read_selu(node_reader& n) {
    n.expect_inputs(1);
    constexpr double scale = 1.0507009873554804934193349852946,
                     alpha = 1.6732632423543772848170429916717;
    const auto y = n.pointwise(make_op("elu", {{"alpha", float(alpha)}}), {n.input(0)});
    return {n.pointwise_number("mul", y, scale)};
}

instructions read_leaky_relu(node_reader& n) {
    n.expect_inputs(1);
    return {
        n.pointwise(make_op("leaky_relu", {{"alpha", float(n.real("alpha", 0.2))}}), {n.input(0)})};
}

instructions read_relu6(node_reader& n) {
    n.expect_inputs(1);
    const auto t = n.type_of(0);
    return {n.pointwise("clip", {n.input(0), n.scalar(t, 0), n.scalar(t, 6)})};
}

instructions read_clip(node_reader& n) {
    n.expect_inputs(3);
    return {n.pointwise("min", {n.pointwise("max", {n.input(0), n.input(1)}), n.input(2)})};
}

instructions read_add_n(node_reader& n) {
    if (n.input_count() == 0)
        n.malformed("at least one input was expected, got none");
    auto sum = n.input(0);
    for (std::size_t i = 1; i < n.input_count(); i++)
        sum = n.pointwise("add", {sum, n.input(i)});
    return {sum};
}

// Positions of a vector are those of the channels.
instructions read_bias_add(node_reader& n) {
    n.expect_inputs(2);
    n.expect_rank(1, 1);
    auto bias = n.input(1);
    const auto rank = n.rank(0);
    if (rank < 2)
        n.malformed(
            str("data of at least two dimensions was expected, got ", n.input(0)->get_shape()));
    const auto at = n.op_type() == "BiasAddV1" ? rank - 1 : n.channel_axis(rank);
    ints axes;
    for (auto i = at + 1; i < rank; i++)
        axes.push_back(int64_t(i - at));
    return {n.pointwise("add", {n.input(0), n.unsqueeze(bias, axes)})};
}

// atan(y / x), by quadrant.
instructions read_atan2(node_reader& n) {
    n.expect_inputs(2);
    expect_same_type(n, 0, 1);
    const auto t = n.type_of(0);
    const auto y = n.input(0), x = n.input(1);
    const auto number = [&](double v) { return n.scalar(t, v); };
    constexpr double pi = 3.14159265358979323846;
    const auto below = n.compare("less", y, number(0));
    const auto right = n.pointwise("atan", {n.pointwise("div", {y, x})});
    const auto turn = n.select(below, number(-pi), number(pi));
    const auto left =
        n.select(n.compare("less", x, number(0)), n.pointwise("add", {right, turn}), right);
    // On the y axis the quotient has no value.
    const auto up = n.pointwise_number("mul", n.pointwise("sign", {y}), pi / 2);
    return {n.select(n.compare("equal", x, number(0)), up, left)};
}

instructions read_cast(node_reader& n) {
    n.expect_inputs(1);
    const auto x = n.input(0);
    const auto from = x->get_shape().type(), to = n.type("DstT");
    // All but 0 is true; as a number 0.5 would be cut to 0.
    if (to == shape::bool_type and from != to)
        return {n.negate(n.compare("equal", x, n.scalar(from, 0)))};
    return {n.convert(x, to)};
}

instructions read_identity(node_reader& n) {
    if (n.input_count() == 0)
        n.malformed("an input was expected, got none");
    return n.inputs();
}

instructions read_like(node_reader& n) {
    n.expect_inputs(1);
    const auto one = n.scalar(n.type_of(0), n.op_type() == "OnesLike" ? 1 : 0);
    if (not node_reader::has_static_dims(n.input(0)))
        return {n.add("multibroadcast", one, n.input(0))};
    return {n.broadcast_to(one, n.dims(0))};
}

instructions read_select(node_reader& n) {
    n.expect_inputs(3);
    expect_same_type(n, 1, 2);
    auto condition = n.input(0);
    // The first form takes a vector of one condition for each row.
    if (n.op_type() == "Select" and n.rank(0) == 1 and n.rank(1) > 1) {
        ints axes;
        for (std::size_t i = 1; i < n.rank(1); i++)
            axes.push_back(int64_t(i));
        condition = n.unsqueeze(condition, axes);
    }
    return {n.select(condition, n.input(1), n.input(2))};
}

const operators pointwise_operators{
    {"Abs", read_unary},
    {"Acos", read_unary},
    {"Acosh", read_unary},
    {"Asin", read_unary},
    {"Asinh", read_unary},
    {"Atan", read_unary},
    {"Atanh", read_unary},
    {"Cos", read_unary},
    {"Cosh", read_unary},
    {"Erf", read_unary},
    {"Exp", read_unary},
    {"Inv", read_unary},
    {"Log", read_unary},
    {"Neg", read_unary},
    {"Reciprocal", read_unary},
    {"Relu", read_unary},
    {"Rsqrt", read_unary},
    {"Sigmoid", read_unary},
    {"Sin", read_unary},
    {"Sinh", read_unary},
    {"Sqrt", read_unary},
    {"Tan", read_unary},
    {"Tanh", read_unary},
    {"Ceil", read_rounding},
    {"Floor", read_rounding},
    {"Rint", read_rounding},
    {"Round", read_rounding},
    {"Add", read_binary},
    {"AddV2", read_binary},
    {"Sub", read_binary},
    {"Mul", read_binary},
    {"Div", read_binary},
    {"RealDiv", read_binary},
    {"TruncateDiv", read_binary},
    {"Pow", read_binary},
    {"Maximum", read_binary},
    {"Minimum", read_binary},
    {"FloorMod", read_binary},
    {"Mod", read_binary},
    {"TruncateMod", read_binary},
    {"SquaredDifference", read_binary},
    {"BitwiseAnd", read_binary},
    {"BitwiseOr", read_bitwise},
    {"BitwiseXor", read_bitwise},
    {"Invert", read_invert},
    {"LogicalAnd", read_logical},
    {"LogicalOr", read_logical},
    {"Equal", read_logical},
    {"Greater", read_logical},
    {"Less", read_logical},
    {"NotEqual", read_not_equal},
    {"GreaterEqual", read_or_equal},
    {"LessEqual", read_or_equal},
    {"LogicalNot", read_logical_not},
    {"FloorDiv", read_floor_div},
    {"DivNoNan", read_without_nan},
    {"MulNoNan", read_without_nan},
    {"Xdivy", read_without_nan},
    {"Xlogy", read_without_nan},
    {"Square", read_square},
    {"Erfc", read_erfc, "exact to the precision of 1, also where the result is near 0"},
    {"Sign", read_sign},
    {"IsNan", read_is_kind},
    {"IsInf", read_is_kind},
    {"IsFinite", read_is_kind},
    {"Log1p", read_log1p},
    {"Expm1", read_expm1},
    {"Softplus", read_softplus},
    {"Softsign", read_softsign},
    {"Elu", read_elu},
    {"Selu", read_selu},
    {"LeakyRelu", read_leaky_relu},
    {"Relu6", read_relu6},
    {"ClipByValue", read_clip},
    {"AddN", read_add_n},
    {"BiasAdd", read_bias_add},
    {"BiasAddV1", read_bias_add},
    {"Atan2", read_atan2},
    {"Cast", read_cast},
    {"Identity", read_identity},
    {"IdentityN", read_identity},
    {"StopGradient", read_identity},
    {"PreventGradient", read_identity},
    {"Snapshot", read_identity},
    {"EnsureShape", read_identity},
    {"CheckNumerics", read_identity},
    {"OnesLike", read_like},
    {"ZerosLike", read_like},
    {"Select", read_select},
    {"SelectV2", read_select}};

} // namespace

} // namespace migraphx::tf
