// SPDX-License-Identifier: MIT
// Normalisations.
#include <migraphx/make_op.hpp>

#include "import/onnx/importer.hpp"

#include <algorithm>
#include <numeric>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

// rsqrt(mean((x - mean)²) + epsilon) and the mean over some axes, in `float` at least.
struct statistics {
    instruction_ref mean, scale, centred;
};

bool is_narrow(shape::type_t t) {
    return t != shape::float_type and t != shape::double_type;
}

instruction_ref reduced(node_reader& n, const char* op, instruction_ref x, const ints& axes) {
    return n.add(make_op(op, {{"axes", axes}}), {x});
}

statistics statistics_over(node_reader& n, instruction_ref x, const ints& axes, double epsilon) {
    statistics s;
    s.mean = reduced(n, "reduce_mean", x, axes);
    s.centred = n.add("sub", x, n.broadcast_like(s.mean, x));
    const auto variance = reduced(n, "reduce_mean", n.add("mul", s.centred, s.centred), axes);
    s.scale = n.add("rsqrt", n.with_number("add", variance, epsilon));
    return s;
}

bool is_training(node_reader& n) {
    if (n.opset() >= 14)
        return n.integer("training_mode", 0) != 0;
    // Before, it was told by the statistics among the outputs.
    return n.wants_output(1) and n.integer("is_test", 0) == 0;
}

// Statistics of this batch in place of the running ones, which move towards them.
instructions train_batchnorm(node_reader& n) {
    auto x = n.input(0);
    const auto rank = x->get_shape().ndim();
    if (rank < 2)
        n.malformed(str("at least two dimensions were expected, got ", x->get_shape()));
    ints axes{0};
    for (std::size_t d = 2; d < rank; d++)
        axes.push_back(int64_t(d));
    const auto wide = is_narrow(x->get_shape().type()) ? shape::float_type : x->get_shape().type();
    x = n.convert(x, wide);
    const auto mean_of = [&](instruction_ref v) { return reduced(n, "reduce_mean", v, axes); };
    const auto mean = mean_of(x);
    const auto centred = n.add("sub", x, n.broadcast_like(mean, x));
    const auto statistic = [&](instruction_ref v, std::size_t like) {
        return n.convert(n.add(make_op("squeeze", {{"axes", axes}}), {v}), n.shape_of(like).type());
    };
    const auto own_mean = statistic(mean, 3);
    const auto own_variance = statistic(mean_of(n.add("mul", centred, centred)), 4);
    const auto momentum = double(n.real("momentum", 0.9f));
    const auto moved = [&](std::size_t running, instruction_ref own) {
        return n.add("add", n.with_number("mul", n.input(running), momentum),
                     n.with_number("mul", own, 1 - momentum));
    };
    const auto y =
        n.expand("batchnorm", {n.input(0), n.input(1), n.input(2), own_mean, own_variance},
                 {{"epsilon", n.real("epsilon", 1e-5f)}});
    instructions results{y, moved(3, own_mean), moved(4, own_variance)};
    if (n.opset() < 14)
        results.insert(results.end(), {own_mean, own_variance});
    return results;
}

instructions read_batchnorm(node_reader& n) {
    n.expect_inputs(5, 5);
    const bool by_channel = n.opset() >= 9 or n.integer("spatial", 1) != 0;
    if (is_training(n)) {
        if (not by_channel)
            n.unsupported("spatial of 1 was expected in training, got 0");
        return train_batchnorm(n);
    }
    const auto epsilon = n.real("epsilon", 1e-5f);
    if (by_channel)
        return {n.expand("batchnorm", n.inputs(), {{"epsilon", epsilon}})};
    // A mean for each element of an image.
    const auto deviation = n.add("rsqrt", n.with_number("add", n.input(4), double(epsilon)));
    const auto factor = n.add("mul", n.input(1), deviation);
    const auto scaled =
        n.add_common("mul", {n.add_common("sub", {n.input(0), n.input(3)}), factor});
    return {n.add_common("add", {scaled, n.input(2)})};
}

ints axes_from(std::size_t first, std::size_t rank) {
    ints axes(rank - first);
    std::iota(axes.begin(), axes.end(), int64_t(first));
    return axes;
}

instruction_ref unit_mean_square(node_reader& n, instruction_ref x, const ints& axes,
                                 double epsilon) {
    const auto squares = reduced(n, "reduce_mean", n.add("mul", x, x), axes);
    return n.add("rsqrt", n.with_number("add", squares, epsilon));
}

// The type in which statistics are given. They are taken in it or, of double, in double.
shape::type_t stash_type(node_reader& n) {
    const auto number = n.integer("stash_type", 1);
    if (number != 1 and number != 10 and number != 11 and number != 16)
        n.malformed(str("stash_type of 1, 10, 11 or 16 was expected, got ", number));
    return number == 1    ? shape::float_type
           : number == 10 ? shape::half_type
           : number == 11 ? shape::double_type
                          : shape::bf16_type;
}

instructions read_layer_norm(node_reader& n) {
    n.expect_inputs(1, 3);
    const auto x = n.input(0);
    const auto axis = n.axis(n.integer("axis", -1), n.rank_of(0));
    const auto epsilon = n.real("epsilon", 1e-5f);
    instructions results{
        n.add(make_op("layer_norm", {{"axis", axis}, {"epsilon", epsilon}}), n.inputs())};
    if (n.wants_output(1) or n.wants_output(2)) {
        const auto t = stash_type(n);
        const auto s = statistics_over(
            n, is_narrow(x->get_shape().type()) ? n.convert(x, shape::float_type) : x,
            axes_from(axis, n.rank_of(0)), double(epsilon));
        results.push_back(n.convert(s.mean, t));
        results.push_back(n.convert(s.scale, t));
    }
    return results;
}

// RMSNormalization, and SimplifiedLayerNormalization with the reciprocal of the deviation beside
// it. The result has the type of the scale.
instructions read_rms_norm(node_reader& n) {
    n.expect_inputs(1, 2);
    auto x = n.input(0);
    const auto axis = n.axis(n.integer("axis", -1), n.rank_of(0));
    const auto epsilon = n.real("epsilon", 1e-5f);
    const auto wide = is_narrow(x->get_shape().type()) ? n.convert(x, shape::float_type) : x;
    instructions in{x};
    if (n.has(1)) {
        const auto t = n.shape_of(1).type();
        in = {t == x->get_shape().type() ? x : wide, n.input(1)};
    }
    const auto y = n.add(make_op("rms_norm", {{"axis", axis}, {"epsilon", epsilon}}), in);
    instructions results{n.convert(y, in.back()->get_shape().type())};
    if (n.wants_output(1)) {
        const auto scale =
            unit_mean_square(n, wide, axes_from(axis, n.rank_of(0)), double(epsilon));
        results.push_back(n.convert(scale, stash_type(n)));
    }
    return results;
}

// Skip connections: y = norm(x + skip + bias); outputs y, mean, reciprocal of the deviation, sum.
instructions read_skip_norm(node_reader& n) {
    const bool simple = n.op_type() == "SkipSimplifiedLayerNormalization";
    n.expect_inputs(3, simple ? 4 : 5);
    auto sum = n.add_common("add", {n.input(0), n.input(1)});
    const std::size_t bias = simple ? 3 : 4;
    if (n.has(bias))
        sum = n.add_common("add", {sum, n.input(bias)});
    const auto last = sum->get_shape().ndim() - 1;
    const auto epsilon = n.real("epsilon", 1e-12f);
    instructions in{sum, n.input(2)};
    if (not simple and n.has(3))
        in.push_back(n.input(3));
    const auto y = n.add(
        make_op(simple ? "rms_norm" : "layer_norm", {{"axis", last}, {"epsilon", epsilon}}), in);
    instructions results{y, y, y, sum};
    if (n.wants_output(1) or n.wants_output(2)) {
        if (simple and n.wants_output(1))
            n.unsupported("no output of a mean was expected, got one");
        const auto wide = n.convert(sum, shape::float_type);
        const ints axes{int64_t(last)};
        if (simple)
            results[2] = unit_mean_square(n, wide, axes, double(epsilon));
        else {
            const auto s = statistics_over(n, wide, axes, double(epsilon));
            results[1] = s.mean;
            results[2] = s.scale;
        }
    }
    return results;
}

// x normalised over its spatial dimensions, then a scale and a bias for each channel.
instructions read_instance_norm(node_reader& n) {
    n.expect_inputs(3, 3);
    const auto t = n.shape_of(0).type();
    const bool wide = t == shape::half_type or t == shape::bf16_type;
    const auto x = wide ? n.convert(n.input(0), shape::float_type) : n.input(0);
    if (n.rank_of(0) < 3)
        n.malformed(str("at least three dimensions were expected, got ", n.shape_of(0)));
    const auto s =
        statistics_over(n, x, axes_from(2, n.rank_of(0)), double(n.real("epsilon", 1e-5f)));
    const auto type = x->get_shape().type();
    const auto channel = [&](std::size_t i) {
        return n.stretch_along(n.convert(n.input(i), type), 1, x);
    };
    const auto y = n.add("mul", s.centred, n.broadcast_like(s.scale, x));
    return {n.convert(n.add("add", n.add("mul", y, channel(1)), channel(2)), t)};
}

// Like an instance norm over the channels of a group together. `per_group`: scale and bias have one
// number for each group (opset 18 to 20), else for each channel.
instruction_ref group_norm(node_reader& n, instruction_ref x, int64_t groups, double epsilon) {
    const auto original = x->get_shape();
    const auto t = original.type();
    const bool wide = is_narrow(t);
    const auto rank = original.ndim();
    if (rank < 3)
        n.malformed(str("at least three dimensions were expected, got ", original));
    const auto channels = n.known_size(x, 1);
    if (groups < 1 or channels % groups != 0)
        n.malformed(str("groups that divide ", channels, " channels were expected, got ", groups));
    auto y = wide ? n.convert(x, shape::float_type) : x;
    // (N, G, the rest): its sizes come out of the number of elements.
    const auto flat = n.add(make_op("reshape", {{"dims", ints{0, groups, -1}}}), {y});
    const auto s = statistics_over(n, flat, {2}, epsilon);
    y = n.add("mul", s.centred, n.broadcast_like(s.scale, flat));
    const bool known = not original.dynamic();
    if (known)
        y = n.add(make_op("reshape", {{"dims", original.lens()}}), {y});
    else
        y = n.add("reshape_dynamic", y, n.add(make_op("dimensions_of", {{"end", rank}}), {x}));
    return y;
}

instructions read_group_norm(node_reader& n) {
    n.expect_inputs(3, 3);
    const auto x = n.input(0);
    const auto t = n.shape_of(0).type();
    const auto groups = n.integer("num_groups");
    auto y = group_norm(n, x, groups, double(n.real("epsilon", 1e-5f)));
    const auto channels = n.known_size(x, 1);
    const auto per_channel = [&](std::size_t i) {
        auto v = n.convert(n.input(i), y->get_shape().type());
        const auto count = n.known_size(v, 0);
        if (count == groups and groups != channels) {
            // One number for each group of channels.
            v = n.add(make_op("unsqueeze", {{"axes", {1}}}), {v});
            v = n.add(make_op("multibroadcast", {{"out_lens", ints{groups, channels / groups}}}),
                      {v});
            v = n.add(make_op("reshape", {{"dims", ints{channels}}}), {v});
        } else if (count != channels)
            n.malformed(str(channels, " values were expected, got ", count));
        return n.stretch_along(v, 1, y);
    };
    const auto scaled = n.add("mul", y, per_channel(1));
    return {n.convert(n.add("add", scaled, per_channel(2)), t)};
}

instruction_ref channels_to(node_reader& n, instruction_ref x, bool last) {
    const auto rank = int64_t(x->get_shape().ndim());
    ints perm{0};
    if (not last)
        perm.push_back(rank - 1);
    for (int64_t d = last ? 2 : 1; d < (last ? rank : rank - 1); d++)
        perm.push_back(d);
    if (last)
        perm.push_back(1);
    return n.add(make_op("transpose", {{"permutation", perm}}), {x});
}

// Skip tensor (N, C), (N, 1, 1, C) or like x, with the channels where x has them.
instruction_ref skip_of(node_reader& n, std::size_t i, bool channels_last) {
    auto skip = n.input(i);
    const auto rank = n.rank_of(0);
    if (skip->get_shape().ndim() == 2) {
        ints axes;
        for (std::size_t d = 1; d + 1 < rank; d++)
            axes.push_back(int64_t(d));
        skip = n.add(make_op("unsqueeze", {{"axes", axes}}), {skip});
    } else if (not channels_last)
        return skip;
    return channels_to(n, skip, false);
}

// com.microsoft GroupNorm (x, gamma, beta) and SkipGroupNorm (x, gamma, beta, skip[, bias]), which
// gives the sum as well: channels last by default, with a swish behind it for activation 1.
instructions read_microsoft_group_norm(node_reader& n) {
    const bool skips = n.op_type() == "SkipGroupNorm";
    n.expect_inputs(skips ? 4 : 3, skips ? 5 : 3);
    const bool channels_last = n.integer("channels_last", 1) != 0;
    const auto activation = n.integer("activation");
    if (activation != 0 and activation != 1)
        n.malformed(str("activation of 0 or 1 was expected, got ", activation));
    const auto t = n.shape_of(0).type();
    auto x = channels_last ? channels_to(n, n.input(0), false) : n.input(0);
    if (skips)
        x = n.add_common("add", {x, skip_of(n, 3, channels_last)});
    if (n.has(4))
        x = n.add("add", x, n.stretch_along(n.input(4), 1, x));
    auto y = group_norm(n, x, n.integer("groups"), double(n.real("epsilon", 1e-5f)));
    const auto type = y->get_shape().type();
    const auto scale = n.stretch_along(n.convert(n.input(1), type), 1, y);
    const auto bias = n.stretch_along(n.convert(n.input(2), type), 1, y);
    y = n.add("add", n.add("mul", y, scale), bias);
    if (activation == 1)
        y = n.add("mul", y, n.add("sigmoid", y));
    y = n.convert(y, t);
    if (not channels_last)
        return {y, x};
    return {channels_to(n, y, true), channels_to(n, x, true)};
}

instructions read_lrn(node_reader& n) {
    n.expect_inputs(1, 1);
    return {n.add(make_op("lrn", {{"alpha", n.real("alpha", 0.0001f)},
                                  {"beta", n.real("beta", 0.75f)},
                                  {"bias", n.real("bias", 1)},
                                  {"size", n.integer("size")}}),
                  {n.input(0)})};
}

// x / norm, and 0 where the norm is 0.
instructions read_lp_norm(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto p = n.integer("p", 2);
    if (p != 1 and p != 2)
        n.malformed(str("p of 1 or 2 was expected, got ", p));
    const auto x = n.input(0);
    const auto axis = int64_t(n.axis(n.integer("axis", -1), n.rank_of(0)));
    auto norm = reduced(n, "reduce_sum", p == 1 ? n.add("abs", x) : n.add("mul", x, x), {axis});
    if (p == 2)
        norm = n.add("sqrt", norm);
    const auto one = n.broadcast_like(n.scalar(x->get_shape().type(), 1), norm);
    const auto zero = n.convert(n.with_number("equal", norm, 0), shape::bool_type);
    return {n.add("div", x, n.broadcast_like(n.add("where", zero, one, norm), x))};
}

instructions read_mean_variance(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto axes = n.integers("axes", {0, 2, 3});
    return {n.expand("mean_variance_normalization", {n.input(0)}, {{"axes", axes}})};
}

const operators norm_operators{
    {"BatchNormalization", read_batchnorm},
    {"LayerNormalization", read_layer_norm},
    {"RMSNormalization", read_rms_norm},
    {"SimplifiedLayerNormalization", read_rms_norm},
    {"SimplifiedLayerNormalization", read_rms_norm, "com.microsoft"},
    {"LayerNormalization", read_layer_norm, "com.microsoft"},
    {"SkipLayerNormalization", read_skip_norm, "com.microsoft"},
    {"SkipSimplifiedLayerNormalization", read_skip_norm, "com.microsoft"},
    {"InstanceNormalization", read_instance_norm},
    {"GroupNormalization", read_group_norm},
    {"GroupNorm", read_microsoft_group_norm, "com.microsoft"},
    {"SkipGroupNorm", read_microsoft_group_norm, "com.microsoft"},
    {"LRN", read_lrn},
    {"LpNormalization", read_lp_norm},
    {"MeanVarianceNormalization", read_mean_variance}};

} // namespace

} // namespace migraphx::onnx
