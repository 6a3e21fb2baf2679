// SPDX-License-Identifier: MIT
// Convolutions and transposed convolutions.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"

#include <algorithm>
#include <limits>

namespace migraphx::onnx {

value convolution_options(node_reader& n) {
    value o = value::object{};
    o["auto_pad"] = n.text("auto_pad", "NOTSET");
    if (n.has_attribute("pads") and o["auto_pad"].get_string() == "NOTSET")
        o["paddings"] = n.integers("pads");
    if (n.has_attribute("strides"))
        o["strides"] = n.integers("strides");
    if (n.has_attribute("dilations"))
        o["dilations"] = n.integers("dilations");
    o["group"] = n.integer("group", 1);
    return o;
}

instruction_ref channels_first(node_reader& n, instruction_ref x) {
    const auto rank = int64_t(x->get_shape().ndim());
    std::vector<int64_t> order{0, rank - 1};
    for (int64_t d = 1; d + 1 < rank; d++)
        order.push_back(d);
    return n.add(make_op("transpose", {{"permutation", order}}), {x});
}

instruction_ref channels_last(node_reader& n, instruction_ref x) {
    const auto rank = int64_t(x->get_shape().ndim());
    std::vector<int64_t> order{0};
    for (int64_t d = 2; d < rank; d++)
        order.push_back(d);
    order.push_back(1);
    return n.add(make_op("transpose", {{"permutation", order}}), {x});
}

namespace {

using ints = std::vector<int64_t>;

void check_kernel_shape(node_reader& n, const shape& w) {
    if (not n.has_attribute("kernel_shape"))
        return;
    const auto kernel = n.integers("kernel_shape");
    const auto lo = w.min_lens(), hi = w.max_lens();
    bool fits = lo.size() == kernel.size() + 2;
    for (std::size_t i = 0; fits and i < kernel.size(); i++)
        fits = kernel[i] >= int64_t(lo[i + 2]) and kernel[i] <= int64_t(hi[i + 2]);
    if (not fits)
        n.malformed(str("kernel_shape of the weights was expected, got ", kernel, " for ", w));
}

instructions read_conv(node_reader& n) {
    n.expect_inputs(2, 3);
    check_kernel_shape(n, n.shape_of(1));
    return {n.expand("convolution", n.inputs(), convolution_options(n))};
}

// Data with the channels last, weights (O, kernel…, C / group).
instructions read_nhwc_conv(node_reader& n) {
    n.expect_inputs(2, 3);
    if (n.rank_of(0) < 3)
        n.malformed(str("data of at least three dimensions was expected, got ", n.shape_of(0)));
    auto in = n.inputs();
    for (std::size_t i = 0; i < 2; i++)
        in[i] = channels_first(n, in[i]);
    return {channels_last(n, n.expand("convolution", in, convolution_options(n)))};
}

instructions read_conv_integer(node_reader& n) {
    n.expect_inputs(2, 4);
    check_kernel_shape(n, n.shape_of(1));
    return {n.expand("quant_convolution", n.inputs(), convolution_options(n))};
}

struct transposed {
    ints stride, dilation, kernel, begin, end; ///< begin, end: cut off the full result
};

ints given_or(node_reader& n, const char* name, std::size_t count, int64_t fallback) {
    auto v = n.integers(name);
    if (v.empty())
        v.assign(count, fallback);
    if (v.size() != count)
        n.malformed(str(name, ": ", count, " values were expected, got ", v.size()));
    for (auto x : v)
        if (x < fallback)
            n.malformed(str(name, ": values of ", fallback, " or more were expected, got ", x));
    return v;
}

// output = stride * (input - 1) + dilation * (kernel - 1) + 1 + output_padding - begin - end; more
// output_padding is less cut at the end.
transposed read_transposed(node_reader& n, std::size_t spatial) {
    transposed t;
    const auto& x = n.shape_of(0);
    t.stride = given_or(n, "strides", spatial, 1);
    t.dilation = given_or(n, "dilations", spatial, 1);
    const auto extra = given_or(n, "output_padding", spatial, 0);
    const auto auto_pad = n.text("auto_pad", "NOTSET");
    const auto output_shape = n.integers("output_shape");
    for (std::size_t i = 0; i < spatial; i++)
        t.kernel.push_back(n.known_size(n.input(1), int64_t(i) + 2));
    if (not output_shape.empty() or auto_pad == "SAME_UPPER" or auto_pad == "SAME_LOWER") {
        if (not output_shape.empty() and output_shape.size() != spatial and
            output_shape.size() != spatial + 2)
            n.malformed(
                str("output_shape: ", spatial, " values were expected, got ", output_shape.size()));
        for (std::size_t i = 0; i < spatial; i++) {
            const auto in = output_shape.empty() ? 0 : int64_t(x.max_lens()[i + 2]);
            if (not output_shape.empty() and int64_t(x.min_lens()[i + 2]) != in)
                n.unsupported(str(
                    "sizes that are known at import were expected beside output_shape, got ", x));
            // The size of the input cancels out unless the output's is stated.
            const auto extent = t.dilation[i] * (t.kernel[i] - 1) + 1;
            auto total = extent + extra[i] - t.stride[i];
            if (not output_shape.empty())
                total = t.stride[i] * (in - 1) + extra[i] + extent -
                        output_shape[output_shape.size() - spatial + i];
            const auto less = total >= 0 ? total / 2 : 0;
            t.begin.push_back(auto_pad == "SAME_UPPER" ? less : std::max<int64_t>(total, 0) - less);
            t.end.push_back(total - t.begin.back() - extra[i]);
        }
        return t;
    }
    auto pads = n.integers("pads");
    if (auto_pad == "VALID" or pads.empty())
        pads.assign(2 * spatial, 0);
    else if (auto_pad != "NOTSET")
        n.malformed("auto_pad: NOTSET, VALID, SAME_UPPER or SAME_LOWER was expected, got '" +
                    auto_pad + "'");
    if (pads.size() != 2 * spatial)
        n.malformed(str("pads: ", 2 * spatial, " values were expected, got ", pads.size()));
    for (std::size_t i = 0; i < spatial; i++) {
        if (pads[i] < 0 or pads[i + spatial] < 0)
            n.malformed(str("pads of 0 or more were expected, got ", pads));
        t.begin.push_back(pads[i]);
        t.end.push_back(pads[i + spatial] - extra[i]);
    }
    return t;
}

// The operator cuts as much at both ends; the rest is cut off, or filled with 0, behind it.
instructions read_conv_transpose(node_reader& n) {
    n.expect_inputs(2, 3);
    const auto rank = n.rank_of(0);
    if (rank < 3 or n.rank_of(1) != rank)
        n.malformed(str("data and weights of equal rank, at least 3, were expected, got ",
                        n.shape_of(0), " and ", n.shape_of(1)));
    check_kernel_shape(n, n.shape_of(1));
    const auto t = read_transposed(n, rank - 2);
    ints padding, axes, starts, ends, grow(2 * rank, 0);
    bool grows = false;
    for (std::size_t i = 0; i < rank - 2; i++) {
        const auto both = std::max<int64_t>(0, std::min(t.begin[i], t.end[i]));
        padding.push_back(both);
        const auto front = t.begin[i] - both, back = t.end[i] - both;
        if (front > 0 or back > 0) {
            axes.push_back(int64_t(i) + 2);
            starts.push_back(front);
            ends.push_back(back > 0 ? -back : std::numeric_limits<int64_t>::max());
        }
        grow[i + 2 + rank] = std::max<int64_t>(0, -back);
        grows = grows or back < 0;
    }
    auto y = n.add(make_op("convolution_backwards", {{"padding", padding},
                                                     {"stride", t.stride},
                                                     {"dilation", t.dilation},
                                                     {"group", n.integer("group", 1)}}),
                   {n.input(0), n.input(1)});
    if (grows)
        y = n.add(make_op("pad", {{"pads", grow}}), {y});
    if (not axes.empty())
        y = n.add(make_op("slice", {{"axes", axes}, {"starts", starts}, {"ends", ends}}), {y});
    if (n.has(2))
        y = n.add("add", y, n.stretch_along(n.input(2), 1, y));
    return {y};
}

const operators conv_operators{{"Conv", read_conv},
                               {"ConvInteger", read_conv_integer},
                               {"ConvTranspose", read_conv_transpose},
                               {"NhwcConv", read_nhwc_conv, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
