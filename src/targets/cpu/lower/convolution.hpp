// SPDX-License-Identifier: MIT
// Convolutions: windows as oneDNN counts them, and the way by one matrix product.
#pragma once

#include "runtime/kernel.hpp"
#include "targets/cpu/dnnl_kernel.hpp"

#include <dnnl.hpp>

namespace migraphx::cpu {

/// Padding, strides and dilations of a convolution, by spatial axis; a dilation of 0 is dense.
struct convolution_window {
    dnnl::memory::dims kernel, stride, dilation, before, after;
};
convolution_window window_of(const problem& p);

/// Weights O, C/g, k… seen as g, O/g, C/g, k….
dnnl::memory::desc weights_desc(const shape& w, int64_t group, bool transposed);

/// Orders in which the library may see a tensor: several when it has axes of one element.
std::vector<std::pair<image_order, dnnl::memory::desc>> image_orders(const shape& s);

/// The windows as rows of a matrix (copied, unless they lie in memory as such), times the weights:
/// for shapes that the library has no vector code for.
lowered convolution_as_product(const problem& p);

/// Transposed convolutions whose windows lie side by side, as a product.
lowered transposed_convolution(const problem& p);

/// Why it declines; empty when it does not. Its activations may have any steps between pixels.
std::string transposed_refusal(const problem& p);

/// 3x3 windows with stride 1 over enough channels, by Winograd's minimal filtering; within a small
/// multiple of the direct sum's rounding error, so only with fast_math.
lowered winograd_convolution(const problem& p);

/// Why it declines; empty when it does not. Its activations may have any steps between pixels.
std::string winograd_refusal(const problem& p);

} // namespace migraphx::cpu
