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
    /// Where more rows are known to come, dense weights are faster: on an H200, 16 rows times 4096 x
    /// 4096 take 22 us, reading weights of four bits on matrix units 24, and of 64 rows 26 and 43.
    std::size_t few_rows = 8;

    std::string name() const { return "fuse_block_weights"; }
    void apply(module& m) const;
};

} // namespace migraphx
