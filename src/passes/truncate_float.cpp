// SPDX-License-Identifier: MIT
// Operators on float or double in a shorter floating-point type: their operands are converted,
// their results are converted back. Conversions between neighbours go.
#include <migraphx/truncate_float.hpp>

#include "passes/data_type.hpp"
#include "passes/pass_registry.hpp"

#include <algorithm>

namespace migraphx {

void truncate_float_pass::apply(module& m) const {
    const auto named = [&](const std::string& name) {
        return std::any_of(ins_names.begin(), ins_names.end(),
                           [&](const auto& x) { return x == "all" or x == name; });
    };
    const type_change change{{shape::float_type, shape::double_type}, float_type};
    for (auto ins : instructions_of(m))
        if (named(ins->name()) and ins->name() != "quantizelinear" and
            ins->name() != "dequantizelinear")
            compute_in(m, ins, change);
}

namespace {

const registered_pass truncate_float_registered{"truncate_float",
                                                [] { return truncate_float_pass{}; }};

} // namespace

} // namespace migraphx
