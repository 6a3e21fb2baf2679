// SPDX-License-Identifier: MIT
#include "ir/constant_value.hpp"

#include <migraphx/op_info.hpp>

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace migraphx {

namespace {

// An operator that can be evaluated once its operands are known.
bool is_function_of_operands(instruction_ref ins, std::size_t most_bytes) {
    const auto& info = ins->get_operator().info();
    return not info.is_builtin and info.compute and not info.has_side_effect and
           info.is_context_free and ins->module_inputs().empty() and ins->name() != "undefined" and
           (ins->get_shape().any_of_dynamic() or ins->get_shape().bytes() <= most_bytes);
}

} // namespace

std::optional<argument> constant_value(instruction_ref root, std::size_t most_bytes) {
    // A walk with its own stack: chains of a model may be long.
    std::unordered_map<instruction_ref, argument> values;
    std::vector<instruction_ref> pending{root};
    while (not pending.empty()) {
        const auto ins = pending.back();
        if (values.contains(ins)) {
            pending.pop_back();
            continue;
        }
        if (ins->name() == "@literal") {
            values.emplace(ins, ins->get_literal().get_argument());
            continue;
        }
        if (not is_function_of_operands(ins, most_bytes))
            return std::nullopt;
        const auto& operands = ins->inputs();
        const auto missing = std::find_if(operands.begin(), operands.end(),
                                          [&](auto x) { return not values.contains(x); });
        if (missing != operands.end()) {
            pending.push_back(*missing);
            continue;
        }
        std::vector<argument> args;
        for (auto x : operands)
            args.push_back(values.at(x));
        values.emplace(ins, ins->get_operator().compute(ins->get_shape(), args));
    }
    return values.at(root);
}

} // namespace migraphx
