// SPDX-License-Identifier: MIT
// Eight bits for dot and convolution: `capture` marks the activations, calibration sees them, and
// quantizelinear and dequantizelinear take the marks' places.
#include <migraphx/make_op.hpp>
#include <migraphx/op/builder/insert.hpp>
#include <migraphx/quantize_8bits.hpp>

#include "ir/number_kinds.hpp"
#include "ops/capture.hpp"
#include "passes/data_type.hpp"
#include "passes/quantize_weights.hpp"

#include <migraphx/errors.hpp>

#include <unordered_map>

namespace migraphx {

namespace {

bool is_real(instruction_ref x) {
    const auto t = x->get_shape().type();
    return t == shape::float_type or t == shape::half_type or t == shape::bf16_type or
           t == shape::double_type;
}

instruction_ref fake_quantised(module& m, instruction_ref at, instruction_ref x,
                               shape::type_t precision, std::pair<float, float> params) {
    const auto type = x->get_shape().type();
    const auto number = [&](shape::type_t t, double v) {
        return m.insert_literal(at, literal{shape{t}, std::vector<double>{v}});
    };
    const auto scale = number(type, 1.0 / static_cast<double>(params.first));
    std::vector<instruction_ref> in{x, scale};
    if (params.second != 0)
        in.push_back(number(precision, static_cast<double>(params.second)));
    const value options{{"output_type", precision}};
    in[0] = op::builder::insert("quantizelinear", m, at, in, options).front();
    return op::builder::insert("dequantizelinear", m, at, in).front();
}

} // namespace

void capture_arguments_pass::apply(module& m) const {
    std::unordered_map<instruction_ref, instruction_ref> captured;
    for (auto ins : instructions_of(m)) {
        if (not ins_names.contains(ins->name()))
            continue;
        auto in = ins->inputs();
        for (auto& x : in) {
            if (not is_real(x) or x->can_eval())
                continue;
            auto& mark = captured[x];
            if (mark == instruction_ref{})
                mark = m.insert_instruction(ins, make_capture((*param_index)++, f), x);
            x = mark;
        }
        if (in != ins->inputs())
            m.replace_instruction(ins, ins->get_operator(), in);
    }
}

void quantize_8bits_pass::apply(module& m) const {
    const auto largest = number_limits(precision).second;
    for (auto ins : instructions_of(m)) {
        if (ins->name() == "capture") {
            const auto i = ins->get_operator().get<std::size_t>("ins_index");
            if (i >= quant_params.size())
                fail(error_kind::invalid_argument, "quantize_8bits: parameters for each captured "
                                                   "value were expected, got too few");
            m.replace_instruction(
                ins, fake_quantised(m, ins, ins->inputs().front(), precision, quant_params[i]));
            m.remove_instruction(ins); // its function is gone with the calibration
        } else if (const auto w = find_weights(ins); w and ins_names.contains(ins->name())) {
            auto in = ins->inputs();
            in[w->index] = quantised_weights(m, ins, *w, {precision, largest, 0});
            m.replace_instruction(ins, ins->get_operator(), in);
        }
    }
}

} // namespace migraphx
