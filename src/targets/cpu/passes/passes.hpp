// SPDX-License-Identifier: MIT
// Passes of the cpu target; all shapes are concrete when they run.
#pragma once

#include "passes/channels_last.hpp"
#include "passes/fuse_epilogue.hpp"
#include "passes/fuse_reduce.hpp"

#include <string>

namespace migraphx {
struct module;
struct module_pass_manager;
} // namespace migraphx

namespace migraphx::cpu {

/// For the passes `channels_last` and `fuse_epilogue`.
channels_last_rules layouts();
epilogue_rules epilogues();

/// The pass `fuse_reduce` for regions that one kernel does in less time than several.
fuse_reduce reduce_fusion();

/// A convolution of few channels reads its image in the order it has.
struct fuse_layout {
    std::string name() const { return "cpu::fuse_layout"; }
    void apply(module_pass_manager& mpm) const;
};

/// A 1x1 convolution that only a depthwise one reads becomes part of it where that is faster.
struct fuse_depthwise {
    std::string name() const { return "cpu::fuse_depthwise"; }
    void apply(module_pass_manager& mpm) const;
};

/// A product with values for each channel, shifted and rectified or not, becomes part of the 1x1
/// convolution that reads it (squeeze and excite; normalisation before a convolution).
struct fuse_channel_scale {
    std::string name() const { return "cpu::fuse_channel_scale"; }
    void apply(module_pass_manager& mpm) const;
};

/// Operators on half and bf16 compute in float.
struct half_in_float {
    std::string name() const { return "cpu::half_in_float"; }
    void apply(module& m) const;
};

/// Integer products as float ones in exact parts, for machines without int8 products.
struct int8_in_float {
    std::string name() const { return "cpu::int8_in_float"; }
    void apply(module& m) const;
};

} // namespace migraphx::cpu
