// SPDX-License-Identifier: MIT
// Pointwise operators, alone or fused into a module, on the tile machine.
#include "runtime/pointwise_nest.hpp"
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

lowered nest(const problem& p) {
    auto built = nest_of(p);
    if (not built.refusal.empty())
        return lowered::refuse(built.refusal);
    auto k = std::make_unique<nest_kernel>();
    k->plan =
        compile_nest(std::move(built.nest), kernels_isa(), chosen_nest_backend(), p.artifacts);
    k->label = "nest " + built.label;
    for (const auto& s : p.inputs)
        k->in_place.push_back(s == p.output);
    return k;
}

// Every row of the table is an operator of its own as well.
struct row_implementations {
    row_implementations() {
        for (const auto& row : pointwise_rows())
            implementations{{row.name}, {{"nest", nest}}};
    }
};

const implementations region_choices{{"pointwise"}, {{"nest", nest}}};
const implementations convert_choices{{"convert"}, {{"nest", nest}}};
const row_implementations rows;

} // namespace

} // namespace migraphx::cpu
