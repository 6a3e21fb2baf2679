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
        // The result of a module without a return must come last.
        const bool is_result = i == m.end();
        if (is_result and (not m.has_instruction(x) or x->outputs().size() > 1))
            continue;
        x->add_debug_symbols(ins->get_debug_symbols());
        if (not is_result)
            m.replace_instruction(ins, x);
        m.remove_instruction(ins);
        if (is_result)
            m.move_instruction(x, m.end());
    }
}

namespace {

const registered_pass eliminate_identity_registered{"eliminate_identity",
                                                    [] { return pass{eliminate_identity{}}; }};

} // namespace

} // namespace migraphx
