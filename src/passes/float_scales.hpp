// SPDX-License-Identifier: MIT
// Scales and shifts of whole images or channels: numbers that a shorter type does not hold (biases
// above all) and gates. Rounded, one of them moves all of its elements the same way, which no later
// sum evens out; a kernel that stores its result as halves reads them in float at no cost.
#pragma once

#include <migraphx/instruction_ref.hpp>
#include <migraphx/shape.hpp>

#include <unordered_set>

namespace migraphx {

struct module;

/// Pointwise operators in float that stay so although their data are of type `t`: arithmetic of
/// constants, one for all or one for each channel, that `t` does not hold (but that are within its
/// range) and of what is computed from convolutions by pointwise operators and used there only;
/// what combines one of `gates` with other data; all readers of such a result, if they are
/// pointwise too. With the operators that stretch those numbers and gates.
std::unordered_set<instruction_ref> float_scales(const module& m, shape::type_t t,
                                                 const std::unordered_set<instruction_ref>& gates);

/// Kernels that compute `ins` go on with what it gives: nothing else reads it.
bool has_pointwise_readers(instruction_ref ins);

} // namespace migraphx
