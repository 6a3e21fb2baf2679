// SPDX-License-Identifier: MIT
// Convolutions, transposed convolutions and poolings, with the paddings that TensorFlow computes.
#include "import/tf/node_reader.hpp"

#include <migraphx/make_op.hpp>
#include <migraphx/op/common.hpp>

#include <algorithm>
#include <limits>

namespace migraphx::tf {

namespace {

// One value for each spatial dimension, out of a list with one for each dimension of the data.
ints spatial_values(const node_reader& n, const ints& all, const char* name, std::size_t rank) {
    if (all.size() != rank)
        n.malformed(str(name, ": ", rank, " values were expected, got ", all.size()));
    const auto channel = n.channel_axis(rank);
    ints result;
    for (std::size_t i = 0; i < rank; i++) {
        if (all[i] < 1 or all[i] > std::numeric_limits<std::int32_t>::max())
            n.malformed(str(name, ": positive values were expected, got ", all));
        if (i != 0 and i != channel)
            result.push_back(all[i]);
        else if (all[i] != 1)
            n.unsupported(str(name, " of 1 for batch and channels was expected, got ", all));
    }
    return result;
}

ints spatial_attribute(const node_reader& n, const char* name, std::size_t rank) {
    const auto all = n.has_attribute(name) ? n.integers(name) : ints(rank, 1);
    return spatial_values(n, all, name, rank);
}

struct paddings {
    ints before, after;
};

// Paddings of a window over `in` elements, of which there are `out` positions.
paddings same_padding(const ints& in, const ints& out, const ints& stride, const ints& extent) {
    paddings p;
    for (std::size_t i = 0; i < in.size(); i++) {
        const auto total = std::max<int64_t>(0, (out[i] - 1) * stride[i] + extent[i] - in[i]);
        p.before.push_back(total / 2);
        p.after.push_back(total - total / 2);
    }
    return p;
}

paddings read_padding(const node_reader& n, const ints& in, const ints& stride,
                      const ints& extent) {
    const auto spatial = in.size();
    const auto kind = n.text("padding", "");
    if (kind == "VALID")
        return {ints(spatial, 0), ints(spatial, 0)};
    if (kind == "SAME") {
        ints out;
        for (std::size_t i = 0; i < spatial; i++)
            out.push_back((in[i] + stride[i] - 1) / stride[i]);
        return same_padding(in, out, stride, extent);
    }
    if (kind != "EXPLICIT")
        n.malformed("attribute \"padding\": SAME, VALID or EXPLICIT was expected, got '" + kind +
                    "'");
    const auto all = n.integers("explicit_paddings");
    const auto rank = spatial + 2;
    if (all.size() != 2 * rank)
        n.malformed(
            str("explicit_paddings: ", 2 * rank, " values were expected, got ", all.size()));
    paddings p;
    for (std::size_t i = 0; i < rank; i++) {
        if (all[2 * i] < 0 or all[2 * i + 1] < 0)
            n.malformed(str("explicit_paddings of 0 or more were expected, got ", all));
        if (i == 0 or i == n.channel_axis(rank)) {
            if (all[2 * i] != 0 or all[2 * i + 1] != 0)
                n.malformed(
                    str("explicit_paddings of 0 for batch and channels were expected, got ", all));
            continue;
        }
        p.before.push_back(all[2 * i]);
        p.after.push_back(all[2 * i + 1]);
    }
    return p;
}

ints joined(const paddings& p) {
    auto all = p.before;
    all.insert(all.end(), p.after.begin(), p.after.end());
    return all;
}

// Dimensions without batch and channels of a tensor in N, C, spatial … order.
ints spatial_dims(const node_reader& n, instruction_ref x) {
    const auto d = n.dims(x);
    return {d.begin() + 2, d.end()};
}

ints extents(const ints& kernel, const ints& dilation) {
    ints result;
    for (std::size_t i = 0; i < kernel.size(); i++)
        result.push_back((kernel[i] - 1) * dilation[i] + 1);
    return result;
}

void expect_data_and_kernel(const node_reader& n, std::size_t data, std::size_t rank) {
    n.expect_rank(data, rank);
    n.expect_rank(1, rank);
    const auto kernel = n.dims(1);
    if (std::find(kernel.begin(), kernel.end(), 0) != kernel.end())
        n.malformed(str("a kernel with elements was expected, got ", n.input(1)->get_shape()));
}

// Spatial … I, O to O, I, spatial …
instruction_ref kernel_first(const node_reader& n, instruction_ref w) {
    const auto rank = int64_t(n.rank(w));
    ints p{rank - 1, rank - 2};
    for (int64_t i = 0; i + 2 < rank; i++)
        p.push_back(i);
    return n.transpose(w, p);
}

instruction_ref convolve(const node_reader& n, instruction_ref x, instruction_ref w,
                         int64_t group) {
    const auto rank = n.rank(x);
    const auto stride = spatial_attribute(n, "strides", rank),
               dilation = spatial_attribute(n, "dilations", rank);
    const auto p =
        read_padding(n, spatial_dims(n, x), stride, extents(spatial_dims(n, w), dilation));
    const auto y = n.expand(
        "convolution", {x, w},
        {{"paddings", joined(p)}, {"strides", stride}, {"dilations", dilation}, {"group", group}});
    return n.from_channels_first(y);
}

instruction_ref convolution(const node_reader& n) {
    const auto rank = n.op_type() == "Conv3D" ? std::size_t{5} : std::size_t{4};
    expect_data_and_kernel(n, 0, rank);
    const auto x = n.channels_first(n.input(0));
    const auto channels = n.dims(x)[1], taken = n.dims(1)[rank - 2];
    if (channels % taken != 0)
        n.malformed(str("channels that are a multiple of the kernel's ", taken,
                        " were expected, got ", channels));
    return convolve(n, x, kernel_first(n, n.input(1)), channels / taken);
}

instructions read_conv(node_reader& n) {
    n.expect_inputs(2);
    return {convolution(n)};
}

// The kernel is H, W, C, multiplier: each channel has its own outputs.
instructions read_depthwise(node_reader& n) {
    n.expect_inputs(2);
    expect_data_and_kernel(n, 0, 4);
    const auto x = n.channels_first(n.input(0));
    const auto k = n.dims(1);
    if (n.dims(x)[1] != k[2])
        n.malformed(str("a kernel of ", n.dims(x)[1], " channels was expected, got ",
                        n.input(1)->get_shape()));
    const auto w = n.reshape(n.transpose(n.input(1), {2, 3, 0, 1}), {k[2] * k[3], 1, k[0], k[1]});
    return {convolve(n, x, w, k[2])};
}

// The gradient of a convolution by its input, whose dimensions are input 0.
instructions read_transposed(node_reader& n) {
    n.expect_inputs(3);
    const auto rank = n.op_type() == "Conv2DBackpropInput" ? std::size_t{4} : std::size_t{5};
    const auto spatial = rank - 2;
    expect_data_and_kernel(n, 2, rank);
    auto sizes = n.constant_ints(0, "input_sizes");
    const auto channel = n.channel_axis(rank);
    if (sizes.size() != rank and sizes.size() != spatial)
        n.malformed(str("input_sizes: ", rank, " values were expected, got ", sizes.size()));
    if (sizes.size() == rank) {
        sizes.erase(sizes.begin() + std::ptrdiff_t(channel));
        sizes.erase(sizes.begin());
    }
    const auto x = n.channels_first(n.input(2)), w = kernel_first(n, n.input(1));
    if (n.dims(x)[1] != n.dims(w)[0])
        n.malformed(
            str("data of ", n.dims(w)[0], " channels was expected, got ", n.input(2)->get_shape()));
    const auto stride = spatial_attribute(n, "strides", rank),
               dilation = spatial_attribute(n, "dilations", rank);
    const auto positions = spatial_dims(n, x), extent = extents(spatial_dims(n, w), dilation);
    const auto p = n.text("padding", "") == "SAME" ? same_padding(sizes, positions, stride, extent)
                                                   : read_padding(n, sizes, stride, extent);
    ints cut, axes, starts, ends, grow(2 * rank, 0);
    for (std::size_t i = 0; i < spatial; i++) {
        const auto full = (positions[i] - 1) * stride[i] + extent[i];
        const auto before = p.before[i], after = full - before - sizes[i];
        if (sizes[i] < 1 or sizes[i] > full + stride[i] + before or before >= full)
            n.malformed(
                str("input_sizes that give ", positions, " positions were expected, got ", sizes));
        const auto both = std::max<int64_t>(0, std::min(before, after));
        cut.push_back(both);
        axes.push_back(int64_t(i) + 2);
        starts.push_back(before - both);
        ends.push_back(before - both + std::min(sizes[i], full - before));
        grow[i + 2 + rank] = std::max<int64_t>(0, -after);
    }
    auto y = n.add(make_op("convolution_backwards",
                           {{"padding", cut}, {"stride", stride}, {"dilation", dilation}}),
                   {x, w});
    const auto full_dims = spatial_dims(n, y);
    if (ends != full_dims or
        std::any_of(starts.begin(), starts.end(), [](auto v) { return v != 0; }))
        y = n.slice(y, axes, starts, ends);
    if (std::any_of(grow.begin(), grow.end(), [](auto v) { return v != 0; }))
        y = n.add(make_op("pad", {{"pads", grow}}), {y});
    return {n.from_channels_first(y)};
}

instructions pool(const node_reader& n, const ints& ksize, const ints& strides) {
    const auto rank =
        n.op_type().find("3D") != std::string_view::npos ? std::size_t{5} : std::size_t{4};
    n.expect_rank(0, rank);
    const auto x = n.channels_first(n.input(0));
    const auto window = spatial_values(n, ksize, "ksize", rank),
               stride = spatial_values(n, strides, "strides", rank);
    const auto p = read_padding(n, spatial_dims(n, x), stride, window);
    for (std::size_t i = 0; i < window.size(); i++)
        if (p.before[i] >= window[i] or p.after[i] >= window[i])
            n.malformed(str("paddings below the window's sizes were expected, got ", joined(p),
                            " for ", window));
    const auto mode =
        n.op_type().starts_with("Avg") ? op::pooling_mode::average : op::pooling_mode::max;
    const auto as_sizes = [](const ints& v) {
        return std::vector<std::size_t>(v.begin(), v.end());
    };
    const auto y =
        n.add(make_op("pooling", {{"mode", mode},
                                  {"padding", as_sizes(joined(p))},
                                  {"stride", as_sizes(stride)},
                                  {"lengths", as_sizes(window)},
                                  {"dilations", std::vector<std::size_t>(window.size(), 1)}}),
              {x});
    return {n.from_channels_first(y)};
}

instructions read_pool(node_reader& n) {
    n.expect_inputs(1);
    return pool(n, n.integers("ksize"), n.integers("strides"));
}

instructions read_pool_v2(node_reader& n) {
    n.expect_inputs(3);
    return pool(n, n.constant_ints(1, "ksize"), n.constant_ints(2, "strides"));
}

// What TensorFlow's own optimiser makes of a convolution or product and what follows.
instructions finish_fused(const node_reader& n, instruction_ref y, std::size_t next) {
    const auto& steps = n.get("fused_ops").texts;
    for (auto step : steps) {
        if (step == "BiasAdd") {
            ints axes;
            for (auto i = n.rank(y) > 2 ? n.channel_axis(n.rank(y)) + 1 : n.rank(y); i < n.rank(y);
                 i++)
                axes.push_back(int64_t(i - n.channel_axis(n.rank(y))));
            y = n.pointwise("add", {y, n.unsqueeze(n.input(next++), axes)});
        } else if (step == "Add") {
            y = n.pointwise("add", {y, n.input(next++)});
        } else if (step == "FusedBatchNorm") {
            const auto x = n.channels_first(y);
            const auto bn = n.expand(
                "batchnorm",
                {x, n.input(next), n.input(next + 1), n.input(next + 2), n.input(next + 3)},
                {{"epsilon", float(n.real("epsilon", 1e-4))}});
            next += 4;
            y = n.from_channels_first(bn);
        } else if (step == "Relu") {
            y = n.pointwise("relu", {y});
        } else if (step == "Relu6") {
            const auto t = y->get_shape().type();
            y = n.pointwise("clip", {y, n.scalar(t, 0), n.scalar(t, 6)});
        } else if (step == "Elu") {
            y = n.pointwise(make_op("elu", {{"alpha", 1.0f}}), {y});
        } else if (step == "LeakyRelu") {
            y = n.pointwise(
                make_op("leaky_relu", {{"alpha", float(n.real("leakyrelu_alpha", 0.2))}}), {y});
        } else if (step == "Tanh" or step == "Sigmoid") {
            y = n.pointwise(step == "Tanh" ? "tanh" : "sigmoid", {y});
        } else
            n.unsupported(
                "fused_ops: BiasAdd, Add, FusedBatchNorm or an activation was expected, got '" +
                std::string(step) + "'");
    }
    return {y};
}

instructions read_fused_conv(node_reader& n) {
    n.expect_inputs(2, 8);
    return finish_fused(n, convolution(n), 2);
}

instructions read_fused_matmul(node_reader& n) {
    n.expect_inputs(2, 8);
    n.expect_rank(0, 2);
    n.expect_rank(1, 2);
    const auto side = [&](std::size_t i, const char* name) {
        return n.flag(name, false) ? n.transpose(n.input(i), {1, 0}) : n.input(i);
    };
    return finish_fused(n, n.add("dot", side(0, "transpose_a"), side(1, "transpose_b")), 2);
}

const operators conv_operators{{"Conv2D", read_conv},
                               {"Conv3D", read_conv},
                               {"DepthwiseConv2dNative", read_depthwise},
                               {"Conv2DBackpropInput", read_transposed, "one group"},
                               {"Conv3DBackpropInputV2", read_transposed, "one group"},
                               {"MaxPool", read_pool, "windows over space only"},
                               {"MaxPool3D", read_pool, "windows over space only"},
                               {"AvgPool", read_pool, "windows over space only"},
                               {"AvgPool3D", read_pool, "windows over space only"},
                               {"MaxPoolV2", read_pool_v2, "windows over space only"},
                               {"_FusedConv2D", read_fused_conv},
                               {"_FusedMatMul", read_fused_matmul}};

} // namespace

} // namespace migraphx::tf
