// SPDX-License-Identifier: MIT
// From instructions to the bodies of nests: single operators and modules of pointwise operators.
#pragma once

#include <migraphx/instruction_ref.hpp>
#include <migraphx/literal.hpp>
#include <migraphx/module.hpp>
#include <migraphx/operation.hpp>

#include "codegen/nest.hpp"

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace migraphx::codegen {

/// A pointwise operator or `convert` over registers and numbers; `result` is its type.
nest_op nest_op_of(const operation& op, std::vector<nest_operand> operands, shape::type_t result);

/// Whether a nest can hold the operator: a row of the table, or `convert`.
bool is_nest_operator(const std::string& name);

/// A literal of one element as an operand.
nest_operand immediate(const literal& l);

/// Puts an operator at the end of a body and gives its register.
using append_operator = std::function<int(nest_op)>;
using region_values = std::unordered_map<instruction_ref, nest_operand>;

/// One instruction of a region whose operands are in `values`; its own value is added. False, with
/// nothing added, for what a nest has no operator for. Views of single elements are their operand.
bool append_instruction(instruction_ref ins, region_values& values, const append_operator& append);

struct region_body {
    std::vector<nest_operand> results; ///< of the module's return
    std::string label;                 ///< the operators' names, joined by "_"
    std::string refusal;               ///< why there is no such nest; empty: there is
};

/// The body of a `pointwise` module; `operands` stand for its parameters in the order of their
/// names.
region_body read_region(const module& m, const std::vector<nest_operand>& operands,
                        const append_operator& append);

} // namespace migraphx::codegen
