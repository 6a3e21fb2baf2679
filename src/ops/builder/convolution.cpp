// SPDX-License-Identifier: MIT
// Recipes of convolutions: paddings as ONNX states them, a bias, zero points.
#include <migraphx/op/common.hpp>

#include "ops/builder/site.hpp"

#include "ir/constant_value.hpp"

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
    const auto in = x.min_lens(), in_max = x.max_lens(), kernel = w.min_lens(), k_max = w.max_lens();
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

instruction_ref convolve(site& s, const std::string& op, instruction_ref x, instruction_ref w) {
    const auto& sx = x->get_shape();
    const auto& sw = w->get_shape();
    if (sx.ndim() < 3 or sx.ndim() != sw.ndim())
        s.malformed(str("data and weights of equal rank, at least 3, were expected, got ", sx,
                        " and ", sw));
    const auto o = read_options(s, sx, sw);
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
    const auto y = convolve(s, "convolution", s.operand(0), s.operand(1));
    return {s.has(2) ? add_bias(s, y, s.operand(2)) : y};
}

bool is_zero(instruction_ref x) {
    const auto v = constant_value(x);
    if (not v)
        return false;
    const auto values = v->to_vector<int64_t>();
    return std::all_of(values.begin(), values.end(), [](int64_t z) { return z == 0; });
}

// x - zero point; the zero point is one number or one for each entry of `axis`.
instruction_ref without_zero_point(site& s, instruction_ref x, instruction_ref zero, std::size_t axis) {
    const auto wide = s.convert(x, shape::float_type);
    const auto z = s.convert(zero, shape::float_type);
    const auto& shape_z = z->get_shape();
    const bool one = not shape_z.dynamic() and shape_z.elements() == 1;
    return s.add("sub", wide, one ? s.stretch(z, wide) : s.along(z, axis, wide));
}

// quant_convolution(x, w[, x_zero_point[, w_zero_point]]): products of (x - zx) and (w - zw) as int32.
// uint8 data and zero points other than 0 go through float, in which the sums are exact below 2^24.
instructions build_quant_convolution(site& s) {
    s.expect_operands(2, 4);
    const auto x = s.operand(0), w = s.operand(1);
    const auto plain = [&](std::size_t operand, std::size_t zero) {
        return s.operand(operand)->get_shape().type() == shape::int8_type and
               (not s.has(zero) or is_zero(s.operand(zero)));
    };
    if (plain(0, 2) and plain(1, 3))
        return {convolve(s, "quant_convolution", x, w)};
    const auto prepared = [&](std::size_t operand, std::size_t zero, std::size_t axis) {
        const auto v = s.operand(operand);
        if (s.has(zero) and not is_zero(s.operand(zero)))
            return without_zero_point(s, v, s.operand(zero), axis);
        return s.convert(v, shape::float_type);
    };
    const auto y = convolve(s, "convolution", prepared(0, 2, 1), prepared(1, 3, 0));
    return {s.convert(y, shape::int32_type)};
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

const std::vector<std::string> conv_option_names{"auto_pad", "paddings", "strides",
                                                 "dilations", "group", "padding_mode"};

const recipes convolution_recipes{
    {"convolution", build_convolution, conv_option_names},
    {"quant_convolution", build_quant_convolution, conv_option_names},
    {"bias_uint8", build_bias_uint8, {"has_bias"}}};

} // namespace

} // namespace migraphx::op::builder
