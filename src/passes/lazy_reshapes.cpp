// SPDX-License-Identifier: MIT
// reshape → reshape_lazy where the layout allows it without a copy. Last of a target's passes: what
// is a view depends on layouts, which fusion still changes.
#include <migraphx/errors.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include "ir/shape_rules.hpp"
#include "passes/pass_registry.hpp"

namespace migraphx {

namespace {

struct lazy_reshapes {
    std::string name() const { return "lazy_reshapes"; }
    void apply(module& m) const {
        for (auto ins = m.begin(); ins != m.end(); ++ins) {
            const auto name = ins->name();
            if (name != "reshape" and name != "flatten" and name != "contiguous")
                continue;
            if (ins->inputs().size() != 1)
                continue;
            const auto x = ins->inputs()[0];
            const auto& s = x->get_shape();
            if (name == "contiguous") {
                if (s == ins->get_shape())
                    m.replace_instruction(ins, x);
                continue;
            }
            const auto lens = ins->get_shape().lens();
            if (s.elements() == 0 or s.broadcasted())
                continue;
            const auto view = reshape_without_copy(s, lens);
            if (not view or view->packed() != s.packed())
                continue;
            std::vector<int64_t> dims(lens.begin(), lens.end());
            try {
                auto lazy = m.insert_instruction(ins, make_op("reshape_lazy", {{"dims", dims}}), x);
                m.replace_instruction(ins, lazy);
            } catch (const exception&) {
                // The operator's rule is stricter for this layout: the copy stays.
            }
        }
    }
};

const registered_pass lazy_reshapes_registered{"lazy_reshapes", [] { return lazy_reshapes{}; }};

} // namespace

} // namespace migraphx
