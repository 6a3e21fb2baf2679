// SPDX-License-Identifier: MIT
// Convolutions in float of data that were halves (or bf16), with constant weights and windows of
// one position, read the halves themselves: their result is of the data's type then. For targets
// whose kernels take float weights beside them, as two numbers of the data's type. That costs a
// second product, which shows where results are small and kernels wait more than they move: weights
// of results of few positions may be rounded to the data's type, and what flat images lose by it is
// added to the channels (passes/flat_images.hpp).
//
// Every reader of halves in float converts them itself, so that halves are stored.
#pragma once

#include <cstddef>
#include <string>

namespace migraphx {

struct module;

struct half_data {
    /// Weights of results of at most so many positions, of all images together, are rounded.
    std::size_t rounded_positions = 0;
    std::string name() const { return "half_data"; }
    void apply(module& m) const;
};

} // namespace migraphx
