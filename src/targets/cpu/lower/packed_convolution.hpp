// SPDX-License-Identifier: MIT
// What own convolution kernels with one packed weight and an epilogue of rows have in common.
#pragma once

#include "runtime/weight_store.hpp"
#include "targets/cpu/lower/row_epilogue.hpp"

#include <memory>
#include <vector>

namespace migraphx::cpu {

/// Inputs: the image, the weights (held here in their packed form), operands of the epilogue.
struct packed_convolution : kernel {
    planned_epilogue epilogue;
    std::vector<float> bias; ///< filled up to whole vectors
    std::shared_ptr<const packed_weight> weights;
    std::shared_ptr<const packed_weight> pairs; ///< for products in pairs (plan_pairs), or null

    bool reads_input(std::size_t i) const override { return i != 1 and i != epilogue.bias; }
    void add_constants(held_constants& held) const override {
        weights->add_to(held);
        if (pairs)
            pairs->add_to(held);
    }
};

} // namespace migraphx::cpu
