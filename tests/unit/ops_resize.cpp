// SPDX-License-Identifier: MIT
// resize against ONNX Runtime, its shapes and its run-time forms.
#include "ops_support.hpp"

namespace {

using namespace ops_test;
using numbers_t = std::vector<double>;
constexpr auto f32 = shape::float_type;

struct resize_case {
    std::string mode, coordinates, nearest;
    float a;
    lens_t lens;
    std::vector<float> scales;
    lens_t sizes, out;
    numbers_t expected;
};

const std::vector<resize_case> resize_cases = {
#include "ops_resize_cases.inc"
};

TEST(ops_resize, as_onnx_runtime) {
    for (const auto& c : resize_cases) {
        std::vector<double> data;
        for (std::size_t i = 0; i < shape(f32, c.lens).elements(); ++i)
            data.push_back(static_cast<double>(7 * i % 11));
        const auto x = floats(c.lens, data);
        migraphx::value attributes = {{"mode", c.mode},
                                      {"coordinate_transformation_mode", c.coordinates},
                                      {"nearest_mode", c.nearest},
                                      {"cubic_coeff_a", c.a}};
        const auto at_run_time = make_op("resize", attributes);
        attributes["scales"] = c.scales;
        attributes["sizes"] = c.sizes;
        const auto op = make_op("resize", attributes);
        const auto bounds = c.scales.empty()
                                ? list(std::vector<int64_t>(c.sizes.begin(), c.sizes.end()))
                                : floats({c.scales.size()}, {c.scales.begin(), c.scales.end()});
        for (const auto& y :
             {run(op, {x}), run(op, {with_gaps(x)}), run(at_run_time, {x, bounds})}) {
            ASSERT_EQ(y.get_shape().lens(), c.out) << op;
            const auto got = values(y);
            for (std::size_t i = 0; i < got.size(); ++i)
                EXPECT_NEAR(got[i], c.expected[i], 2e-5) << op << " at " << i;
        }
    }
}

TEST(ops_resize, shapes) {
    const auto op = make_op("resize", {{"scales", {1.0f, 1.0f, 1.5f, 2.0f}}});
    EXPECT_EQ(op.compute_shape({{f32, {1, 2, 3, 4}}}), (shape{f32, {1, 2, 4, 8}}));
    EXPECT_EQ(op.compute_shape({{f32, {dim{1, 4}, dim{2, 2}, dim{3, 6}, dim{4, 8}}}}),
              (shape{f32, {dim{1, 4}, dim{2, 2}, dim{4, 9}, dim{8, 16}}}));
    const auto n = migraphx::sym::var("n", {1, 8});
    EXPECT_EQ(
        op.compute_shape({shape{f32, {dim{1, 1}, dim{2, 2}, dim{4, 4}, dim{n}}}}).dyn_dims()[3],
        dim{n * 2});
    EXPECT_EQ(make_op("resize")
                  .compute_shape({{f32, {2, 3}}, {shape::int64_type, {2}}})
                  .dyn_dims()[0]
                  .get_interval()
                  .min,
              0);
}

TEST(ops_resize, errors) {
    const shape s{f32, {2, 3}};
    EXPECT_FALSE(infer_error(make_op("resize"), {s}).empty());
    EXPECT_FALSE(
        infer_error(make_op("resize", {{"scales", {1.0f, 1.0f}}, {"sizes", {1, 1}}}), {s}).empty());
    EXPECT_FALSE(infer_error(make_op("resize", {{"scales", {1.0f}}}), {s}).empty());
    EXPECT_FALSE(infer_error(make_op("resize", {{"scales", {1.0f, 0.0f}}}), {s}).empty());
    EXPECT_FALSE(infer_error(make_op("resize", {{"scales", {1.0f, 1e30f}}}), {s}).empty());
    EXPECT_FALSE(
        infer_error(make_op("resize", {{"sizes", {2, 2}}, {"mode", "area"}}), {s}).empty());
    const auto x = count_up(lens_t{2, 3});
    EXPECT_TRUE(contains(message_of([&] {
                             run(make_op("resize", {{"sizes", {2, 2}}}), {x});
                         }),
                         "coordinate_transformation_mode"));
    EXPECT_FALSE(message_of([&] {
                     run(make_op("resize", {{"sizes", {2, 2}},
                                            {"coordinate_transformation_mode", "asymmetric"}}),
                         {floats({0, 3}, {})});
                 }).empty());
    EXPECT_FALSE(message_of([&] {
                     run(make_op("resize", {{"coordinate_transformation_mode", "asymmetric"}}),
                         {x, list({2, -1})});
                 }).empty());
}

TEST(ops_resize, integers_round) {
    const auto op = make_op(
        "resize",
        {{"sizes", {3}}, {"mode", "linear"}, {"coordinate_transformation_mode", "align_corners"}});
    EXPECT_EQ(run_values(op, {tensor({shape::uint8_type, {2}}, {0, 255})}),
              (numbers_t{0, 128, 255}));
}

} // namespace
