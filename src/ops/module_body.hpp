// SPDX-License-Identifier: MIT
// What operators with sub-modules share: binding of operands to parameters, evaluation of bodies
// that work element by element, results in the stated layout.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/module.hpp>

#include <string>
#include <unordered_map>
#include <vector>

namespace migraphx {

/// Parameter names in the order in which operands bind to them.
std::vector<std::string> sorted_parameters(const module& m);
/// The one sub-module; throws for another number.
module_ref only_module(const std::vector<module_ref>& mods);
/// As many modules as that; throws otherwise.
void expect_modules(const std::vector<module_ref>& mods, std::size_t n);

std::unordered_map<std::string, argument> bind_parameters(const module& m,
                                                          const std::vector<argument>& in);
/// Throws unless each operand has the type (and with `dims`, the dimensions) of its parameter.
void expect_parameters(const module& m, const std::vector<shape>& in, bool dims);
/// Output shapes for these shapes of the operands.
std::vector<shape> module_shapes(const module& m, const std::vector<shape>& in);

/// The same elements in this layout; `a` itself when it has it, or when `s` is dynamic.
argument in_layout(const argument& a, const shape& s);

/// The results of a module whose parameters and literals stand for single elements, for every
/// element of `in`. `outputs` are their (static) shapes.
std::vector<argument> evaluate_elementwise(const module& m, const std::vector<shape>& outputs,
                                           const std::vector<argument>& in);

/// Whether no instruction of the module has a module of its own.
bool is_flat(const module& m);
/// The results of a flat module, one operator after the other by their reference. Throws for
/// operands of other types or dimensions than its parameters'.
std::vector<argument> evaluate_flat(const module& m, const std::vector<argument>& in);

/// One result as it is, several as a tuple.
shape one_or_tuple(const std::vector<shape>& shapes);
argument one_or_tuple(const std::vector<argument>& results);

} // namespace migraphx
