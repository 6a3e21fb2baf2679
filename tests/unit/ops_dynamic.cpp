// SPDX-License-Identifier: MIT
// Shapes that are not known before the program runs: the same result with ranges and symbols as
// with static shapes, and output shapes that follow from values.
#include "ops_support.hpp"

#include <cmath>
#include <limits>

namespace {

using namespace ops_test;
using migraphx::sym::expr;
using numbers_t = std::vector<double>;
constexpr auto f32 = shape::float_type;

struct dynamic_case {
    operation op;
    arguments in;
    bool symbolic; ///< also with a variable for each dimension of the first input
};

std::vector<dynamic_case> dynamic_cases() {
    const auto x = count_up(lens_t{2, 3, 4});
    const auto y = count_up(lens_t{2, 1, 4});
    return {
        {make_op("identity"), {x}, true},
        {make_op("contiguous"), {x}, true},
        {make_op("reshape", {{"dims", {0, -1}}}), {x}, true},
        {make_op("reshape", {{"dims", {0, 0, 2, -1}}}), {x}, false},
        {make_op("flatten", {{"axis", 2}}), {x}, true},
        {make_op("transpose", {{"permutation", {2, 0, 1}}}), {x}, true},
        {make_op("squeeze", {{"axes", {1}}}), {y}, true},
        {make_op("unsqueeze", {{"axes", {0, 2}}}), {x}, true},
        {make_op("slice", {{"axes", {0, 2}}, {"starts", {1, -1}}, {"ends", {2, 100}}}), {x}, true},
        {make_op("step", {{"axes", {2}}, {"steps", {3}}}), {x}, true},
        {make_op("multibroadcast"), {x, x}, false},
        {make_op("broadcast_for_dot"), {count_up(lens_t{3, 4}), x}, true},
        {make_op("concat", {{"axis", 1}}), {x, y, x}, true},
        {make_op("gather", {{"axis", 1}}), {x, list({2, 0})}, true},
        {make_op("gather", {{"axis", 1}}), {x, one(2)}, true},
        {make_op("gathernd"), {x, ints({1, 2}, {1, 2})}, true},
        {make_op("scatter_add"), {x, ints({1, 1, 2}, {1, 0}), floats({1, 1, 2}, {7, 8})}, true},
        {make_op("scatternd_none"), {x, ints({1, 3}, {1, 2, 3}), floats({1}, {9})}, true},
        {make_op("pad", {{"pads", {0, 1, 2, 1, 0, 0}}, {"mode", 2}}), {x}, true},
        {make_op("reverse", {{"axes", {1}}}), {x}, true},
        {make_op("onehot", {{"depth", 4}, {"axis", 1}}),
         {ints({2, 3}, {0, 1, 2, 3, 2, 1}), floats({2}, {0, 1})},
         true},
        {make_op("layout", {{"permutation", {2, 1, 0}}}), {x}, true},
        {make_op("prefix_scan_sum", {{"axis", 2}}), {x}, true},
        {make_op("bit_cast", {{"target_type", int(shape::int32_type)}}), {x}, true},
        {make_op("dimensions_of", {{"start", 1}, {"end", 3}}), {x}, true},
        {make_op("resize", {{"scales", {1.0f, 1.5f, 2.0f}},
                            {"coordinate_transformation_mode", "half_pixel"}}),
         {x},
         true},
    };
}

TEST(ops_dynamic, ranges_give_the_static_result) {
    for (const auto& c : dynamic_cases()) {
        const auto expected = run(c.op, c.in);
        auto shapes = migraphx::to_shapes(c.in);
        std::vector<dim> dims;
        for (auto n : shapes[0].lens())
            dims.emplace_back(std::size_t{1}, 2 * n);
        shapes[0] = shape{shapes[0].type(), dims};
        shape s;
        ASSERT_NO_THROW(s = c.op.compute_shape(shapes)) << c.op;
        EXPECT_TRUE(shape::is_compatible_lens(expected.get_shape(), s)) << c.op << ": " << s;
        const auto got = c.op.compute(s, c.in);
        EXPECT_EQ(got.get_shape(), expected.get_shape()) << c.op;
        EXPECT_EQ(values(got), values(expected)) << c.op;
    }
}

TEST(ops_dynamic, symbols_give_the_static_shape) {
    for (const auto& c : dynamic_cases()) {
        if (not c.symbolic)
            continue;
        const auto expected = run(c.op, c.in);
        auto shapes = migraphx::to_shapes(c.in);
        std::vector<dim> dims;
        std::unordered_map<expr, std::size_t> sizes;
        for (std::size_t i = 0; i < shapes[0].ndim(); ++i) {
            const auto n = static_cast<int64_t>(shapes[0].lens()[i]);
            const auto v = migraphx::sym::var("d" + std::to_string(i), {1, 2 * n});
            dims.emplace_back(v);
            sizes[v] = static_cast<std::size_t>(n);
        }
        shapes[0] = shape{shapes[0].type(), dims};
        shape s;
        ASSERT_NO_THROW(s = c.op.compute_shape(shapes)) << c.op;
        EXPECT_TRUE(shape::is_compatible_lens(expected.get_shape(), s)) << c.op << ": " << s;
        if (s.symbolic()) {
            EXPECT_EQ(s.to_static(sizes).lens(), expected.get_shape().lens()) << c.op << ": " << s;
        }
        const auto got = c.op.compute(s, c.in);
        EXPECT_EQ(got.get_shape(), expected.get_shape()) << c.op;
        EXPECT_EQ(values(got), values(expected)) << c.op;
    }
}

TEST(ops_dynamic, symbols_are_kept) {
    const auto n = migraphx::sym::var("n", {1, 8});
    const shape x{f32, {dim{n}, dim{3, 3}, dim{4, 4}}};
    const shape index{shape::int64_type, {2}};
    const auto kept = [&](const operation& op, std::vector<shape> in) {
        const auto s = op.compute_shape(in);
        EXPECT_TRUE(s.symbolic()) << op << ": " << s;
    };
    kept(make_op("reshape", {{"dims", {-1, 12}}}), {x});
    kept(make_op("slice", {{"axes", {1}}, {"starts", {1}}, {"ends", {3}}}), {x});
    kept(make_op("concat", {{"axis", 1}}), {x, x});
    kept(make_op("gather", {{"axis", 1}}), {x, index});
    kept(make_op("unsqueeze", {{"axes", {0}}}), {x});
    kept(make_op("flatten"), {x});
    kept(make_op("pad", {{"pads", {0, 1, 0, 0, 1, 0}}}), {x});
}

TEST(ops_reshape_dynamic, dims_from_values) {
    const auto op = make_op("reshape_dynamic");
    const auto x = count_up(lens_t{2, 3, 4});
    EXPECT_EQ(run(op, {x, list({0, -1})}).get_shape(), (shape{f32, {2, 12}}));
    EXPECT_EQ(run_values(op, {reversed_order(x), list({4, 6})}), values(x));
    EXPECT_EQ(run(op, {floats({1}, {5}), list({})}).get_shape(), (shape{f32}));
    EXPECT_EQ(
        run(make_op("reshape_dynamic", {{"allowzero", true}}), {floats({0, 3}, {}), list({3, 0})})
            .get_shape()
            .lens(),
        (lens_t{3, 0}));
    EXPECT_FALSE(message_of([&] { run(op, {x, list({5, -1})}); }).empty());
    EXPECT_FALSE(message_of([&] {
                     run(op, {x, list({std::numeric_limits<int64_t>::max(), 4, 7})});
                 }).empty());
    EXPECT_FALSE(infer_error(op, {x.get_shape(), {f32, {2}}}).empty());
    EXPECT_FALSE(infer_error(op, {x.get_shape(), {shape::int64_type, {2, 1}}}).empty());
    EXPECT_EQ(op.info().shape_inputs, (std::vector<std::size_t>{1}));
}

TEST(ops_tile_dynamic, repeats) {
    const auto op = make_op("tile_dynamic");
    const auto x = floats({1, 2}, {1, 2});
    EXPECT_EQ(run_values(op, {x, list({2, 2})}), (numbers_t{1, 2, 1, 2, 1, 2, 1, 2}));
    EXPECT_EQ(run(op, {x, list({0, 2})}).get_shape().lens(), (lens_t{0, 4}));
    EXPECT_FALSE(infer_error(op, {x.get_shape(), {shape::int64_type, {3}}}).empty());
    EXPECT_FALSE(message_of([&] { run(op, {x, list({-1, 2})}); }).empty());
    EXPECT_FALSE(message_of([&] { run(op, {x, list({1ll << 62, 1ll << 62})}); }).empty());
}

TEST(ops_pad_dynamic, optional_inputs) {
    const auto x = floats({1, 2}, {1, 2});
    const argument absent{shape{}, nullptr};
    const auto op = make_op("pad_dynamic");
    EXPECT_EQ(run_values(op, {x, list({0, 1, 0, 0})}), (numbers_t{0, 1, 2}));
    EXPECT_EQ(run_values(op, {x, list({0, 1, 1, 0}), floats({1}, {7})}),
              (numbers_t{7, 1, 2, 7, 7, 7}));
    EXPECT_EQ(run_values(op, {x, list({1, 1}), absent, list({-1})}), (numbers_t{0, 1, 2, 0}));
    EXPECT_EQ(run_values(make_op("pad_dynamic", {{"mode", 1}}), {x, list({0, 1, 0, 1})}),
              (numbers_t{2, 1, 2, 1}));
    EXPECT_FALSE(message_of([&] { run(op, {x, list({1, 1})}); }).empty());
    EXPECT_FALSE(message_of([&] {
                     run(op, {x, list({0, std::numeric_limits<int64_t>::max(), 0, 1})});
                 }).empty());
    EXPECT_FALSE(
        infer_error(op, {x.get_shape(), {shape::int64_type, {4}}, {shape::half_type}}).empty());
}

TEST(ops_slice_dynamic, onnx_semantics) {
    const auto x = count_up(lens_t{4, 6});
    const argument absent{shape{}, nullptr};
    const auto op = make_op("slice_dynamic");
    EXPECT_EQ(run_values(op, {x, list({1, 2}), list({2, 100})}), (numbers_t{8, 9, 10, 11}));
    EXPECT_EQ(run_values(op, {x, list({-1}), list({std::numeric_limits<int64_t>::min()}), list({1}),
                              list({-4})}),
              (numbers_t{5, 1, 11, 7, 17, 13, 23, 19}));
    EXPECT_EQ(run_values(op, {x, list({1}), list({1000}), absent, list({2})}),
              (numbers_t{6, 7, 8, 9, 10, 11, 18, 19, 20, 21, 22, 23}));
    EXPECT_EQ(run(op, {x, list({3}), list({1})}).get_shape().lens(), (lens_t{0, 6}));
    EXPECT_EQ(run_values(op, {x, list({100}), list({-100}), list({0}),
                              list({std::numeric_limits<int64_t>::min()})}),
              (numbers_t{18, 19, 20, 21, 22, 23}));
    EXPECT_FALSE(message_of([&] { run(op, {x, list({0}), list({1}), list({2})}); }).empty());
    EXPECT_FALSE(message_of([&] {
                     run(op, {x, list({0}), list({1}), list({0}), list({0})});
                 }).empty());
    EXPECT_FALSE(message_of([&] {
                     run(op, {x, list({0, 0}), list({1, 1}), list({0, -2})});
                 }).empty());
    EXPECT_FALSE(
        infer_error(op, {x.get_shape(), {shape::int64_type, {1}}, {shape::int64_type, {2}}})
            .empty());
}

TEST(ops_constant_of_shape, number_and_type) {
    const auto big = int64_t{1} << 62;
    const auto op =
        make_op("constant_of_shape", {{"dtype", int(shape::int64_type)}, {"value", big + 1}});
    const auto y = run(op, {list({2, 1})});
    EXPECT_EQ(y.get_shape(), (shape{shape::int64_type, {2, 1}}));
    EXPECT_EQ(y.at<int64_t>(1), big + 1);
    EXPECT_EQ(run(make_op("constant_of_shape"), {list({})}).get_shape(), (shape{f32}));
    EXPECT_EQ(run_values(make_op("constant_of_shape", {{"value", 2.5}}), {list({2})}),
              (numbers_t{2.5, 2.5}));
    EXPECT_EQ(run(make_op("constant_of_shape"), {list({0, 3})}).get_shape().lens(), (lens_t{0, 3}));
    EXPECT_FALSE(message_of([&] { run(op, {list({-1})}); }).empty());
    EXPECT_FALSE(message_of([&] { run(op, {list({1ll << 40, 1ll << 40})}); }).empty());
}

TEST(ops_dynamic_range, counts) {
    const auto op = make_op("dynamic_range");
    EXPECT_EQ(run_values(op, {one(1), one(8), one(3)}), (numbers_t{1, 4, 7}));
    EXPECT_EQ(run_values(op, {one(5), one(0), one(-2)}), (numbers_t{5, 3, 1}));
    EXPECT_EQ(run_values(op, {one(5), one(0), one(2)}), (numbers_t{}));
    const auto f = [](double v) { return floats({1}, {v}); };
    EXPECT_EQ(run_values(op, {f(0), f(1), f(0.25)}), (numbers_t{0, 0.25, 0.5, 0.75}));
    EXPECT_EQ(run_values(make_op("dynamic_range", {{"max_output", 2}}), {one(0), one(100), one(1)}),
              (numbers_t{0, 1}));
    EXPECT_EQ(op.compute_shape({{shape::int64_type}, {shape::int64_type}, {shape::int64_type}}),
              (shape{shape::int64_type, {dim{0, 2147483647}}}));
    EXPECT_FALSE(message_of([&] { run(op, {one(0), one(1), one(0)}); }).empty());
    EXPECT_FALSE(message_of([&] { run(op, {f(0), f(NAN), f(1)}); }).empty());
    EXPECT_FALSE(infer_error(op, {{f32}, {f32}, {shape::int64_type}}).empty());
}

TEST(ops_allocate, shape_or_dims) {
    const shape s{f32, {2, 3}};
    const auto y = run(make_op("allocate", {{"shape", migraphx::to_value(s)}}), {});
    EXPECT_EQ(y.get_shape(), s);
    EXPECT_EQ(values(y), numbers_t(6, 0));
    const auto op = make_op("allocate", {{"buf_type", int(shape::half_type)}});
    EXPECT_EQ(run(op, {list({4, 5})}).get_shape(), (shape{shape::half_type, {4, 5}}));
    EXPECT_FALSE(infer_error(make_op("allocate"), {}).empty());
    EXPECT_FALSE(infer_error(op, {}).empty());
    EXPECT_FALSE(infer_error(make_op("allocate", {{"shape", migraphx::to_value(s)}}),
                             {{shape::int64_type, {1}}})
                     .empty());
}

} // namespace
