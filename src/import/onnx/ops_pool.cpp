// SPDX-License-Identifier: MIT
// Poolings.
#include <migraphx/make_op.hpp>
#include <migraphx/op/common.hpp>

#include "import/onnx/ops_shared.hpp"

#include <algorithm>

namespace migraphx::onnx {

namespace {

using sizes = std::vector<std::size_t>;

op::pooling_mode pooling_mode_of(std::string_view op) {
    if (op.find("Average") != std::string_view::npos)
        return op::pooling_mode::average;
    return op.find("Max") != std::string_view::npos ? op::pooling_mode::max
                                                    : op::pooling_mode::lpnorm;
}

struct pooling_padding {
    sizes values;
    op::padding_mode_t mode = op::default_;
};

pooling_padding read_padding(node_reader& n, const shape& s, const sizes& lengths,
                             const sizes& stride, const sizes& dilation) {
    pooling_padding p;
    const auto spatial = lengths.size();
    const auto auto_pad = n.text("auto_pad", "NOTSET");
    p.values.assign(2 * spatial, 0);
    if (auto_pad == "NOTSET" or auto_pad.empty()) {
        const auto pads = n.integers("pads", std::vector<int64_t>(2 * spatial, 0));
        if (pads.size() != 2 * spatial)
            n.malformed(str("pads: ", 2 * spatial, " values were expected, got ", pads.size()));
        for (auto x : pads)
            if (x < 0)
                n.malformed(str("pads of 0 or more were expected, got ", pads));
        p.values.assign(pads.begin(), pads.end());
    } else if (auto_pad == "SAME_UPPER" or auto_pad == "SAME_LOWER") {
        p.mode = auto_pad == "SAME_UPPER" ? op::same_upper : op::same_lower;
        const auto lo = s.min_lens(), hi = s.max_lens();
        if (not std::equal(lo.begin() + 2, lo.end(), hi.begin() + 2))
            return p;
        for (std::size_t i = 0; i < spatial; i++) {
            const auto in = lo[i + 2];
            const auto out = std::max<std::size_t>(1, (in + stride[i] - 1) / stride[i]);
            const auto needed = (out - 1) * stride[i] + dilation[i] * (lengths[i] - 1) + 1;
            const auto total = needed > in ? needed - in : 0;
            p.values[i] = p.mode == op::same_upper ? total / 2 : total - total / 2;
            p.values[i + spatial] = total - p.values[i];
        }
        p.mode = op::default_;
    } else if (auto_pad != "VALID")
        n.malformed("auto_pad: NOTSET, VALID, SAME_UPPER or SAME_LOWER was expected, got '" +
                    auto_pad + "'");
    if (std::equal(p.values.begin(), p.values.begin() + std::ptrdiff_t(spatial),
                   p.values.begin() + std::ptrdiff_t(spatial)))
        p.values.resize(spatial);
    return p;
}

} // namespace

std::vector<std::size_t> window_sizes(node_reader& n, const char* name, std::size_t count,
                                      int64_t fallback, int64_t least) {
    const auto v = n.integers(name, std::vector<int64_t>(count, fallback));
    if (v.size() != count)
        n.malformed(str(name, ": ", count, " values were expected, got ", v.size()));
    for (auto x : v)
        if (x < least)
            n.malformed(str(name, ": values of ", least, " or more were expected, got ", x));
    return {v.begin(), v.end()};
}

namespace {

// What all poolings of a window have in common.
value window_options(node_reader& n, const shape& s) {
    const auto rank = s.ndim();
    if (rank < 3)
        n.malformed(str("at least three dimensions were expected, got ", s));
    if (not n.has_attribute("kernel_shape"))
        n.malformed("kernel_shape was expected, got none");
    const auto spatial = rank - 2;
    const auto lengths = window_sizes(n, "kernel_shape", spatial, 1, 1);
    const auto stride = window_sizes(n, "strides", spatial, 1, 1);
    const auto dilation = window_sizes(n, "dilations", spatial, 1, 1);
    const auto padding = read_padding(n, s, lengths, stride, dilation);
    return {{"padding", padding.values}, {"padding_mode", padding.mode},
            {"stride", stride},          {"lengths", lengths},
            {"dilations", dilation},     {"ceil_mode", n.integer("ceil_mode", 0) != 0}};
}

} // namespace

instruction_ref pooling_of(node_reader& n, instruction_ref x) {
    auto options = window_options(n, x->get_shape());
    options["mode"] = pooling_mode_of(n.op_type());
    options["count_include_pad"] = n.integer("count_include_pad", 0) != 0;
    options["lp_order"] = n.op_type() == "LpPool" ? n.integer("p", 2) : int64_t{2};
    return n.add(make_op_from_value("pooling", options), {x});
}

instruction_ref global_pooling_of(node_reader& n, instruction_ref x) {
    const auto& s = x->get_shape();
    if (s.ndim() < 3)
        n.malformed(str("at least three dimensions were expected, got ", s));
    const auto spatial = s.ndim() - 2;
    const auto lo = s.min_lens(), hi = s.max_lens();
    const bool known = std::equal(lo.begin() + 2, lo.end(), hi.begin() + 2);
    const auto lengths = known ? sizes(lo.begin() + 2, lo.end()) : sizes(spatial, 1);
    return n.add(make_op("pooling", {{"mode", pooling_mode_of(n.op_type())},
                                     {"padding", sizes(spatial, 0)},
                                     {"stride", sizes(spatial, 1)},
                                     {"lengths", lengths},
                                     {"dilations", sizes(spatial, 1)},
                                     {"lp_order", n.integer("p", 2)},
                                     {"dyn_global", not known}}),
                 {x});
}

namespace {

instructions read_pool(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto x = n.input(0);
    if (n.op_type() != "MaxPool" or not n.wants_output(1))
        return {pooling_of(n, x)};
    auto options = window_options(n, x->get_shape());
    options["column_major"] = n.integer("storage_order", 0) != 0;
    return {pooling_of(n, x), n.add(make_op_from_value("pooling_indices", options), {x})};
}

instructions read_global_pool(node_reader& n) {
    n.expect_inputs(1, 1);
    return {global_pooling_of(n, n.input(0))};
}

// Regions as (batch index, x1, y1, x2, y2) or, in ONNX's form, boxes and batch indices.
instructions read_roi_align(node_reader& n) {
    n.expect_inputs(3, 3);
    const auto mode = n.text("mode", "avg");
    if (mode != "avg" and mode != "max")
        n.malformed("mode: avg or max was expected, got '" + mode + "'");
    const auto transformation = n.text("coordinate_transformation_mode",
                                       n.opset() >= 16 ? "half_pixel" : "output_half_pixel");
    return {n.add(make_op("roialign", {{"coordinate_transformation_mode", transformation},
                                       {"mode", mode == "avg" ? op::pooling_mode::average
                                                              : op::pooling_mode::max},
                                       {"output_height", n.integer("output_height", 1)},
                                       {"output_width", n.integer("output_width", 1)},
                                       {"sampling_ratio", n.integer("sampling_ratio", 0)},
                                       {"spatial_scale", n.real("spatial_scale", 1)}}),
                  n.inputs())};
}

const operators pool_operators{{"AveragePool", read_pool},
                               {"MaxPool", read_pool},
                               {"LpPool", read_pool},
                               {"GlobalAveragePool", read_global_pool},
                               {"GlobalMaxPool", read_global_pool},
                               {"GlobalLpPool", read_global_pool},
                               {"RoiAlign", read_roi_align}};

} // namespace

} // namespace migraphx::onnx
