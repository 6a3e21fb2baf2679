// SPDX-License-Identifier: MIT
// Derivatives of instructions.
#pragma once

#include "import/onnx/importer.hpp"

#include <unordered_map>
#include <unordered_set>

namespace migraphx::onnx {

constexpr auto training_domain = "ai.onnx.preview.training";

/// The derivatives of one value by those that it is computed from, collected from its end on.
class gradients {
public:
    explicit gradients(node_reader& reader) : n(reader) {}
    /// Starts at this value, whose derivative by itself is 1.
    void begin(instruction_ref y);
    /// Adds to the derivatives by the operands of `ins` that are in `wanted`; to be called for all
    /// users of an instruction before the instruction itself. Throws for operators whose derivative
    /// is not known.
    void propagate(instruction_ref ins, const std::unordered_set<instruction_ref>& wanted);
    /// The derivative by `x`: 0 when nothing came there.
    instruction_ref of(instruction_ref x);

private:
    using optional_instruction = std::optional<instruction_ref>;
    // The derivative by operand i, given that by the result; nullopt when it is 0.
    optional_instruction by_operand(instruction_ref ins, std::size_t i, instruction_ref g);
    optional_instruction by_unary(instruction_ref ins, instruction_ref g, bool& known);
    optional_instruction by_binary(instruction_ref ins, std::size_t i, instruction_ref g,
                                   bool& known);
    optional_instruction by_view(instruction_ref ins, std::size_t i, instruction_ref g,
                                 bool& known);
    optional_instruction by_reduction(instruction_ref ins, std::size_t i, instruction_ref g,
                                      bool& known);

    instruction_ref times(instruction_ref a, instruction_ref b) { return n.add("mul", a, b); }
    instruction_ref plus(instruction_ref a, double v) { return n.with_number("add", a, v); }
    instruction_ref scaled(instruction_ref a, double v) { return n.with_number("mul", a, v); }
    // g where the comparison of a and b holds, else 0.
    instruction_ref where(const char* op, instruction_ref a, instruction_ref b, instruction_ref g);
    instruction_ref with_lens_of(instruction_ref g, instruction_ref x);

    node_reader& n;
    std::unordered_map<instruction_ref, instruction_ref> found;
};

} // namespace migraphx::onnx
