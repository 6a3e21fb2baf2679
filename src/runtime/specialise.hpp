// SPDX-License-Identifier: MIT
// A module made concrete: with the sizes of its parameters known, every shape that follows from
// them is computed, shape arithmetic is evaluated, branches with known conditions are inlined. What
// depends on values that only a run can give is cut off into a second module, run after the first.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/program.hpp>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace migraphx {

/// Where a value comes from once the first part has run.
struct stage_value {
    enum class source { stage, transition, parameter, constant, rest } from = source::stage;
    std::size_t index =
        0; ///< result of the first or the second part, transition, parameter or constant
    std::ptrdiff_t part = -1; ///< element of a transition's tuple; -1: the whole
};

/// An operator whose output size depends on values, or that takes or gives boxed values (strings,
/// sequences, optionals): evaluated on arguments between the parts, in this order.
struct stage_transition {
    operation op;
    shape output; ///< as declared, dynamic
    std::vector<stage_value> inputs;
    std::vector<module_ref> modules; ///< owned by the program that was specialised
    std::vector<std::vector<stage_value>>
        captured;        ///< for each module, in the order of `captured_by`
    instruction_ref ins; ///< of the program that was specialised
};

struct specialisation {
    /// Concrete first part; its results are the values that `results`, transitions and `rest` need.
    program first;
    std::vector<stage_transition> transitions;
    /// Second part, with parameters "s0", "s1" … bound to `rest_inputs`; null when nothing is left.
    std::shared_ptr<program> rest;
    std::vector<stage_value> rest_inputs;
    std::vector<argument> constants; ///< `is_constant_memory`
    /// The module's results.
    std::vector<stage_value> results;
};

/// `inputs`: concrete shapes (and, where known, values) of the parameters by name. Throws when a
/// size is out of an operator's rules.
specialisation specialise(const program& p, const std::unordered_map<std::string, shape>& inputs);

/// The memory is a constant of a program, which the receiver of a result must not write.
bool is_constant_memory(const argument& a);

/// Names an instruction in messages, with its nodes of the model.
std::string describe(instruction_ref ins);

/// What `m` uses of the modules around it, in a fixed order.
std::vector<instruction_ref> captured_by(module_ref m);

} // namespace migraphx
