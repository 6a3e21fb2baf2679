// SPDX-License-Identifier: MIT
// Losses and evaluations of classes: NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"

#include <numeric>

namespace migraphx::onnx {

namespace {

using loss_ints = std::vector<int64_t>;

// The sum of all elements as a scalar.
instruction_ref total(node_reader& n, instruction_ref x) {
    if (node_reader::is_scalar(x->get_shape()))
        return x;
    loss_ints axes(x->get_shape().ndim());
    std::iota(axes.begin(), axes.end(), 0);
    const auto sum = n.add(make_op("reduce_sum", {{"axes", axes}}), {x});
    return n.add(make_op("squeeze", {{"axes", axes}}), {sum});
}

// -weight[label] * log_probability[label] for each label; x is (N, C, d…), labels (N, d…).
instruction_ref reduced_loss(node_reader& n, instruction_ref log_probability,
                             std::size_t weight_input) {
    const auto reduction = n.text("reduction", "mean");
    if (reduction != "none" and reduction != "sum" and reduction != "mean")
        n.malformed("reduction: none, sum or mean was expected, got '" + reduction + "'");
    const auto x = log_probability;
    const auto t = x->get_shape().type();
    if (x->get_shape().ndim() < 2 or n.rank_of(1) + 1 != x->get_shape().ndim())
        n.malformed(str("scores (N, C, …) and labels (N, …) were expected, got ", x->get_shape(),
                        " and ", n.shape_of(1)));
    auto labels = n.convert(n.input(1), shape::int64_type);
    // Ignored labels count as class 0 with weight 0.
    std::optional<instruction_ref> kept;
    if (n.has_attribute("ignore_index")) {
        const auto ignored = n.convert(
            n.with_number("equal", labels, double(n.integer("ignore_index"))), shape::bool_type);
        labels = n.add("where", ignored, n.broadcast_like(n.scalar(shape::int64_type, 0), labels),
                       labels);
        kept = n.convert(n.add("not", ignored), t);
    }
    const auto at = n.add(make_op("unsqueeze", {{"axes", {1}}}), {labels});
    const auto picked = n.add(make_op("squeeze", {{"axes", {1}}}),
                              {n.add(make_op("gather_elements", {{"axis", 1}}), {x, at})});
    auto loss = n.add("neg", picked);
    std::optional<instruction_ref> weight;
    if (n.has(weight_input))
        weight =
            n.add(make_op("gather", {{"axis", 0}}), {n.convert(n.input(weight_input), t), labels});
    if (kept)
        weight = weight ? n.add("mul", *weight, *kept) : *kept;
    if (weight)
        loss = n.add("mul", loss, *weight);
    if (reduction == "none")
        return loss;
    const auto sum = total(n, loss);
    if (reduction == "sum")
        return sum;
    const auto one = n.broadcast_like(n.scalar(t, 1), loss);
    return n.add("div", sum, total(n, weight ? *weight : one));
}

instructions read_nll_loss(node_reader& n) {
    n.expect_inputs(2, 3);
    return {reduced_loss(n, n.input(0), 2)};
}

instructions read_cross_entropy(node_reader& n) {
    n.expect_inputs(2, 3);
    const auto log_probability = n.add(make_op("logsoftmax", {{"axis", 1}}), {n.input(0)});
    return {reduced_loss(n, log_probability, 2), log_probability};
}

const operators loss_operators{{"NegativeLogLikelihoodLoss", read_nll_loss},
                               {"SoftmaxCrossEntropyLoss", read_cross_entropy}};

} // namespace

} // namespace migraphx::onnx
