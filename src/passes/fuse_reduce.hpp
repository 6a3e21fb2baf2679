// SPDX-License-Identifier: MIT
// Reductions, softmax and normalizations together with the pointwise regions around them become one
// `fused_reduce`, whose kernel reads a row once: residual add + layer_norm (with the sum as a second
// result), scale + mask + softmax, mean + variance + scaling, a reduction of a region and a region
// of its result. Run after fuse_pointwise and fuse_epilogue.
#pragma once

#include <cstddef>
#include <string>

namespace migraphx {

struct module_pass_manager;

struct fuse_reduce {
    std::size_t most_inputs = 12;
    std::size_t most_results = 4;

    std::string name() const { return "fuse_reduce"; }
    void apply(module_pass_manager& mpm) const;
};

} // namespace migraphx
