// SPDX-License-Identifier: MIT
// Normalisations, softmax, simulated quantisation.
#include "import/tf/node_reader.hpp"

#include <migraphx/make_op.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace migraphx::tf {

namespace {

// Statistics of the batch: mean and biased variance of each channel of N, C, spatial … data.
std::pair<instruction_ref, instruction_ref> batch_statistics(const node_reader& n,
                                                             instruction_ref x) {
    ints axes{0};
    for (std::size_t i = 2; i < n.rank(x); i++)
        axes.push_back(int64_t(i));
    const auto mean = n.reduce("reduce_mean", x, axes, true);
    const auto deviation = n.pointwise("sqdiff", {x, mean});
    return {n.squeeze(mean, axes), n.reduce("reduce_mean", deviation, axes, false)};
}

// y, mean, variance; in training the latter two are those of the batch.
instructions read_batchnorm(node_reader& n) {
    n.expect_inputs(5);
    const auto rank = n.rank(0);
    if (rank != 4 and rank != 5)
        n.malformed(str("data of 4 or 5 dimensions was expected, got ", n.input(0)->get_shape()));
    const auto x = n.channels_first(n.input(0));
    const auto t = n.type_of(1);
    const auto epsilon = float(n.real("epsilon", 1e-4));
    const auto wide = n.convert(x, t);
    auto mean = n.input(3), variance = n.input(4);
    const auto channels = n.dims(x)[1];
    // Frozen graphs that leave the attribute out are for inference, whatever TensorFlow's default.
    const bool trains =
        (n.has_attribute("is_training") and n.flag("is_training", false)) or n.dims(3) == ints{0};
    auto reported = variance;
    if (trains) {
        std::tie(mean, variance) = batch_statistics(n, wide);
        const auto count =
            double(wide->get_shape().elements()) / double(std::max<int64_t>(1, channels));
        reported = n.pointwise_number("mul", variance, count > 1 ? count / (count - 1) : 1);
    }
    for (auto v : {n.input(1), n.input(2), mean, variance})
        if (n.dims(v) != ints{channels})
            n.malformed(
                str("parameters of ", channels, " values were expected, got ", v->get_shape()));
    const auto y = n.expand("batchnorm", {wide, n.input(1), n.input(2), mean, variance},
                            {{"epsilon", epsilon}});
    return {n.from_channels_first(n.convert(y, n.type_of(0))), mean, reported};
}

// Over a window of channels, which are last in any layout of the graph.
instructions read_lrn(node_reader& n) {
    n.expect_inputs(1);
    n.expect_rank(0, 4);
    const auto radius = n.integer("depth_radius", 5);
    if (radius < 0 or radius > 1 << 20)
        n.malformed(str("depth_radius of 0 or more was expected, got ", radius));
    const auto size = 2 * radius + 1;
    const auto x = n.transpose(n.input(0), {0, 3, 1, 2});
    const auto y = n.add(make_op("lrn", {{"alpha", float(n.real("alpha", 1) * double(size))},
                                         {"beta", float(n.real("beta", 0.5))},
                                         {"bias", float(n.real("bias", 1))},
                                         {"size", size}}),
                         {x});
    return {n.transpose(y, {0, 2, 3, 1})};
}

instructions read_softmax(node_reader& n) {
    n.expect_inputs(1);
    if (n.rank(0) == 0)
        n.malformed("data of at least one dimension was expected, got a scalar");
    return {n.add(make_op(n.op_type() == "Softmax" ? "softmax" : "logsoftmax", {{"axis", -1}}),
                  {n.input(0)})};
}

// ---- simulated quantisation: x on a grid of 2^bits values between min and max, one of which is 0
struct grid {
    std::vector<float> scale, least, most, zero;
};

grid make_grid(const node_reader& n, const std::vector<float>& low,
               const std::vector<float>& high) {
    const auto bits = n.integer("num_bits", 8);
    if (bits < 2 or bits > 16)
        n.malformed(str("num_bits of 2 to 16 was expected, got ", bits));
    const auto bottom = n.flag("narrow_range", false) ? 1.0f : 0.0f;
    const auto top = float((int64_t{1} << bits) - 1);
    grid g;
    for (std::size_t i = 0; i < low.size(); i++) {
        // Both ends 0: nothing but 0.
        const bool empty = low[i] == 0 and high[i] == 0;
        if (not empty and not(low[i] < high[i]))
            n.malformed(str("min below max was expected, got ", low[i], " and ", high[i]));
        const auto scale = empty ? 1.0f : (high[i] - low[i]) / (top - bottom);
        const auto from_min = bottom - low[i] / scale;
        const auto zero = from_min < bottom ? bottom : from_min > top ? top : std::round(from_min);
        g.scale.push_back(scale);
        g.least.push_back(empty ? 0 : (bottom - zero) * scale);
        g.most.push_back(empty ? 0 : (top - zero) * scale);
        g.zero.push_back(std::floor(-g.least.back() * (1.0f / scale) + 0.5f));
    }
    return g;
}

instructions put_on_grid(const node_reader& n, const grid& g, bool per_channel) {
    const auto number = [&](std::vector<float> v) {
        const shape s =
            per_channel ? shape{shape::float_type, {v.size()}} : shape{shape::float_type};
        return n.literal(migraphx::literal{s, v});
    };
    std::vector<float> inverse;
    for (auto s : g.scale)
        inverse.push_back(1.0f / s);
    std::vector<float> shift;
    for (auto z : g.zero)
        shift.push_back(0.5f - z);
    const auto x = n.input(0);
    const auto inside =
        n.pointwise("min", {n.pointwise("max", {x, number(g.least)}), number(g.most)});
    const auto steps =
        n.pointwise("mul", {n.pointwise("sub", {inside, number(g.least)}), number(inverse)});
    const auto whole = n.pointwise("floor", {n.pointwise("add", {steps, number(shift)})});
    return {n.pointwise("mul", {whole, number(g.scale)})};
}

instructions read_fake_quant_args(node_reader& n) {
    n.expect_inputs(1);
    return put_on_grid(n, make_grid(n, {float(n.real("min", -6))}, {float(n.real("max", 6))}),
                       false);
}

instructions read_fake_quant_vars(node_reader& n) {
    n.expect_inputs(3);
    const bool per_channel = n.op_type().ends_with("PerChannel");
    const auto low = n.constant(1, "min").to_vector<float>(),
               high = n.constant(2, "max").to_vector<float>();
    const auto count =
        per_channel and n.rank(0) > 0 ? std::size_t(n.dims(0).back()) : std::size_t{1};
    if (low.size() != count or high.size() != count)
        n.malformed(str(count, " values of min and max were expected, got ", low.size(), " and ",
                        high.size()));
    return put_on_grid(n, make_grid(n, low, high), per_channel);
}

const operators norm_operators{
    {"FusedBatchNorm", read_batchnorm, "", {"y", "batch_mean", "batch_variance"}},
    {"FusedBatchNormV2", read_batchnorm, "", {"y", "batch_mean", "batch_variance"}},
    {"FusedBatchNormV3", read_batchnorm, "", {"y", "batch_mean", "batch_variance"}},
    {"LRN", read_lrn},
    {"Softmax", read_softmax},
    {"LogSoftmax", read_softmax},
    {"FakeQuantWithMinMaxArgs", read_fake_quant_args},
    {"FakeQuantWithMinMaxVars", read_fake_quant_vars, "constant min and max"},
    {"FakeQuantWithMinMaxVarsPerChannel", read_fake_quant_vars, "constant min and max"}};

} // namespace

} // namespace migraphx::tf
