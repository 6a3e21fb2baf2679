// SPDX-License-Identifier: MIT
// Pictures: resampling, crops, choice of boxes. Data is N, H, W, C in any layout of the graph.
#include "import/tf/node_reader.hpp"

#include <migraphx/make_op.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace migraphx::tf {

namespace {

struct resize_node {
    ints from, to; ///< H, W
    bool align_corners = false, half_pixel = false;

    double scale(std::size_t i) const {
        const bool corners = align_corners and to[i] > 1;
        return corners ? double(from[i] - 1) / double(to[i] - 1) : double(from[i]) / double(to[i]);
    }
};

resize_node read_resize(const node_reader& n) {
    n.expect_inputs(2);
    n.expect_rank(0, 4);
    resize_node r;
    const auto d = n.dims(0);
    r.from = {d[1], d[2]};
    r.to = n.constant_ints(1, "size");
    if (r.to.size() != 2 or r.to[0] < 1 or r.to[1] < 1 or r.to[0] > 1 << 20 or r.to[1] > 1 << 20)
        n.malformed(str("two sizes above 0 were expected, got ", r.to));
    if (d[1] < 1 or d[2] < 1)
        n.malformed(str("pictures with pixels were expected, got ", n.input(0)->get_shape()));
    r.align_corners = n.flag("align_corners", false);
    r.half_pixel = n.flag("half_pixel_centers", false);
    if (r.align_corners and r.half_pixel)
        n.malformed("one of align_corners and half_pixel_centers was expected, got both");
    return r;
}

instructions resample(const node_reader& n, const resize_node& r, instruction_ref x,
                      const char* mode, const char* nearest, const char* half_pixel) {
    const auto y = n.transpose(x, {0, 3, 1, 2});
    const auto d = n.dims(y);
    const auto* transformation = r.align_corners ? "align_corners"
                                 : r.half_pixel  ? half_pixel
                                                 : "asymmetric";
    const auto z = n.add(make_op("resize", {{"sizes", ints{d[0], d[1], r.to[0], r.to[1]}},
                                            {"mode", mode},
                                            {"nearest_mode", nearest},
                                            {"coordinate_transformation_mode", transformation}}),
                         {y});
    return {n.transpose(z, {0, 2, 3, 1})};
}

instructions read_bilinear(node_reader& n) {
    const auto r = read_resize(n);
    return resample(n, r, n.convert(n.input(0), shape::float_type), "linear", "floor",
                    "half_pixel");
}

instructions read_nearest(node_reader& n) {
    const auto r = read_resize(n);
    return resample(n, r, n.input(0), "nearest", r.align_corners ? "round_prefer_ceil" : "floor",
                    "tf_half_pixel_for_nn");
}

// ---- resampling as a product with a matrix of weights for each dimension
using matrix = std::vector<float>;

instructions by_matrices(const node_reader& n, const resize_node& r,
                         const std::array<matrix, 2>& weights) {
    auto x = n.transpose(n.convert(n.input(0), shape::float_type), {0, 3, 1, 2});
    const auto literal = [&](std::size_t i, bool transposed) {
        const shape s{shape::float_type, {std::size_t(r.to[i]), std::size_t(r.from[i])}};
        const auto m = n.literal(migraphx::literal{s, weights[i]});
        return transposed ? n.transpose(m, {1, 0}) : m;
    };
    x = n.expand("dot", {literal(0, false), x});
    x = n.expand("dot", {x, literal(1, true)});
    return {n.transpose(x, {0, 2, 3, 1})};
}

// Keys' kernel. With half-pixel centres taps outside of the picture are left out and the others
// scaled to sum to one; without them the edge is repeated.
matrix cubic_weights(const resize_node& r, std::size_t dim) {
    const double a = r.half_pixel ? -0.5 : -0.75;
    const auto kernel = [&](double x) {
        x = std::fabs(x);
        if (x <= 1)
            return ((a + 2) * x - (a + 3)) * x * x + 1;
        return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0.0;
    };
    const auto from = r.from[dim], to = r.to[dim];
    matrix m(std::size_t(from * to), 0);
    for (int64_t i = 0; i < to; i++) {
        const auto at =
            r.half_pixel ? (double(i) + 0.5) * r.scale(dim) - 0.5 : double(i) * r.scale(dim);
        const auto base = int64_t(std::floor(at));
        // TensorFlow looks weights up in a table of 1024 steps between pixels.
        const auto delta = std::round((at - double(base)) * 1024) / 1024;
        std::array<double, 4> w{};
        double sum = 0;
        for (int64_t k = 0; k < 4; k++) {
            const auto tap = base - 1 + k;
            const bool inside = tap >= 0 and tap < from;
            w[std::size_t(k)] = r.half_pixel and not inside ? 0 : kernel(double(k - 1) - delta);
            sum += w[std::size_t(k)];
        }
        for (int64_t k = 0; k < 4; k++) {
            const auto tap = std::clamp<int64_t>(base - 1 + k, 0, from - 1);
            m[std::size_t(i * from + tap)] += float(
                r.half_pixel and std::fabs(sum) >= 1000 * 1.17549435e-38 ? w[std::size_t(k)] / sum
                                                                         : w[std::size_t(k)]);
        }
    }
    return m;
}

// The mean of the area that a pixel of the result covers.
matrix area_weights(const resize_node& r, std::size_t dim) {
    const auto from = r.from[dim], to = r.to[dim];
    const auto scale = r.scale(dim);
    matrix m(std::size_t(from * to), 0);
    for (int64_t i = 0; i < to; i++) {
        const auto low = double(i) * scale, high = double(i + 1) * scale;
        for (auto k = int64_t(std::floor(low)); k < int64_t(std::ceil(high)); k++) {
            const auto part = std::min(high, double(k + 1)) - std::max(low, double(k));
            m[std::size_t(i * from + std::clamp<int64_t>(k, 0, from - 1))] += float(part / scale);
        }
    }
    return m;
}

void expect_small(const node_reader& n, const resize_node& r) {
    for (std::size_t i = 0; i < 2; i++)
        if (r.from[i] > 1 << 26 or r.from[i] * r.to[i] > 1 << 26)
            n.unsupported(
                str("pictures of a moderate size were expected, got ", r.from, " to ", r.to));
}

instructions read_bicubic(node_reader& n) {
    const auto r = read_resize(n);
    expect_small(n, r);
    return by_matrices(n, r, {cubic_weights(r, 0), cubic_weights(r, 1)});
}

instructions read_area(node_reader& n) {
    const auto r = read_resize(n);
    expect_small(n, r);
    return by_matrices(n, r, {area_weights(r, 0), area_weights(r, 1)});
}

// ---- crops: boxes (y1, x1, y2, x2) in fractions of the picture, resampled to one size

struct crop_axis {
    instruction_ref at,
        outside; ///< positions (boxes, steps), and whether they lie outside of the picture
};

crop_axis crop_positions(const node_reader& n, instruction_ref boxes, int64_t dim, int64_t length,
                         int64_t steps) {
    const auto side = [&](int64_t column) {
        return n.slice(boxes, {1}, {column}, {column + 1});
    }; // (boxes, 1)
    const auto low = side(dim), high = side(dim + 2);
    const auto last = double(length - 1);
    crop_axis a;
    if (steps > 1) {
        std::vector<float> count(static_cast<std::size_t>(steps), 0);
        for (std::size_t i = 0; i < count.size(); i++)
            count[i] = float(i);
        const auto step =
            n.pointwise_number("mul", n.pointwise("sub", {high, low}), last / double(steps - 1));
        const auto way =
            n.pointwise("mul", {step, n.literal(migraphx::literal{
                                          shape{shape::float_type, {1, count.size()}}, count})});
        a.at = n.pointwise("add", {n.pointwise_number("mul", low, last), way});
    } else {
        a.at = n.pointwise_number("mul", n.pointwise("add", {low, high}), 0.5 * last);
    }
    const auto t = shape::float_type;
    a.outside = n.compare("logical_or", n.compare("less", a.at, n.scalar(t, 0)),
                          n.compare("greater", a.at, n.scalar(t, last)));
    return a;
}

instructions read_crop_and_resize(node_reader& n) {
    n.expect_inputs(4);
    n.expect_rank(0, 4);
    n.expect_rank(1, 2);
    n.expect_rank(2, 1);
    const auto size = n.constant_ints(3, "crop_size");
    const auto d = n.dims(0), boxes = n.dims(1);
    if (boxes[1] != 4 or n.dims(2) != ints{boxes[0]})
        n.malformed(str("boxes of 4 values and a picture for each were expected, got ",
                        n.input(1)->get_shape(), " and ", n.input(2)->get_shape()));
    if (size.size() != 2 or size[0] < 1 or size[1] < 1 or size[0] > 1 << 16 or size[1] > 1 << 16)
        n.malformed(str("two crop sizes above 0 were expected, got ", size));
    const auto method = n.text("method", "bilinear");
    if (method != "bilinear" and method != "nearest")
        n.malformed("attribute \"method\": bilinear or nearest was expected, got '" + method + "'");
    const auto picture = n.convert(n.input(0), shape::float_type);
    const ints grid{boxes[0], size[0], size[1], 1};
    const auto y = crop_positions(n, n.input(1), 0, d[1], size[0]),
               x = crop_positions(n, n.input(1), 1, d[2], size[1]);
    const auto rows = [&](instruction_ref v) { return n.unsqueeze(v, {2, 3}); }; // (boxes, h, 1, 1)
    const auto columns = [&](instruction_ref v) {
        return n.unsqueeze(v, {1, 3});
    }; // (boxes, 1, w, 1)
    const auto which =
        n.broadcast_to(n.unsqueeze(n.convert(n.input(2), shape::int64_type), {1, 2, 3}), grid);
    const auto pixel = [&](instruction_ref at_y, instruction_ref at_x) {
        const auto position = [&](instruction_ref v, int64_t length) {
            const auto inside =
                n.pointwise("clip", {v, n.scalar(shape::float_type, 0),
                                     n.scalar(shape::float_type, double(length - 1))});
            return n.broadcast_to(n.convert(inside, shape::int64_type), grid);
        };
        const auto indices =
            n.add(make_op("concat", {{"axis", 3}}),
                  {which, position(rows(at_y), d[1]), position(columns(at_x), d[2])});
        return n.add("gathernd", picture, indices); // (boxes, h, w, C)
    };
    instruction_ref result;
    if (method == "nearest") {
        // Halves away from 0, as std::round does; positions inside are not negative.
        const auto round = [&](instruction_ref v) {
            return n.pointwise("floor", {n.pointwise_number("add", v, 0.5)});
        };
        result = pixel(round(y.at), round(x.at));
    } else {
        const auto top = n.pointwise("floor", {y.at}), bottom = n.pointwise("ceil", {y.at});
        const auto left = n.pointwise("floor", {x.at}), right = n.pointwise("ceil", {x.at});
        const auto between = [&](instruction_ref a, instruction_ref b, instruction_ref t) {
            return n.pointwise("add", {a, n.pointwise("mul", {n.pointwise("sub", {b, a}), t})});
        };
        const auto down = rows(n.pointwise("sub", {y.at, top})),
                   along = columns(n.pointwise("sub", {x.at, left}));
        result = between(between(pixel(top, left), pixel(top, right), along),
                         between(pixel(bottom, left), pixel(bottom, right), along), down);
    }
    const auto outside = n.compare("logical_or", rows(y.outside), columns(x.outside));
    return {
        n.select(outside, n.scalar(shape::float_type, n.real("extrapolation_value", 0)), result)};
}

// ---- choice of boxes by score and overlap

instructions read_nms(node_reader& n) {
    const auto op = n.op_type();
    const bool v5 = op == "NonMaxSuppressionV5", v4 = op == "NonMaxSuppressionV4";
    n.expect_inputs(op == "NonMaxSuppression" ? 3 : op == "NonMaxSuppressionV2" ? 4 : v5 ? 6 : 5);
    n.expect_rank(0, 2);
    n.expect_rank(1, 1);
    if (v5 and n.constant_real(5, "soft_nms_sigma") != 0)
        n.unsupported("soft_nms_sigma of 0 was expected, got another value");
    const auto boxes = n.unsqueeze(n.convert(n.input(0), shape::float_type), {0});
    const auto scores = n.unsqueeze(n.convert(n.input(1), shape::float_type), {0, 1});
    const auto one = [&](instruction_ref v, shape::type_t t) {
        return n.at_least_1d(n.convert(v, t));
    };
    const auto overlap = op == "NonMaxSuppression"
                             ? n.scalar(shape::float_type, n.real("iou_threshold", 0.5))
                             : n.input(3);
    instructions in{boxes, scores, one(n.input(2), shape::int64_type),
                    one(overlap, shape::float_type)};
    if (n.input_count() > 4)
        in.push_back(one(n.input(4), shape::float_type));
    const auto chosen = [&](bool true_count) {
        return n.add(make_op("nonmaxsuppression", {{"use_dyn_output", true_count}}), in);
    };
    const auto third = [&](instruction_ref rows) {
        const auto column = n.add(
            make_op("slice", {{"axes", ints{1}}, {"starts", ints{2}}, {"ends", ints{3}}}), {rows});
        return n.add(make_op("squeeze", {{"axes", ints{1}}}), {column});
    };
    const auto found = chosen(true);
    const auto count =
        n.convert(n.to_scalar(n.add(make_op("dimensions_of", {{"start", 0}, {"end", 1}}), {found})),
                  shape::int32_type);
    auto indices = third(found);
    auto values = n.add(make_op("gather", {{"axis", 0}}), {n.input(1), indices});
    if ((v4 or v5) and n.flag("pad_to_max_output_size", false)) {
        const auto most = n.constant_int(2, "max_output_size"), boxes_given = n.dims(0)[0];
        if (most < 0 or most > 1 << 24)
            n.malformed(str("max_output_size of 0 or more was expected, got ", most));
        const auto to_size = [&](instruction_ref v) {
            v = n.slice(v, {0}, {0}, {std::min(most, boxes_given)});
            return most > boxes_given
                       ? n.add(make_op("pad", {{"pads", ints{0, most - boxes_given}}}), {v})
                       : v;
        };
        indices = to_size(third(chosen(false)));
        ints positions(std::size_t(most), 0);
        for (std::size_t i = 0; i < positions.size(); i++)
            positions[i] = int64_t(i);
        const auto is_used = n.compare("less", n.ints_literal(positions, shape::int32_type), count);
        values = n.select(is_used, n.add(make_op("gather", {{"axis", 0}}), {n.input(1), indices}),
                          n.scalar(n.type_of(1), 0));
    }
    indices = n.convert(indices, shape::int32_type);
    if (v5)
        return {indices, values, count};
    return v4 ? instructions{indices, count} : instructions{indices};
}

const operators image_operators{
    {"ResizeBilinear", read_bilinear, "constant size"},
    {"ResizeNearestNeighbor", read_nearest, "constant size"},
    {"ResizeBicubic", read_bicubic, "constant size"},
    {"ResizeArea", read_area, "constant size"},
    {"CropAndResize", read_crop_and_resize, "constant crop_size"},
    {"NonMaxSuppression", read_nms},
    {"NonMaxSuppressionV2", read_nms},
    {"NonMaxSuppressionV3", read_nms},
    {"NonMaxSuppressionV4", read_nms, "", {"selected_indices", "valid_outputs"}},
    {"NonMaxSuppressionV5",
     read_nms,
     "soft_nms_sigma 0",
     {"selected_indices", "selected_scores", "valid_outputs"}}};

} // namespace

} // namespace migraphx::tf
