// SPDX-License-Identifier: MIT
// Pointwise operators, alone or fused into a module, on the tile machine.
#include <migraphx/builtin.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>

#include "base/str.hpp"
#include "codegen/nest.hpp"
#include "targets/cpu/lowering.hpp"
#include "targets/cpu/nest_plan.hpp"

#include <algorithm>
#include <unordered_map>

namespace migraphx::cpu {

namespace {

using codegen::nest_builder;
using codegen::nest_operand;

std::vector<int64_t> signed_sizes(const std::vector<std::size_t>& v) {
    return {v.begin(), v.end()};
}

struct nest_kernel : kernel {
    std::shared_ptr<const nest_plan> plan;
    std::vector<bool> in_place;
    std::string label;

    void run(const kernel_args& args) const override {
        run_nest(*plan, reinterpret_cast<const void* const*>(args.inputs),
                 reinterpret_cast<void* const*>(args.outputs));
    }
    std::string name() const override { return label; }
    bool can_write_over(std::size_t i) const override {
        return i < in_place.size() and in_place[i];
    }
};

// One operator of the region: its operands are registers or numbers.
int add_operator(nest_builder& b, const operation& op, std::vector<nest_operand> operands,
                 shape::type_t out) {
    if (op.name() == "convert")
        return b.convert(operands.front().number, out);
    const auto* row = find_pointwise_row(op.name());
    if (row->attribute != nullptr)
        operands.push_back(nest_operand::real(op.get<double>(row->attribute)));
    return b.op(op.name(), operands, out);
}

nest_operand immediate(const literal& l) {
    return shape::is_integral(l.get_shape().type()) or l.get_shape().type() == shape::bool_type
               ? nest_operand::integer(l.at<int64_t>())
               : nest_operand::real(l.at<double>());
}

std::string declined(const problem& p) {
    std::vector<shape> all = p.inputs;
    if (p.output.type() == shape::tuple_type)
        all.insert(all.end(), p.output.sub_shapes().begin(), p.output.sub_shapes().end());
    else
        all.push_back(p.output);
    for (const auto& s : all)
        if (not s.computable() or s.type() == shape::tuple_type)
            return "type " + s.type_string();
    return "";
}

std::vector<shape> outputs_of(const problem& p) {
    return p.output.type() == shape::tuple_type ? p.output.sub_shapes()
                                                : std::vector<shape>{p.output};
}

shape computed_once(const shape& s, const std::vector<bool>& repeats) {
    auto lens = s.lens();
    for (std::size_t d = 0; d < lens.size(); d++)
        if (repeats[d])
            lens[d] = 1;
    return {s.type(), lens, s.strides()};
}

// Where results repeat their elements (no stride), one position of each dimension is enough. False
// when the results do not agree on that.
bool without_repeats(problem& p) {
    auto outs = outputs_of(p);
    std::vector<bool> repeats(outs.front().ndim(), false);
    for (std::size_t i = 0; i < outs.size(); i++)
        for (std::size_t d = 0; d < repeats.size(); d++) {
            const bool here = outs[i].lens()[d] > 1 and outs[i].strides()[d] == 0;
            if (i > 0 and here != repeats[d])
                return false;
            repeats[d] = here;
        }
    if (std::find(repeats.begin(), repeats.end(), true) == repeats.end())
        return true;
    for (auto& s : outs)
        s = computed_once(s, repeats);
    p.output = p.output.type() == shape::tuple_type ? shape{outs} : outs.front();
    for (auto& s : p.inputs)
        if (s.ndim() == repeats.size())
            s = computed_once(s, repeats);
    return true;
}

lowered finish(const problem& p, nest_builder& b, std::string label) {
    auto k = std::make_unique<nest_kernel>();
    k->plan = compile_nest(b.finish(), kernels_isa(), chosen_nest_backend(), p.artifacts);
    k->label = std::move(label);
    for (const auto& s : p.inputs)
        k->in_place.push_back(s == p.output);
    return k;
}

lowered region(const problem& given) {
    auto p = given;
    if (auto why = declined(p); not why.empty())
        return lowered::refuse(why);
    if (not without_repeats(p))
        return lowered::refuse("results that repeat their elements in different ways");
    const auto& m = *p.modules.front();
    const auto outs = outputs_of(p);
    nest_builder b{signed_sizes(outs.front().lens())};
    std::unordered_map<instruction_ref, nest_operand> values;
    auto names = m.get_parameter_names();
    std::sort(names.begin(), names.end());
    for (std::size_t i = 0; i < names.size(); i++)
        values[m.get_parameter(names[i])] = nest_operand::reg(b.input(p.inputs.at(i)));
    std::string label;
    for (auto ins = m.begin(); ins != m.end(); ++ins) {
        const auto name = ins->name();
        if (name == "@param")
            continue;
        if (name == "@literal") {
            if (ins->get_shape().elements() != 1)
                return lowered::refuse("a constant that is no scalar");
            values[ins] = immediate(ins->get_literal());
            continue;
        }
        if (name == "@return")
            break;
        if (name == "identity" or name == "multibroadcast" or name == "broadcast" or
            name == "scalar") {
            values[ins] = values.at(ins->inputs().front());
            continue;
        }
        std::vector<nest_operand> operands;
        for (auto in : ins->inputs())
            operands.push_back(values.at(in));
        if (name == "convert" and not operands.front().is_reg()) {
            // A number: converted once, by the operator itself.
            const auto value = ins->get_operator().compute(
                ins->get_shape(), {ins->inputs().front()->get_literal().get_argument()});
            values[ins] = immediate(literal::adopt(value));
            continue;
        }
        if (name != "convert" and find_pointwise_row(name) == nullptr)
            return lowered::refuse("no row for " + name);
        values[ins] = nest_operand::reg(
            add_operator(b, ins->get_operator(), operands, ins->get_shape().type()));
        label += (label.empty() ? "" : "_") + name;
    }
    const auto returns = m.get_returns();
    for (std::size_t i = 0; i < returns.size(); i++) {
        const auto v = values.at(returns[i]);
        if (not v.is_reg())
            return lowered::refuse("a constant result");
        b.output(outs.at(i), v.number);
    }
    return finish(p, b, "nest " + label);
}

lowered single(const problem& given) {
    auto p = given;
    if (auto why = declined(p); not why.empty())
        return lowered::refuse(why);
    without_repeats(p);
    nest_builder b{signed_sizes(p.output.lens())};
    std::vector<nest_operand> operands;
    for (const auto& s : p.inputs) {
        if (s.lens() != p.output.lens())
            return lowered::refuse("operands of other dimensions");
        operands.push_back(nest_operand::reg(b.input(s)));
    }
    const auto out = add_operator(b, p.op, operands, p.output.type());
    b.output(p.output, out);
    return finish(p, b, "nest " + p.op.name());
}

// Every row of the table is an operator of its own as well.
struct row_implementations {
    row_implementations() {
        for (const auto& row : pointwise_rows())
            implementations{{row.name}, {{"nest", single}}};
    }
};

const implementations region_choices{{"pointwise"}, {{"nest", region}}};
const implementations convert_choices{{"convert"}, {{"nest", single}}};
const row_implementations rows;

} // namespace

} // namespace migraphx::cpu
