// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_FUSE_POINTWISE_HPP
#define MIGRAPHX_FUSE_POINTWISE_HPP

#include <string>

namespace migraphx {

struct module_pass_manager;

/// Turns regions of pointwise operators into single `pointwise` instructions with a module each.
struct fuse_pointwise {
    std::string name() const { return "fuse_pointwise"; }
    void apply(module_pass_manager& mpm) const;
};

} // namespace migraphx
#endif
