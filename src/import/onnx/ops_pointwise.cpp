// SPDX-License-Identifier: MIT
// Elementwise operators: arithmetic, comparison, logic, casts.
#include <migraphx/common.hpp>
#include <migraphx/make_op.hpp>

#include "import/onnx/importer.hpp"
#include "import/onnx/tensor_argument.hpp"
#include "ir/number_kinds.hpp"

#include <algorithm>
#include <cmath>

namespace migraphx::onnx {

namespace {

struct op_name {
    std::string_view onnx;
    const char* own;
};

constexpr op_name unary_names[] = {
    {"Abs", "abs"},     {"Acos", "acos"},        {"Acosh", "acosh"},     {"Asin", "asin"},
    {"Asinh", "asinh"}, {"Atan", "atan"},        {"Atanh", "atanh"},     {"Ceil", "ceil"},
    {"Cos", "cos"},     {"Cosh", "cosh"},        {"Erf", "erf"},         {"Exp", "exp"},
    {"Floor", "floor"}, {"IsNaN", "isnan"},      {"Log", "log"},         {"Neg", "neg"},
    {"Not", "not"},     {"Reciprocal", "recip"}, {"Round", "nearbyint"}, {"Sign", "sign"},
    {"Sin", "sin"},     {"Sinh", "sinh"},        {"Sqrt", "sqrt"},       {"Tan", "tan"}};

constexpr op_name binary_names[] = {
    {"Add", "add"},       {"Sub", "sub"},         {"Mul", "mul"},
    {"Div", "div"},       {"PRelu", "prelu"},     {"And", "logical_and"},
    {"Or", "logical_or"}, {"Xor", "logical_xor"}, {"BitwiseAnd", "bitwise_and"},
    {"Max", "max"},       {"Min", "min"},         {"Sum", "add"},
    {"Equal", "equal"},   {"Greater", "greater"}, {"Less", "less"}};

template <std::size_t N>
const char* own_name(const op_name (&names)[N], std::string_view onnx) {
    const auto* found = std::find_if(std::begin(names), std::end(names),
                                     [&](const auto& n) { return n.onnx == onnx; });
    return found->own;
}

bool is_real(shape::type_t t) {
    return not shape::is_integral(t) and t != shape::bool_type;
}

instructions read_unary(node_reader& n) {
    n.expect_inputs(1, 1);
    const char* name = own_name(unary_names, n.op_type());
    const auto x = n.input(0);
    // Rounding leaves whole numbers as they are.
    const auto t = n.shape_of(0).type();
    if (not is_real(t) and
        (n.op_type() == "Ceil" or n.op_type() == "Floor" or n.op_type() == "Round"))
        return {x};
    return {n.add(std::string(name), x)};
}

// Before opset 7 the dimensions of the second input could lie along those of the first from `axis`
// on.
instructions aligned_inputs(node_reader& n) {
    auto in = n.inputs();
    if (n.opset() >= 7)
        return in;
    // PRelu has a slope for each channel.
    const bool channels = n.op_type() == "PRelu" and n.rank_of(0) > 1 and n.rank_of(1) == 1;
    if (not channels and (n.integer("broadcast", 0) == 0 or not n.has_attribute("axis")))
        return in;
    const auto rank = int64_t(n.rank_of(0)), low = int64_t(n.rank_of(1));
    const auto axis = channels ? 1 : int64_t(n.axis(n.integer("axis"), std::size_t(rank)));
    if (axis + low > rank)
        n.malformed(str("axis of at most ", rank - low, " was expected, got ", axis));
    std::vector<int64_t> axes;
    for (auto i = low; i < rank - axis; i++)
        axes.push_back(i);
    if (not axes.empty() and not n.shape_of(1).scalar())
        in[1] = n.add(make_op("unsqueeze", {{"axes", axes}}), {in[1]});
    return in;
}

instructions read_binary(node_reader& n) {
    n.expect_inputs(2, 2);
    return {n.add_common(own_name(binary_names, n.op_type()), aligned_inputs(n))};
}

instructions read_comparison(node_reader& n) {
    n.expect_inputs(2, 2);
    if (n.op_type() == "Equal" and n.shape_of(0).type() == shape::string_type)
        return {n.add_common("string_equal", n.inputs())};
    const auto y = n.add_common(own_name(binary_names, n.op_type()), aligned_inputs(n));
    return {n.convert(y, shape::bool_type)};
}

// For numbers that may be NaN x >= y is not the opposite of x < y.
instructions read_comparison_or_equal(node_reader& n) {
    n.expect_inputs(2, 2);
    const bool greater = n.op_type() == "GreaterOrEqual";
    const auto in = add_common_args(n.mod(), n.inputs());
    if (not is_real(in[0]->get_shape().type())) {
        const auto opposite =
            n.convert(n.add(greater ? "less" : "greater", in[0], in[1]), shape::bool_type);
        return {n.add("not", opposite)};
    }
    const auto strict =
        n.convert(n.add(greater ? "greater" : "less", in[0], in[1]), shape::bool_type);
    const auto same = n.convert(n.add("equal", in[0], in[1]), shape::bool_type);
    return {n.add("logical_or", strict, same)};
}

// Any number of inputs, from left to right.
instructions read_variadic(node_reader& n) {
    if (n.input_count() == 0)
        n.malformed("at least one input was expected, got none");
    auto result = n.input(0);
    for (std::size_t i = 1; i < n.input_count(); i++)
        result = n.add_common(own_name(binary_names, n.op_type()), {result, n.input(i)});
    return {result};
}

instructions read_mean(node_reader& n) {
    if (n.input_count() == 0)
        n.malformed("at least one input was expected, got none");
    auto result = n.input(0);
    for (std::size_t i = 1; i < n.input_count(); i++)
        result = n.add_common("add", {result, n.input(i)});
    if (n.input_count() == 1)
        return {result};
    const auto t = result->get_shape().type();
    if (not is_real(t))
        return {n.add_common("div", {result, n.scalar(t, double(n.input_count()))})};
    return {n.add_common("mul", {result, n.scalar(t, 1.0 / double(n.input_count()))})};
}

// The result has the type of the base, whatever that of the exponent.
instructions read_pow(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto t = n.shape_of(0).type();
    return {n.convert(n.add_common("pow", aligned_inputs(n)), t)};
}

instructions read_mod(node_reader& n) {
    n.expect_inputs(2, 2);
    const bool truncated = n.integer("fmod", 0) != 0;
    return {n.add_common(truncated ? "fmod" : "mod", n.inputs())};
}

instructions read_where(node_reader& n) {
    n.expect_inputs(3, 3);
    const auto t = compute_common_types({n.shape_of(1), n.shape_of(2)});
    instructions in{n.input(0), n.convert(n.input(1), t), n.convert(n.input(2), t)};
    common_options keep_types;
    keep_types.common_type = false;
    in = add_common_args(n.mod(), in, keep_types);
    return {n.add(t == shape::string_type ? "string_where" : "where", in[0], in[1], in[2])};
}

instructions read_isinf(node_reader& n) {
    n.expect_inputs(1, 1);
    const bool negative = n.integer("detect_negative", 1) != 0,
               positive = n.integer("detect_positive", 1) != 0;
    const auto x = n.input(0);
    const auto infinite = n.add("isinf", x);
    if (negative and positive)
        return {infinite};
    const auto zero = n.broadcast_like(n.scalar(n.shape_of(0).type(), 0), x);
    auto is_sign = n.add(positive ? "greater" : "less", x, zero);
    if (not negative and not positive)
        is_sign = n.add("isnan", x);
    return {n.add("logical_and", infinite, n.convert(is_sign, shape::bool_type))};
}

// Every number but 0 is true.
instruction_ref to_bool(node_reader& n, instruction_ref x) {
    auto t = x->get_shape().type();
    if (t == shape::bool_type)
        return x;
    if (shape::is_small(t)) {
        t = shape::float_type;
        x = n.convert(x, t);
    }
    const auto zero = n.broadcast_like(n.scalar(t, 0), x);
    return n.convert(n.add("not", n.add("equal", x, zero)), shape::bool_type);
}

// `convert` where it has the rules of ONNX: it saturates, and knows no other way.
instruction_ref cast(node_reader& n, instruction_ref x, shape::type_t t) {
    const auto from = x->get_shape().type();
    if (from != t and t == shape::string_type)
        return n.add("number_to_string", x);
    if (from != t and from == shape::string_type)
        return n.add(make_op("string_to_number", {{"target_type", t}}), {x});
    if (t == shape::bool_type)
        return to_bool(n, x);
    if (t == from)
        return x;
    const bool saturate = n.integer("saturate", 1) != 0;
    const bool is_fnuz = t == shape::fp8e4m3fnuz_type or t == shape::fp8e5m2fnuz_type;
    const bool is_byte = shape::is_integral(t) and shape{t}.type_size() == 1;
    if (shape::is_small(t) or is_fnuz or (is_fp8(t) and not saturate) or
        (is_byte and shape::is_integral(from)))
        return n.add(make_op("cast", {{"target_type", t},
                                      {"saturate", saturate},
                                      {"round_mode", n.text("round_mode", "up")}}),
                     {x});
    return n.convert(x, t);
}

// Opset 1 names the type.
int64_t cast_target(node_reader& n) {
    const auto* a = n.find("to");
    if (a == nullptr or a->type != attribute_type::string_value)
        return n.integer("to");
    const std::pair<std::string_view, element_type> names[] = {
        {"FLOAT", element_type::float32},  {"FLOAT16", element_type::float16},
        {"DOUBLE", element_type::float64}, {"BOOL", element_type::boolean},
        {"INT8", element_type::int8},      {"INT16", element_type::int16},
        {"INT32", element_type::int32},    {"INT64", element_type::int64},
        {"UINT8", element_type::uint8},    {"UINT16", element_type::uint16},
        {"UINT32", element_type::uint32},  {"UINT64", element_type::uint64},
        {"STRING", element_type::string}};
    for (const auto& [name, type] : names)
        if (a->s == name)
            return int64_t(type);
    n.unsupported("to: a type of numbers was expected, got '" + std::string(a->s) + "'");
}

instructions read_cast(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto to = cast_target(n);
    const auto t = to_shape_type(element_type(to));
    if (not t.has_value())
        n.unsupported("to: a type of numbers or strings was expected, got " +
                      type_name(element_type(to)));
    return {cast(n, n.input(0), *t)};
}

instructions read_cast_like(node_reader& n) {
    n.expect_inputs(2, 2);
    return {cast(n, n.input(0), n.shape_of(1).type())};
}

// The same bits as another type of as many bits.
instructions read_bit_cast(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto to = element_type(n.integer("to"));
    const auto t = to_shape_type(to);
    if (not t)
        n.unsupported("to: an element type of the engine was expected, got " + type_name(to));
    return {n.add(make_op("bit_cast", {{"target_type", *t}}), {n.input(0)})};
}

// OR of integers is a + b - (a AND b), XOR a + b - 2 (a AND b), in arithmetic that wraps.
instructions read_bitwise(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto in = add_common_args(n.mod(), n.inputs());
    const auto both = n.add("bitwise_and", in[0], in[1]);
    auto result = n.add("sub", n.add("add", in[0], in[1]), both);
    if (n.op_type() == "BitwiseXor")
        result = n.add("sub", result, both);
    return {result};
}

// ~x = -1 - x in two's complement.
instructions read_bitwise_not(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto t = n.shape_of(0).type();
    const auto one = n.broadcast_like(n.scalar(t, 1), n.input(0));
    return {n.add("sub", n.add("neg", n.input(0)), one)};
}

const operators pointwise_operators{{"Abs", read_unary},
                                    {"Acos", read_unary},
                                    {"Acosh", read_unary},
                                    {"Asin", read_unary},
                                    {"Asinh", read_unary},
                                    {"Atan", read_unary},
                                    {"Atanh", read_unary},
                                    {"Ceil", read_unary},
                                    {"Cos", read_unary},
                                    {"Cosh", read_unary},
                                    {"Erf", read_unary},
                                    {"Exp", read_unary},
                                    {"Floor", read_unary},
                                    {"IsNaN", read_unary},
                                    {"Log", read_unary},
                                    {"Neg", read_unary},
                                    {"Not", read_unary},
                                    {"Reciprocal", read_unary},
                                    {"Round", read_unary},
                                    {"Sign", read_unary},
                                    {"Sin", read_unary},
                                    {"Sinh", read_unary},
                                    {"Sqrt", read_unary},
                                    {"Tan", read_unary},
                                    {"Add", read_binary},
                                    {"Sub", read_binary},
                                    {"Mul", read_binary},
                                    {"Div", read_binary},
                                    {"PRelu", read_binary},
                                    {"And", read_binary},
                                    {"Or", read_binary},
                                    {"Xor", read_binary},
                                    {"BitCast", read_bit_cast},
                                    {"BitwiseAnd", read_binary},
                                    {"BitwiseOr", read_bitwise},
                                    {"BitwiseXor", read_bitwise},
                                    {"BitwiseNot", read_bitwise_not},
                                    {"Equal", read_comparison},
                                    {"Greater", read_comparison},
                                    {"Less", read_comparison},
                                    {"GreaterOrEqual", read_comparison_or_equal},
                                    {"LessOrEqual", read_comparison_or_equal},
                                    {"Max", read_variadic},
                                    {"Min", read_variadic},
                                    {"Sum", read_variadic},
                                    {"Mean", read_mean},
                                    {"Pow", read_pow},
                                    {"Mod", read_mod},
                                    {"Where", read_where},
                                    {"IsInf", read_isinf},
                                    {"Cast", read_cast},
                                    {"CastLike", read_cast_like}};

} // namespace

} // namespace migraphx::onnx
