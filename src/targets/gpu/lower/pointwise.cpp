// SPDX-License-Identifier: MIT
// Pointwise operators, alone or fused into a module, and conversions.
#include "targets/gpu/lower/nest_kernel.hpp"
#include "targets/gpu/lowering.hpp"

#include "runtime/pointwise_nest.hpp"

namespace migraphx::gpu {

namespace {

lowered nest(const device_problem& p) {
    const auto built = nest_of(p);
    if (not built.refusal.empty())
        return lowered::refuse(built.refusal);
    return make_generated(
        p, nest_code(built.nest, p.on->properties(), "nest " + built.label, p.fast_math));
}

// Every row of the table is an operator of its own as well.
struct row_implementations {
    row_implementations() {
        for (const auto& row : pointwise_rows())
            implementations{{row.name}, {{"nest", nest}}};
    }
};

const implementations choices{{"pointwise", "convert"}, {{"nest", nest}}};
const row_implementations rows;

} // namespace

} // namespace migraphx::gpu
