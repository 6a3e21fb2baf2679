// SPDX-License-Identifier: MIT
// What the printers of programs as source code share: an order in which every module is created
// before it is used and after what it uses of outer modules, and identifiers.
#pragma once

#include <migraphx/module.hpp>
#include <migraphx/program.hpp>

#include <functional>
#include <string>
#include <unordered_map>

namespace migraphx {

/// "x_3", "p_input" in main, "x_sub_3" in others.
struct code_names {
    std::unordered_map<instruction_ref, std::string> instructions;
    std::unordered_map<const module*, std::string> modules;

    const std::string& of(instruction_ref ins) const { return instructions.at(ins); }
    const std::string& of(const module* m) const { return modules.at(m); }
};

/// `module_name(m)` gives the identifier of a module.
code_names make_code_names(const std::vector<const module*>& modules,
                           const std::function<std::string(const module&)>& module_name);

/// Calls `start(m)` for each sub-module before its instructions and `each(m, ins)` for each
/// instruction; modules come just before the first instruction that uses them.
void walk_code(const module& root, const std::function<void(const module&)>& start,
               const std::function<void(const module&, instruction_ref)>& each);

/// The attributes that differ from the operator's defaults.
value changed_attributes(const operation& op);
bool has_negative(const literal& l);

} // namespace migraphx
