// SPDX-License-Identifier: MIT
// Products with dequantised constant weights become block_dot, which reads them as they are: a
// quarter or half of the memory and of the traffic of dense ones.
#pragma once

#include <cstddef>
#include <string>

namespace migraphx {

struct module;

/// Run after simplify_qdq (which takes what is quantised on both sides) and before
/// propagate_constant, which would make the weights dense.
struct fuse_block_weights {
    /// Where more rows are known to come, dense weights are as fast.
    std::size_t few_rows = 8;
    /// Of half or bf16, with weights of four bits: matrix units multiply those.
    std::size_t few_short_rows = 64;

    std::string name() const { return "fuse_block_weights"; }
    void apply(module& m) const;
};

} // namespace migraphx
