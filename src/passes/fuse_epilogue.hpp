// SPDX-License-Identifier: MIT
// A pointwise region that follows a convolution or a product, and that the target's library can do
// while it writes the result, becomes part of it: an operator "target::anchor" of
// ops/with_epilogue.hpp. Run after fuse_pointwise.
#pragma once

#include <migraphx/instruction_ref.hpp>
#include <migraphx/shape.hpp>

#include <string>
#include <vector>

namespace migraphx {

struct module;
struct module_pass_manager;

/// What would become one instruction.
struct epilogue_candidate {
    instruction_ref anchor, region;     ///< the region uses the anchor
    const module& body;                 ///< its parameter "x0" is the anchor's result
    const std::vector<shape>& operands; ///< of "x1", "x2", …
    const shape& result;
};

/// A target's answers.
struct epilogue_rules {
    std::string target; ///< as in "cpu::dot"
    bool (*is_anchor)(instruction_ref ins) = nullptr;
    bool (*takes)(const epilogue_candidate& c) = nullptr;
};

struct fuse_epilogue {
    epilogue_rules by;
    std::string name() const { return by.target + "::fuse_epilogue"; }
    void apply(module_pass_manager& mpm) const;
};

} // namespace migraphx
