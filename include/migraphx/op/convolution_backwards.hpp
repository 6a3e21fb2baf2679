// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_OP_CONVOLUTION_BACKWARDS_HPP
#define MIGRAPHX_OP_CONVOLUTION_BACKWARDS_HPP

#include <migraphx/op/convolution.hpp>

namespace migraphx {
namespace op {

/// Attributes of `convolution_backwards`: those of `convolution`.
struct convolution_backwards : convolution {
    std::string name() const { return "convolution_backwards"; }
};

} // namespace op
} // namespace migraphx
#endif
