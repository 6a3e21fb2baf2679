// SPDX-License-Identifier: MIT
// Operators with modules: if, loop, pointwise, select_module, fused forms.
#include "ops_module_support.hpp"

using namespace ops_check;

namespace {

module scaled(const char* name, double factor, const lens& l = {2}, const char* parameter = "x") {
    module m(name);
    auto x = m.add_parameter(parameter, of(l));
    auto k = m.add_literal(literal{of(l), reals(of(l).elements(), factor)});
    m.add_return({m.add_instruction(make_op("mul"), x, k)});
    return m;
}

argument flag(bool b) {
    return tensor({shape::bool_type}, {b ? 1.0 : 0.0});
}

TEST(ops_if, chooses) {
    auto first = scaled("then", 2), second = scaled("else", 3);
    const auto x = floats({2}, {1, 2});
    expect_near(values_of(run_with(make_op("if"), {flag(true), x}, {&first, &second}).at(0)),
                {2, 4}, 0);
    expect_near(values_of(run_with(make_op("if"), {flag(false), x}, {&first, &second}).at(0)),
                {3, 6}, 0);
}

TEST(ops_if, union_of_parameters) {
    auto first = scaled("then", 2, {2}, "b"), second = scaled("else", 3, {2}, "a");
    const auto a = floats({2}, {1, 2}), b = floats({2}, {10, 20});
    expect_near(values_of(run_with(make_op("if"), {flag(true), a, b}, {&first, &second}).at(0)),
                {20, 40}, 0);
    expect_near(values_of(run_with(make_op("if"), {flag(false), a, b}, {&first, &second}).at(0)),
                {3, 6}, 0);
    refused_with(make_op("if"), to_shapes({flag(true), a}), {&first, &second},
                 "3 inputs were expected, got 2");
}

module module_of_type(const std::string& name, shape::type_t t) {
    module m(name);
    m.add_return({m.add_literal(literal{shape{t, {2}}, {1, 2}})});
    return m;
}

TEST(ops_if, shapes) {
    auto m2 = scaled("two", 1, {2}), m3 = scaled("three", 1, {3}),
         m22 = scaled("matrix", 1, {2, 2});
    const shape c{shape::bool_type};
    EXPECT_EQ(make_op("if").compute_shape({c, of({2})}, {&m2, &m3}),
              shape{std::vector<shape>{dyn({{2, 3}})}});
    EXPECT_EQ(make_op("if").compute_shape({c, of({2})}, {&m2, &m22}),
              shape{std::vector<shape>{shape::unranked(shape::float_type)}});
    auto whole = module_of_type("whole", shape::int32_type);
    refused_with(make_op("if"), {c, of({2})}, {&m2, &whole}, "values of one type");
    refused_with(make_op("if"), {c, of({2})}, {&m2}, "2 modules were expected, got 1");
    refused_with(make_op("if"), {of({2}), of({2})}, {&m2, &m3}, "one element");
}

// (iteration, cond, sum) -> (sum + iteration < limit, sum + iteration, sum)
module summing(double limit) {
    module m("body");
    const shape number{shape::int64_type, {1}};
    auto i = m.add_parameter("i", number);
    m.add_parameter("c", shape{shape::bool_type, {1}});
    auto s = m.add_parameter("s", number);
    auto top = m.add_literal(literal{number, {limit}});
    auto next = m.add_instruction(make_op("add"), s, i);
    auto less = m.add_instruction(make_op("less"), next, top);
    auto go = m.add_instruction(make_op("convert", {{"target_type", shape::bool_type}}), less);
    m.add_return({go, next, s});
    return m;
}

TEST(ops_loop, runs) {
    auto body = summing(1000);
    const auto number = [](double x) { return tensor({shape::int64_type, {1}}, {x}); };
    const auto go = tensor({shape::bool_type, {1}}, {1});
    const auto op = make_op("loop", {{"max_iterations", 5}});
    auto r = run_with(op, {number(3), go, number(10)}, {&body});
    expect_near(values_of(r.at(0)), {13}, 0);
    expect_near(values_of(r.at(1)), {10, 10, 11, 0, 0}, 0);
    r = run_with(op, {number(100), go, number(0)}, {&body});
    expect_near(values_of(r.at(0)), {10}, 0);
    r = run_with(op, {number(100), tensor({shape::bool_type, {1}}, {0}), number(7)}, {&body});
    expect_near(values_of(r.at(0)), {7}, 0);
    const auto backwards =
        make_op("loop", {{"max_iterations", 5}, {"scan_output_directions", {1}}});
    r = run_with(backwards, {number(3), go, number(10)}, {&body});
    expect_near(values_of(r.at(1)), {0, 0, 11, 10, 10}, 0);
    const auto exact = make_op("loop_dynamic", {{"max_iterations", 5}});
    r = run_with(exact, {number(3), go, number(10)}, {&body});
    expect_near(values_of(r.at(1)), {10, 10, 11}, 0);
    EXPECT_EQ(r.at(1).get_shape().lens(), (lens{3, 1}));
    auto early = summing(11);
    r = run_with(op, {number(5), go, number(10)}, {&early});
    expect_near(values_of(r.at(1)), {10, 10, 0, 0, 0}, 0);
    refused_with(op, to_shapes({number(3), go}), {&body}, "inputs");
}

module elementwise(shape::type_t t = shape::float_type) {
    module m("pw");
    auto x = m.add_parameter("x0", shape{t});
    auto y = m.add_parameter("x1", shape{t});
    auto two = m.add_literal(literal{shape{t}, {2.0f}});
    auto sum = m.add_instruction(make_op("add"), x, y);
    m.add_return({m.add_instruction(make_op("mul"), sum, two)});
    return m;
}

TEST(ops_pointwise_module, values_and_layouts) {
    auto body = elementwise();
    const auto op = make_op("pointwise");
    const auto x = ramp(of({50, 101})), y = noise(of({50, 101}));
    auto wanted = values_of(y);
    for (std::size_t i = 0; i < wanted.size(); ++i)
        wanted[i] = 2 * (static_cast<double>(i) + wanted[i]);
    expect_near(values_of(run_with(op, {x, y}, {&body}).at(0)), wanted, 1e-6);
    expect_near(values_of(run_with(op, {scattered(x), y}, {&body}).at(0)), wanted, 1e-6);
    expect_near(values_of(run_with(op, {scattered(x), scattered(y)}, {&body}).at(0)), wanted, 1e-6);
    const shape t{shape::float_type, {2, 3}, {1, 2}}, b{shape::float_type, {2, 3}, {0, 1}};
    EXPECT_EQ(op.compute_shape({t, b}, {&body}), t);
    EXPECT_EQ(op.compute_shape({b, b}, {&body}), of({2, 3}));
    refused_with(op, {of({2}), of({3})}, {&body}, "equal dimensions");
    refused_with(op, {of({2}), of({2}, shape::half_type)}, {&body}, "expected for parameter x1");
    refused_with(op, {of({2})}, {&body}, "operands");
    const auto range = dyn({{1, 4}});
    EXPECT_EQ(op.compute_shape({range, range}, {&body}), range);
    expect_near(
        values_of(op.compute(range, {floats({2}, {1, 2}), floats({2}, {3, 4})}, {&body}, run_body)),
        {8, 12}, 0);
}

TEST(ops_pointwise_module, several_results) {
    module m("pw");
    auto x = m.add_parameter("x0", shape{shape::float_type});
    auto e = m.add_instruction(make_op("exp"), x);
    auto c = m.add_instruction(make_op("convert", {{"target_type", shape::int32_type}}), x);
    m.add_return({e, c});
    const auto r = run_with(make_op("pointwise"), {floats({2}, {0, 1.5})}, {&m});
    expect_near(values_of(r.at(0)), {1, std::exp(1.5)}, 1e-6);
    EXPECT_EQ(r.at(1).get_shape(), of({2}, shape::int32_type));
    expect_near(values_of(r.at(1)), {0, 1}, 0);
}

TEST(ops_modules, call) {
    const auto x = floats({2}, {1, 2}), y = floats({2}, {3, 4});
    module plain("plain");
    auto a = plain.add_parameter("a", of({2})), b = plain.add_parameter("b", of({2}));
    plain.add_return({plain.add_instruction(make_op("sub"), a, b)});
    expect_near(values_of(run_with(make_op("group", {{"tag", "t"}}), {x, y}, {&plain}).at(0)),
                {-2, -2}, 0);
    expect_near(values_of(run_with(make_op("run_on_target"), {x, y}, {&plain}).at(0)), {-2, -2}, 0);
    refused_with(make_op("group"), {of({2}), of({3})}, {&plain}, "expected for parameter b");
    module sum("sum");
    auto p = sum.add_parameter("x", of({2, 2}));
    sum.add_return({sum.add_instruction(make_op("reduce_sum", {{"axes", {1}}}), p)});
    expect_near(
        values_of(
            run_with(make_op("fused_reduce", {{"axes", {1}}}), {ramp(of({2, 2}))}, {&sum}).at(0)),
        {1, 5}, 0);
    expect_near(values_of(run_with(make_op("split_fused_reduce", {{"axes", {1}}}),
                                   {ramp(of({2, 2}))}, {&sum})
                              .at(0)),
                {1, 5}, 0);
}

TEST(ops_modules, select) {
    auto two = scaled("two", 2, {2}), three = scaled("three", 3, {3});
    const auto op =
        make_op("select_module",
                {{"output_dyn_shapes", to_value(shape{std::vector<shape>{dyn({{2, 3}})}})}});
    const auto r = run_with(op, {floats({3}, {1, 2, 3}), floats({3}, {0, 0, 0})}, {&two, &three});
    expect_near(values_of(r.at(0)), {3, 6, 9}, 0);
    EXPECT_THROW(run_with(op, {floats({4}, {1, 2, 3, 4})}, {&two, &three}), migraphx::exception);
}

TEST(ops_modules, fused_concat) {
    auto first = elementwise(), last = elementwise();
    module neg("neg");
    auto x = neg.add_parameter("x0", shape{shape::float_type});
    neg.add_return({neg.add_instruction(make_op("neg"), x)});
    const auto a = floats({1, 2}, {1, 2}), b = floats({1, 2}, {3, 4}), c = floats({1, 1}, {5}),
               d = floats({1, 3}, {1, 1, 1});
    const auto op = make_op("fused_concat", {{"axis", -1}});
    const auto r = run_with(op, {a, b, c, d}, {&first, &neg, &last});
    expect_near(values_of(r.at(0)), {18, 26, -8}, 0);
    refused_with(op, to_shapes({a, b, c}), {&first, &neg, &last}, "last module");
}

} // namespace
