// SPDX-License-Identifier: MIT
// The epilogue of a fused instruction as the kernels with row tiles do it.
#pragma once

#include "runtime/kernel.hpp"
#include "targets/cpu/kernels/row_epilogue.hpp"

#include <optional>
#include <string>
#include <vector>

namespace migraphx::cpu {

/// A row_epilogue without addresses, and the inputs that they are taken from.
struct planned_epilogue {
    row_epilogue steps{};
    std::vector<std::size_t> operands; ///< inputs, of the steps that have one, in their order
    std::optional<std::size_t> bias;   ///< input; constant for images

    /// With the addresses of a run.
    row_epilogue bound(const kernel_args& args, const float* bias_values) const;
    /// The bias, filled up with zeros to so many values.
    std::vector<float> bias_values(const problem& p, std::size_t count) const;
    bool has_operands() const { return not operands.empty(); }
    /// No step tells images apart: their rows may count as those of one.
    bool merges_images(int64_t rows) const;
};

/// A literal or a view of one: a constant when the instruction is lowered.
bool is_literal(instruction_ref ins);

/// The inputs of an instruction, before or while it is lowered.
struct given_inputs {
    std::vector<shape> shapes;
    std::vector<bool> constant;
};
given_inputs inputs_of(const problem& p);
given_inputs inputs_of(instruction_ref ins);

/// The module `body` on a result of shape `out` (N, C, positions…); its parameters but "x0" are the
/// inputs from `first_operand` on. None, with a reason, when a step has no such form.
std::optional<planned_epilogue> plan_row_epilogue(const given_inputs& in, const module* body,
                                                  std::size_t first_operand, const shape& out,
                                                  std::string& reason);
/// The same on a product: rows are all axes but the last, as one; a bias need not be constant.
std::optional<planned_epilogue> plan_product_epilogue(const given_inputs& in, const module* body,
                                                      std::size_t first_operand, const shape& out,
                                                      std::string& reason);

} // namespace migraphx::cpu
