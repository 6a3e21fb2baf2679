// SPDX-License-Identifier: MIT
// Pointwise operators, alone or fused into a module, and conversions.
#include "targets/gpu/lower/nest_kernel.hpp"
#include "targets/gpu/lowering.hpp"

#include "runtime/pointwise_nest.hpp"

namespace migraphx::gpu {

namespace {} // namespace

lowered pointwise_nest_kernel(const device_problem& p) {
    auto built = nest_of(p);
    if (built.refusal.empty())
        built.refusal = nest_reads_refusal(built.nest);
    if (not built.refusal.empty())
        return lowered::refuse(built.refusal);
    return make_generated(
        p, nest_code(built.nest, p.on->properties(), "nest " + built.label, p.fast_math));
}

namespace {

// Every row of the table is an operator of its own as well.
struct row_implementations {
    row_implementations() {
        for (const auto& row : pointwise_rows())
            implementations{{row.name}, {{"nest", pointwise_nest_kernel}}};
    }
};

const implementations choices{{"pointwise", "convert"}, {{"nest", pointwise_nest_kernel}}};
const row_implementations rows;

} // namespace

} // namespace migraphx::gpu
