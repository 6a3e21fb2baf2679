// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_SIMPLIFY_RESHAPES_HPP
#define MIGRAPHX_SIMPLIFY_RESHAPES_HPP

#include <string>

namespace migraphx {

struct module;

/// Chains of views and copies that do nothing, or that one of them does alone.
struct simplify_reshapes {
    bool enable_op_shape_transform_op = false;
    bool enable_gather_rewrite = false;
    std::string name() const { return "simplify_reshapes"; }
    void apply(module& m) const;
};

} // namespace migraphx
#endif
