// SPDX-License-Identifier: MIT
// Reductions fused with the pointwise operators around them.
#include "codegen/reads.hpp"
#include "runtime/row_problem.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lower/pointwise.hpp"
#include "targets/cpu/lowering.hpp"
#include "targets/cpu/row_plan.hpp"

#include "base/parallel.hpp"

#include <utility>

namespace migraphx::cpu {

namespace {

lowered rows(const problem& p) {
    if (p.op.get_vector<int64_t>("axes").empty())
        return pointwise_kernel(p);
    const auto built = rows_of(p);
    if (not built.refusal.empty())
        return lowered::refuse(built.refusal);
    if (auto why = row_refusal(built.nest); not why.empty())
        return lowered::refuse(std::move(why));
    const auto threads = p.num_threads > 0 ? thread_count(p.num_threads) : num_threads();
    const auto plan =
        compile_rows(built.nest, threads, kernels_isa(), chosen_nest_backend(), p.artifacts);
    auto k =
        make_kernel("rows " + built.label, plan->scratch_bytes(), [plan](const kernel_args& args) {
            run_rows(*plan, reinterpret_cast<const void* const*>(args.inputs),
                     reinterpret_cast<void* const*>(args.outputs), args.scratch);
        });
    const auto in_place = codegen::read_where_computed(built.nest.inputs);
    for (std::size_t i = 0; i < p.inputs.size(); i++)
        k->over.push_back(p.inputs[i] == p.output and in_place[i]);
    return k;
}

const implementations fused_choices{{"fused_reduce"}, {{"rows", rows}}};

} // namespace

} // namespace migraphx::cpu
