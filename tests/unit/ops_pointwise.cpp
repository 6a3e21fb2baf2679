// SPDX-License-Identifier: MIT
// Pointwise operators: values in every class of types, shapes, errors.
#include "ops_compute_support.hpp"

#include "ops/pointwise_table.hpp"

#include <migraphx/op/max.hpp>

using namespace ops_check;

namespace {

TEST(ops_pointwise, every_row_is_an_operator) {
    for (const auto& row : pointwise_rows()) {
        ASSERT_NO_THROW(make_op(row.name)) << row.name;
        const auto op = make_op(row.name);
        if (op.name() == "identity")
            continue;
        EXPECT_TRUE(op.attributes().at("pointwise").to<bool>());
        EXPECT_EQ(op.attributes().at("point_op").to<std::string>(), row.kernel);
        EXPECT_EQ(op.attributes().contains("commutative"), row.commutative) << row.name;
        EXPECT_EQ(op
                      .compute_shape(std::vector<shape>(
                          static_cast<std::size_t>(row.arity),
                          of({2, 3}, row.integral_only ? shape::int32_type : shape::float_type)))
                      .lens(),
                  (lens{2, 3}));
    }
}

TEST(ops_pointwise, unary_values) {
    check(make_op("abs"), {floats({3}, {-1.5, 0, 2})}, {1.5, 0, 2});
    check(make_op("sqrt"), {floats({2, 2}, {0, 1, 4, 2})}, {0, 1, 2, std::sqrt(2.0)});
    check(make_op("sign"), {floats({4}, {-3, 0, 7, not_a_number})}, {-1, 0, 1, 0});
    check(make_op("nearbyint"), {floats({5}, {0.5, 1.5, -2.5, 2.4, -0.6})}, {0, 2, -2, 2, -1});
    check(make_op("relu"), {floats({3}, {-1, 0, 3})}, {0, 0, 3});
    check(make_op("not"), {floats({3}, {0, 2, -1})}, {1, 0, 0});
    check(make_op("isnan"), {floats({3}, {0, not_a_number, inf})}, {0, 1, 0});
    check(make_op("isinf"), {floats({3}, {-inf, not_a_number, inf})}, {1, 0, 1});
    check(make_op("elu", {{"alpha", 2.0}}), {floats({2}, {-1, 3})}, {2 * std::expm1(-1), 3});
    check(make_op("leaky_relu", {{"alpha", 0.1}}), {floats({2}, {-1, 3})}, {-0.1, 3});
    EXPECT_EQ(make_op("isnan").compute_shape({of({2})}).type(), shape::bool_type);
}

TEST(ops_pointwise, binary_values) {
    const auto a = floats({2, 2}, {1, -7, 5.5, 0}), b = floats({2, 2}, {2, 3, -2, 4});
    check(make_op("add"), {a, b}, {3, -4, 3.5, 4});
    check(make_op("sub"), {a, b}, {-1, -10, 7.5, -4});
    check(make_op("mod"), {a, b}, {1, 2, -0.5, 0});
    check(make_op("fmod"), {a, b}, {1, -1, 1.5, 0});
    check(make_op("greater"), {a, b}, {0, 0, 1, 0});
    check(make_op("prelu"), {a, b}, {1, -21, 5.5, 0});
    check(make_op("sqdiff"), {a, b}, {1, 100, 56.25, 16});
    check(make_op("max"), {floats({2}, {not_a_number, 1}), floats({2}, {0, not_a_number})},
          {not_a_number, not_a_number});
    check(make_op("equal"),
          {floats({3}, {inf, 1, not_a_number}), floats({3}, {inf, 1.0000001, not_a_number})},
          {1, 0, 0});
    EXPECT_EQ(make_op("equal").compute_shape({of({2}), of({2})}).type(), shape::float_type);
}

TEST(ops_pointwise, integers_wrap_and_do_not_trap) {
    const auto t = [](shape::type_t type, const reals& v) { return tensor({type, {v.size()}}, v); };
    check(make_op("add"), {t(shape::int8_type, {127, -128}), t(shape::int8_type, {1, -1})},
          {-128, 127});
    check(make_op("div"), {t(shape::int32_type, {7, -7, 3}), t(shape::int32_type, {2, 2, 0})},
          {3, -3, 0});
    check(make_op("mod"), {t(shape::int64_type, {-7, 7}), t(shape::int64_type, {3, -3})}, {2, -2});
    check(make_op("pow"), {t(shape::int32_type, {2, 3}), t(shape::int32_type, {10, 0})}, {1024, 1});
    check(make_op("logical_and"), {t(shape::bool_type, {1, 0, 1}), t(shape::bool_type, {1, 1, 0})},
          {1, 0, 0});
    check(make_op("bitwise_and"), {t(shape::int32_type, {6, 5}), t(shape::int32_type, {3, 4})},
          {2, 4});
    check(make_op("sqrt"), {t(shape::int32_type, {9, 10})}, {3, 3});
}

TEST(ops_pointwise, unsigned_64_bit) {
    const shape s{shape::uint64_type, {2}};
    argument a(s), b(s);
    auto* x = reinterpret_cast<uint64_t*>(a.data());
    auto* y = reinterpret_cast<uint64_t*>(b.data());
    x[0] = ~uint64_t{0}, x[1] = 3;
    y[0] = 2, y[1] = ~uint64_t{0};
    const auto both = [&](const char* op) {
        const auto r = run(make_op(op), {a, b});
        const auto* p = reinterpret_cast<const uint64_t*>(r.data());
        return std::vector<uint64_t>{p[0], p[1]};
    };
    EXPECT_EQ(both("max"), (std::vector<uint64_t>{~uint64_t{0}, ~uint64_t{0}}));
    EXPECT_EQ(both("div"), (std::vector<uint64_t>{~uint64_t{0} / 2, 0}));
    EXPECT_EQ(both("greater"), (std::vector<uint64_t>{1, 0}));
    EXPECT_EQ(both("add"), (std::vector<uint64_t>{1, 2}));
}

TEST(ops_pointwise, small_floats_round_once) {
    for (auto type :
         {shape::half_type, shape::bf16_type, shape::fp8e4m3fn_type, shape::double_type}) {
        const auto x = tensor({type, {2}}, {1.5, -2});
        check(make_op("mul"), {x, x}, {2.25, 4}, type == shape::fp8e4m3fn_type ? 0.1 : 1e-3);
        EXPECT_EQ(run(make_op("exp"), {x}).get_shape().type(), type);
    }
}

TEST(ops_pointwise, layouts) {
    const shape t{shape::float_type, {2, 3}, {1, 2}}, b{shape::float_type, {2, 3}, {0, 1}};
    EXPECT_EQ(make_op("exp").compute_shape({t}), t);
    EXPECT_EQ(make_op("exp").compute_shape({b}), of({2, 3}));
    EXPECT_EQ(make_op("add").compute_shape({t, b}), t);
    EXPECT_EQ(make_op("add").compute_shape({t, of({2, 3})}).packed(), true);
    const shape scalar{shape::float_type, {2, 3}, {0, 0}};
    EXPECT_EQ(make_op("neg").compute_shape({scalar}), scalar);
    check(make_op("neg"), {argument(scalar)}, reals(6, 0));
    argument one(scalar);
    reinterpret_cast<float*>(one.data())[0] = 4;
    check(make_op("sqrt"), {one}, reals(6, 2));
}

TEST(ops_pointwise, empty) {
    check(make_op("exp"), {argument(of({0, 3}))}, {});
    check(make_op("add"), {argument(of({2, 0})), argument(of({2, 0}))}, {});
}

TEST(ops_pointwise, dynamic_shapes) {
    const auto r = dyn({{1, 4}, {3, 3}});
    EXPECT_EQ(make_op("exp").compute_shape({r}), r);
    EXPECT_EQ(make_op("add").compute_shape({r, r}), r);
    const auto n = sym::var("n", {1, 8});
    const auto s = dyn({dim{n}, {3, 3}});
    EXPECT_TRUE(make_op("add").compute_shape({s, s}).symbolic());
    refused(make_op("add"), {r, dyn({{1, 5}, {3, 3}})}, "equal dimensions");
    refused(make_op("add"), {r, of({2, 3})}, "equal dimensions");
    const auto out = make_op("add").compute(r, {ramp(of({2, 3})), ramp(of({2, 3}))});
    expect_near(values_of(out), {0, 2, 4, 6, 8, 10}, 0);
}

TEST(ops_pointwise, errors) {
    refused(make_op("add"), {of({2})}, "2 inputs were expected, got 1");
    refused(make_op("add"), {of({2}), of({3})}, "equal dimensions");
    refused(make_op("add"), {of({2}), of({2}, shape::half_type)}, "one type");
    refused(make_op("bitwise_and"), {of({2}), of({2})}, "integer");
    EXPECT_THROW(make_op("elu", {{"beta", 1}}), migraphx::exception);
}

TEST(ops_pointwise, where) {
    const auto c = tensor({shape::bool_type, {2, 2}}, {1, 0, 0, 1});
    const auto x = ramp(of({2, 2})), y = ramp(of({2, 2}), 1, 10);
    check(make_op("where"), {c, x, y}, {0, 11, 12, 3});
    check(make_op("where"), {tensor({shape::float_type, {2, 2}}, {0.5, 0, 0, 1}), x, y},
          {0, 11, 12, 3});
    check(make_op("where"), {tensor({shape::bool_type}, {1}), x, y}, {0, 1, 2, 3});
    check(make_op("where"), {tensor({shape::bool_type, {1, 1, 1}}, {0}), x, y}, {10, 11, 12, 13});
    const shape b{shape::float_type, {2, 2}, {0, 1}};
    EXPECT_EQ(make_op("where").compute_shape({c.get_shape(), b, b}), of({2, 2}));
    refused(make_op("where"), {c.get_shape(), of({2, 2}), of({2, 3})}, "equal dimensions");
}

TEST(ops_pointwise, clip) {
    const auto t = [](const reals& v) { return floats({3}, v); };
    check(make_op("clip"), {t({-5, 0.5, 9}), t({0, 0, 0}), t({1, 1, 6})}, {0, 0.5, 6});
    refused(make_op("clip"), {of({3}), of({3}), of({1})}, "equal dimensions");
}

TEST(ops_pointwise, convert) {
    const auto to = [](shape::type_t t) { return make_op("convert", {{"target_type", t}}); };
    const auto x = floats({6}, {not_a_number, inf, -inf, 300.7, -1.5, 0});
    check(to(shape::int8_type), {x}, {0, 127, -128, 127, -1, 0});
    check(to(shape::bool_type), {x}, {0, 1, 0, 1, 0, 0});
    check(to(shape::half_type), {floats({2}, {1e9, -inf})}, {65504, -inf});
    const shape b{shape::float_type, {2, 3}, {1, 0}};
    EXPECT_EQ(to(shape::half_type).compute_shape({b}), (shape{shape::half_type, {2, 3}, {1, 0}}));
    EXPECT_EQ(make_op("convert", {{"target_type", "int32_type"}}).get<int>("target_type"),
              int(shape::int32_type));
    EXPECT_THROW(make_op("convert", {{"target_type", 99}}), migraphx::exception);
    refused(to(shape::tuple_type), {of({2})}, "converted");
}

TEST(ops_pointwise, attribute_structs) {
    EXPECT_EQ(operation{op::max{}}, make_op("max"));
}

} // namespace
