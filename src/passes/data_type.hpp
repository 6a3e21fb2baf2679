// SPDX-License-Identifier: MIT
// Element types of instructions: what kernels compute in, one in another type between conversions.
#pragma once

#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>
#include <migraphx/shape.hpp>

#include <set>
#include <vector>

namespace migraphx {

/// Operands of `from` are computed with as `to`.
struct type_change {
    std::set<shape::type_t> from;
    shape::type_t to;
};

/// Replaces `ins` by the same operator on converted operands; results have the type they had. False
/// where the operator has no such operand, has modules, or does not take the other type.
bool compute_in(module& m, instruction_ref ins, const type_change& change);

/// half or bf16.
bool is_short(shape::type_t t);

/// Static, and of a type whose composites are computed in float: float, half or bf16.
bool is_computed_in_float(const shape& s);

/// All instructions, in order, so that the module may be changed while they are visited.
std::vector<instruction_ref> instructions_of(module& m);

} // namespace migraphx
