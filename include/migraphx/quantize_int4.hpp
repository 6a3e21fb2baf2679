// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_QUANTIZE_INT4_HPP
#define MIGRAPHX_QUANTIZE_INT4_HPP

#include <string>

namespace migraphx {

struct module;

/// Constant weights of dot and convolution as packed 4-bit integers, with a scale for each output
/// channel and block of 32 inputs (all inputs where 32 does not divide them).
struct quantize_int4_pass {
    std::string name() const { return "quantize_int4"; }
    void apply(module& m) const;
};

} // namespace migraphx
#endif
