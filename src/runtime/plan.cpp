// SPDX-License-Identifier: MIT
// What all runners of plans share.
#include "runtime/plan.hpp"

#include <migraphx/instruction.hpp>

#include "base/str.hpp"
#include "ir/rank_zero.hpp"

#include <algorithm>

namespace migraphx {

plan::~plan() = default;

void plan::add_constants(held_constants& held) const {
    runner->add_constants(held);
    for (const auto& s : data.steps)
        s.work->add_constants(held);
}

bool plan_step::is_needed(const std::vector<std::size_t>* wanted) const {
    return wanted == nullptr or std::any_of(needed_for.begin(), needed_for.end(), [&](auto r) {
               return std::find(wanted->begin(), wanted->end(), r) != wanted->end();
           });
}

void plan_data::place_arguments(const plan_step& s, char* const* bases, char** args) const {
    for (uint32_t i = 0; i < s.inputs; i++) {
        const auto& r = refs[s.first_input + i];
        args[i] = bases[r.base] + r.offset;
    }
    for (uint32_t i = 0; i < s.outputs; i++) {
        const auto& r = refs[s.first_output + i];
        args[s.inputs + i] = bases[r.base] + r.offset;
    }
}

shape result_shape(const plan_result& r) {
    return is_rank_zero(r.layout) ? r.layout : shape{r.layout.type(), r.layout.lens()};
}

step_record record_of(const plan_step& s, double milliseconds) {
    step_record r;
    r.instruction = str(s.ins->get_operator());
    r.group = s.ins->name();
    r.kernel = s.work->name();
    r.output = s.ins->get_shape();
    r.work = cost_of(s.ins);
    r.milliseconds = milliseconds;
    return r;
}

} // namespace migraphx
