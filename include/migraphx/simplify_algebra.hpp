// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_SIMPLIFY_ALGEBRA_HPP
#define MIGRAPHX_SIMPLIFY_ALGEBRA_HPP

#include <string>

namespace migraphx {

struct module;

/// Algebraic identities on pointwise operators.
struct simplify_algebra {
    std::string name() const { return "simplify_algebra"; }
    void apply(module& m) const;
};

} // namespace migraphx
#endif
