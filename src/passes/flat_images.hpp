// SPDX-License-Identifier: MIT
// What a network makes of images without content: every input 0 everywhere. Far from borders each
// image in it is one number for each channel then, which follows from weights and biases alone.
//
// Rounding weights w to w' moves a channel by the sum of (w' - w) x over its inputs x. Most of it
// is the same for all positions and all images, since activations are far from 0 on average; what
// it is for flat images can be taken off the bias for good ("bias correction", Nagel et al.,
// Data-Free Quantization Through Weight Equalization and Bias Correction, arXiv:1906.04721, there
// with the means that batch normalizations know).
#pragma once

#include "passes/channel_numbers.hpp"

#include <migraphx/argument.hpp>
#include <migraphx/instruction_ref.hpp>

#include <cstddef>
#include <unordered_map>
#include <vector>

namespace migraphx {

struct module;

/// One number for each channel.
using flat_image = channel_list;

/// Of images {N, C, …}, and of their means, those that are computed from inputs of three axes and
/// more by convolutions with constant weights, pooling, resizing, joining of channels and pointwise
/// operators with constants of channels.
std::unordered_map<instruction_ref, flat_image> flat_images(const module& m);

/// A convolution's result for a flat image; `weights` {outputs, channels / groups, window …}.
flat_image flat_sums(const argument& weights, std::size_t groups, const flat_image& x);

/// What the result loses where a convolution with `weights` has `rounded` ones, of any type.
flat_image lost_by_rounding(const argument& weights, const argument& rounded, std::size_t groups,
                            const flat_image& x);

} // namespace migraphx
