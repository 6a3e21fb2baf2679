// SPDX-License-Identifier: MIT
// Scales and shifts of whole images: numbers that a shorter type does not hold. Rounded, one of
// them moves every element of the tensor the same way, which no later sum evens out; as numbers in
// a kernel's text they cost nothing in float.
#pragma once

#include <migraphx/instruction_ref.hpp>
#include <migraphx/shape.hpp>

#include <unordered_set>

namespace migraphx {

struct module;

/// `add`, `sub`, `mul` and `div` in float of a single number that `t` does not hold (but that is
/// within its range) and of what is computed from convolutions by pointwise operators and is used
/// there only.
std::unordered_set<instruction_ref> float_scales(const module& m, shape::type_t t);

} // namespace migraphx
