// SPDX-License-Identifier: MIT
// Operators that see the memory of their input through another shape.
#include "ops_support.hpp"

namespace {

using namespace ops_test;
using migraphx::sym::var;

constexpr auto f32 = shape::float_type;

shape inferred(const operation& op, const shape& s) {
    return op.compute_shape({s});
}

TEST(ops_slice, shares_memory) {
    const auto x = count_up(lens_t{4, 6});
    const auto op = make_op("slice", {{"axes", {0, 1}}, {"starts", {0, 2}}, {"ends", {4, 5}}});
    const auto y = run(op, {x});
    EXPECT_EQ(y.get_shape(), (shape{f32, {4, 3}, {6, 1}}));
    EXPECT_EQ(y.data(), x.data() + 2 * sizeof(float));
    EXPECT_EQ(values(y), (std::vector<double>{2, 3, 4, 8, 9, 10, 14, 15, 16, 20, 21, 22}));
    const auto dense = run(make_op("contiguous"), {y});
    EXPECT_EQ(dense.get_shape(), (shape{f32, {4, 3}}));
    EXPECT_EQ(values(dense), values(y));
}

TEST(ops_slice, clips_and_counts_from_the_end) {
    const auto x = count_up(lens_t{4, 6});
    const auto y = run(make_op("slice", {{"axes", {-1}}, {"starts", {-2}}, {"ends", {100}}}), {x});
    EXPECT_EQ(y.get_shape(), (shape{f32, {4, 2}, {6, 1}}));
    EXPECT_EQ(y.data(), x.data() + 4 * sizeof(float));
    // An end before the start selects nothing.
    const auto none = run(make_op("slice", {{"axes", {1}}, {"starts", {4}}, {"ends", {2}}}), {x});
    EXPECT_EQ(none.get_shape().lens(), (lens_t{4, 0}));
}

TEST(ops_slice, bounds_from_inputs) {
    const auto x = count_up(lens_t{4, 6});
    const auto all = make_op("slice");
    EXPECT_EQ(run_values(all, {x, list({1, -2}), list({2, 1000}), list({0, 1})}),
              (std::vector<double>{10, 11}));
    const auto some = make_op("slice", {{"axes", {1}}, {"ends", {3}}});
    EXPECT_EQ(some.compute_shape({x.get_shape(), shape{shape::int64_type, {1}}}),
              (shape{f32, {dim{4, 4}, dim{0, 6}}}));
    EXPECT_EQ(run_values(some, {x, list({-5})}), (std::vector<double>{1, 2, 7, 8, 13, 14, 19, 20}));
    EXPECT_TRUE(
        contains(infer_error(all, {x.get_shape(), shape{shape::int64_type, {1}}}), "inputs"));
    EXPECT_TRUE(
        contains(infer_error(all, {x.get_shape(), shape{shape::int64_type, {1}},
                                   shape{shape::int64_type, {2}}, shape{shape::int64_type, {1}}}),
                 "one length"));
    EXPECT_TRUE(contains(message_of([&] {
                             run(all, {x, list({0, 0}), list({1, 1}), list({1, 1})});
                         }),
                         "different axes"));
}

TEST(ops_slice, dynamic_dimensions) {
    const auto n = var("n", {4, 8});
    const shape range{f32, {dim{4, 8}, dim{6, 6}}};
    const shape symbolic{f32, {dim{n}, dim{6, 6}}};
    const auto fixed_axis = make_op("slice", {{"axes", {1}}, {"starts", {1}}, {"ends", {-1}}});
    EXPECT_EQ(inferred(fixed_axis, range), (shape{f32, {dim{4, 8}, dim{4, 4}}}));
    EXPECT_EQ(inferred(fixed_axis, symbolic).dyn_strides(), symbolic.dyn_strides());
    const auto tail = make_op("slice", {{"axes", {0}}, {"starts", {1}}, {"ends", {1 << 30}}});
    EXPECT_EQ(inferred(tail, range), (shape{f32, {dim{3, 7}, dim{6, 6}}}));
    EXPECT_EQ(inferred(tail, symbolic).dyn_dims()[0], dim{n - 1});
    const auto last = make_op("slice", {{"axes", {0}}, {"starts", {-1}}, {"ends", {1 << 30}}});
    EXPECT_EQ(inferred(last, symbolic).dyn_dims()[0], 1);
    // Clips for some sizes only: bounds that hold for all.
    const auto part = make_op("slice", {{"axes", {0}}, {"starts", {-5}}, {"ends", {3}}});
    EXPECT_EQ(inferred(part, range).dyn_dims()[0], (dim{0, 3}));
}

TEST(ops_slice, errors) {
    const shape s{f32, {4, 6}};
    EXPECT_TRUE(contains(
        infer_error(make_op("slice", {{"axes", {2}}, {"starts", {0}}, {"ends", {1}}}), {s}),
        "axis must be in [-2, 1], got 2"));
    EXPECT_TRUE(contains(
        infer_error(make_op("slice", {{"axes", {0}}, {"starts", {0, 1}}, {"ends", {1}}}), {s}),
        "as many starts"));
}

TEST(ops_transpose, permutes_strides) {
    const auto x = count_up(lens_t{2, 3, 4});
    const auto y = run(make_op("transpose", {{"permutation", {2, 0, 1}}}), {x});
    EXPECT_EQ(y.get_shape(), (shape{f32, {4, 2, 3}, {1, 12, 4}}));
    EXPECT_EQ(y.data(), x.data());
    EXPECT_EQ(y.at<float>(1), 4);
    EXPECT_FALSE(
        infer_error(make_op("transpose", {{"permutation", {0, 0, 1}}}), {x.get_shape()}).empty());
}

TEST(ops_reshape, worked_shapes) {
    const auto op = make_op("reshape", {{"dims", {0, -1}}});
    EXPECT_EQ(inferred(op, {f32, {4, 3, 5}}), (shape{f32, {4, 15}}));
    const shape transposed{f32, {6, 10}, {1, 6}};
    EXPECT_EQ(inferred(make_op("reshape", {{"dims", {60}}}), transposed), (shape{f32, {60}}));
    EXPECT_FALSE(infer_error(make_op("reshape_lazy", {{"dims", {60}}}), {transposed}).empty());
    EXPECT_EQ(inferred(make_op("reshape_lazy", {{"dims", {3, 2, 10}}}), transposed),
              (shape{f32, {3, 2, 10}, {2, 1, 6}}));
    // A copied dimension of 0 leaves the inferred one defined.
    EXPECT_EQ(inferred(op, {f32, {0, 3, 5}}), (shape{f32, {0, 15}}));
    const auto x = in_order(count_up(lens_t{6, 10}), {1, 0});
    const auto y = run(make_op("reshape", {{"dims", {4, -1}}}), {x});
    EXPECT_EQ(values(y), values(x));
    EXPECT_NE(y.data(), x.data());
}

TEST(ops_reshape, errors_and_buffer) {
    const shape s{f32, {4, 6}};
    EXPECT_TRUE(
        contains(infer_error(make_op("reshape", {{"dims", {-1, -1}}}), {s}), "at most one"));
    EXPECT_TRUE(contains(infer_error(make_op("reshape", {{"dims", {5, -1}}}), {s}), "24 elements"));
    EXPECT_TRUE(contains(infer_error(make_op("reshape", {{"dims", {4, 6, 0}}}), {s}), "rank"));
    EXPECT_FALSE(infer_error(make_op("reshape", {{"dims", {-2}}}), {s}).empty());
    const auto x = count_up(lens_t{4, 6});
    const argument buffer{shape{f32, {2, 12}}};
    const auto y = run(make_op("reshape"), {x, buffer});
    EXPECT_EQ(y.data(), buffer.data());
    EXPECT_EQ(values(y), values(x));
    EXPECT_EQ(make_op("reshape").output_alias({s, s}), (std::vector<std::size_t>{1}));
}

TEST(ops_reshape, dynamic_dimensions) {
    const auto n = var("n", {1, 8});
    const auto op = make_op("reshape", {{"dims", {0, -1}}});
    EXPECT_EQ(inferred(op, {f32, {dim{1, 8}, dim{3, 3}, dim{5, 5}}}),
              (shape{f32, {dim{1, 8}, dim{15, 15}}}));
    EXPECT_EQ(inferred(make_op("reshape", {{"dims", {-1, 5}}}),
                       shape{f32, {dim{n}, dim{3, 3}, dim{5, 5}}})
                  .dyn_dims()[0],
              dim{n * 3});
    EXPECT_EQ(inferred(make_op("reshape_lazy", {{"dims", {0, 15}}}),
                       {f32, {dim{1, 8}, dim{3, 3}, dim{5, 5}}}),
              (shape{f32, {dim{1, 8}, dim{15, 15}}}));
    EXPECT_FALSE(
        infer_error(make_op("reshape_lazy", {{"dims", {-1}}}), {shape{f32, {dim{1, 8}, dim{3, 3}}}})
            .empty());
}

TEST(ops_unsqueeze, inserts_and_splits) {
    EXPECT_EQ(inferred(make_op("unsqueeze", {{"axes", {1}}, {"steps", {4}}}), {f32, {6, 8}}),
              (shape{f32, {6, 4, 2}, {8, 2, 1}}));
    EXPECT_EQ(inferred(make_op("unsqueeze", {{"axes", {0, -1}}}), {f32, {6, 8}}),
              (shape{f32, {1, 6, 8, 1}}));
    EXPECT_EQ(inferred(make_op("unsqueeze", {{"axes", {0}}}), {f32}), (shape{f32, {1}}));
    EXPECT_EQ(inferred(make_op("unsqueeze", {{"axes", {0, 1}}}), {f32}), (shape{f32, {1, 1}}));
    EXPECT_FALSE(infer_error(make_op("unsqueeze", {{"axes", {1}}, {"steps", {3}}}), {{f32, {6, 8}}})
                     .empty());
    EXPECT_FALSE(infer_error(make_op("unsqueeze", {{"axes", {1}}, {"steps", {0}}}), {{f32, {6, 8}}})
                     .empty());
    EXPECT_FALSE(infer_error(make_op("unsqueeze", {{"axes", {4}}}), {{f32, {6, 8}}}).empty());
    const auto n = var("n", {1, 8});
    const auto s = inferred(make_op("unsqueeze", {{"axes", {1}}}), shape{f32, {dim{n}, dim{8, 8}}});
    EXPECT_TRUE(s.symbolic());
    EXPECT_TRUE(s.standard());
}

TEST(ops_squeeze, drops_ones) {
    EXPECT_EQ(inferred(make_op("squeeze", {{"axes", {-1}}}), {f32, {4, 3, 1}}),
              (shape{f32, {4, 3}}));
    EXPECT_EQ(inferred(make_op("squeeze"), {f32, {1, 4, 1, 3}, {4, 1, 4, 4}}),
              (shape{f32, {4, 3}, {1, 4}}));
    EXPECT_EQ(inferred(make_op("squeeze"), {f32, {1, 1}}), (shape{f32}));
    EXPECT_TRUE(contains(infer_error(make_op("squeeze", {{"axes", {0}}}), {{f32, {4, 1}}}),
                         "dimension of 1"));
    EXPECT_EQ(inferred(make_op("squeeze", {{"axes", {0}}}), {f32, {dim{1, 4}, dim{2, 3}}}),
              (shape{f32, {dim{2, 3}}}));
}

TEST(ops_flatten, halves) {
    for (int64_t axis = -3; axis <= 3; ++axis) {
        const std::size_t split = static_cast<std::size_t>(axis < 0 ? axis + 3 : axis);
        const lens_t lens{2, 3, 5};
        std::size_t a = 1;
        for (std::size_t i = 0; i < split; ++i)
            a *= lens[i];
        EXPECT_EQ(inferred(make_op("flatten", {{"axis", axis}}), {f32, lens}),
                  (shape{f32, {a, 30 / a}}));
    }
    EXPECT_FALSE(infer_error(make_op("flatten", {{"axis", 4}}), {{f32, {2, 3, 5}}}).empty());
    const auto x = in_order(count_up(lens_t{2, 3, 5}), {2, 0, 1});
    EXPECT_EQ(run_values(make_op("flatten"), {x}), values(x));
}

TEST(ops_step, every_third) {
    const auto x = count_up(lens_t{7});
    const auto y = run(make_op("step", {{"axes", {0}}, {"steps", {3}}}), {x});
    EXPECT_EQ(y.get_shape(), (shape{f32, {3}, {3}}));
    EXPECT_EQ(values(y), (std::vector<double>{0, 3, 6}));
    EXPECT_FALSE(
        infer_error(make_op("step", {{"axes", {0}}, {"steps", {0}}}), {{f32, {7}}}).empty());
    EXPECT_FALSE(infer_error(make_op("step", {{"axes", {0}}}), {{f32, {7}}}).empty());
}

TEST(ops_broadcast, places_dimensions) {
    const shape v{f32, {3}};
    const auto op = make_op("broadcast", {{"axis", 1}, {"out_lens", {2, 3, 5}}});
    EXPECT_EQ(inferred(op, v), (shape{f32, {2, 3, 5}, {0, 1, 0}}));
    EXPECT_EQ(make_op("broadcast", {{"axis", 1}}).compute_shape({v, {f32, {2, 3, 5}}}),
              (shape{f32, {2, 3, 5}, {0, 1, 0}}));
    EXPECT_FALSE(infer_error(op, {{f32, {4}}}).empty());
    EXPECT_FALSE(
        infer_error(make_op("broadcast", {{"axis", 3}, {"out_lens", {2, 3, 5}}}), {v}).empty());
    EXPECT_FALSE(infer_error(op, {{f32, {dim{1, 3}}}}).empty());
    const shape range{f32, {dim{1, 4}, dim{3, 3}}};
    EXPECT_EQ(make_op("broadcast", {{"axis", 1}}).compute_shape({v, range}), range);
    const auto n = var("n", {1, 4});
    const auto s =
        make_op("broadcast", {{"axis", 1}}).compute_shape({v, shape{f32, {dim{n}, dim{3, 3}}}});
    EXPECT_TRUE(s.symbolic());
    EXPECT_TRUE(s.broadcasted());
    EXPECT_EQ(run_values(op, {count_up(lens_t{3})})[5], 1);
}

TEST(ops_multibroadcast, numpy_rule) {
    const auto op = make_op("multibroadcast", {{"out_lens", {2, 3, 5}}});
    EXPECT_EQ(inferred(op, {f32, {3, 1}}), (shape{f32, {2, 3, 5}, {0, 1, 0}}));
    EXPECT_EQ(make_op("multibroadcast").compute_shape({{f32, {3, 1}}, {f32, {2, 1, 5}}}),
              (shape{f32, {2, 3, 5}, {0, 1, 0}}));
    EXPECT_FALSE(infer_error(op, {{f32, {4, 1}}}).empty());
    EXPECT_FALSE(infer_error(op, {{f32, {1, 2, 3, 5}}}).empty());
    EXPECT_FALSE(infer_error(make_op("multibroadcast"), {{f32, {3, 1}}}).empty());
    const shape range{f32, {dim{1, 4}, dim{3, 3}}};
    EXPECT_EQ(make_op("multibroadcast").compute_shape({{f32, {3}}, range}), range);
    const auto x = count_up(lens_t{3, 1});
    EXPECT_EQ(run(op, {x}).data(), x.data());
}

TEST(ops_broadcast_for_dot, leading_dimensions) {
    const auto op = make_op("broadcast_for_dot");
    EXPECT_EQ(op.compute_shape({{f32, {7, 8}}, {f32, {dim{1, 4}, dim{8, 8}, dim{9, 9}}}}),
              (shape{f32, {dim{1, 4}, dim{7, 7}, dim{8, 8}}}));
    EXPECT_EQ(op.compute_shape({{f32, {7, 8}}, {f32, {3, 4, 8, 9}}}),
              (shape{f32, {3, 4, 7, 8}, {0, 0, 8, 1}}));
    EXPECT_EQ(op.compute_shape({{f32, {5, 1, 7, 8}}, {f32, {8, 9}}}), (shape{f32, {5, 1, 7, 8}}));
    EXPECT_FALSE(infer_error(op, {{f32, {8}}, {f32, {8, 9}}}).empty());
}

TEST(ops_broadcast_with_dims, both_ways) {
    const auto op = make_op("broadcast_with_dims");
    const auto x = count_up(lens_t{3, 1});
    const auto y = run(op, {x, list({2, 1, 4})});
    EXPECT_EQ(y.get_shape(), (shape{f32, {2, 3, 4}, {0, 1, 0}}));
    EXPECT_EQ(run(op, {x, list({1})}).get_shape().lens(), (lens_t{3, 1}));
    EXPECT_EQ(op.info().shape_inputs, (std::vector<std::size_t>{1}));
    EXPECT_FALSE(message_of([&] { run(op, {x, list({-1, 4})}); }).empty());
    EXPECT_FALSE(message_of([&] { run(op, {x, list({2, 4})}); }).empty());
}

TEST(ops_scalar, all_strides_zero) {
    EXPECT_EQ(inferred(make_op("scalar", {{"scalar_bcst_dims", {2, 3}}}), {f32, {1}}),
              (shape{f32, {2, 3}, {0, 0}}));
    EXPECT_FALSE(infer_error(make_op("scalar", {{"scalar_bcst_dims", {2}}}), {{f32, {2}}}).empty());
}

TEST(ops_as_shape, stays_inside) {
    const shape target{f32, {2, 6}, {0, 1}};
    EXPECT_EQ(inferred(make_op("as_shape", {{"shape", migraphx::to_value(target)}}), {f32, {6}}),
              target);
    EXPECT_FALSE(
        infer_error(make_op("as_shape", {{"shape", migraphx::to_value(target)}}), {{f32, {5}}})
            .empty());
    EXPECT_FALSE(infer_error(make_op("as_shape", {{"shape", migraphx::to_value(target)}}),
                             {{f32, {3, 2}, {1, 3}}})
                     .empty());
}

TEST(ops_load, inside_of_the_buffer) {
    const shape part{f32, {2, 2}};
    const argument buffer{shape{shape::int8_type, {64}}};
    const auto op = make_op("load", {{"shape", migraphx::to_value(part)}, {"offset", 16}});
    EXPECT_EQ(run(op, {buffer}).data(), buffer.data() + 16);
    EXPECT_FALSE(infer_error(op, {{shape::int8_type, {31}}}).empty());
    EXPECT_FALSE(infer_error(make_op("load", {{"shape", migraphx::to_value(part)},
                                              {"offset", std::size_t(-1)}}),
                             {buffer.get_shape()})
                     .empty());
}

TEST(ops_scan_slice, positions) {
    const auto x = count_up(lens_t{3, 2});
    const auto y = run(make_op("scan_slice"), {x, one(1)});
    EXPECT_EQ(y.get_shape(), (shape{f32, {1, 2}, {2, 1}}));
    EXPECT_EQ(values(y), (std::vector<double>{2, 3}));
    EXPECT_EQ(run_values(make_op("scan_slice", {{"direction", 1}, {"axis", -1}}), {x, one(0)}),
              (std::vector<double>{1, 3, 5}));
    EXPECT_TRUE(contains(message_of([&] {
                             run(make_op("scan_slice"), {x, one(3)});
                         }),
                         "out of bounds"));
    EXPECT_TRUE(contains(message_of([&] {
                             run(make_op("scan_slice"), {x, one(-1)});
                         }),
                         "out of bounds"));
}

TEST(ops_get_tuple_elem, members) {
    const argument tuple{arguments{count_up(lens_t{2}), list({1, 2, 3})}};
    const auto op = make_op("get_tuple_elem", {{"index", 1}});
    EXPECT_EQ(run_values(op, {tuple}), (std::vector<double>{1, 2, 3}));
    EXPECT_FALSE(
        infer_error(make_op("get_tuple_elem", {{"index", 2}}), {tuple.get_shape()}).empty());
    EXPECT_FALSE(infer_error(op, {{f32, {2}}}).empty());
}

TEST(ops_bit_cast, same_size) {
    const auto x = floats({2}, {1.0, -2.0});
    const auto y = run(make_op("bit_cast", {{"target_type", int(shape::uint32_type)}}), {x});
    EXPECT_EQ(y.at<uint32_t>(0), 0x3f800000u);
    EXPECT_FALSE(
        infer_error(make_op("bit_cast", {{"target_type", int(shape::half_type)}}), {x.get_shape()})
            .empty());
    EXPECT_FALSE(infer_error(make_op("bit_cast"), {x.get_shape()}).empty());
}

TEST(ops_dimensions_of, lengths) {
    const auto x = count_up(lens_t{2, 3, 4});
    EXPECT_EQ(run_values(make_op("dimensions_of", {{"start", 1}, {"end", 3}}), {x}),
              (std::vector<double>{3, 4}));
    EXPECT_EQ(inferred(make_op("dimensions_of", {{"end", 2}}), {f32, {dim{1, 4}, dim{2, 2}}}),
              (shape{shape::int64_type, {2}}));
    EXPECT_FALSE(infer_error(make_op("dimensions_of"), {x.get_shape()}).empty());
    EXPECT_FALSE(infer_error(make_op("dimensions_of", {{"end", 4}}), {x.get_shape()}).empty());
}

// Views share the memory of any element type, whatever the layout of the input.
TEST(ops_views, every_type_and_layout) {
    auto types = shape::types();
    types.push_back(shape::fp4x2_type);
    const std::vector<operation> ops = {
        make_op("transpose", {{"permutation", {1, 0, 2}}}),
        make_op("slice", {{"axes", {1}}, {"starts", {1}}, {"ends", {3}}}),
        make_op("unsqueeze", {{"axes", {1}}}),
        make_op("step", {{"axes", {0}}, {"steps", {2}}}),
        make_op("multibroadcast", {{"out_lens", {2, 2, 3, 4}}}),
        make_op("identity"),
    };
    for (auto t : types)
        for (const auto& op : ops) {
            const argument x{shape{t, {2, 3, 4}}};
            for (std::size_t i = 0; i < x.get_shape().bytes(); ++i)
                x.data()[i] = static_cast<char>(i % 100);
            const auto expected = run(make_op("contiguous"), {run(op, {x})});
            for (const auto& other : {reversed_order(x), with_gaps(x)}) {
                const auto y = run(op, {other});
                EXPECT_GE(y.data(), other.data());
                const auto dense = run(make_op("contiguous"), {y});
                EXPECT_EQ(std::memcmp(dense.data(), expected.data(), dense.get_shape().bytes()), 0)
                    << op << " " << shape::name(t);
            }
            EXPECT_TRUE(op.info().is_view);
            EXPECT_EQ(op.output_alias({x.get_shape()}), (std::vector<std::size_t>{0}));
        }
}

} // namespace
