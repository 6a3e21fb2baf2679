// SPDX-License-Identifier: MIT
// Products of one tensor with several constant matrices, as the projections of attention, become
// one with the matrices side by side.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace migraphx {

struct module;

/// Only where what follows reads slices as well as whole tensors: views that lead to `readers`.
struct merge_products {
    /// Weights of all products of a merge: what a copy of them costs in memory and compile time
    /// must be worth it. Measured on two threads of a cpu: 25% at 16 rows of 256 x 256, 13% at 8 of
    /// 768 x 768, 5% at one row, 3% at 128 rows.
    std::size_t few_rows = 64, most_weights = std::size_t(1) << 20,
                most_weights_of_few_rows = std::size_t(1) << 22;
    std::vector<std::string> readers = {"attention", "rotary"};

    std::string name() const { return "merge_products"; }
    void apply(module& m) const;
};

} // namespace migraphx
