// SPDX-License-Identifier: MIT
// Recipes that expand into several instructions (`gemm`, `batchnorm`, `clip` …).
#ifndef MIGRAPHX_OP_BUILDER_INSERT_HPP
#define MIGRAPHX_OP_BUILDER_INSERT_HPP

#include <migraphx/module.hpp>
#include <migraphx/value.hpp>
#include <string>
#include <vector>

namespace migraphx {
namespace op {
namespace builder {

/// Expands the recipe `name` before `ins`; the results. A name that is no recipe is an operator,
/// whose attributes are the options. Throws for an option that the recipe does not have.
std::vector<instruction_ref> insert(const std::string& name, module& m, instruction_ref ins,
                                    const std::vector<instruction_ref>& args,
                                    const std::vector<module_ref>& module_args,
                                    const value& options = value{});
std::vector<instruction_ref> insert(const std::string& name, module& m, instruction_ref ins,
                                    const std::vector<instruction_ref>& args,
                                    const value& options = value{});
/// The same at the end of the module.
std::vector<instruction_ref> add(const std::string& name, module& m,
                                 const std::vector<instruction_ref>& args,
                                 const std::vector<module_ref>& module_args,
                                 const value& options = value{});
std::vector<instruction_ref> add(const std::string& name, module& m,
                                 const std::vector<instruction_ref>& args,
                                 const value& options = value{});

/// Sorted names of the recipes.
std::vector<std::string> get_builder_names();

} // namespace builder
} // namespace op
} // namespace migraphx
#endif
