// SPDX-License-Identifier: MIT
// What follows a convolution or a product: a module of pointwise operators over its result, read as
// a chain of operations that libraries can do while they write it.
//
// A fused instruction ("cpu::dot": the operator with such a module) has the operator's inputs
// first, then one more for each parameter of its module but "x0", which stands for the operator's
// result; parameters bind in the order of their names.
#pragma once

#include <migraphx/module.hpp>
#include <migraphx/shape.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace migraphx {

/// Of u, the value so far, with alpha a and beta b; the last six with another operand v.
enum class post_algorithm : uint8_t {
    linear,      ///< a u + b
    relu,        ///< u > 0 ? u : a u
    clip,        ///< between a and b
    elu,         ///< u > 0 ? u : a (exp(u) - 1)
    sigmoid,     ///< 1 / (1 + exp(-u))
    tanh,        ///< tanh(u)
    sqrt,        ///< the square root
    exp,         ///< e to the u
    abs,         ///< the magnitude
    swish,       ///< u sigmoid(a u)
    hardswish,   ///< u clip(a u + b, 0, 1)
    hardsigmoid, ///< clip(a u + b, 0, 1)
    gelu_erf,    ///< u / 2 (1 + erf(u / sqrt(2)))
    gelu_tanh,   ///< u / 2 (1 + tanh(sqrt(2 / pi) (u + 0.044715 u^3)))
    add,
    sub, ///< u - v
    mul,
    div, ///< u / v
    max,
    min
};

struct post_operation {
    post_algorithm algorithm = post_algorithm::linear;
    float alpha = 0, beta = 0;
    std::string parameter = {}; ///< the module's parameter that is the other operand

    bool is_binary() const { return not parameter.empty(); }
};

/// The chain that turns the parameter `from` into the module's only result, innermost first;
/// nullopt when the module does something that post-operations cannot. `unrounded`: conversions
/// among float, half and bf16, on the way and of other operands, are left out, since all is computed
/// in float: operands are read in the types of their parameters.
std::optional<std::vector<post_operation>> as_post_operations(const module& m,
                                                              const std::string& from,
                                                              bool unrounded = false);

/// The input that the module's parameter stands for, of an instruction with so many inputs of its
/// own.
std::size_t epilogue_input(const module& m, const std::string& parameter,
                           std::size_t anchor_inputs);

/// One value for each channel, neighbours in memory, the same everywhere else.
bool is_per_channel(const shape& s, std::size_t channel_axis);

} // namespace migraphx
