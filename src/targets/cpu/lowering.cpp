// SPDX-License-Identifier: MIT
#include "targets/cpu/lowering.hpp"

#include "base/settings.hpp"
#include "runtime/implementation_table.hpp"
#include "runtime/tuning_cache.hpp"
#include "targets/cpu/tuning.hpp"

namespace migraphx::cpu {

namespace {

implementation_table<implementation>& table() {
    static auto* t = new implementation_table<implementation>;
    return *t;
}

} // namespace

implementations::implementations(std::initializer_list<const char*> operators,
                                 std::initializer_list<implementation> list) {
    table().add(operators, list);
}

const std::vector<implementation>& implementations_of(const std::string& op) {
    return table().of(op);
}

std::unique_ptr<kernel> lower(const problem& p) {
    const bool traced = trace_enabled("dispatch");
    const auto& choices = implementations_of(p.op.name());
    if (p.tune)
        if (auto k = tuned_kernel(p, choices, tuning_cache::instance())) {
            if (traced)
                trace_dispatch(p, k->name() + " tuned");
            return k;
        }
    if (auto result = first_that_takes(p, choices, traced))
        return std::move(result.k);
    if (traced)
        trace_dispatch(p, "reference chosen");
    return make_reference_kernel(p);
}

} // namespace migraphx::cpu
