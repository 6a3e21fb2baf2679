// SPDX-License-Identifier: MIT
// as_shape and reshape_lazy refuse operands in another memory order than they were built on, and
// passes change orders: they become operators that copy where they must.
//   reshape_lazy[dims](x) → reshape[dims](x)
//   as_shape[shape](x) → reshape[dims](x), or as_shape[shape](contiguous(x)) for a part of x
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include "passes/pass_registry.hpp"

namespace migraphx {

namespace {

struct relax_views {
    std::string name() const { return "relax_views"; }
    void apply(module& m) const {
        for (auto ins = m.begin(); ins != m.end(); ++ins) {
            const auto& op = ins->get_operator();
            if (ins->name() == "reshape_lazy")
                m.replace_instruction(ins, make_op("reshape", {{"dims", op.attribute("dims")}}),
                                      ins->inputs());
            else if (ins->name() == "as_shape" and
                     not ins->inputs().front()->get_shape().any_of_dynamic())
                relax_as_shape(m, ins);
        }
    }
    static void relax_as_shape(module& m, instruction_ref ins) {
        const auto x = ins->inputs().front();
        const auto& from = x->get_shape();
        const auto& to = ins->get_shape();
        if (from.type() == shape::tuple_type or to.dynamic())
            return;
        if (to.standard() and to.elements() == from.elements() and to.ndim() > 0)
            m.replace_instruction(ins, make_op("reshape", {{"dims", to.lens()}}), x);
        else if (x->name() != "contiguous")
            m.replace_instruction(ins, ins->get_operator(),
                                  m.insert_instruction(ins, make_op("contiguous"), x));
    }
};

const registered_pass relax_views_registered{"relax_views", [] { return relax_views{}; }};

} // namespace

} // namespace migraphx
