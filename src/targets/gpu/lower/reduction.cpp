// SPDX-License-Identifier: MIT
// Reductions, argmax and argmin, softmax and logsoftmax, layer_norm and rms_norm, and what is fused
// around them.
#include "runtime/row_problem.hpp"
#include "targets/gpu/lower/nest_kernel.hpp"
#include "targets/gpu/lower/row_kernel.hpp"
#include "targets/gpu/lowering.hpp"

#include "ops/shape_input.hpp"

#include <utility>

namespace migraphx::gpu {

namespace {

lowered rows(const device_problem& p) {
    if (p.op.name() == "fused_reduce" and p.op.get_vector<int64_t>("axes").empty())
        return pointwise_nest_kernel(p);
    const auto built = rows_of(p);
    if (not built.refusal.empty())
        return lowered::refuse(built.refusal);
    if (p.output.bytes() == 0)
        return lowered::refuse("nothing to compute");
    if (auto why = row_reads_refusal(built.nest, p.on->properties()); not why.empty())
        return lowered::refuse(std::move(why));
    auto stages = row_code(built.nest, p.on->properties(), "rows " + built.label, p.fast_math);
    if (built.nest.inputs.size() != p.inputs.size())
        for (auto& g : stages)
            for (std::size_t i = 0; i < p.inputs.size(); i++)
                if (not is_absent(p.inputs, i))
                    g.inputs.push_back(i);
    return make_generated(p, std::move(stages));
}

const implementations reductions{{"reduce_sum", "reduce_mean", "reduce_max", "reduce_min",
                                  "reduce_prod", "reduce_all", "reduce_any", "argmax", "argmin"},
                                 {{"rows", rows}}};
const implementations composites{
    {"softmax", "logsoftmax", "layer_norm", "rms_norm", "fused_reduce"}, {{"rows", rows}}};

} // namespace

} // namespace migraphx::gpu
