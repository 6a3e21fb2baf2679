// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_REWRITE_QUANTIZATION_HPP
#define MIGRAPHX_REWRITE_QUANTIZATION_HPP

#include <string>

namespace migraphx {

struct module;

/// quantizelinear and dequantizelinear as div, nearbyint, add, clip and convert.
struct rewrite_quantization {
    std::string name() const { return "rewrite_quantization"; }
    void apply(module& m) const;
};

} // namespace migraphx
#endif
