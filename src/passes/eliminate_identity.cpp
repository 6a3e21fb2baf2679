// SPDX-License-Identifier: MIT
#include <migraphx/eliminate_identity.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>

#include "passes/pass_registry.hpp"

namespace migraphx {

void eliminate_identity::apply(module& m) const {
    for (auto i = m.begin(); i != m.end();) {
        auto ins = i++;
        if (ins->name() != "identity")
            continue;
        auto x = ins->inputs().front();
        // A module's result must be an instruction of its own.
        const bool is_result = i == m.end();
        if (is_result and not m.has_instruction(x))
            continue;
        x->add_debug_symbols(ins->get_debug_symbols());
        m.replace_instruction(ins, x);
        if (ins->outputs().empty())
            m.remove_instruction(ins);
    }
}

namespace {

const registered_pass eliminate_identity_registered{"eliminate_identity",
                                                    [] { return pass{eliminate_identity{}}; }};

} // namespace

} // namespace migraphx
