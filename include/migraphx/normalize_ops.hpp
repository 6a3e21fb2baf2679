// SPDX-License-Identifier: MIT
// Attributes that depend on the shape of input 0 (negative axes …) get their canonical values.
#ifndef MIGRAPHX_NORMALIZE_OPS_HPP
#define MIGRAPHX_NORMALIZE_OPS_HPP

#include <string>

namespace migraphx {

struct module;

struct normalize_ops {
    std::string name() const { return "normalize_ops"; }
    void apply(module& m) const;
};

} // namespace migraphx
#endif
