// SPDX-License-Identifier: MIT
// One instruction in another element type, between conversions.
#include "passes/data_type.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/make_op.hpp>

#include <algorithm>

namespace migraphx {

namespace {

instruction_ref converted(module& m, instruction_ref before, instruction_ref x, shape::type_t t) {
    // Back to the type it came from.
    if (x->name() == "convert" and x->inputs().front()->get_shape().type() == t)
        return x->inputs().front();
    return m.insert_instruction(before, make_op("convert", {{"target_type", t}}), x);
}

// What is not there has no value to convert.
bool is_changed(instruction_ref x, const type_change& change) {
    return x->name() != "undefined" and change.from.contains(x->get_shape().type());
}

// The shapes that the operator would have for operands of these types.
std::vector<shape> changed_shapes(instruction_ref ins, const type_change& change) {
    auto shapes = to_shapes(ins->inputs());
    for (std::size_t i = 0; i < shapes.size(); i++)
        if (is_changed(ins->inputs()[i], change))
            shapes[i] = shapes[i].with_type(change.to);
    return shapes;
}

} // namespace

bool is_short(shape::type_t t) {
    return t == shape::half_type or t == shape::bf16_type;
}

bool is_computed_in_float(const shape& s) {
    return not s.dynamic() and (s.type() == shape::float_type or s.type() == shape::half_type or
                                s.type() == shape::bf16_type);
}

std::vector<instruction_ref> instructions_of(module& m) {
    std::vector<instruction_ref> all;
    for (auto i = m.begin(); i != m.end(); ++i)
        all.push_back(i);
    return all;
}

bool compute_in(module& m, instruction_ref ins, const type_change& change) {
    const auto name = ins->name();
    if (name.starts_with("@") or name == "convert" or name == "undefined" or
        name == "get_tuple_elem" or not ins->module_inputs().empty())
        return false;
    const auto changes = [&](instruction_ref x) { return is_changed(x, change); };
    if (std::none_of(ins->inputs().begin(), ins->inputs().end(), changes))
        return false;
    try {
        (void)ins->get_operator().compute_shape(changed_shapes(ins, change));
    } catch (const exception&) {
        return false;
    }
    std::vector<instruction_ref> in;
    for (auto x : ins->inputs())
        in.push_back(changes(x) ? converted(m, ins, x, change.to) : x);
    const auto work = m.insert_instruction(ins, ins->get_operator(), in);
    work->add_debug_symbols(ins->get_debug_symbols());
    const auto back = [&](instruction_ref before, instruction_ref x, shape::type_t t) {
        return x->get_shape().type() == t ? x : converted(m, before, x, t);
    };
    if (ins->get_shape().type() != shape::tuple_type) {
        m.replace_instruction(ins, back(ins, work, ins->get_shape().type()));
        return true;
    }
    for (auto part : std::vector<instruction_ref>(ins->outputs()))
        if (part->name() == "get_tuple_elem") {
            const auto type = part->get_shape().type();
            const auto elem = m.insert_instruction(part, part->get_operator(), work);
            m.replace_instruction(part, back(part, elem, type));
        }
    return true;
}

} // namespace migraphx
