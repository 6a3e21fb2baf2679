// SPDX-License-Identifier: MIT
#include "targets/cpu/lowering.hpp"

#include "base/settings.hpp"
#include "runtime/implementation_table.hpp"
#include "runtime/tuning_cache.hpp"
#include "targets/cpu/tuning.hpp"

#include <iostream>

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
                std::cerr << p.op << " -> " << p.output << ": " << k->name() << " tuned\n";
            return k;
        }
    for (const auto& choice : choices) {
        auto result = choice.make(p);
        if (traced)
            std::cerr << p.op << " -> " << p.output << ": " << choice.name
                      << (result ? " chosen" : " refused (" + result.reason + ")") << '\n';
        if (result)
            return std::move(result.k);
    }
    if (traced)
        std::cerr << p.op << " -> " << p.output << ": reference chosen\n";
    return make_reference_kernel(p);
}

} // namespace migraphx::cpu
