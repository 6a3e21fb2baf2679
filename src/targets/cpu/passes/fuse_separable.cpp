// SPDX-License-Identifier: MIT
// Convolutions of channels that are neighbours take up what comes before them: a depthwise one the
// 1x1 that only it reads, a 1x1 the depthwise one that only it reads, or what each channel is
// multiplied by and shifted. What lies between need not go through memory.
#include "targets/cpu/lower/separable.hpp"
#include "targets/cpu/passes/fused_body.hpp"
#include "targets/cpu/passes/passes.hpp"

#include <algorithm>
#include <optional>

namespace migraphx::cpu {

namespace {

// x * s, x * s + t or what is positive of these, for inputs x, s and t of a region.
struct mapped_channels {
    instruction_ref x, s;
    std::optional<instruction_ref> t;
    bool relu = false;
};

bool is_param(instruction_ref ins) {
    return ins->name() == "@param";
}

std::optional<mapped_channels> as_mapped_channels(instruction_ref region) {
    if (region->name() != "pointwise")
        return std::nullopt;
    const auto* body = region->module_inputs().front();
    const auto returns = body->get_returns();
    if (returns.size() != 1)
        return std::nullopt;
    const auto names = body->get_parameter_names(); // in the order of the inputs
    const auto input = [&](instruction_ref param) {
        const auto name = param->get_operator().get<std::string>("parameter");
        const auto at = std::find(names.begin(), names.end(), name) - names.begin();
        return region->inputs()[std::size_t(at)];
    };
    const bool relu = returns[0]->name() == "relu";
    auto ins = relu ? returns[0]->inputs()[0] : returns[0];
    std::optional<instruction_ref> t;
    if (ins->name() == "add") {
        const auto &a = ins->inputs()[0], &b = ins->inputs()[1];
        if (is_param(a) == is_param(b))
            return std::nullopt;
        t = input(is_param(a) ? a : b);
        ins = is_param(a) ? b : a;
    }
    if (ins->name() != "mul" or not is_param(ins->inputs()[0]) or not is_param(ins->inputs()[1]))
        return std::nullopt;
    const auto x = input(ins->inputs()[0]), s = input(ins->inputs()[1]);
    if (is_channel_scale(s->get_shape(), x->get_shape()))
        return mapped_channels{x, s, t, relu};
    return mapped_channels{s, x, t, relu};
}

} // namespace

void fuse_channel_scale::apply(module_pass_manager& mpm) const {
    auto& m = mpm.get_module();
    std::size_t number = 0;
    for (auto ins = m.begin(); ins != m.end(); ++ins) {
        if (not is_convolution(ins))
            continue;
        const auto region = ins->inputs()[0];
        const auto map = as_mapped_channels(region);
        if (not map or region->outputs().size() != 1 or not is_literal(ins->inputs()[1]) or
            not epilogue_of(ins))
            continue;
        const auto x = map->x->get_shape();
        if (not is_channel_scale(map->s->get_shape(), x) or
            (map->t and not is_channel_scale((*map->t)->get_shape(), x)) or
            not is_pointwise_convolution(plain_convolution(ins), x, ins->inputs()[1]->get_shape(),
                                         ins->get_shape()) or
            x.lens().back() == 1)
            continue;
        std::vector<instruction_ref> inputs{map->x, ins->inputs()[1], map->s};
        if (map->t)
            inputs.push_back(*map->t);
        inputs.insert(inputs.end(), ins->inputs().begin() + 2, ins->inputs().end());
        auto attributes = plain_convolution(ins).to_value();
        attributes["shift"] = map->t.has_value();
        attributes["relu"] = map->relu;
        auto symbols = ins->get_debug_symbols();
        symbols.insert(region->get_debug_symbols().begin(), region->get_debug_symbols().end());
        auto fused =
            m.replace_instruction(ins, make_op("cpu::scaled_convolution", attributes), inputs,
                                  {body_of(mpm, ins, ":scaled" + std::to_string(number++))});
        fused->add_debug_symbols(symbols);
    }
}

namespace {

value with_parts(const operation& depthwise, bool before, bool after) {
    auto v = depthwise.to_value();
    v["before"] = before;
    v["after"] = after;
    return v;
}

// Of two instructions that become one.
void replace_both(module& m, instruction_ref first, instruction_ref ins, const operation& op,
                  const std::vector<instruction_ref>& inputs, const std::vector<module_ref>& mods) {
    auto symbols = first->get_debug_symbols();
    symbols.insert(ins->get_debug_symbols().begin(), ins->get_debug_symbols().end());
    auto fused = m.replace_instruction(ins, op, inputs, mods);
    fused->add_debug_symbols(symbols);
}

// The 1x1 before it.
void take_expansion(module_pass_manager& mpm, instruction_ref ins, std::size_t& number) {
    auto& m = mpm.get_module();
    const auto first = ins->inputs()[0];
    if (not is_convolution(first) or first->outputs().size() != 1 or
        not is_literal(first->inputs()[1]) or not is_literal(ins->inputs()[1]) or
        not m.has_instruction(first))
        return;
    const auto between = epilogue_of(first);
    if (not between or between->has_operands() or not epilogue_of(ins))
        return;
    const auto &a = first->inputs(), &b = ins->inputs();
    const auto middle = first->get_shape();
    if (not is_pointwise_convolution(plain_convolution(first), a[0]->get_shape(), a[1]->get_shape(),
                                     middle) or
        not is_depthwise_convolution(plain_convolution(ins), middle, b[1]->get_shape(),
                                     ins->get_shape()) or
        middle.ndim() != 4 or
        not fused_separable_pays(plain_convolution(ins), a[0]->get_shape(), b[1]->get_shape(),
                                 middle))
        return;
    std::vector<instruction_ref> inputs{a[0], a[1], b[1]};
    inputs.insert(inputs.end(), a.begin() + 2, a.end());
    inputs.insert(inputs.end(), b.begin() + 2, b.end());
    const auto id = std::to_string(number++);
    replace_both(m, first, ins,
                 make_op("cpu::separable", with_parts(plain_convolution(ins), true, false)), inputs,
                 {body_of(mpm, first, ":between" + id), body_of(mpm, ins, ":depthwise" + id)});
}

// A 1x1 takes the depthwise convolution before it, which may have one before it.
void take_depthwise(module_pass_manager& mpm, instruction_ref ins, std::size_t& number) {
    auto& m = mpm.get_module();
    const auto first = ins->inputs()[0];
    const bool before =
        first->name() == "cpu::separable" and not first->get_operator().get<bool>("after");
    if ((not before and not is_convolution(first)) or first->outputs().size() != 1 or
        not is_literal(ins->inputs()[1]) or not m.has_instruction(first))
        return;
    const auto &a = first->inputs(), &b = ins->inputs();
    const auto middle = first->get_shape();
    if (middle.ndim() != 4 or not epilogue_of(ins) or
        not is_pointwise_convolution(plain_convolution(ins), middle, b[1]->get_shape(),
                                     ins->get_shape()) or
        not strips_pay(middle))
        return;
    if (not before and (not is_literal(a[1]) or not epilogue_of(first) or
                        not is_depthwise_convolution(plain_convolution(first), a[0]->get_shape(),
                                                     a[1]->get_shape(), middle)))
        return;
    const auto id = std::to_string(number++);
    const auto own = std::ptrdiff_t(before ? 3 : 2);
    std::vector<instruction_ref> inputs(a.begin(), a.begin() + own);
    inputs.push_back(b[1]);
    inputs.insert(inputs.end(), a.begin() + own, a.end());
    inputs.insert(inputs.end(), b.begin() + 2, b.end());
    auto bodies = before ? first->module_inputs()
                         : std::vector<module_ref>{body_of(mpm, first, ":depthwise" + id)};
    bodies.push_back(body_of(mpm, ins, ":after" + id));
    replace_both(m, first, ins,
                 make_op("cpu::separable", with_parts(first->get_operator(), before, true)), inputs,
                 bodies);
}

} // namespace

void fuse_depthwise::apply(module_pass_manager& mpm) const {
    auto& m = mpm.get_module();
    std::size_t number = 0;
    for (auto ins = m.begin(); ins != m.end(); ++ins)
        if (is_convolution(ins))
            take_expansion(mpm, ins, number);
    for (auto ins = m.begin(); ins != m.end(); ++ins)
        if (is_convolution(ins))
            take_depthwise(mpm, ins, number);
}

} // namespace migraphx::cpu
