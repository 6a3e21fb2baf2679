// SPDX-License-Identifier: MIT
// Images: blocks and pixels put back in place, moved taps, regions, crops, decoding.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"

#include <algorithm>
#include <numeric>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;
using sizes = std::vector<std::size_t>;

sizes checked_sizes(node_reader& n, const ints& v, const char* what) {
    for (auto x : v)
        if (x < 0)
            n.malformed(str(what, ": sizes of 0 or more were expected, got ", v));
    return {v.begin(), v.end()};
}

// Spatial dimensions of data (N, C, spatial...).
std::size_t spatial_of(node_reader& n, std::size_t i) {
    if (n.rank_of(i) < 3)
        n.malformed(str("at least three dimensions were expected, got ", n.shape_of(i)));
    return n.rank_of(i) - 2;
}

instructions read_col2im(node_reader& n) {
    n.expect_inputs(3, 3);
    if (n.shape_of(1).dynamic() or n.rank_of(1) != 1)
        n.unsupported(str("an image shape of known length was expected, got ", n.shape_of(1)));
    const auto spatial = n.shape_of(1).elements();
    value o = value::object{};
    o["padding"] = window_sizes(n, "pads", 2 * spatial, 0, 0);
    o["stride"] = window_sizes(n, "strides", spatial, 1, 1);
    o["dilation"] = window_sizes(n, "dilations", spatial, 1, 1);
    const auto image = n.constant_ints(1), block = n.constant_ints(2);
    if (not image or not block)
        return {n.add(make_op("col2im", o), n.inputs())};
    o["image"] = checked_sizes(n, *image, "image_shape");
    o["block"] = checked_sizes(n, *block, "block_shape");
    return {n.add(make_op("col2im", o), {n.input(0)})};
}

instructions read_deform_conv(node_reader& n) {
    n.expect_inputs(3, 5);
    const auto spatial = spatial_of(n, 0);
    if (n.has_attribute("kernel_shape")) {
        const auto kernel = window_sizes(n, "kernel_shape", spatial, 1, 1);
        const auto lo = n.shape_of(1).min_lens(), hi = n.shape_of(1).max_lens();
        for (std::size_t i = 0; i < spatial and i + 2 < lo.size(); i++)
            if (kernel[i] < lo[i + 2] or kernel[i] > hi[i + 2])
                n.malformed(str("kernel_shape of the weights was expected, got ", kernel, " for ",
                                n.shape_of(1)));
    }
    instructions in{n.input(0), n.input(1), n.input(2)};
    if (n.has(4))
        in.push_back(n.input(4));
    auto y = n.add(make_op("deformable_convolution",
                           {{"padding", window_sizes(n, "pads", 2 * spatial, 0, 0)},
                            {"stride", window_sizes(n, "strides", spatial, 1, 1)},
                            {"dilation", window_sizes(n, "dilations", spatial, 1, 1)},
                            {"group", n.integer("group", 1)},
                            {"offset_group", n.integer("offset_group", 1)}}),
                   in);
    if (n.has(3))
        y = n.add("add", y, n.stretch_along(n.input(3), 1, y));
    return {y};
}

instructions read_max_unpool(node_reader& n) {
    n.expect_inputs(2, 3);
    const auto spatial = spatial_of(n, 0);
    if (not n.has_attribute("kernel_shape"))
        n.malformed("kernel_shape was expected, got none");
    value o = value::object{};
    o["lengths"] = window_sizes(n, "kernel_shape", spatial, 1, 1);
    o["stride"] = window_sizes(n, "strides", spatial, 1, 1);
    o["padding"] = window_sizes(n, "pads", 2 * spatial, 0, 0);
    instructions in{n.input(0), n.input(1)};
    if (n.has(2)) {
        if (const auto dims = n.constant_ints(2))
            o["dims"] = checked_sizes(n, *dims, "output_shape");
        else
            in.push_back(n.input(2));
    }
    return {n.add(make_op("max_unpool", o), in)};
}

instructions read_max_roi_pool(node_reader& n) {
    n.expect_inputs(2, 2);
    if (not n.has_attribute("pooled_shape"))
        n.malformed("pooled_shape was expected, got none");
    const auto pooled = window_sizes(n, "pooled_shape", 2, 1, 1);
    return {n.add(make_op("roi_max_pool", {{"pooled_height", pooled[0]},
                                           {"pooled_width", pooled[1]},
                                           {"spatial_scale", n.real("spatial_scale", 1)}}),
                  n.inputs())};
}

// Pads, negative ones to cut, around the middle, for sizes that a run gives.
instruction_ref centre_pads(node_reader& n, const std::vector<std::size_t>& axes) {
    const auto x = n.input(0);
    const auto int64_vector = [&](const ints& v) {
        return n.literal(migraphx::literal{shape{shape::int64_type, {v.size()}}, v});
    };
    const auto own = n.add(make_op("dimensions_of", {{"end", n.rank_of(0)}}), {x});
    const auto target = n.add(
        make_op("scatter_none", {{"axis", 0}}),
        {own, int64_vector({axes.begin(), axes.end()}), n.convert(n.input(1), shape::int64_type)});
    const auto grow = n.add("sub", target, own);
    // The quotient is cut towards zero.
    const auto half = n.with_number("div", grow, 2);
    return n.add(make_op("concat", {{"axis", 0}}), {half, n.add("sub", grow, half)});
}

// Cut or padded with 0 around the middle to the sizes asked for.
instructions read_center_crop_pad(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto rank = n.rank_of(0);
    auto given = n.integers("axes");
    if (not n.has_attribute("axes")) {
        given.resize(rank);
        std::iota(given.begin(), given.end(), 0);
    }
    sizes axes;
    for (auto a : given)
        axes.push_back(n.axis(a, rank));
    if (n.shape_of(1).dynamic() or n.shape_of(1).elements() != axes.size())
        n.malformed(
            str("a size for each of ", axes.size(), " axes was expected, got ", n.shape_of(1)));
    const auto target = n.constant_ints(1);
    const auto& s = n.shape_of(0);
    if (not target or s.dynamic())
        return {n.add("pad_dynamic", n.input(0), centre_pads(n, axes))};
    const auto lens = checked_sizes(n, *target, "shape");
    ints pads(2 * rank, 0);
    for (std::size_t i = 0; i < axes.size(); i++) {
        const auto grow = int64_t(lens[i]) - int64_t(s.lens()[axes[i]]);
        pads[axes[i]] = grow / 2;
        pads[axes[i] + rank] = grow - grow / 2;
    }
    return {n.add(make_op("pad", {{"pads", pads}}), {n.input(0)})};
}

instructions read_image_decoder(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto format = n.text("pixel_format", "RGB");
    if (format != "RGB" and format != "BGR" and format != "Grayscale")
        n.malformed("pixel_format: RGB, BGR or Grayscale was expected, got '" + format + "'");
    const int number = format == "RGB" ? 0 : format == "BGR" ? 1 : 2;
    return {n.add(make_op("image_decoder", {{"format", number}}), {n.input(0)})};
}

const operators image_operators{{"ImageDecoder", read_image_decoder, "",
                                 "JPEG, PNG, TIFF, WebP and JPEG 2000 need the system's library"},
                                {"Col2Im", read_col2im},
                                {"DeformConv", read_deform_conv},
                                {"MaxUnpool", read_max_unpool},
                                {"MaxRoiPool", read_max_roi_pool},
                                {"CenterCropPad", read_center_crop_pad}};

} // namespace

} // namespace migraphx::onnx
