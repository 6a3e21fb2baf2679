// SPDX-License-Identifier: MIT
// Reductions, positions of extremes, softmax and normalizations together with the pointwise regions
// around them become one `fused_reduce`, whose kernel reads a row once: residual add + layer_norm
// (with the sum as a second result), scale + mask + softmax, mean + variance + scaling, a reduction
// of a region and a region of its result. Run after fuse_pointwise and fuse_epilogue. Where a target
// wants it, a region reads the operands of a gather or of a pad where they lie; one of pointwise
// operators becomes a `fused_reduce` without axes then.
#pragma once

#include <migraphx/instruction_ref.hpp>
#include <migraphx/operation.hpp>
#include <migraphx/shape.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace migraphx {

struct module_pass_manager;

/// What would become one instruction.
struct reduce_region {
    std::vector<std::size_t> lens;       ///< of whole tensors
    std::vector<std::size_t> axes;       ///< those that are reduced
    std::vector<instruction_ref> reads;  ///< gathers and pads that only the body uses
    std::vector<instruction_ref> body;   ///< in the module's order, the last one first in `results`
    std::vector<instruction_ref> inputs; ///< of the fused instruction
    std::vector<instruction_ref> results; ///< of whole tensors or of rows

    std::vector<std::size_t> row_lens() const; ///< reduced dimensions are 1
};

struct fuse_reduce {
    std::size_t most_inputs = 12;
    std::size_t most_results = 4;
    /// Whether regions of pointwise operators that read each other's results, which others read as
    /// well, become one `pointwise` with several results.
    bool joins_regions = false;
    /// A target's own condition; null: whatever can be fused is.
    std::function<bool(const reduce_region&)> takes = nullptr;
    /// Which gathers and pads a region reads; null: none.
    std::function<bool(const reduce_region&, instruction_ref)> reads = nullptr;
    /// Whether the target has a kernel for a fused instruction that reads such; null: always.
    std::function<bool(const operation&, const std::vector<shape>& inputs, const shape& output,
                       module& body)>
        runs = nullptr;

    std::string name() const { return "fuse_reduce"; }
    void apply(module_pass_manager& mpm) const;
};

} // namespace migraphx
