// SPDX-License-Identifier: MIT
#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>
#include <migraphx/normalize_ops.hpp>

#include "passes/pass_registry.hpp"

namespace migraphx {

void normalize_ops::apply(module& m) const {
    for (auto i = m.begin(); i != m.end(); ++i) {
        if (not i->need_normalization() or i->inputs().empty())
            continue;
        auto canonical = i->normalized_operator();
        if (canonical != i->get_operator())
            i->replace(canonical);
        i->set_normalized();
    }
}

namespace {

const registered_pass normalize_ops_registered{"normalize_ops",
                                               [] { return pass{normalize_ops{}}; }};

} // namespace

} // namespace migraphx
