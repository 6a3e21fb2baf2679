// SPDX-License-Identifier: MIT
#include "targets/cpu/lower/row_epilogue.hpp"

#include "targets/cpu/kernels/dispatch/processor.hpp"

#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/post_ops.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/op_info.hpp>

#include <algorithm>
#include <limits>

namespace migraphx::cpu {

namespace {

using alg = post_algorithm;

std::optional<row_op> row_op_of(alg a) {
    switch (a) {
    case alg::clip:
        return row_op::clamp;
    case alg::hardswish:
        return row_op::hard_swish;
    case alg::hardsigmoid:
        return row_op::hard_sigmoid;
    case alg::linear:
        return row_op::linear;
    case alg::relu:
        return row_op::leaky_relu;
    case alg::swish:
        return row_op::swish;
    case alg::sigmoid:
        return row_op::sigmoid;
    case alg::tanh:
        return row_op::tanh;
    case alg::gelu_erf:
        return row_op::gelu_erf;
    case alg::gelu_tanh:
        return row_op::gelu_tanh;
    case alg::add:
        return row_op::add;
    case alg::sub:
        return row_op::subtract;
    case alg::mul:
        return row_op::multiply;
    case alg::max:
        return row_op::maximum;
    case alg::min:
        return row_op::minimum;
    default:
        return std::nullopt;
    }
}

std::optional<row_step> row_step_of(const post_operation& op) {
    const auto kind = row_op_of(op.algorithm);
    if (not kind)
        return std::nullopt;
    row_step s{};
    s.op = *kind;
    s.alpha = op.alpha;
    s.beta = op.beta;
    if (s.op == row_op::leaky_relu and op.alpha == 0) {
        s.op = row_op::clamp;
        s.beta = std::numeric_limits<float>::infinity();
    }
    return s;
}

// How rows and channels lie in a result.
struct row_order {
    std::size_t channel_axis;
    bool constant_bias;
    // Sets the steps of an operand; false when they do not follow rows and channels.
    bool (*place)(row_step& step, const shape& s, const shape& out);
};

bool place_in_image(row_step& step, const shape& s, const shape& out) {
    if (s.type() != shape::float_type or s.lens() != out.lens())
        return false;
    const auto strides = strides_of(s);
    const auto row = merged_stride(s, 2, s.ndim());
    if (not row or (strides[1] != 0 and strides[1] != 1))
        return false;
    step.image = strides[0];
    step.channel = strides[1];
    step.row = *row;
    return true;
}

bool place_in_product(row_step& step, const shape& s, const shape& out) {
    if (s.type() != shape::float_type or s.lens() != out.lens())
        return false;
    const auto channel = strides_of(s).back();
    const auto row = merged_stride(s, 0, s.ndim() - 1);
    if (not row or (channel != 0 and channel != 1))
        return false;
    step.image = 0;
    step.channel = channel;
    step.row = *row;
    return true;
}

std::optional<planned_epilogue> plan_epilogue(const given_inputs& in, const module* body,
                                              std::size_t first_operand, const shape& out,
                                              const row_order& order, std::string& reason) {
    planned_epilogue result;
    result.steps.divides = this_processor().divides_aside;
    if (body == nullptr)
        return result;
    const auto chain = as_post_operations(*body, "x0");
    if (not chain) {
        reason = "the epilogue is not a chain of post-operations";
        return std::nullopt;
    }
    bool scaled = false;
    for (std::size_t i = 0; i < chain->size(); i++) {
        const auto& op = (*chain)[i];
        auto step = row_step_of(op);
        if (not step) {
            reason = "a step of the epilogue without code";
            return std::nullopt;
        }
        if (op.is_binary()) {
            const auto input = epilogue_input(*body, op.parameter, first_operand);
            const auto& s = in.shapes.at(input);
            if (i == 0 and step->op == row_op::add and
                (in.constant.at(input) or not order.constant_bias) and
                s.type() == shape::float_type and is_per_channel(s, order.channel_axis)) {
                result.bias = input;
                continue;
            }
            if (not order.place(*step, s, out)) {
                reason = "an operand of the epilogue in another order";
                return std::nullopt;
            }
            result.operands.push_back(input);
        } else if (result.steps.count == 0 and result.steps.first == row_op::none and
                   (step->op == row_op::clamp or step->op == row_op::hard_swish)) {
            result.steps.first = step->op;
            result.steps.alpha = step->alpha;
            result.steps.beta = step->beta;
            result.steps.low = step->op == row_op::clamp ? step->alpha : 0;
            result.steps.high = step->op == row_op::clamp ? step->beta : 1;
            continue;
        } else if (result.steps.count == 0 and result.steps.first == row_op::hard_swish and
                   step->op == row_op::linear and not scaled) {
            // The factor goes into what the clamp is of.
            auto& e = result.steps;
            e.alpha *= step->alpha;
            e.beta *= step->alpha;
            e.low = std::min(0.0f, step->alpha);
            e.high = std::max(0.0f, step->alpha);
            e.shift = step->beta;
            scaled = true;
            continue;
        }
        if (result.steps.count == row_epilogue::most) {
            reason = "too many steps in the epilogue";
            return std::nullopt;
        }
        result.steps.steps[result.steps.count++] = *step;
    }
    return result;
}

} // namespace

given_inputs inputs_of(const problem& p) {
    given_inputs in{p.inputs, {}};
    for (std::size_t i = 0; i < p.inputs.size(); i++)
        in.constant.push_back(p.is_constant(i));
    return in;
}

bool is_literal(instruction_ref ins) {
    while (ins->inputs().size() == 1 and ins->get_operator().info().is_view)
        ins = ins->inputs().front();
    return ins->name() == "@literal";
}

given_inputs inputs_of(instruction_ref ins) {
    given_inputs in;
    for (auto i : ins->inputs()) {
        in.shapes.push_back(i->get_shape());
        in.constant.push_back(is_literal(i));
    }
    return in;
}

std::optional<planned_epilogue> plan_row_epilogue(const given_inputs& in, const module* body,
                                                  std::size_t first_operand, const shape& out,
                                                  std::string& reason) {
    return plan_epilogue(in, body, first_operand, out, {1, true, place_in_image}, reason);
}

std::optional<planned_epilogue> plan_product_epilogue(const given_inputs& in, const module* body,
                                                      std::size_t first_operand, const shape& out,
                                                      std::string& reason) {
    return plan_epilogue(in, body, first_operand, out, {out.ndim() - 1, false, place_in_product},
                         reason);
}

row_epilogue planned_epilogue::bound(const kernel_args& args, const float* bias_values) const {
    auto e = steps;
    e.bias = bias_values;
    auto next = operands.begin();
    for (int i = 0; i < e.count; i++)
        if (e.steps[i].op >= row_op::add)
            e.steps[i].operand = reinterpret_cast<const float*>(args.inputs[*next++]);
    return e;
}

std::vector<float> planned_epilogue::bias_values(const problem& p, std::size_t count) const {
    std::vector<float> values(count);
    if (bias) {
        const auto& s = p.inputs[*bias];
        const auto* from = reinterpret_cast<const float*>(p.constants[*bias].data());
        for (std::size_t i = 0; i < s.lens()[1]; i++)
            values[i] = from[i * s.strides()[1]];
    }
    return values;
}

bool planned_epilogue::merges_images(int64_t rows) const {
    for (int i = 0; i < steps.count; i++)
        if (steps.steps[i].op >= row_op::add and steps.steps[i].image != rows * steps.steps[i].row)
            return false;
    return true;
}

} // namespace migraphx::cpu
