// SPDX-License-Identifier: MIT
// Reductions, argmax and argmin, softmax, topk, nonzero.
#include "ops_compute_support.hpp"

#include <migraphx/op/argmax.hpp>
#include <migraphx/op/reduce_mean.hpp>
#include <migraphx/op_info.hpp>

using namespace ops_check;

namespace {

operation over(const char* name, std::vector<int64_t> axes) {
    return make_op(name, {{"axes", axes}});
}

TEST(ops_reduce, values) {
    const auto x = ramp(of({2, 3}), 1, 1); // 1..6
    check(over("reduce_sum", {1}), {x}, {6, 15});
    check(over("reduce_sum", {-2}), {x}, {5, 7, 9});
    check(over("reduce_sum", {0, 1}), {x}, {21});
    check(over("reduce_mean", {0}), {x}, {2.5, 3.5, 4.5});
    check(over("reduce_prod", {1}), {x}, {6, 120});
    check(over("reduce_max", {0}), {x}, {4, 5, 6});
    check(over("reduce_min", {1}), {x}, {1, 4});
    const auto b = tensor(of({2, 2}), {1, 2, 0, 3});
    check(over("reduce_all", {1}), {b}, {1, 0});
    check(over("reduce_any", {0}), {b}, {1, 1});
    check(over("reduce_sum", {1}), {ramp(of({2, 3, 4}))}, {12, 15, 18, 21, 48, 51, 54, 57});
}

TEST(ops_reduce, types) {
    const auto i8 = tensor({shape::int8_type, {4}}, {100, 100, -3, 1});
    check(over("reduce_sum", {0}), {i8}, {-58});
    check(over("reduce_max", {0}), {i8}, {100});
    check(over("reduce_mean", {0}), {tensor({shape::int32_type, {2}}, {-3, 0})}, {-1});
    check(over("reduce_mean", {0}), {tensor({shape::half_type, {3}}, {1, 2, 4})}, {7.0 / 3}, 1e-3);
    check(over("reduce_max", {0}), {floats({3}, {1, not_a_number, 3})}, {not_a_number});
    // A float accumulator would lose the ones.
    auto many = reals(1000, 1);
    many[0] = 1e8;
    check(over("reduce_sum", {0}), {tensor({shape::double_type, {1000}}, many)}, {1e8 + 999},
          1e-15);
}

TEST(ops_reduce, nothing_to_reduce) {
    const auto none = argument(of({2, 0}));
    check(over("reduce_sum", {1}), {none}, {0, 0});
    check(over("reduce_prod", {1}), {none}, {1, 1});
    check(over("reduce_max", {1}), {none}, {-inf, -inf});
    check(over("reduce_max", {1}), {argument(of({2, 0}, shape::int8_type))}, {-128, -128});
    check(over("reduce_mean", {1}), {none}, {not_a_number, not_a_number});
    check(over("reduce_sum", {0}), {none}, {});
}

TEST(ops_reduce, run_time_axes) {
    const auto op = make_op("reduce_sum");
    const auto x = ramp(of({2, 3}), 1, 1);
    EXPECT_EQ(op.compute_shape({of({2, 3}), of({1}, shape::int64_type)}), dyn({{1, 2}, {1, 3}}));
    check(op, {x, tensor({shape::int64_type, {1}}, {-1})}, {6, 15});
    check(op, {x, tensor({shape::int64_type, {2}}, {0, 1})}, {21});
    check(op, {x, argument(shape{shape::int64_type, {0}})}, {1, 2, 3, 4, 5, 6});
    refused(op, {of({2, 3})}, "2 inputs");
    refused(over("reduce_sum", {1}), {of({2, 3}), of({1}, shape::int64_type)}, "1 input");
    const auto resolved = op.info().resolve(
        op.self(), {argument(of({2, 3}), nullptr), tensor({shape::int64_type, {1}}, {1})});
    EXPECT_EQ(resolved, of({2, 1}));
}

TEST(ops_reduce, dynamic_and_errors) {
    EXPECT_EQ(over("reduce_sum", {-1}).compute_shape({dyn({{1, 4}, {3, 3}})}),
              dyn({{1, 4}, {1, 1}}));
    const auto n = sym::var("n", {1, 8});
    const auto s = over("reduce_sum", {1}).compute_shape({dyn({dim{n}, {3, 3}})});
    EXPECT_TRUE(s.symbolic());
    EXPECT_EQ(s.dyn_dims()[1], 1u);
    refused(over("reduce_sum", {2}), {of({2, 3})}, "axis must be in [-2, 1], got 2");
    EXPECT_EQ(operation{op::reduce_mean{{1}}}, over("reduce_mean", {1}));
}

TEST(ops_reduce, argmax) {
    const auto x = floats({2, 3}, {1, 5, 5, 7, 2, 7});
    check(make_op("argmax", {{"axis", 1}}), {x}, {1, 0});
    check(make_op("argmax", {{"axis", -1}, {"select_last_index", true}}), {x}, {2, 2});
    check(make_op("argmin", {{"axis", 0}}), {x}, {0, 1, 0});
    check(make_op("argmax", {{"axis", 0}}), {floats({3}, {1, not_a_number, 3})}, {1});
    EXPECT_EQ(make_op("argmax", {{"axis", 1}}).compute_shape({of({2, 3})}),
              of({2, 1}, shape::int64_type));
    EXPECT_EQ(make_op("argmax").compute_shape({dyn({{1, 4}, {3, 3}})}),
              dyn({{1, 1}, {3, 3}}, shape::int64_type));
    op::argmax named;
    named.axis = 1;
    EXPECT_EQ(any_cast<op::argmax>(operation{named}).axis, 1);
    refused(make_op("argmax"), {of({0, 3})}, "elements");
}

TEST(ops_softmax, values) {
    const auto x = floats({2, 2}, {0, std::log(3.0), 1000, 1000});
    check(make_op("softmax", {{"axis", 1}}), {x}, {0.25, 0.75, 0.5, 0.5});
    check(make_op("logsoftmax", {{"axis", -1}}), {x},
          {std::log(0.25), std::log(0.75), std::log(0.5), std::log(0.5)});
    check(make_op("softmax", {{"axis", 0}}), {floats({2, 1}, {0, 0})}, {0.5, 0.5});
    check(make_op("softmax", {{"axis", 0}}), {argument(of({0, 2}))}, {});
    const shape sliced{shape::float_type, {2, 3}, {6, 1}};
    EXPECT_EQ(make_op("softmax").compute_shape({sliced}), of({2, 3}));
    refused(make_op("softmax"), {of({2, 2}, shape::int32_type)}, "floating-point");
    refused(make_op("softmax"), {of({2})}, "axis");
    EXPECT_EQ(make_op("softmax").compute_shape({dyn({{1, 4}, {3, 3}})}), dyn({{1, 4}, {3, 3}}));
}

TEST(ops_topk, values) {
    const auto x = floats({2, 4}, {3, 1, 4, 4, 2, 9, 2, 0});
    const auto op = make_op("topk", {{"k", 2}, {"axis", -1}});
    check(op, {x}, {4, 4, 9, 2}, 0, 0);
    check(op, {x}, {2, 3, 1, 0}, 0, 1);
    check(make_op("topk", {{"k", 1}, {"axis", 0}, {"largest", false}}), {x}, {2, 1, 2, 0}, 0, 0);
    check(make_op("topk", {{"k", 2}, {"axis", 0}}), {x}, {0, 1, 0, 0, 1, 0, 1, 1}, 0, 1);
    const auto names = ramp({shape::int64_type, {2, 4}}, 10);
    check(op, {x, names}, {20, 30, 50, 40}, 0, 1);
    check(op, {floats({2, 2}, {not_a_number, 1, 2, not_a_number})},
          {not_a_number, 1, not_a_number, 2}, 0, 0);
    const shape expected{{of({2, 2}), of({2, 2}, shape::int64_type)}};
    EXPECT_EQ(op.compute_shape({of({2, 4})}), expected);
    refused(op, {of({2, 1})}, "k must be from 0 to 1, got 2");
    const auto d = op.compute_shape({dyn({{1, 4}, {3, 3}})});
    EXPECT_EQ(d.sub_shapes().at(0), dyn({{1, 4}, {2, 2}}));
}

TEST(ops_topk, run_time_k) {
    const auto op = make_op("topk_dynamic", {{"axis", 1}});
    const auto x = floats({2, 3}, {3, 1, 4, 2, 9, 5});
    const auto k = tensor({shape::int64_type, {1}}, {2});
    EXPECT_EQ(op.compute_shape(to_shapes({x, k})).sub_shapes().at(1),
              dyn({{2, 2}, {0, 3}}, shape::int64_type));
    check(op, {x, k}, {4, 3, 9, 5}, 0, 0);
    EXPECT_EQ(op.info().resolve(op.self(), {x, k}).sub_shapes().at(0), of({2, 2}));
}

TEST(ops_nonzero, values) {
    const auto x = floats({2, 3}, {0, 1, 0, 2, 0, 0.5});
    check(make_op("nonzero"), {x}, {0, 1, 1, 0, 0, 0, 1, 0, 2, 0, 0, 0});
    const auto op = make_op("nonzero", {{"use_dyn_output", true}});
    EXPECT_EQ(op.compute_shape({of({2, 3})}), dyn({{2, 2}, {0, 6}}, shape::int64_type));
    check(op, {x}, {0, 1, 1, 1, 0, 2});
    EXPECT_EQ(op.info().resolve(op.self(), {x}), of({2, 3}, shape::int64_type));
    check(op, {argument(of({2, 3}))}, {});
    check(op, {tensor({shape::bool_type, {3}}, {1, 0, 1})}, {0, 2});
}

} // namespace
