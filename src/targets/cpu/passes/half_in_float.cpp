// SPDX-License-Identifier: MIT
// half and bf16 are storage here: every operator on them works on float copies. Pairs of
// conversions between neighbours go, so values stay in float from the inputs to the results.
#include "passes/data_type.hpp"
#include "targets/cpu/passes/passes.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include <vector>

namespace migraphx::cpu {

namespace {

// Its result depends on the type of its operands by more than their values: bits, a shape among the
// attributes, memory that it writes to.
bool looks_at_memory(const operation& op) {
    return op.name() == "bit_cast" or op.has_attribute("shape") or op.info().has_side_effect;
}

instruction_ref converted(module& m, instruction_ref pos, instruction_ref x, shape::type_t t) {
    // float → half → float: the rounding in between is left out.
    if (x->name() == "convert" and x->inputs().front()->get_shape().type() == t)
        return x->inputs().front();
    return m.insert_instruction(pos, make_op("convert", {{"target_type", t}}), x);
}

} // namespace

void half_in_float::apply(module& m) const {
    std::vector<instruction_ref> all;
    for (auto i = m.begin(); i != m.end(); ++i)
        all.push_back(i);
    for (auto ins : all) {
        const auto name = ins->name();
        if (name.starts_with("@") or name == "convert" or name == "undefined" or
            not ins->module_inputs().empty() or looks_at_memory(ins->get_operator()))
            continue;
        bool any = false;
        std::vector<instruction_ref> in;
        for (auto a : ins->inputs()) {
            const bool is = is_short(a->get_shape().type());
            any = any or is;
            in.push_back(is ? converted(m, ins, a, shape::float_type) : a);
        }
        if (name == "get_tuple_elem") {
            // Its tuple was computed in float; users expect what the model says.
            continue;
        }
        if (not any)
            continue;
        const auto before = ins->get_shape();
        auto work = m.insert_instruction(ins, ins->get_operator(), in);
        work->add_debug_symbols(ins->get_debug_symbols());
        if (before.type() != shape::tuple_type) {
            m.replace_instruction(
                ins, is_short(before.type())
                         ? m.insert_instruction(
                               ins, make_op("convert", {{"target_type", before.type()}}), work)
                         : work);
            continue;
        }
        const auto users = ins->outputs();
        for (auto u : users) {
            const auto type = u->get_shape().type();
            auto elem = m.insert_instruction(u, u->get_operator(), work);
            m.replace_instruction(
                u, is_short(type)
                       ? m.insert_instruction(u, make_op("convert", {{"target_type", type}}), elem)
                       : elem);
        }
    }
}

} // namespace migraphx::cpu
