// SPDX-License-Identifier: MIT
// Pointwise operators, alone or fused into a module, on the tile machine.
#include "codegen/reads.hpp"
#include "runtime/pointwise_nest.hpp"
#include "targets/cpu/lower/pointwise.hpp"
#include "targets/cpu/lowering.hpp"
#include "targets/cpu/nest_plan.hpp"

#include <utility>

namespace migraphx::cpu {

namespace {

struct nest_kernel : kernel {
    std::shared_ptr<const nest_plan> plan;
    std::vector<bool> in_place;
    std::string label;

    void run(const kernel_args& args) const override {
        run_nest(*plan, reinterpret_cast<const void* const*>(args.inputs),
                 reinterpret_cast<void* const*>(args.outputs));
    }
    std::string name() const override { return label; }
    bool can_write_over(std::size_t i) const override {
        return i < in_place.size() and in_place[i];
    }
};

} // namespace

lowered pointwise_kernel(const problem& p) {
    auto built = nest_of(p);
    if (built.refusal.empty())
        built.refusal = reads_refusal(codegen::simplify(built.nest));
    if (not built.refusal.empty())
        return lowered::refuse(built.refusal);
    const auto in_place = codegen::read_where_computed(built.nest.inputs);
    auto k = std::make_unique<nest_kernel>();
    k->plan =
        compile_nest(std::move(built.nest), kernels_isa(), chosen_nest_backend(), p.artifacts);
    k->label = "nest " + built.label;
    for (std::size_t i = 0; i < p.inputs.size(); i++)
        k->in_place.push_back(p.inputs[i] == p.output and in_place[i]);
    return k;
}

namespace {

// Every row of the table is an operator of its own as well.
struct row_implementations {
    row_implementations() {
        for (const auto& row : pointwise_rows())
            implementations{{row.name}, {{"nest", pointwise_kernel}}};
    }
};

const implementations region_choices{{"pointwise"}, {{"nest", pointwise_kernel}}};
const implementations convert_choices{{"convert"}, {{"nest", pointwise_kernel}}};
const row_implementations rows;

} // namespace

} // namespace migraphx::cpu
