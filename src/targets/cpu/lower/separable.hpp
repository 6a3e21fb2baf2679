// SPDX-License-Identifier: MIT
// 1x1 and depthwise convolutions by own kernels.
#pragma once

#include "runtime/kernel.hpp"
#include "runtime/weight_store.hpp"

#include <functional>
#include <memory>
#include <string>

namespace migraphx::cpu {

/// 1x1 windows, small ones and those with gaps between rows.
lowered pointwise_convolution(const problem& p);
/// Large products of windows of any kind.
lowered row_convolution(const problem& p);
/// Windows of any kind whose weights stay in a cache.
lowered window_convolution(const problem& p);
/// Windows over few channels, which may lie in planes.
lowered plane_convolution(const problem& p);
lowered depthwise_convolution(const problem& p);

/// A 1x1 convolution of x, the weights of which are `w`, is one that own kernels do.
bool is_pointwise_convolution(const operation& op, const shape& x, const shape& w, const shape& y);
/// The same for a convolution of each channel by itself.
bool is_depthwise_convolution(const operation& op, const shape& x, const shape& w, const shape& y);

/// Of an image in planes plane_convolution is faster than others are of one with channels last.
bool is_plane_convolution(const operation& op, const shape& x, const shape& w, const shape& y);

/// Own kernels do this convolution, with the strides that the problem's shapes have.
bool is_separable_convolution(const problem& p);

/// The weights of a 1x1 convolution, constant input `input`, in panels for run_gemm.
std::shared_ptr<const packed_weight> pack_pointwise(const problem& p, std::size_t input);

/// A form of constant input `input`, `count` floats that `fill` writes from it. Numbers below the
/// normal ones are zeros unless arithmetic is exact.
std::shared_ptr<const packed_weight>
packed_form(const problem& p, std::size_t input, const std::string& form, std::size_t count,
            const std::function<void(const float*, float*)>& fill);

/// A convolution of packed tensors that is better done in blocks that all caches hold, by
/// row_convolution, window_convolution or the library.
bool is_large_product(const problem& p);

/// `s` holds one factor for each channel of x.
bool is_channel_scale(const shape& s, const shape& x);

/// Own kernels interleave the channels of so many tensors of this shape.
bool can_interleave(const shape& x, std::size_t parts);

/// One kernel for a 1x1 of x and the depthwise convolution `op` with weights `w` of its result,
/// `middle`, is faster than two, by sizes.
bool fused_separable_pays(const operation& op, const shape& x, const shape& w, const shape& middle);
/// So is one for a depthwise convolution with the result `middle` and the 1x1 that reads it.
bool strips_pay(const shape& middle);

} // namespace migraphx::cpu
