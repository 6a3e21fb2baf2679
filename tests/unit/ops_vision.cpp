// SPDX-License-Identifier: MIT
// Pooling, local response normalisation, regions, boxes.
#include "ops_compute_support.hpp"

#include <migraphx/op/lrn.hpp>
#include <migraphx/op/pooling.hpp>
#include <migraphx/op_info.hpp>

using namespace ops_check;

namespace {

using sizes = std::vector<std::size_t>;

operation pool(const value& extra, sizes lengths, sizes stride, sizes padding = {0, 0}) {
    value v = extra;
    v["lengths"] = lengths;
    v["stride"] = stride;
    v["padding"] = padding;
    if (not v.contains("dilations"))
        v["dilations"] = sizes(lengths.size(), 1);
    return make_op_from_value("pooling", v);
}

TEST(ops_pooling, values) {
    const auto x = ramp(of({1, 1, 3, 3}));
    check(pool({{"mode", 1}}, {2, 2}, {1, 1}), {x}, {4, 5, 7, 8});
    check(pool({{"mode", 0}}, {2, 2}, {1, 1}), {x}, {2, 3, 5, 6});
    check(pool({{"mode", 2}, {"lp_order", 2}}, {1, 3}, {1, 1}), {x},
          {std::sqrt(5), std::sqrt(50), std::sqrt(149)});
    check(pool({{"mode", 2}, {"lp_order", 0}}, {3, 3}, {1, 1}), {x}, {1});
    // Padding: the maximum ignores it, the average counts it only when asked to.
    check(pool({{"mode", 1}}, {2, 2}, {2, 2}, {1, 1}), {floats({1, 1, 2, 2}, {-1, -2, -3, -4})},
          {-1, -2, -3, -4});
    check(pool({{"mode", 0}}, {2, 2}, {2, 2}, {1, 1}), {floats({1, 1, 2, 2}, {1, 2, 3, 4})},
          {1, 2, 3, 4});
    check(pool({{"mode", 0}, {"count_include_pad", true}}, {2, 2}, {2, 2}, {1, 1}),
          {floats({1, 1, 2, 2}, {4, 8, 12, 16})}, {1, 2, 3, 4});
    check(pool({{"mode", 1}, {"dilations", sizes{2, 2}}}, {2, 2}, {1, 1}), {x}, {8});
    check(pool({{"mode", 0}, {"dyn_global", true}}, {1, 1}, {1, 1}), {x}, {4});
    check(pool({{"mode", 1}}, {2}, {1}, {0, 0}), {floats({1, 1, 3}, {1, not_a_number, 3})},
          {not_a_number, not_a_number});
    check(pool({{"mode", 1}}, {2}, {1}, {0}), {tensor({shape::int8_type, {1, 1, 3}}, {-5, -7, -9})},
          {-5, -7});
}

TEST(ops_pooling, ceil_mode) {
    const auto x = floats({1, 1, 5}, {1, 2, 3, 4, 5});
    check(pool({{"mode", 0}, {"ceil_mode", true}}, {2}, {2}, {0}), {x}, {1.5, 3.5, 5});
    // The window over the end counts padding only, not what is beyond it.
    check(pool({{"mode", 0}, {"ceil_mode", true}, {"count_include_pad", true}}, {3}, {2}, {0, 1}),
          {x}, {2, 4, 2.5});
    // A window that would start in the padding is dropped.
    check(pool({{"mode", 0}, {"ceil_mode", true}}, {1}, {4}, {0, 1}), {x}, {1, 5});
    check(pool({{"mode", 0}, {"ceil_mode", true}}, {2}, {3}, {1, 1}), {floats({1, 1, 2}, {1, 2})},
          {1});
}

TEST(ops_pooling, shapes) {
    EXPECT_EQ(pool({}, {3, 3}, {2, 2}).compute_shape({of({1, 2, 8, 8})}).lens(),
              (lens{1, 2, 3, 3}));
    EXPECT_EQ(pool({{"ceil_mode", true}}, {3, 3}, {2, 2}).compute_shape({of({1, 2, 8, 8})}).lens(),
              (lens{1, 2, 4, 4}));
    EXPECT_EQ(pool({{"padding_mode", 2}}, {3, 3}, {2, 2}).compute_shape({of({1, 2, 7, 8})}).lens(),
              (lens{1, 2, 4, 4}));
    EXPECT_EQ(pool({}, {3, 3}, {2, 2}).compute_shape({dyn({{1, 4}, {2, 2}, {8, 16}, {8, 8}})}),
              dyn({{1, 4}, {2, 2}, {3, 7}, {3, 3}}));
    const auto h = sym::var("h", {8, 64});
    const auto s = pool({}, {2, 2}, {2, 2}).compute_shape({dyn({{1, 1}, {3, 3}, dim{h}, {8, 8}})});
    ASSERT_TRUE(s.symbolic());
    EXPECT_EQ(s.dyn_dims()[2], dim{(h - 2) / 2 + 1});
    EXPECT_EQ(pool({{"dyn_global", true}}, {1, 1}, {1, 1})
                  .compute_shape({dyn({{1, 4}, {2, 2}, {8, 16}, {8, 8}})}),
              dyn({{1, 4}, {2, 2}, {1, 1}, {1, 1}}));
    refused(pool({}, {9, 9}, {1, 1}), {of({1, 2, 8, 8})}, "fits");
    refused(pool({}, {0, 1}, {1, 1}), {of({1, 2, 8, 8})}, "lengths");
    refused(pool({}, {1, 1}, {1, 0}), {of({1, 2, 8, 8})}, "stride");
    refused(pool({}, {1}, {1}, {0, 0}), {of({1, 2, 8, 8})}, "lengths");
    refused(pool({}, {1, 1}, {1, 1}), {of({1, 2})}, "");
    op::pooling named;
    named.mode = op::pooling_mode::max;
    EXPECT_EQ(operation{named}.get<int>("mode"), 1);
    std::ostringstream text;
    text << operation{named};
    EXPECT_NE(text.str().find("mode=max"), std::string::npos) << text.str();
}

TEST(ops_lrn, values) {
    op::lrn named;
    named.size = 3, named.alpha = 3, named.beta = 1, named.bias = 2;
    check(named, {floats({1, 3, 1, 1}, {1, 2, 3})},
          {1.0 / (2 + 5), 2.0 / (2 + 14), 3.0 / (2 + 13)});
    named.size = 2;
    named.alpha = 2;
    check(named, {floats({1, 2, 1, 1}, {1, 2})}, {1.0 / (2 + 5), 2.0 / (2 + 4)});
    refused(make_op("lrn", {{"size", 0}}), {of({1, 2, 1, 1})}, "size");
}

TEST(ops_roialign, values) {
    const auto x = ramp(of({1, 1, 4, 4}));
    const auto rois = floats({1, 4}, {0, 0, 4, 4});
    const auto batch = tensor({shape::int64_type, {1}}, {0});
    const auto op =
        make_op("roialign", {{"output_height", 2}, {"output_width", 2}, {"sampling_ratio", 2}});
    check(op, {x, rois, batch}, {2.5, 4.5, 10.5, 12.5});
    check(make_op("roialign", {{"output_height", 1},
                               {"output_width", 1},
                               {"sampling_ratio", 1},
                               {"coordinate_transformation_mode", "output_half_pixel"}}),
          {x, floats({1, 4}, {1, 1, 3, 3}), batch}, {10});
    check(make_op("roialign", {{"mode", 1}, {"sampling_ratio", 1}}),
          {x, floats({1, 4}, {1.5, 1.5, 2.5, 2.5}), batch}, {2.5 + 0});
    EXPECT_THROW(run(op, {x, rois, tensor({shape::int64_type, {1}}, {1})}), migraphx::exception);
    refused(op, {of({1, 1, 4, 4}), of({1, 5}), of({1}, shape::int64_type)}, "4 coordinates");
}

TEST(ops_nonmaxsuppression, values) {
    const auto boxes = floats({1, 4, 4}, {0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, 5, 1, 6, 1, 1, 0, 0});
    const auto scores = floats({1, 1, 4}, {0.9, 0.95, 0.3, 0.9});
    const auto most = tensor({shape::int64_type, {1}}, {5});
    const auto iou = floats({1}, {0.5}), threshold = floats({1}, {0.4});
    const auto op = make_op("nonmaxsuppression", {{"use_dyn_output", true}});
    check(op, {boxes, scores, most, iou}, {0, 0, 1, 0, 0, 2});
    check(op, {boxes, scores, most, iou, threshold}, {0, 0, 1});
    check(op, {boxes, scores}, {});
    check(make_op("nonmaxsuppression"), {boxes, scores, most, iou},
          {0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0});
    EXPECT_EQ(op.compute_shape(to_shapes({boxes, scores})),
              dyn({{0, 4}, {3, 3}}, shape::int64_type));
    EXPECT_EQ(op.info().resolve(op.self(), {boxes, scores, most, iou}),
              of({2, 3}, shape::int64_type));
    // Identical boxes with equal scores: the lower index stays.
    check(op,
          {floats({1, 2, 4}, {0, 0, 1, 1, 0, 0, 1, 1}), floats({1, 1, 2}, {0.5, 0.5}), most, iou},
          {0, 0, 0});
    const auto center =
        make_op("nonmaxsuppression", {{"use_dyn_output", true}, {"center_point_box", true}});
    check(center,
          {floats({1, 2, 4}, {0.5, 0.5, 1, 1, 0.6, 0.5, 1, 1}), floats({1, 1, 2}, {0.5, 0.6}), most,
           iou},
          {0, 0, 1});
    refused(op, {of({1, 4, 5}), of({1, 1, 4})}, "4 coordinates");
    refused(op, {of({1, 4, 4}), of({1, 1, 3})}, "numbers of boxes");
}

} // namespace
