// SPDX-License-Identifier: MIT
// Convolutions in float of data that were halves (or bf16), with constant weights and windows of
// one position, read the halves themselves: their result is of the data's type then. For targets
// whose kernels take float weights beside them, as two numbers of the data's type; that costs a
// second product, so with `rounds_weights` the weights are of the data's type as well, and what
// flat images lose by it is added to the channels (passes/flat_images.hpp).
//
// Every reader of halves in float converts them itself, so that halves are stored.
#pragma once

#include <string>

namespace migraphx {

struct module;

struct half_data {
    bool rounds_weights = false;
    std::string name() const { return "half_data"; }
    void apply(module& m) const;
};

} // namespace migraphx
