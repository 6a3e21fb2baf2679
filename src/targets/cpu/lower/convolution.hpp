// SPDX-License-Identifier: MIT
// Convolutions: windows as oneDNN counts them, and the way by one matrix product.
#pragma once

#include "runtime/kernel.hpp"

#include <dnnl.hpp>

namespace migraphx::cpu {

/// Padding, strides and dilations of a convolution, by spatial axis; a dilation of 0 is dense.
struct convolution_window {
    dnnl::memory::dims kernel, stride, dilation, before, after;
};
convolution_window window_of(const problem& p);

/// The windows as rows of a matrix (copied, unless they lie in memory as such), times the weights:
/// for shapes that the library has no vector code for.
lowered convolution_as_product(const problem& p);

} // namespace migraphx::cpu
