// SPDX-License-Identifier: MIT
// For each operator an ordered list of implementations; the first that does not refuse wins.
// MIGRAPHX_TRACE=dispatch prints each refusal and the winner.
#pragma once

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

} // namespace migraphx
