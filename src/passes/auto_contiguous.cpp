// SPDX-License-Identifier: MIT
// f(x) with other than standard layout → contiguous(f(x))
#include <migraphx/auto_contiguous.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include "passes/pass_registry.hpp"

#include <algorithm>

namespace migraphx {

namespace {

bool wants_standard_layout(instruction_ref ins) {
    const auto& s = ins->get_shape();
    if (s.dynamic() or s.type() == shape::tuple_type or s.standard() or s.elements() == 0)
        return false;
    const auto name = ins->name();
    return name != "layout" and name != "@return" and name != "contiguous";
}

bool only_copied(instruction_ref ins) {
    const auto& users = ins->outputs();
    return not users.empty() and std::all_of(users.begin(), users.end(),
                                             [](auto u) { return u->name() == "contiguous"; });
}

} // namespace

void auto_contiguous::apply(module& m) const {
    for (auto i = m.begin(); i != m.end(); ++i) {
        const bool is_result = std::next(i) == m.end();
        if (not wants_standard_layout(i) or only_copied(i) or
            (i->outputs().empty() and not is_result))
            continue;
        auto copy = m.insert_instruction(std::next(i), make_op("contiguous"), i);
        m.replace_instruction(i, copy);
        i = copy;
    }
}

namespace {

const registered_pass auto_contiguous_registered{"auto_contiguous",
                                                 [] { return pass{auto_contiguous{}}; }};

} // namespace

} // namespace migraphx
