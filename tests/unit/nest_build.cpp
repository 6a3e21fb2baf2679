// SPDX-License-Identifier: MIT
// Nests as values: building, checking, simplifying, printing; the interpreter's arithmetic.
#include "nest_support.hpp"

#include <migraphx/errors.hpp>

#include <numeric>

using namespace nest_test;
using migraphx::codegen::convert_scalar;
using migraphx::codegen::simplify;
using migraphx::codegen::to_string;

namespace {

template <class F>
std::string message_of(F f) {
    try {
        f();
    } catch (const migraphx::exception& e) {
        return e.what();
    }
    return "";
}

} // namespace

TEST(nest_build, prints_each_part) {
    nest_builder b({4, 768});
    const int x = b.input(shape(shape::half_type, {4, 768}));
    const int bias = b.input(shape::half_type, {0, 1});
    const int sum = b.op("add", {r(x), r(bias)});
    const int y = b.op("mul", {r(sum), imm(0.5)});
    b.output(y, {768, 1});
    EXPECT_EQ(to_string(b.finish()), "nest {4, 768}\n"
                                     "%0 = load half_type {768, 1}\n"
                                     "%1 = load half_type {0, 1}\n"
                                     "%2 = add(%0, %1) half_type\n"
                                     "%3 = mul(%2, 0.5) half_type\n"
                                     "store %3 half_type {768, 1}\n");
}

TEST(nest_build, simplify_merges_sorts_and_removes) {
    nest_builder b({5, 1, 6, 7});
    const int x = b.input(shape::float_type, {1, 99, 35, 5});
    const int dead = b.op("exp", {r(x)});
    (void)b.op("add", {r(dead), imm(1)});
    const int same = b.op("identity", {r(x)});
    const int again = b.convert(same, shape::float_type);
    const int y = b.op("neg", {r(again)});
    b.output(y, {1, 0, 35, 5});
    EXPECT_EQ(to_string(simplify(b.finish())), "nest {210}\n"
                                               "%0 = load float_type {1}\n"
                                               "%1 = neg(%0) float_type\n"
                                               "store %1 float_type {1}\n");
}

TEST(nest_build, simplify_keeps_what_differs) {
    nest_builder b({2, 3, 4, 4});
    const int x = b.input(shape::float_type, {48, 16, 4, 1});
    const int bias = b.input(shape::float_type, {0, 1, 0, 0});
    b.output(b.op("add", {r(x), r(bias)}), {48, 16, 4, 1});
    const nest n = simplify(b.finish());
    EXPECT_EQ(n.dims, (dims{2, 3, 16}));
    EXPECT_EQ(n.inputs[1].strides, (dims{0, 1, 0}));
}

TEST(nest_build, simplify_of_no_elements) {
    nest_builder b({3, 0, 2});
    const int x = b.input(shape::float_type, {0, 2, 1});
    b.output(b.op("neg", {r(x)}), {0, 2, 1});
    EXPECT_EQ(simplify(b.finish()).dims, (dims{0}));
}

TEST(nest_build, refuses_mistakes) {
    EXPECT_NE(message_of([] {
                  nest_builder b({2});
                  b.op("frobnicate", {imm(1)});
              }).find("a pointwise operator was expected, got 'frobnicate'"),
              std::string::npos);
    EXPECT_NE(message_of([] {
                  nest_builder b({2});
                  b.input(shape(shape::float_type, {3}));
              }).find("tensors of dims {2} were expected, got {3}"),
              std::string::npos);
    EXPECT_NE(message_of([] {
                  nest_builder b({2});
                  const int x = b.input(shape::float_type, {1});
                  b.output(b.op("add", {r(x)}), {1});
                  b.finish();
              }).find("2 operands were expected for add, got 1"),
              std::string::npos);
    EXPECT_NE(message_of([] {
                  nest_builder b({2});
                  const int x = b.input(shape::float_type, {1});
                  const int y = b.input(shape::int32_type, {1});
                  b.output(b.op("add", {r(x), r(y)}), {1});
                  b.finish();
              }).find("operands of float_type were expected for add, got int32_type"),
              std::string::npos);
    EXPECT_NE(message_of([] {
                  nest_builder b({2});
                  const int x = b.input(shape::float_type, {1});
                  b.output(x, {0});
                  b.finish();
              }).find("without broadcast dims"),
              std::string::npos);
    EXPECT_NE(message_of([] {
                  nest_builder b({2});
                  const int x = b.input(shape::float_type, {1});
                  b.output(b.op("bitwise_and", {r(x), r(x)}), {1});
                  b.finish();
              }).find("integers were expected for bitwise_and"),
              std::string::npos);
    EXPECT_NE(message_of([] {
                  nest_builder b({2});
                  b.input(shape(shape::fp4x2_type, {2}));
                  b.finish();
              }).find("a type to compute with was expected"),
              std::string::npos);
}

TEST(nest_build, table_rows_are_consistent) {
    for (const auto& row : migraphx::pointwise_rows()) {
        EXPECT_EQ(migraphx::find_pointwise_row(row.name), &row);
        EXPECT_GE(row.arity, 1);
        EXPECT_LE(row.operands(), 4);
        EXPECT_TRUE(row.real != nullptr or row.integral_only) << row.name;
        EXPECT_TRUE(row.integer != nullptr or not row.integral_only) << row.name;
        const std::string kernel = row.kernel;
        for (int i = 0; i < row.arity; ++i)
            EXPECT_NE(kernel.find("${" + std::to_string(i) + "}"), std::string::npos) << row.name;
        if (row.attribute != nullptr) {
            EXPECT_NE(kernel.find("${" + std::string(row.attribute) + "}"), std::string::npos);
        }
    }
    EXPECT_EQ(migraphx::find_pointwise_row("add_"), nullptr);
}

TEST(nest_build, integer_arithmetic_never_traps) {
    const auto value = [](const char* name, int64_t a, int64_t b) {
        const int64_t operands[] = {a, b};
        return migraphx::evaluate_integer(*migraphx::find_pointwise_row(name),
                                          migraphx::shape::int64_type, operands);
    };
    const int64_t low = std::numeric_limits<int64_t>::min();
    EXPECT_EQ(value("div", 7, -2), -3);
    EXPECT_EQ(value("div", 7, 0), 0);
    EXPECT_EQ(value("div", low, -1), low);
    EXPECT_EQ(value("mod", -7, 3), 2);
    EXPECT_EQ(value("mod", 7, -3), -2);
    EXPECT_EQ(value("fmod", -7, 3), -1);
    EXPECT_EQ(value("mod", low, -1), 0);
    EXPECT_EQ(value("mod", 5, 0), 0);
    EXPECT_EQ(value("pow", 3, 4), 81);
    EXPECT_EQ(value("pow", 2, -1), 0);
    EXPECT_EQ(value("pow", -1, -3), -1);
    EXPECT_EQ(value("add", std::numeric_limits<int64_t>::max(), 1), low);
    EXPECT_EQ(value("abs", low, 0), low);
    EXPECT_EQ(value("recip", 2, 0), 0);
    EXPECT_EQ(value("recip", 0, 0), 0);
    EXPECT_EQ(value("sqrt", 17, 0), 4);
}

TEST(nest_build, reals_follow_onnx) {
    const auto value = [](const char* name, double a, double b = 0, double c = 0) {
        const double operands[] = {a, b, c};
        return migraphx::find_pointwise_row(name)->real(operands);
    };
    const double inf = std::numeric_limits<double>::infinity();
    const double nan = std::nan("");
    EXPECT_EQ(value("equal", inf, inf), 1);
    EXPECT_EQ(value("equal", nan, nan), 0);
    EXPECT_TRUE(std::isnan(value("max", nan, 1)) and std::isnan(value("max", 1, nan)));
    EXPECT_TRUE(std::isnan(value("min", nan, 1)) and std::isnan(value("min", 1, nan)));
    EXPECT_TRUE(std::isnan(value("relu", nan)) and std::isnan(value("clip", nan, 0, 1)));
    EXPECT_EQ(value("clip", 5, 0, 1), 1);
    EXPECT_EQ(value("nearbyint", 2.5), 2);
    EXPECT_EQ(value("nearbyint", 3.5), 4);
    EXPECT_EQ(value("nearbyint", -2.5), -2);
    EXPECT_EQ(value("nearbyint", -0.4), 0);
    EXPECT_EQ(value("mod", -7, 3), 2);
    EXPECT_EQ(value("fmod", -7, 3), -1);
    EXPECT_EQ(value("sign", nan), 0);
    EXPECT_EQ(value("sign", -3), -1);
    EXPECT_EQ(value("prelu", -2, 0.25), -0.5);
    EXPECT_EQ(value("leaky_relu", -2, 0.5), -1);
    EXPECT_EQ(value("elu", 1, 3), 1);
    EXPECT_EQ(value("not", 0), 1);
}

TEST(nest_build, conversion_rules) {
    const double inf = std::numeric_limits<double>::infinity();
    const auto to_int = [](double x, shape::type_t t) {
        return convert_scalar(shape::float_type, {x, 0}, t).integer;
    };
    EXPECT_EQ(to_int(std::nan(""), shape::int32_type), 0);
    EXPECT_EQ(to_int(inf, shape::int8_type), 127);
    EXPECT_EQ(to_int(-inf, shape::int8_type), -128);
    EXPECT_EQ(to_int(-1, shape::uint8_type), 0);
    EXPECT_EQ(to_int(-1.9, shape::int16_type), -1);
    EXPECT_EQ(to_int(1e30, shape::int64_type), std::numeric_limits<int64_t>::max());
    EXPECT_EQ(to_int(0.25, shape::bool_type), 1);
    EXPECT_EQ(to_int(-3, shape::bool_type), 0);
    EXPECT_EQ(to_int(std::nan(""), shape::bool_type), 0);
    EXPECT_EQ(uint64_t(to_int(inf, shape::uint64_type)), std::numeric_limits<uint64_t>::max());
    const auto to_half = [](double x) {
        return convert_scalar(shape::float_type, {x, 0}, shape::half_type).real;
    };
    EXPECT_EQ(to_half(1e6), 65504);
    EXPECT_EQ(to_half(-1e6), -65504);
    EXPECT_EQ(to_half(inf), inf);
    EXPECT_TRUE(std::isnan(to_half(std::nan(""))));
    EXPECT_EQ(convert_scalar(shape::int32_type, {0, 300}, shape::uint8_type).integer, 255);
    EXPECT_EQ(convert_scalar(shape::int32_type, {0, -300}, shape::uint8_type).integer, 0);
    EXPECT_EQ(convert_scalar(shape::int32_type, {0, -300}, shape::bool_type).integer, 0);
    EXPECT_EQ(convert_scalar(shape::uint64_type, {0, -1}, shape::float_type).real, 0x1p64);
}
