// SPDX-License-Identifier: MIT
#include "codegen/region.hpp"

#include <migraphx/builtin.hpp>
#include <migraphx/instruction.hpp>

#include "ops/module_body.hpp"

#include <utility>

namespace migraphx::codegen {

namespace {

bool is_view_of_one(const std::string& name) {
    return name == "identity" or name == "multibroadcast" or name == "broadcast" or
           name == "scalar";
}

} // namespace

nest_op nest_op_of(const operation& op, std::vector<nest_operand> operands, shape::type_t result) {
    nest_op n;
    n.type = result;
    if (op.name() != "convert") {
        n.row = find_pointwise_row(op.name());
        if (n.row == nullptr)
            fail(error_kind::internal,
                 "nest: a pointwise operator was expected, got '" + op.name() + "'");
        if (n.row->attribute != nullptr)
            operands.push_back(nest_operand::real(op.get<double>(n.row->attribute)));
    }
    n.operands = std::move(operands);
    return n;
}

bool is_nest_operator(const std::string& name) {
    return name == "convert" or find_pointwise_row(name) != nullptr;
}

nest_operand immediate(const literal& l) {
    return shape::is_integral(l.get_shape().type()) or l.get_shape().type() == shape::bool_type
               ? nest_operand::integer(l.at<int64_t>())
               : nest_operand::real(l.at<double>());
}

bool append_instruction(instruction_ref ins, region_values& values, const append_operator& append) {
    const auto name = ins->name();
    if (is_view_of_one(name)) {
        values[ins] = values.at(ins->inputs().front());
        return true;
    }
    if (not is_nest_operator(name))
        return false;
    std::vector<nest_operand> operands;
    for (auto in : ins->inputs())
        operands.push_back(values.at(in));
    if (name == "convert" and not operands.front().is_reg()) {
        // A number: converted once, by the operator itself.
        auto from = ins->inputs().front();
        while (is_view_of_one(from->name()))
            from = from->inputs().front();
        if (from->name() != "@literal")
            return false;
        const auto& op = ins->get_operator();
        const auto one = from->get_literal().get_argument();
        values[ins] =
            immediate(literal::adopt(op.compute(op.compute_shape({one.get_shape()}), {one})));
        return true;
    }
    values[ins] = nest_operand::reg(
        append(nest_op_of(ins->get_operator(), std::move(operands), ins->get_shape().type())));
    return true;
}

region_body read_region(const module& m, const std::vector<nest_operand>& operands,
                        const append_operator& append) {
    region_body body;
    region_values values;
    const auto names = sorted_parameters(m);
    for (std::size_t i = 0; i < names.size(); i++)
        values[m.get_parameter(names[i])] = operands.at(i);
    for (auto ins = m.begin(); ins != m.end(); ++ins) {
        const auto name = ins->name();
        if (name == "@param" or name == "@comment")
            continue;
        if (name == "@return")
            break;
        if (name == "@literal") {
            if (ins->get_shape().elements() != 1) {
                body.refusal = "a constant that is no scalar";
                return body;
            }
            values[ins] = immediate(ins->get_literal());
            continue;
        }
        if (not append_instruction(ins, values, append)) {
            body.refusal = "no row for " + name;
            return body;
        }
        if (is_nest_operator(name) and name != "identity")
            body.label += (body.label.empty() ? "" : "_") + name;
    }
    for (auto result : m.get_returns())
        body.results.push_back(values.at(result));
    return body;
}

} // namespace migraphx::codegen
