// SPDX-License-Identifier: MIT
// Where sizes are not known yet, every operand is stretched to those of the others. What stretches
// nothing, whatever the sizes, goes, once for all of them:
//   multibroadcast(x, y) → x, where x has the dimensions of the result
//   multibroadcast(c, y) → multibroadcast(c, z), where z has the dimensions of y and is computed
//   anyway
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include "passes/dimension_numbers.hpp"
#include "passes/pass_registry.hpp"

#include <algorithm>
#include <map>

namespace migraphx {

namespace {

// The last operands of these give sizes only.
bool is_stretch(instruction_ref ins) {
    return ins->inputs().size() > 1 and
           (ins->name() == "multibroadcast" or ins->name() == "broadcast" or
            ins->name() == "broadcast_for_dot");
}

// Someone asks for more than its sizes.
bool gives_values(instruction_ref ins) {
    const auto& users = ins->outputs();
    return std::any_of(users.begin(), users.end(), [&](instruction_ref u) {
        return u->name() != "dimensions_of" and (not is_stretch(u) or u->inputs().front() == ins);
    });
}

class dropper {
public:
    explicit dropper(module& mod) : m(mod) {}

    void run() {
        for (auto ins = m.begin(); ins != m.end(); ++ins) {
            if (is_stretch(ins) and ins->get_shape().dynamic() and stretches_nothing(ins)) {
                auto x = ins->inputs().front();
                x->add_debug_symbols(ins->get_debug_symbols());
                m.replace_instruction(ins, x);
                continue;
            }
            if (is_stretch(ins) and ins->name() != "broadcast_for_dot")
                take_sizes_of_first(ins);
            if (const auto& n = dimensions.of(ins);
                n and ins->get_shape().dynamic() and gives_values(ins))
                first.try_emplace(*n, ins);
        }
    }

private:
    bool stretches_nothing(instruction_ref ins) {
        auto x = ins->inputs().front();
        const auto& own = dimensions.of(x);
        return own and x->get_shape() == ins->get_shape() and own == dimensions.of(ins);
    }

    // All but the first operand by one that is not kept for its sizes alone.
    void take_sizes_of_first(instruction_ref ins) {
        const auto& n = dimensions.of(ins);
        if (not n)
            return;
        const auto it = first.find(*n);
        if (it == first.end() or (ins->inputs().size() == 2 and ins->inputs()[1] == it->second) or
            it->second->get_shape().dyn_dims() != ins->get_shape().dyn_dims())
            return;
        m.replace_instruction(ins, ins->get_operator(), {ins->inputs().front(), it->second});
    }

    module& m;
    dimension_numbers dimensions;
    std::map<dimension_numbers::numbers, instruction_ref> first;
};

struct drop_broadcasts {
    std::string name() const { return "drop_broadcasts"; }
    void apply(module& m) const { dropper{m}.run(); }
};

const registered_pass drop_broadcasts_registered{"drop_broadcasts",
                                                 [] { return drop_broadcasts{}; }};

} // namespace

} // namespace migraphx
