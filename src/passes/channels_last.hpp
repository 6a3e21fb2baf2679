// SPDX-License-Identifier: MIT
// Activations of convolutions lie channels last; what follows keeps that order, since a result lies
// as its operands do. Once for each input, so between convolutions nothing is copied.
#pragma once

#include <migraphx/instruction_ref.hpp>
#include <migraphx/shape.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace migraphx {

struct module;

/// A target's answers. All shapes are concrete when they are asked for.
struct channels_last_rules {
    std::string target; ///< as in "cpu::channels_last"
    /// Images of this type are to lie channels last.
    bool (*takes)(shape::type_t type) = nullptr;
    /// Whether the convolution reads its image as well where it is. Null: no.
    bool (*reads_in_place)(instruction_ref convolution) = nullptr;
    /// A reshape for which the target has an operator of its own: replaces it. Null: none.
    bool (*rewrites)(module& m, instruction_ref reshape) = nullptr;
};

struct channels_last {
    channels_last_rules by;
    std::string name() const { return by.target + "::channels_last"; }
    void apply(module& m) const;
};

/// Batch, spatial axes, channels.
std::vector<int64_t> channels_last_order(std::size_t rank);

} // namespace migraphx
