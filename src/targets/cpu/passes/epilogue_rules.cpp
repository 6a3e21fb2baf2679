// SPDX-License-Identifier: MIT
// What oneDNN and the own kernels can do while they write a result.
#include "passes/post_operations.hpp"
#include "targets/cpu/passes/passes.hpp"

#include <migraphx/instruction.hpp>

#include <algorithm>

namespace migraphx::cpu {

namespace {

bool is_anchor(instruction_ref ins) {
    const auto name = ins->name();
    return (name == "convolution" or name == "dot" or name == "convolution_backwards") and
           ins->get_shape().type() == shape::float_type;
}

// Broadcast and full-size operands are fine; a transposed one would make the library fall back.
bool suits(const shape& operand, const shape& result) {
    if (operand.type() != shape::float_type or operand.lens() != result.lens())
        return false;
    for (std::size_t i = 0; i < operand.ndim(); i++)
        if (operand.lens()[i] != 1 and operand.strides()[i] != 0 and
            operand.strides()[i] != result.strides()[i]) {
            // A vector along one axis, stretched over the others, need not have the result's
            // stride.
            std::size_t used = 0;
            for (std::size_t j = 0; j < operand.ndim(); j++)
                used += operand.lens()[j] != 1 and operand.strides()[j] != 0 ? 1 : 0;
            if (used != 1 or operand.strides()[i] != 1)
                return false;
        }
    return true;
}

bool takes(const epilogue_candidate& c) {
    if (c.result.type() != shape::float_type or
        not std::all_of(c.operands.begin(), c.operands.end(),
                        [&](const auto& s) { return suits(s, c.result); }))
        return false;
    const auto chain = as_post_operations(c.body, "x0");
    return chain and chain->size() <= 8;
}

} // namespace

epilogue_rules epilogues() {
    return {"cpu", is_anchor, takes};
}

} // namespace migraphx::cpu
