// SPDX-License-Identifier: MIT
// For each operator an ordered list of implementations (a name, and `make`, which gives a kernel
// for a problem or refuses); the first that does not refuse wins. MIGRAPHX_TRACE=dispatch prints
// each refusal and the winner.
#pragma once

#include "base/str.hpp"
#include "runtime/kernel.hpp"

#include <initializer_list>
#include <map>
#include <string>
#include <vector>

namespace migraphx {

/// One for each target: filled by static objects, so it lives in a function of the target's.
template <class Implementation>
class implementation_table {
public:
    void add(std::initializer_list<const char*> operators,
             std::initializer_list<Implementation> list) {
        for (const auto* op : operators) {
            auto& entry = entries[op];
            entry.insert(entry.end(), list.begin(), list.end());
        }
    }
    /// In order of preference; empty when the operator has none.
    const std::vector<Implementation>& of(const std::string& op) const {
        static const std::vector<Implementation> none;
        auto it = entries.find(op);
        return it == entries.end() ? none : it->second;
    }

private:
    std::map<std::string, std::vector<Implementation>> entries;
};

/// Prints a line of MIGRAPHX_TRACE=dispatch.
void trace_dispatch(const problem& p, const std::string& what);

/// The kernel of the first that takes the problem, or all reasons against. `traced`: each prints.
template <class Problem, class Implementation>
lowered first_that_takes(const Problem& p, const std::vector<Implementation>& choices,
                         bool traced = false) {
    std::string reasons;
    for (const auto& choice : choices) {
        auto result = choice.make(p);
        if (traced)
            trace_dispatch(
                p, str(choice.name, result ? " chosen" : " refused (" + result.reason + ")"));
        if (result)
            return result;
        reasons += str(reasons.empty() ? "" : "; ", choice.name, ": ", result.reason);
    }
    return lowered::refuse(reasons.empty() ? "nothing for " + p.op.name() : reasons);
}

} // namespace migraphx
