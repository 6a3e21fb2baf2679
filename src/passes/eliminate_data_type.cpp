// SPDX-License-Identifier: MIT
// Operators on types that a target lacks compute in another one.
#include <migraphx/eliminate_data_type.hpp>

#include "passes/data_type.hpp"
#include "passes/pass_registry.hpp"

namespace migraphx {

void eliminate_data_type::apply(module& m) const {
    const type_change change{types, target_type};
    for (auto ins : instructions_of(m))
        if (unsupported_ops.contains("all") or unsupported_ops.contains(ins->name()))
            compute_in(m, ins, change);
}

namespace {

const registered_pass eliminate_data_type_registered{"eliminate_data_type",
                                                     [] { return eliminate_data_type{}; }};

} // namespace

} // namespace migraphx
