// SPDX-License-Identifier: MIT
// One sweep from the last instruction to the first: users come after what they use.
#include <migraphx/dead_code_elimination.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>
#include <migraphx/op_info.hpp>
#include <migraphx/program.hpp>

#include "passes/pass_registry.hpp"

#include <algorithm>

namespace migraphx {

namespace {

bool may_be_dead(instruction_ref ins) {
    const auto& info = ins->get_operator().info();
    if (info.has_side_effect)
        return false;
    if (info.is_builtin)
        return ins->name() == "@literal";
    // A user's operator without a result is there for its effect.
    const bool has_result = ins->get_shape() != shape{};
    return has_result or ins->name() == "undefined";
}

} // namespace

void dead_code_elimination::apply(module& m) const {
    if (m.empty())
        return;
    // The last instruction is the return, or the result of a module without one.
    for (auto i = std::prev(m.end()); i != m.begin();) {
        --i;
        if (i->outputs().empty() and may_be_dead(i))
            i = m.remove_instruction(i);
    }
}

void dead_code_elimination::apply(program& p) const {
    // Users in a sub-module that goes away keep instructions of the outer one alive until then.
    for (;;) {
        p.remove_unused_modules();
        const auto before = p.total_instructions();
        auto modules = p.get_modules();
        std::reverse(modules.begin(), modules.end());
        for (auto* m : modules)
            if (not m->bypass())
                apply(*m);
        if (p.total_instructions() == before)
            return;
    }
}

namespace {

const registered_pass dce_registered{"dead_code_elimination",
                                     [] { return pass{dead_code_elimination{}}; }};
const registered_pass dce_alias_registered{"eliminate_dead_code",
                                           [] { return pass{dead_code_elimination{}}; }};

} // namespace

} // namespace migraphx
