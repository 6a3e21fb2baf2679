// SPDX-License-Identifier: MIT
// Evaluates modules instruction by instruction, for the operators that have modules.
#pragma once

#include "ops_compute_support.hpp"

#include <migraphx/builtin.hpp>
#include <migraphx/module.hpp>

namespace ops_check {

inline std::vector<argument> run_body(module_ref& m,
                                      const std::unordered_map<std::string, argument>& parameters) {
    std::unordered_map<instruction_ref, argument> values;
    for (auto ins = m->begin(); ins != m->end(); ++ins) {
        const auto& op = ins->get_operator();
        if (ins->name() == "@return")
            continue;
        if (ins->name() == "@literal")
            values[ins] = ins->get_literal().get_argument();
        else if (ins->name() == "@param")
            values[ins] = parameters.at(any_cast<builtin::param>(op).parameter);
        else {
            std::vector<argument> in;
            for (auto a : ins->inputs())
                in.push_back(values.at(a));
            values[ins] =
                op.compute(ins->get_shape(), in, ins->module_inputs(), module_runner(run_body));
        }
    }
    std::vector<argument> results;
    for (auto r : m->get_returns())
        results.push_back(values.at(r));
    return results;
}

/// The results of an operator with modules; a single one counts as a tuple of one.
inline std::vector<argument> run_with(const operation& op, const std::vector<argument>& in,
                                      const std::vector<module_ref>& mods) {
    const auto stated = op.compute_shape(to_shapes(in), mods);
    auto result = op.compute(stated, in, mods, module_runner(run_body));
    if (not stated.any_of_dynamic()) {
        EXPECT_EQ(result.get_shape(), stated) << op.name();
    }
    return result.get_shape().type() == shape::tuple_type ? result.get_sub_objects()
                                                          : std::vector<argument>{result};
}

inline void refused_with(const operation& op, const std::vector<shape>& in,
                         const std::vector<module_ref>& mods, const std::string& part) {
    try {
        op.compute_shape(in, mods);
        ADD_FAILURE() << op.name() << " where an error was expected: " << part;
    } catch (const migraphx::exception& e) {
        EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
    }
}

} // namespace ops_check
