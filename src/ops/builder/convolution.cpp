// SPDX-License-Identifier: MIT
// Recipes of convolutions: paddings as ONNX states them, a bias, zero points.
#include <migraphx/op/common.hpp>

#include "ops/builder/zero_point.hpp"

#include <algorithm>

namespace migraphx::op::builder {

namespace {

using sizes = std::vector<std::size_t>;

struct conv_options {
    sizes padding, stride, dilation;
    int group = 1;
    op::padding_mode_t mode = op::default_;
};

sizes per_dimension(const site& s, const char* key, std::size_t spatial) {
    const auto given = s.option<std::vector<int64_t>>(key, {});
    if (given.empty())
        return sizes(spatial, 1);
    if (given.size() != spatial)
        s.malformed(str(key, ": ", spatial, " values were expected, got ", given.size()));
    sizes result;
    for (auto x : given) {
        if (x < 1)
            s.malformed(str(key, ": values above 0 were expected, got ", x));
        result.push_back(static_cast<std::size_t>(x));
    }
    return result;
}

conv_options read_options(const site& s, const shape& x, const shape& w) {
    const auto spatial = x.ndim() - 2;
    conv_options o;
    o.stride = per_dimension(s, "strides", spatial);
    o.dilation = per_dimension(s, "dilations", spatial);
    o.group = s.option<int>("group", 1);
    o.mode = static_cast<op::padding_mode_t>(s.option<int>("padding_mode", 0));
    const auto paddings = s.option<std::vector<int64_t>>("paddings", {});
    const auto auto_pad = s.option<std::string>("auto_pad", "NOTSET");
    for (auto p : paddings) {
        if (p < 0)
            s.malformed(str("paddings of 0 or more were expected, got ", p));
        o.padding.push_back(static_cast<std::size_t>(p));
    }
    if (auto_pad == "NOTSET" or auto_pad.empty() or auto_pad == "VALID") {
        if (auto_pad == "VALID" or o.padding.empty())
            o.padding.assign(spatial, 0);
    } else if (auto_pad == "SAME_UPPER" or auto_pad == "SAME_LOWER") {
        o.mode = auto_pad == "SAME_UPPER" ? op::same_upper : op::same_lower;
        o.padding.assign(spatial, 0);
    } else
        s.malformed("auto_pad: NOTSET, VALID, SAME_UPPER or SAME_LOWER was expected, got '" +
                    auto_pad + "'");
    if (o.padding.size() != spatial and o.padding.size() != 2 * spatial)
        s.malformed(str("paddings: ", spatial, " or ", 2 * spatial, " values were expected, got ",
                        o.padding.size()));
    const auto in = x.min_lens(), in_max = x.max_lens(), kernel = w.min_lens(),
               k_max = w.max_lens();
    const bool known = std::equal(in.begin() + 2, in.end(), in_max.begin() + 2) and
                       std::equal(kernel.begin() + 2, kernel.end(), k_max.begin() + 2);
    if (o.mode == op::default_ or not known)
        return o;
    // Sizes that are known give the paddings.
    o.padding.assign(2 * spatial, 0);
    for (std::size_t i = 0; i < spatial; ++i) {
        const auto out = (in[i + 2] + o.stride[i] - 1) / o.stride[i];
        const auto extent = o.dilation[i] * (kernel[i + 2] - 1) + 1;
        const auto needed = (std::max<std::size_t>(out, 1) - 1) * o.stride[i] + extent;
        const auto total = needed > in[i + 2] ? needed - in[i + 2] : 0;
        const auto less = total / 2;
        o.padding[i] = o.mode == op::same_upper ? less : total - less;
        o.padding[i + spatial] = total - o.padding[i];
    }
    o.mode = op::default_;
    if (std::equal(o.padding.begin(), o.padding.begin() + static_cast<std::ptrdiff_t>(spatial),
                   o.padding.begin() + static_cast<std::ptrdiff_t>(spatial)))
        o.padding.resize(spatial);
    return o;
}

void expect_images(const site& s, const shape& x, const shape& w) {
    if (x.ndim() < 3 or x.ndim() != w.ndim())
        s.malformed(
            str("data and weights of equal rank, at least 3, were expected, got ", x, " and ", w));
}

instruction_ref convolve(site& s, const std::string& op, instruction_ref x, instruction_ref w,
                         const conv_options& o) {
    return s.add(make_op(op, {{"padding", o.padding},
                              {"stride", o.stride},
                              {"dilation", o.dilation},
                              {"group", o.group},
                              {"padding_mode", o.mode}}),
                 {x, w});
}

instruction_ref add_bias(site& s, instruction_ref y, instruction_ref bias) {
    if (bias->get_shape().ndim() != 1)
        s.malformed(str("a bias of one dimension was expected, got ", bias->get_shape()));
    const auto b = s.convert(bias, y->get_shape().type());
    return s.add("add", y, s.along(b, 1, y));
}

// convolution(x, w[, bias])
instructions build_convolution(site& s) {
    s.expect_operands(2, 3);
    const auto x = s.operand(0), w = s.operand(1);
    expect_images(s, x->get_shape(), w->get_shape());
    const auto y =
        convolve(s, "convolution", x, w, read_options(s, x->get_shape(), w->get_shape()));
    return {s.has(2) ? add_bias(s, y, s.operand(2)) : y};
}

// `x` padded with its offset, so that the border counts as 0, and no padding left in the options.
instruction_ref pad_with_offset(site& s, const centred_operand& x, conv_options& o) {
    const auto rank = x.values->get_shape().ndim();
    const auto spatial = rank - 2;
    std::vector<int64_t> pads(2 * rank, 0);
    for (std::size_t i = 0; i < spatial; ++i) {
        const auto end = o.padding.size() == spatial ? i : i + spatial;
        pads[i + 2] = static_cast<int64_t>(o.padding[i]);
        pads[i + 2 + rank] = static_cast<int64_t>(o.padding[end]);
    }
    o.padding.assign(spatial, 0);
    if (std::all_of(pads.begin(), pads.end(), [](int64_t p) { return p == 0; }))
        return x.values;
    const auto padded = [&](instruction_ref v) {
        return s.add(make_op("pad", {{"pads", pads}}), {v});
    };
    const auto ones = s.stretch(s.scalar(shape::bool_type, 1), x.values);
    const auto values = padded(x.values);
    const auto border = s.stretch(s.convert(*x.offset, shape::int8_type), values);
    return s.add("where", padded(ones), values, border);
}

// The sum of each output channel's weights, along the channels of y.
instruction_ref weight_sums(site& s, instruction_ref w, instruction_ref y) {
    std::vector<int64_t> axes;
    for (std::size_t d = 1; d < w->get_shape().ndim(); ++d)
        axes.push_back(static_cast<int64_t>(d));
    const auto wide = s.convert(w, shape::int32_type);
    const auto sums = s.add(make_op("reduce_sum", {{"axes", axes}}), {wide});
    return s.along(s.add(make_op("squeeze", {{"axes", axes}}), {sums}), 1, y);
}

// One number for all channels, or one for each, along the channels of y.
instruction_ref along_channels(site& s, instruction_ref v, instruction_ref y) {
    const auto& from = v->get_shape();
    const bool one = not from.dynamic() and from.elements() == 1;
    if (one and from.ndim() > 1)
        s.malformed(str("zero points of one dimension were expected, got ", from));
    return one ? s.stretch(v, y) : s.along(v, 1, y);
}

// quant_convolution(x, w[, x_zero_point[, w_zero_point]]): products of (x - zx) and (w - zw) as
// int32, exact: x * w of int8, less zx times the sums of the weights, less zw times the sums of the
// windows.
instructions build_quant_convolution(site& s) {
    s.expect_operands(2, 4);
    const auto x = centre(s, 0, 2), w = centre(s, 1, 3);
    expect_images(s, x.values->get_shape(), w.values->get_shape());
    auto o = read_options(s, x.values->get_shape(), w.values->get_shape());
    if (x.offset and o.mode != op::default_)
        s.malformed("padding of known size was expected for a zero point other than 0");
    if (x.offset and
        ((*x.offset)->get_shape().dynamic() or (*x.offset)->get_shape().elements() != 1))
        s.malformed(str("one zero point for x was expected, got ", (*x.offset)->get_shape()));
    const auto in = x.offset ? pad_with_offset(s, x, o) : x.values;
    auto y = convolve(s, "quant_convolution", in, w.values, o);
    const auto less = [&](instruction_ref from, instruction_ref factor, instruction_ref sums) {
        return s.add("sub", from, s.add("mul", along_channels(s, factor, sums), sums));
    };
    const auto plain = y;
    if (x.offset)
        y = less(y, *x.offset, weight_sums(s, w.values, plain));
    if (w.offset) {
        const auto ones = s.stretch(s.scalar(shape::int8_type, 1), w.values);
        auto windows = convolve(s, "quant_convolution", in, ones, o);
        if (x.offset)
            windows = less(windows, *x.offset, weight_sums(s, ones, windows));
        y = less(y, *w.offset, windows);
    }
    return {y};
}

// bias_uint8(x[, zero]): uint8 as int8 around zero, x - 128; with has_bias the zero point too.
instructions build_bias_uint8(site& s) {
    s.expect_operands(1, 2);
    const auto shifted = [&](instruction_ref v) {
        const auto wide = s.convert(v, shape::half_type);
        return s.convert(s.with_number("sub", wide, 128), shape::int8_type);
    };
    instructions result{shifted(s.operand(0))};
    if (s.option<bool>("has_bias", false))
        result.push_back(shifted(s.operand(1)));
    return result;
}

const std::vector<std::string> conv_option_names{"auto_pad",  "paddings", "strides",
                                                 "dilations", "group",    "padding_mode"};

const recipes convolution_recipes{{"convolution", build_convolution, conv_option_names},
                                  {"quant_convolution", build_quant_convolution, conv_option_names},
                                  {"bias_uint8", build_bias_uint8, {"has_bias"}}};

} // namespace

} // namespace migraphx::op::builder
