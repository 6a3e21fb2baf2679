// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_SIMPLIFY_QDQ_HPP
#define MIGRAPHX_SIMPLIFY_QDQ_HPP

#include <string>

namespace migraphx {

struct module;

/// dot and convolution of dequantised 8-bit integers as exact integer products with one factor
/// behind: quant_dot, quant_convolution.
struct simplify_qdq {
    bool fp8 = false; ///< dot of dequantised fp8 as well, as products of fp8 that give float

    std::string name() const { return "simplify_qdq"; }
    void apply(module& m) const;
};

} // namespace migraphx
#endif
