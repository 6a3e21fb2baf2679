// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_QUANT_CONVOLUTION_HPP
#define MIGRAPHX_OP_QUANT_CONVOLUTION_HPP

#include <migraphx/op/convolution.hpp>

namespace migraphx {
namespace op {

/// Attributes of `quant_convolution`: those of `convolution`.
struct quant_convolution : convolution {
    std::string name() const { return "quant_convolution"; }
};

} // namespace op
} // namespace migraphx
#endif
