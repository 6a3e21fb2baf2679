// SPDX-License-Identifier: MIT
#include "runtime/pointwise_nest.hpp"

#include "codegen/region.hpp"
#include "ops/pointwise_table.hpp"
#include "runtime/row_problem.hpp"
#include "runtime/walked_shape.hpp"

#include <algorithm>
#include <utility>

namespace migraphx {

namespace {

using codegen::nest_builder;
using codegen::nest_operand;

pointwise_nest refused(std::string why) {
    pointwise_nest r;
    r.refusal = std::move(why);
    return r;
}

// The first type among these that nests do not compute with.
std::string unfit_type(const std::vector<shape>& shapes) {
    for (const auto& s : shapes)
        if (not s.computable() or s.type() == shape::tuple_type)
            return s.type_string();
    return "";
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
bool without_repeats(std::vector<shape>& inputs, std::vector<shape>& outputs) {
    std::vector<bool> repeats(outputs.front().ndim(), false);
    for (std::size_t i = 0; i < outputs.size(); i++)
        for (std::size_t d = 0; d < repeats.size(); d++) {
            const bool here = outputs[i].lens()[d] > 1 and outputs[i].strides()[d] == 0;
            if (i > 0 and here != repeats[d])
                return false;
            repeats[d] = here;
        }
    if (std::find(repeats.begin(), repeats.end(), true) == repeats.end())
        return true;
    for (auto& s : outputs)
        s = computed_once(s, repeats);
    for (auto& s : inputs)
        if (s.ndim() == repeats.size())
            s = computed_once(s, repeats);
    return true;
}

} // namespace

bool is_pointwise(const problem& p) {
    const auto name = p.op.name();
    return name == "pointwise" or name == "convert" or find_pointwise_row(name) != nullptr;
}

pointwise_nest nest_of(const problem& p) {
    if (p.op.name() == "fused_reduce") {
        auto rows = rows_of(p);
        if (not rows.refusal.empty())
            return refused(rows.refusal);
        return {codegen::without_rows(rows.nest), rows.label, {}};
    }
    auto inputs = p.inputs;
    auto outputs =
        p.output.type() == shape::tuple_type ? p.output.sub_shapes() : std::vector<shape>{p.output};
    for (const auto* shapes : {&inputs, &outputs})
        if (const auto type = unfit_type(*shapes); not type.empty())
            return refused("type " + type);
    if (not without_repeats(inputs, outputs))
        return refused("results that repeat their elements in different ways");
    nest_builder b{lens_of(outputs.front())};
    std::vector<nest_operand> operands;
    for (const auto& s : inputs) {
        if (s.lens() != outputs.front().lens())
            return refused("operands of other dimensions");
        operands.push_back(nest_operand::reg(b.input(s)));
    }
    pointwise_nest r;
    if (p.modules.empty()) {
        r.label = p.op.name();
        b.output(outputs.front(),
                 b.append(codegen::nest_op_of(p.op, std::move(operands), p.output.type())));
    } else {
        const auto body = codegen::read_region(*p.modules.front(), operands,
                                               [&](auto op) { return b.append(std::move(op)); });
        if (not body.refusal.empty())
            return refused(body.refusal);
        for (std::size_t i = 0; i < body.results.size(); i++) {
            if (not body.results[i].is_reg())
                return refused("a constant result");
            b.output(outputs.at(i), body.results[i].number);
        }
        r.label = body.label;
    }
    r.nest = b.finish();
    return r;
}

} // namespace migraphx
