// SPDX-License-Identifier: MIT
// Operators that copy elements to other places.
#include "ops_support.hpp"

#include <cmath>

namespace {

using namespace ops_test;

constexpr auto f32 = shape::float_type;
using numbers_t = std::vector<double>;

TEST(ops_concat, along_any_axis) {
    const auto a = count_up(lens_t{3, 4});
    const auto b = floats({3, 2}, {10, 11, 12, 13, 14, 15});
    const auto op = make_op("concat", {{"axis", -1}});
    EXPECT_EQ(run_values(op, {a, b}),
              (numbers_t{0, 1, 2, 3, 10, 11, 4, 5, 6, 7, 12, 13, 8, 9, 10, 11, 14, 15}));
    EXPECT_EQ(run_values(op, {reversed_order(a), with_gaps(b)}), run_values(op, {a, b}));
    EXPECT_EQ(run(op, {a, floats({3, 0}, {})}).get_shape().lens(), (lens_t{3, 4}));
    EXPECT_EQ(run_values(make_op("concat"), {list({1, 2}), list({3})}), (numbers_t{1, 2, 3}));
    const shape nhwc{f32, {1, 2, 3, 4}, {24, 1, 8, 2}};
    EXPECT_EQ(make_op("concat", {{"axis", 1}}).compute_shape({nhwc, nhwc}),
              (shape{f32, {1, 4, 3, 4}, {48, 1, 16, 4}}));
}

TEST(ops_concat, dynamic_and_errors) {
    const auto op = make_op("concat", {{"axis", 0}});
    EXPECT_EQ(op.compute_shape({{f32, {dim{1, 4}, dim{2, 2}}}, {f32, {dim{3, 3}, dim{1, 5}}}}),
              (shape{f32, {dim{4, 7}, dim{2, 2}}}));
    EXPECT_EQ(op.compute_shape({{f32, {dim{1, 4}, dim{2, 2}}}, {f32, {3, 2}}}),
              (shape{f32, {dim{4, 7}, dim{2, 2}}}));
    const auto n = migraphx::sym::var("n", {1, 8});
    EXPECT_EQ(op.compute_shape({shape{f32, {dim{n}, dim{2, 2}}}, shape{f32, {dim{n}, dim{2, 2}}}})
                  .dyn_dims()[0],
              dim{n * 2});
    EXPECT_FALSE(infer_error(op, {}).empty());
    EXPECT_FALSE(infer_error(op, {{f32, {1, 2}}, {f32, {1, 3}}}).empty());
    EXPECT_FALSE(infer_error(op, {{f32, {1, 2}}, {f32, {1, 2, 3}}}).empty());
    EXPECT_FALSE(infer_error(op, {{f32, {1, 2}}, {shape::half_type, {1, 2}}}).empty());
}

TEST(ops_gather, slices) {
    const auto x = count_up(lens_t{4, 5});
    const auto op = make_op("gather", {{"axis", 1}});
    EXPECT_EQ(run(op, {x, ints({2, 3}, {0, 1, 2, 3, 4, -1})}).get_shape(), (shape{f32, {4, 2, 3}}));
    EXPECT_EQ(run_values(op, {x, one(-1)}), (numbers_t{4, 9, 14, 19}));
    EXPECT_EQ(run(op, {x, one(2)}).get_shape(), (shape{f32, {4}}));
    EXPECT_EQ(run(op, {x, list({2})}).get_shape(), (shape{f32, {4, 1}}));
    EXPECT_EQ(run(make_op("gather"), {list({7, 8, 9}), one(1)}).get_shape(),
              (shape{shape::int64_type}));
    EXPECT_EQ(run_values(make_op("gather"), {reversed_order(x), list({3, 0})}),
              (numbers_t{15, 16, 17, 18, 19, 0, 1, 2, 3, 4}));
    EXPECT_EQ(run(op, {x, list({})}).get_shape().lens(), (lens_t{4, 0}));
    EXPECT_EQ(run_values(op, {x, tensor({shape::int32_type, {1}}, {-5})}),
              (numbers_t{0, 5, 10, 15}));
}

TEST(ops_gather, errors_and_dynamic) {
    const auto x = count_up(lens_t{4, 5});
    const auto op = make_op("gather", {{"axis", 1}});
    EXPECT_TRUE(contains(message_of([&] {
                             run(op, {x, one(5)});
                         }),
                         "index out of bounds: a value in [-5, 5) was expected, got 5"));
    EXPECT_TRUE(contains(message_of([&] { run(op, {x, one(-6)}); }), "got -6"));
    EXPECT_FALSE(infer_error(op, {x.get_shape(), x.get_shape()}).empty());
    EXPECT_EQ(op.compute_shape({{f32, {dim{1, 4}, dim{5, 5}}}, {shape::int64_type, {2, 3}}}),
              (shape{f32, {dim{1, 4}, dim{2, 2}, dim{3, 3}}}));
    EXPECT_EQ(op.compute_shape({{f32, {4, 5}}, {shape::int64_type, {dim{1, 9}}}}),
              (shape{f32, {dim{4, 4}, dim{1, 9}}}));
}

TEST(ops_gathernd, tuples) {
    const auto x = count_up(lens_t{2, 3, 4});
    const auto op = make_op("gathernd");
    EXPECT_EQ(op.compute_shape({{f32, {2, 3, 4}}, {shape::int64_type, {5, 2}}}),
              (shape{f32, {5, 4}}));
    EXPECT_EQ(run_values(op, {x, ints({2, 2}, {0, 2, -1, 0})}),
              (numbers_t{8, 9, 10, 11, 12, 13, 14, 15}));
    EXPECT_EQ(run_values(op, {with_gaps(x), ints({1, 3}, {1, 1, -1})}), (numbers_t{19}));
    const auto batched = make_op("gathernd", {{"batch_dims", 1}});
    EXPECT_EQ(run_values(batched, {reversed_order(x), ints({2, 1}, {1, 2})}),
              (numbers_t{4, 5, 6, 7, 20, 21, 22, 23}));
    EXPECT_EQ(run(op, {x, ints({3}, {1, 2, 3})}).get_shape().lens(), (lens_t{1}));
    EXPECT_TRUE(contains(message_of([&] { run(op, {x, ints({1, 1}, {2})}); }), "out of bounds"));
    EXPECT_FALSE(infer_error(op, {{f32, {2}}, {shape::int64_type, {5, 2}}}).empty());
    EXPECT_FALSE(infer_error(batched, {{f32, {2, 3}}, {shape::int64_type, {3, 1}}}).empty());
    EXPECT_FALSE(infer_error(op, {{f32, {2, 3}}, {shape::int64_type, {dim{1, 2}}}}).empty());
}

TEST(ops_scatter, reductions) {
    const auto data = floats({3, 2}, {1, 2, 3, 4, 5, 6});
    const auto at = ints({2, 2}, {0, -1, 0, 1});
    const auto updates = floats({2, 2}, {10, 20, 3, 0.5});
    EXPECT_EQ(run_values(make_op("scatter_none"), {data, at, updates}),
              (numbers_t{3, 2, 3, 0.5, 5, 20}));
    EXPECT_EQ(run_values(make_op("scatter_add"), {data, at, updates}),
              (numbers_t{14, 2, 3, 4.5, 5, 26}));
    EXPECT_EQ(run_values(make_op("scatter_mul"), {data, at, updates}),
              (numbers_t{30, 2, 3, 2, 5, 120}));
    EXPECT_EQ(run_values(make_op("scatter_min"), {data, at, updates}),
              (numbers_t{1, 2, 3, 0.5, 5, 6}));
    EXPECT_EQ(run_values(make_op("scatter_max"), {data, at, updates}),
              (numbers_t{10, 2, 3, 4, 5, 20}));
    EXPECT_EQ(run_values(make_op("scatter_add"),
                         {reversed_order(data), with_gaps(at), reversed_order(updates)}),
              (numbers_t{14, 2, 3, 4.5, 5, 26}));
}

TEST(ops_scatter, bounds) {
    const auto data = ints({3}, {1, 2, 3});
    const auto updates = ints({2}, {7, 8});
    EXPECT_TRUE(contains(message_of([&] {
                             run(make_op("scatter_none"), {data, list({0, 3}), updates});
                         }),
                         "out of bounds"));
    EXPECT_EQ(run_values(make_op("scatter_none", {{"skip_out_of_bounds", true}}),
                         {data, list({-4, 1}), updates}),
              (numbers_t{1, 8, 3}));
    EXPECT_FALSE(infer_error(make_op("scatter_none"),
                             {data.get_shape(), data.get_shape(), updates.get_shape()})
                     .empty());
    EXPECT_FALSE(
        infer_error(make_op("scatter_none"), {data.get_shape(), {f32, {2}}, updates.get_shape()})
            .empty());
}

TEST(ops_scatternd, reductions_and_negative_indices) {
    const auto data = ints({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
    const auto at = ints({2, 1}, {-1, 0});
    const auto updates = ints({2, 2}, {10, 1, 2, 20});
    EXPECT_EQ(run_values(make_op("scatternd_none"), {data, at, updates}),
              (numbers_t{2, 20, 3, 4, 5, 6, 10, 1}));
    EXPECT_EQ(run_values(make_op("scatternd_add"), {data, at, updates}),
              (numbers_t{3, 22, 3, 4, 5, 6, 17, 9}));
    EXPECT_EQ(run_values(make_op("scatternd_mul"), {data, at, updates}),
              (numbers_t{2, 40, 3, 4, 5, 6, 70, 8}));
    EXPECT_EQ(run_values(make_op("scatternd_min"), {data, at, updates}),
              (numbers_t{1, 2, 3, 4, 5, 6, 7, 1}));
    EXPECT_EQ(run_values(make_op("scatternd_max"), {data, at, updates}),
              (numbers_t{2, 20, 3, 4, 5, 6, 10, 8}));
    // The same element twice: one update after another.
    EXPECT_EQ(run_values(make_op("scatternd_add"),
                         {data, ints({2, 2}, {0, 0, 0, 0}), ints({2}, {1, 1})})[0],
              3);
    EXPECT_TRUE(contains(
        message_of([&] {
            run(make_op("scatternd_none"), {data, ints({1, 1}, {4}), ints({1, 2}, {0, 0})});
        }),
        "out of bounds"));
    EXPECT_FALSE(infer_error(make_op("scatternd_none"),
                             {{f32, {4, 2}}, {shape::int64_type, {2, 3}}, {f32, {2}}})
                     .empty());
    EXPECT_FALSE(infer_error(make_op("scatternd_none"),
                             {{f32, {4, 2}}, {shape::int64_type, {2, 1}}, {f32, {2, 3}}})
                     .empty());
    const shape broadcast{f32, {4, 2}, {0, 1}};
    EXPECT_TRUE(make_op("scatternd_none")
                    .compute_shape({broadcast, {shape::int64_type, {2, 1}}, {f32, {2, 2}}})
                    .standard());
}

TEST(ops_pad, modes) {
    const auto x = floats({3}, {1, 2, 3});
    const auto padded = [&](int mode, int64_t before, int64_t after) {
        return run_values(
            make_op("pad", {{"mode", mode}, {"pads", {before, after}}, {"value", 9.0f}}), {x});
    };
    EXPECT_EQ(padded(0, 1, 2), (numbers_t{9, 1, 2, 3, 9, 9}));
    EXPECT_EQ(padded(1, 2, 2), (numbers_t{3, 2, 1, 2, 3, 2, 1}));
    EXPECT_EQ(padded(1, 5, 0), (numbers_t{2, 1, 2, 3, 2, 1, 2, 3}));
    EXPECT_EQ(padded(2, 1, 2), (numbers_t{1, 1, 2, 3, 3, 3}));
    EXPECT_EQ(padded(3, 1, 2), (numbers_t{3, 1, 2, 3, 1, 2}));
    EXPECT_EQ(padded(0, -1, 1), (numbers_t{2, 3, 9}));
    EXPECT_EQ(padded(2, -2, -2), (numbers_t{}));
    const auto y = count_up(lens_t{2, 2});
    const auto op = make_op("pad", {{"pads", {0, 1, 1, 0}}});
    EXPECT_EQ(run_values(op, {reversed_order(y)}), (numbers_t{0, 0, 1, 0, 2, 3, 0, 0, 0}));
    EXPECT_EQ(op.compute_shape({{f32, {2, 2}, {1, 2}}}), (shape{f32, {3, 3}, {1, 3}}));
}

TEST(ops_pad, value_and_errors) {
    const auto lowest = std::numeric_limits<float>::lowest();
    const auto op = make_op("pad", {{"pads", {1, 0}}, {"value", lowest}});
    EXPECT_EQ(run_values(op, {tensor({shape::half_type, {1}}, {1})})[0], -65504);
    EXPECT_EQ(run_values(op, {tensor({shape::int8_type, {1}}, {1})})[0], -128);
    EXPECT_EQ(run_values(op, {tensor({shape::uint8_type, {1}}, {1})})[0], 0);
    EXPECT_TRUE(std::isinf(run_values(make_op("pad", {{"pads", {1, 0}}, {"value", -INFINITY}}),
                                      {tensor({shape::half_type, {1}}, {1})})[0]));
    EXPECT_FALSE(infer_error(op, {{f32, {2, 2}}}).empty());
    EXPECT_EQ(op.compute_shape({{f32, {dim{1, 4}}}}), (shape{f32, {dim{2, 5}}}));
    EXPECT_FALSE(message_of([&] {
                     run(make_op("pad", {{"mode", 1}, {"pads", {1, 0}}}), {floats({0}, {})});
                 }).empty());
    EXPECT_EQ(run(make_op("pad", {{"pads", {1, 1}}}), {floats({0}, {})}).get_shape().lens(),
              (lens_t{2}));
}

TEST(ops_reverse, axes) {
    const auto x = count_up(lens_t{2, 3});
    EXPECT_EQ(run_values(make_op("reverse", {{"axes", {-1}}}), {x}), (numbers_t{2, 1, 0, 5, 4, 3}));
    EXPECT_EQ(run_values(make_op("reverse", {{"axes", {0, 1}}}), {reversed_order(x)}),
              (numbers_t{5, 4, 3, 2, 1, 0}));
    EXPECT_FALSE(infer_error(make_op("reverse", {{"axes", {2}}}), {x.get_shape()}).empty());
}

TEST(ops_onehot, depth_as_attribute_or_input) {
    const auto at = list({0, -1, 3});
    const auto onoff = floats({2}, {-1, 5});
    EXPECT_EQ(run_values(make_op("onehot", {{"depth", 3}}), {at, onoff}),
              (numbers_t{5, -1, -1, -1, -1, 5, -1, -1, -1}));
    EXPECT_EQ(run_values(make_op("onehot", {{"depth", 3}, {"axis", 0}}), {at, onoff}),
              (numbers_t{5, -1, -1, -1, -1, -1, -1, 5, -1}));
    EXPECT_EQ(run_values(make_op("onehot"), {at, one(3), onoff}),
              (numbers_t{5, -1, -1, -1, -1, 5, -1, -1, -1}));
    EXPECT_EQ(make_op("onehot", {{"axis", 0}, {"depth", 4}})
                  .compute_shape({{shape::int64_type, {2, 3}}, {f32, {2}}}),
              (shape{f32, {4, 2, 3}}));
    EXPECT_FALSE(infer_error(make_op("onehot"), {at.get_shape(), onoff.get_shape()}).empty());
    EXPECT_FALSE(
        infer_error(make_op("onehot", {{"depth", -1}}), {at.get_shape(), onoff.get_shape()})
            .empty());
    EXPECT_FALSE(
        infer_error(make_op("onehot", {{"depth", 2}}), {at.get_shape(), {f32, {3}}}).empty());
    EXPECT_FALSE(
        infer_error(make_op("onehot", {{"depth", 2}, {"axis", 2}}), {at.get_shape(), {f32, {2}}})
            .empty());
    EXPECT_FALSE(message_of([&] { run(make_op("onehot"), {at, one(-3), onoff}); }).empty());
}

TEST(ops_fill, in_place) {
    const argument buffer{shape{f32, {2, 2}, {1, 2}}};
    const auto y = run(make_op("fill"), {floats({1}, {3}), buffer});
    EXPECT_EQ(y.data(), buffer.data());
    EXPECT_EQ(values(buffer), (numbers_t{3, 3, 3, 3}));
    EXPECT_EQ(make_op("fill").output_alias({{f32}, {f32, {2}}}), (std::vector<std::size_t>{1}));
    EXPECT_FALSE(infer_error(make_op("fill"), {{f32, {2}}, {f32, {2}}}).empty());
    EXPECT_FALSE(infer_error(make_op("fill"), {{shape::half_type}, {f32, {2}}}).empty());
}

TEST(ops_fixed_pad, at_the_origin) {
    const shape range{f32, {dim{1, 3}, dim{2, 2}}};
    const auto op = make_op("fixed_pad");
    const auto out = op.compute_shape({range});
    EXPECT_EQ(out, (shape{f32, {3, 2}}));
    EXPECT_EQ(values(op.compute(out, {reversed_order(count_up(lens_t{2, 2}))})),
              (numbers_t{0, 1, 2, 3, 0, 0}));
    EXPECT_FALSE(message_of([&] { op.compute(out, {count_up(lens_t{4, 2})}); }).empty());
}

TEST(ops_layout, memory_order) {
    const auto x = count_up(lens_t{2, 3, 4});
    const auto y = run(make_op("layout", {{"permutation", {0, 2, 1}}}), {x});
    EXPECT_EQ(y.get_shape(), (shape{f32, {2, 3, 4}, {12, 1, 3}}));
    EXPECT_EQ(values(y), values(x));
    EXPECT_FALSE(
        infer_error(make_op("layout", {{"permutation", {0, 1}}}), {x.get_shape()}).empty());
}

TEST(ops_prefix_scan_sum, directions) {
    const auto x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
    EXPECT_EQ(run_values(make_op("prefix_scan_sum", {{"axis", -1}}), {x}),
              (numbers_t{1, 3, 6, 4, 9, 15}));
    EXPECT_EQ(run_values(make_op("prefix_scan_sum"), {reversed_order(x)}),
              (numbers_t{1, 2, 3, 5, 7, 9}));
    EXPECT_EQ(run_values(make_op("prefix_scan_sum", {{"axis", 1}, {"exclusive", true}}), {x}),
              (numbers_t{0, 1, 3, 0, 4, 9}));
    EXPECT_EQ(
        run_values(
            make_op("prefix_scan_sum", {{"axis", 1}, {"exclusive", true}, {"reverse", true}}), {x}),
        (numbers_t{5, 3, 0, 11, 6, 0}));
    EXPECT_EQ(run_values(make_op("prefix_scan_sum", {{"reverse", true}}),
                         {tensor({shape::int8_type, {3}}, {1, 2, 3})}),
              (numbers_t{6, 5, 3}));
}

// Whatever the layout of the inputs, and for every element type, the elements are the same.
TEST(ops_movement, every_type_and_layout) {
    const std::vector<std::pair<operation, arguments>> cases = {
        {make_op("reshape", {{"dims", {4, 6}}}), {}},
        {make_op("flatten"), {}},
        {make_op("contiguous"), {}},
        {make_op("concat", {{"axis", 1}}), {}},
        {make_op("gather", {{"axis", 1}}), {list({2, 0, -1})}},
        {make_op("gathernd"), {ints({2, 2}, {0, 1, 1, 2})}},
        {make_op("reverse", {{"axes", {0, 2}}}), {}},
        {make_op("pad", {{"pads", {1, 0, 2, 0, 1, 0}}, {"mode", 2}}), {}},
        {make_op("layout", {{"permutation", {2, 0, 1}}}), {}},
        {make_op("slice_dynamic"), {list({3}), list({-100}), list({-1}), list({-2})}},
        {make_op("tile_dynamic"), {list({1, 2, 1})}},
        {make_op("reshape_dynamic"), {list({-1, 2})}},
        {make_op("pad_dynamic"), {list({1, 0, 2, 0, 1, 0})}},
    };
    auto types = shape::types();
    types.push_back(shape::fp4x2_type);
    for (auto t : types)
        for (const auto& [op, more] : cases) {
            const argument x{shape{t, {2, 3, 4}}};
            for (std::size_t i = 0; i < x.get_shape().bytes(); ++i)
                x.data()[i] = static_cast<char>(t == shape::bool_type ? i % 2 : i % 100);
            const auto dense = [&, &op = op, &more = more](const argument& first) {
                arguments in{first};
                in.insert(in.end(), more.begin(), more.end());
                return run(make_op("contiguous"), {run(op, in)});
            };
            const auto expected = dense(x);
            for (const auto& other : {reversed_order(x), in_order(x, {1, 2, 0}), with_gaps(x)}) {
                const auto y = dense(other);
                ASSERT_EQ(y.get_shape(), expected.get_shape());
                EXPECT_EQ(std::memcmp(y.data(), expected.data(), y.get_shape().bytes()), 0)
                    << op << " " << shape::name(t);
            }
        }
}

// Ranks 1 to 6 and empty dimensions.
TEST(ops_movement, ranks_and_empty_tensors) {
    for (std::size_t rank = 1; rank <= 6; ++rank)
        for (std::size_t empty : {std::size_t{0}, std::size_t{1}}) {
            lens_t lens(rank, 2);
            lens[0] = empty == 1 ? 0 : 3;
            const auto x = count_up(lens);
            std::vector<int64_t> perm, pads(2 * rank, 1);
            for (std::size_t i = rank; i-- > 0;)
                perm.push_back(static_cast<int64_t>(i));
            const auto there = run(make_op("transpose", {{"permutation", perm}}), {x});
            EXPECT_EQ(run_values(make_op("transpose", {{"permutation", perm}}), {there}),
                      values(x));
            EXPECT_EQ(run_values(make_op("reshape", {{"dims", {-1}}}), {x}), values(x));
            const auto twice = run(make_op("concat"), {x, x});
            EXPECT_EQ(twice.get_shape().elements(), 2 * x.get_shape().elements());
            const auto padded = run(make_op("pad", {{"pads", pads}}), {x});
            const std::vector<int64_t> axes = perm, ones(rank, 1), ends(rank, -1);
            EXPECT_EQ(
                run_values(make_op("slice", {{"axes", axes}, {"starts", ones}, {"ends", ends}}),
                           {padded}),
                values(x));
            EXPECT_EQ(run_values(make_op("reverse", {{"axes", axes}}),
                                 {run(make_op("reverse", {{"axes", axes}}), {x})}),
                      values(x));
        }
}

} // namespace
