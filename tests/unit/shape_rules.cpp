// SPDX-License-Identifier: MIT
// The shape rules shared by the operators: broadcasting, promotion, layouts of results, reshapes.
#include <gtest/gtest.h>

#include <migraphx/common_shape.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/permutation.hpp>

#include "ir/shape_rules.hpp"

#include <random>

using namespace migraphx;
using dim = shape::dynamic_dimension;
using dims = std::vector<shape::dynamic_dimension>;
using sizes = std::vector<std::size_t>;
using sym::lit;

namespace {

const sym::expr n = sym::var("n", {1, 8});
const sym::expr m = sym::var("m", {1, 16});
const sym::expr k = sym::var("k", {2, 8});

shape of(sizes lens) {
    return {shape::float_type, std::move(lens)};
}
shape of(sizes lens, sizes strides) {
    return {shape::float_type, std::move(lens), std::move(strides)};
}
shape dyn(dims d) {
    return {shape::float_type, std::move(d)};
}
shape dyn(dims d, std::vector<sym::expr> s) {
    return {shape::float_type, std::move(d), std::move(s)};
}

TEST(shape_rules, broadcast_lens) {
    EXPECT_EQ(compute_broadcasted_lens({2, 3}, {3}), (sizes{2, 3}));
    EXPECT_EQ(compute_broadcasted_lens({3}, {2, 3}), (sizes{2, 3}));
    EXPECT_EQ(compute_broadcasted_lens({2, 1, 5}, {7, 1}), (sizes{2, 7, 5}));
    EXPECT_EQ(compute_broadcasted_lens({0}, {1}), (sizes{0}));
    EXPECT_EQ(compute_broadcasted_lens({}, {4}), (sizes{4}));
    EXPECT_THROW(compute_broadcasted_lens({2}, {3}), migraphx::exception);
    EXPECT_THROW(compute_broadcasted_lens({2, 3}, {2, 1, 2}), migraphx::exception);
    EXPECT_EQ(compute_common_lens({of({1}), of({2, 1}), of({3})}), (sizes{2, 3}));
}

TEST(shape_rules, broadcast_ranges) {
    EXPECT_EQ(compute_broadcasted_dyn_dims(dims{{1, 4}, {3, 3}}, dims{{3, 3}}),
              (dims{{1, 4}, {3, 3}}));
    EXPECT_EQ(compute_broadcasted_dyn_dims(dims{{1, 1}}, dims{{2, 4, {3}}}), (dims{{2, 4, {3}}}));
    EXPECT_EQ(compute_broadcasted_dyn_dims(dims{{1, 4}}, dims{{2, 8}}), (dims{{2, 4}}));
    EXPECT_EQ(compute_broadcasted_dyn_dims(dims{{1, 4}}, dims{{3, 3}}), (dims{{3, 3}}));
    EXPECT_THROW(compute_broadcasted_dyn_dims(dims{{1, 4}}, dims{{5, 8}}), migraphx::exception);
    // Part of a dimension of one element: the result is not known to be 1.
    EXPECT_EQ(compute_broadcasted_dyn_dims(dims{{1, 4}}, dims{{0, 1}}), (dims{{1, 4}}));
    EXPECT_EQ(compute_broadcasted_dyn_dims(dims{{0, 1}, {2, 4}}, dims{{1, 4}, {1, 1}}),
              (dims{{1, 4}, {2, 4}}));
    EXPECT_EQ(compute_broadcasted_dyn_dims(dyn({{1, 4}, {3, 3}}), of({5, 1, 1})),
              (dims{{5, 5}, {1, 4}, {3, 3}}));
}

TEST(shape_rules, broadcast_symbols) {
    EXPECT_EQ(compute_broadcasted_dyn_dims(dims{dim{n}, {5, 5}}, dims{{5, 5}}),
              (dims{dim{n}, {5, 5}}));
    EXPECT_EQ(compute_broadcasted_dyn_dims(dims{dim{n}}, dims{{1, 1}}), (dims{dim{n}}));
    EXPECT_EQ(compute_broadcasted_dyn_dims(dims{{1, 1}}, dims{dim{n}}), (dims{dim{n}}));
    // A size that is never 1 decides.
    EXPECT_EQ(compute_broadcasted_dyn_dims(dims{dim{n}}, dims{{5, 5}}), (dims{{5, 5}}));
    EXPECT_EQ(compute_broadcasted_dyn_dims(dims{dim{n}}, dims{dim{k}}), (dims{dim{k}}));
    const auto open = compute_broadcasted_dyn_dims(dims{dim{n}}, dims{dim{m}});
    EXPECT_EQ(open, (dims{{1, 8}}));
    EXPECT_FALSE(open[0].is_symbolic());
    EXPECT_THROW(compute_broadcasted_dyn_dims(dims{dim{k}}, dims{{9, 9}}), migraphx::exception);
    const auto aligned = compute_broadcasted_dyn_dims(dyn({dim{n}, {3, 3}}), of({3}));
    EXPECT_TRUE(aligned[0].is_symbolic() && aligned[1].is_symbolic());
    const auto demoted = compute_broadcasted_dyn_dims(dyn({dim{n}, {3, 3}}), dyn({{1, 3}}));
    EXPECT_EQ(demoted, (dims{{1, 8}, {3, 3}}));
    EXPECT_FALSE(demoted[0].is_symbolic());
}

TEST(shape_rules, common_types) {
    using t = shape::type_t;
    struct row {
        t a, b, want;
    };
    const row rows[] = {
        {shape::half_type, shape::half_type, shape::half_type},
        {shape::half_type, shape::int32_type, shape::float_type},
        {shape::half_type, shape::bf16_type, shape::float_type},
        {shape::fp8e4m3fn_type, shape::fp8e5m2_type, shape::float_type},
        {shape::half_type, shape::double_type, shape::double_type},
        {shape::half_type, shape::float_type, shape::float_type},
        {shape::bool_type, shape::int8_type, shape::int32_type},
        {shape::uint8_type, shape::int16_type, shape::int32_type},
        {shape::uint16_type, shape::int32_type, shape::int32_type},
        {shape::int32_type, shape::uint32_type, shape::uint32_type},
        {shape::int64_type, shape::uint64_type, shape::uint64_type},
        {shape::int64_type, shape::uint32_type, shape::int64_type},
        {shape::int8_type, shape::uint64_type, shape::uint64_type},
        {shape::int64_type, shape::float_type, shape::float_type},
        {shape::int64_type, shape::double_type, shape::double_type},
        {shape::bool_type, shape::bool_type, shape::bool_type},
    };
    for (const row& r : rows) {
        EXPECT_EQ(compute_common_type(r.a, r.b), r.want)
            << shape::name(r.a) << ' ' << shape::name(r.b);
        EXPECT_EQ(compute_common_type(r.b, r.a), r.want);
    }
    EXPECT_EQ(compute_common_types(
                  {shape{shape::int8_type}, shape{shape::uint8_type}, shape{shape::half_type}}),
              shape::float_type);
    EXPECT_THROW(compute_common_type(shape::tuple_type, shape::float_type), migraphx::exception);
    EXPECT_THROW(compute_common_types({}), migraphx::exception);
    EXPECT_EQ(common_shape({shape{shape::int8_type, {3}}, of({2, 1})}), of({2, 3}));
    EXPECT_EQ(common_shape({shape{shape::int8_type, {3}}, dyn({dim{n}, {1, 1}})}),
              dyn({dim{n}, {3, 3}}));
}

TEST(shape_rules, broadcast_shape) {
    EXPECT_EQ(make_bcast_shape(of({3, 1}), sizes{2, 3, 5}), of({2, 3, 5}, {0, 1, 0}));
    EXPECT_EQ(make_bcast_shape(of({2, 3}, {1, 2}), sizes{4, 2, 3}), of({4, 2, 3}, {0, 1, 2}));
    EXPECT_EQ(make_bcast_shape(shape{shape::float_type}, sizes{2, 2}), of({2, 2}, {0, 0}));
    EXPECT_THROW(make_bcast_shape(of({2, 3}), sizes{3}), migraphx::exception);
    EXPECT_THROW(make_bcast_shape(of({2}), sizes{3}), migraphx::exception);
    EXPECT_EQ(make_bcast_shape(of({3, 1}), dims{dim{n}, {3, 3}, dim{m}}),
              dyn({dim{n}, {3, 3}, dim{m}}, {lit(0), lit(1), lit(0)}));
    EXPECT_EQ(make_bcast_shape(dyn({dim{n}, {3, 3}}), dims{{2, 2}, dim{n}, {3, 3}}),
              dyn({{2, 2}, dim{n}, {3, 3}}, {lit(0), lit(3), lit(1)}));
    EXPECT_EQ(make_bcast_shape(of({3}), dims{{1, 4}, {3, 3}}), dyn({{1, 4}, {3, 3}}));
    EXPECT_EQ(make_bcast_shape(dyn({{1, 4}}), dims{{2, 4}}), dyn({{2, 4}}));
    // n may be 1 or 5: the layout is not known.
    EXPECT_FALSE(make_bcast_shape(dyn({dim{n}}), sizes{5}).symbolic());
    EXPECT_THROW(make_bcast_shape(dyn({dim{k}}), sizes{9}), migraphx::exception);
    EXPECT_THROW(make_bcast_shape(dyn({{2, 3}}), dims{{5, 6}}), migraphx::exception);
}

TEST(shape_rules, unary) {
    EXPECT_EQ(unary_shape(of({2, 3}, {0, 0}), shape::half_type),
              (shape{shape::half_type, {2, 3}, {0, 0}}));
    EXPECT_EQ(unary_shape(of({2, 3}, {1, 0}), shape::float_type), of({2, 3}));
    EXPECT_EQ(unary_shape(of({2, 3}, {1, 2}), shape::bool_type),
              (shape{shape::bool_type, {2, 3}, {1, 2}}));
    EXPECT_EQ(unary_shape(of({2, 3}, {8, 2}), shape::float_type), of({2, 3}));
    EXPECT_EQ(unary_shape(of({2, 3, 4}, {100, 1, 10}), shape::float_type),
              of({2, 3, 4}, {12, 1, 3}));
    EXPECT_EQ(unary_shape(dyn({{1, 4}, {3, 3}}), shape::float_type), dyn({{1, 4}, {3, 3}}));
    const shape t = dyn({dim{n}, dim{m}}, {lit(1), n});
    EXPECT_EQ(unary_shape(t, shape::float_type), t);
    EXPECT_EQ(unary_shape(dyn({dim{n}, dim{m}}, {lit(0), lit(1)}), shape::float_type),
              dyn({dim{n}, dim{m}}));
}

TEST(shape_rules, keep_permutation) {
    EXPECT_EQ(keep_permutation(of({2, 3}, {8, 2}), shape::int8_type),
              (shape{shape::int8_type, {2, 3}}));
    EXPECT_EQ(keep_permutation(of({2, 3, 4}, {0, 1, 3}), shape::float_type),
              of({2, 3, 4}, {12, 1, 3}));
    EXPECT_EQ(keep_permutation_or_standard(of({2, 3, 4}, {0, 1, 3}), shape::float_type),
              of({2, 3, 4}));
    EXPECT_EQ(keep_permutation(dyn({dim{n}, {3, 3}}, {lit(2), lit(40)}), shape::float_type),
              dyn({dim{n}, {3, 3}}, {lit(1), n}));
    EXPECT_EQ(keep_permutation(dyn({{1, 4}}), shape::half_type),
              (shape{shape::half_type, {{1, 4}}}));
}

TEST(shape_rules, pointwise) {
    const auto f = shape::float_type;
    const shape row = of({2, 3}), column = of({2, 3}, {1, 2}), holes = of({2, 3}, {6, 2});
    const shape wide = of({2, 3}, {0, 1}), one = of({2, 3}, {0, 0});
    EXPECT_EQ(pointwise_shape({column, column}, f), column);
    EXPECT_EQ(pointwise_shape({column, wide}, f), column);
    EXPECT_EQ(pointwise_shape({one, column}, shape::bool_type), column.with_type(shape::bool_type));
    EXPECT_EQ(pointwise_shape({holes, column}, f), column);
    EXPECT_EQ(pointwise_shape({of({2, 3}, {1, 4}), wide}, f), column);
    EXPECT_EQ(pointwise_shape({holes, holes}, f), row);
    EXPECT_EQ(pointwise_shape({row, column}, f), row);
    EXPECT_EQ(pointwise_shape({column, row}, f), column);
    EXPECT_EQ(pointwise_shape({row, column, column}, f), column);
    EXPECT_EQ(pointwise_shape({wide, one, column}, f), column);
    EXPECT_EQ(pointwise_shape({wide, wide}, f), row);
    EXPECT_EQ(pointwise_shape({wide}, f), row);
    EXPECT_EQ(pointwise_shape({shape{f}, shape{f}}, f), shape{f});
    const shape nhwc = shape::from_permutation(f, {2, 8, 4, 4}, {0, 2, 3, 1});
    EXPECT_EQ(pointwise_shape({nhwc, make_bcast_shape(of({8, 1, 1}), sizes{2, 8, 4, 4})}, f), nhwc);
    EXPECT_THROW(pointwise_shape({}, f), migraphx::exception);
    EXPECT_THROW(pointwise_shape({row, of({3, 2})}, f), migraphx::exception);
    EXPECT_THROW(pointwise_shape({row, shape{std::vector<shape>{row}}}, f), migraphx::exception);
    try {
        pointwise_shape({row, of({3, 2})}, f, "add");
        FAIL();
    } catch (const migraphx::exception& e) {
        EXPECT_STREQ(e.message().c_str(),
                     "add: expected operands of equal dimensions, got {float_type, {2, 3}, {3, 1}} "
                     "and {float_type, {3, 2}, {2, 1}}");
    }
}

TEST(shape_rules, pointwise_dynamic) {
    const auto f = shape::float_type;
    const shape range = dyn({{1, 4}, {3, 3}});
    EXPECT_EQ(pointwise_shape({range, range}, f), range);
    EXPECT_THROW(pointwise_shape({range, dyn({{1, 5}, {3, 3}})}, f), migraphx::exception);
    EXPECT_THROW(pointwise_shape({range, of({2, 3})}, f), migraphx::exception);
    const shape row = dyn({dim{n}, {3, 3}});
    const shape column = dyn({dim{n}, {3, 3}}, {lit(1), n});
    const shape wide = dyn({dim{n}, {3, 3}}, {lit(0), lit(1)});
    EXPECT_EQ(pointwise_shape({column, wide}, f), column);
    EXPECT_EQ(pointwise_shape({wide, row}, f), row);
    EXPECT_EQ(pointwise_shape({column, column, row}, f), column);
    EXPECT_EQ(pointwise_shape({wide, wide}, f), row);
    EXPECT_EQ(pointwise_shape({dyn({{2, 2}, {3, 3}}), of({2, 3}).to_symbolic()}, f).to_static(),
              of({2, 3}));
    EXPECT_THROW(pointwise_shape({row, dyn({dim{m}, {3, 3}})}, f), migraphx::exception);
}

TEST(shape_rules, reductions) {
    EXPECT_EQ(reduce_shape(of({2, 3, 4}), {-1}), of({2, 3, 1}));
    EXPECT_EQ(reduce_shape(of({2, 3, 4}, {1, 2, 6}), {0, 1}), of({1, 1, 4}));
    EXPECT_EQ(reduce_shape(of({2, 3}), {1}, shape::int64_type), (shape{shape::int64_type, {2, 1}}));
    EXPECT_EQ(reduce_shape(of({2, 3}), {}), of({2, 3}));
    EXPECT_EQ(reduce_shape(dyn({{1, 4}, {3, 3}}), {0}), dyn({{1, 1}, {3, 3}}));
    EXPECT_EQ(reduce_shape(dyn({dim{n}, dim{m}}), {1}).to_string(),
              "float_type, {n[1..8], 1}, {1, 1}");
    EXPECT_THROW(reduce_shape(of({2, 3}), {2}), migraphx::exception);
    EXPECT_THROW(reduce_shape(of({2, 3}), {-3}), migraphx::exception);
    EXPECT_EQ(normalize_axes({-1, 0}, 3, "x"), (sizes{2, 0}));
    EXPECT_THROW(normalize_axis(std::numeric_limits<std::int64_t>::min(), 3, "x"),
                 migraphx::exception);
    EXPECT_THROW(normalize_axis(0, 0, "x"), migraphx::exception);
}

TEST(shape_rules, majority_and_transpose) {
    const auto f = shape::float_type;
    const shape column = of({2, 3}, {1, 2});
    EXPECT_EQ(majority_shape({column, column, of({2, 3})}, f, sizes{2, 9}), of({2, 9}, {1, 2}));
    EXPECT_EQ(majority_shape({dyn({{1, 4}}), dyn({{1, 4}})}, f, dims{{2, 8}}), dyn({{2, 8}}));
    EXPECT_EQ(transpose_shape(of({2, 3, 4}), {2, 0, 1}), of({4, 2, 3}, {1, 12, 4}));
    EXPECT_EQ(transpose_shape(dyn({{1, 4}, {3, 3}}), {1, 0}), dyn({{3, 3}, {1, 4}}));
    EXPECT_EQ(transpose_shape(dyn({dim{n}, dim{m}}), {1, 0}), dyn({dim{m}, dim{n}}, {lit(1), m}));
    EXPECT_THROW(transpose_shape(of({2, 3}), {0, 0}), migraphx::exception);
}

TEST(shape_rules, kinds) {
    EXPECT_EQ(demote_to_range(dyn({dim{n}, {3, 3}})), dyn({{1, 8}, {3, 3}}));
    EXPECT_EQ(align_kinds({of({2}), of({3})})[0], of({2}));
    EXPECT_TRUE(align_kinds({of({2}), dyn({dim{n}})})[0].symbolic());
    EXPECT_FALSE(align_kinds({dyn({{1, 2}}), dyn({dim{n}})})[1].symbolic());
    EXPECT_TRUE(align_kinds({dyn({{2, 2}}), dyn({dim{n}})})[0].symbolic());
    EXPECT_TRUE(dims_of(of({2}), true)[0].is_symbolic());
    EXPECT_FALSE(dims_of(of({2}))[0].is_symbolic());
}

TEST(shape_rules, reshape_views) {
    EXPECT_EQ(reshape_without_copy(of({4, 3, 5}), sizes{4, 15}), of({4, 15}));
    EXPECT_EQ(reshape_without_copy(of({6, 10}, {1, 6}), sizes{60}), std::nullopt);
    EXPECT_EQ(reshape_without_copy(of({6, 10}, {1, 6}), sizes{2, 3, 10}),
              of({2, 3, 10}, {3, 1, 6}));
    EXPECT_EQ(reshape_without_copy(of({2, 3, 4}, {24, 8, 2}), sizes{24}), of({24}, {2}));
    EXPECT_EQ(reshape_without_copy(of({2, 3}, {0, 0}), sizes{6}), of({6}, {0}));
    EXPECT_EQ(reshape_without_copy(of({2, 3}), sizes{7}), std::nullopt);
    EXPECT_EQ(reshape_without_copy(of({2, 0}), sizes{0, 9}), of({0, 9}));
    EXPECT_EQ(reshape_without_copy(of({2, 3}, {1, 2}), sizes{1, 2, 1, 3, 1})->strides()[1], 1u);
    EXPECT_EQ(reshape_without_copy(dyn({dim{n}, {6, 6}}), dims{dim{n * 2}, {3, 3}}),
              dyn({dim{n * 2}, {3, 3}}));
    const shape t = dyn({dim{n}, {6, 6}}, {lit(1), n});
    EXPECT_EQ(reshape_without_copy(t, dims{dim{n}, {2, 2}, {3, 3}}),
              dyn({dim{n}, {2, 2}, {3, 3}}, {lit(1), 3 * n, n}));
    EXPECT_EQ(reshape_without_copy(t, dims{dim{n * 6}}), std::nullopt);
    EXPECT_EQ(reshape_without_copy(dyn({{1, 4}, {6, 6}}), dims{{1, 4}, {2, 2}, {3, 3}}),
              std::nullopt);
}

// A view that reshape_without_copy finds addresses the same elements in the same logical order.
TEST(shape_rules, reshape_views_keep_elements) {
    std::mt19937 random(11);
    const std::vector<sizes> forms = {{24},       {2, 12},      {12, 2},     {4, 6},
                                      {2, 3, 4},  {4, 3, 2},    {2, 2, 6},   {1, 24, 1},
                                      {2, 1, 12}, {2, 2, 2, 3}, {3, 2, 2, 2}};
    int found = 0;
    for (int i = 0; i < 3000; ++i) {
        const sizes& from = forms[random() % forms.size()];
        const sizes& to = forms[random() % forms.size()];
        auto perm = identity_permutation(from.size());
        std::shuffle(perm.begin(), perm.end(), random);
        shape in = shape::from_permutation(shape::float_type, from, perm);
        sizes strides = in.strides();
        for (auto& s : strides)
            s *= 3;
        if (random() % 4 == 0)
            strides[random() % strides.size()] = 0;
        if (random() % 2 == 0)
            in = {shape::float_type, from, strides};
        const auto out = reshape_without_copy(in, to);
        if (!out)
            continue;
        ++found;
        for (std::size_t e = 0; e < 24; ++e)
            ASSERT_EQ(in.index(e), out->index(e)) << in << " -> " << *out;
    }
    EXPECT_GT(found, 300);
}

TEST(shape_rules, reshape_copies) {
    EXPECT_EQ(reshape_shape(of({6, 10}, {1, 6}), sizes{60}), of({60}));
    EXPECT_EQ(reshape_shape(of({2, 3}, {0, 1}), sizes{3, 2}), of({3, 2}));
    const auto f = shape::float_type;
    const shape nhwc = shape::from_permutation(f, {2, 3, 4, 5}, {0, 2, 3, 1});
    EXPECT_EQ(reshape_shape(nhwc, sizes{2, 3, 20}),
              shape::from_permutation(f, {2, 3, 20}, {0, 2, 1}));
    EXPECT_EQ(reshape_shape(nhwc, sizes{2, 60}), of({2, 60}));
    EXPECT_EQ(reshape_shape(of({4, 6}, {12, 2}), sizes{2, 2, 6}), of({2, 2, 6}));
    EXPECT_EQ(
        reshape_shape(dyn({dim{n}, {6, 6}}, {lit(1), n}), dims{dim{n}, {2, 2}, {3, 3}}).to_string(),
        "float_type, {n[1..8], 2, 3}, {1, 3*n, n}");
    EXPECT_EQ(reshape_shape(dyn({{1, 4}, {6, 6}}), dims{{1, 4}, {2, 2}, {3, 3}}),
              dyn({{1, 4}, {2, 2}, {3, 3}}));
}

} // namespace
