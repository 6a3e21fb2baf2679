// SPDX-License-Identifier: MIT
// Images that stay in float when a network is computed in halves: those that no product on matrix
// units reads, and whose bytes are few. Narrow ones, of fewer channels than one step of such a
// product takes, are found at the ends of a network, at its largest sizes, where one rounding moves
// the most of what follows. Small ones stay in a device's cache in either type.
#pragma once

#include <migraphx/instruction_ref.hpp>

#include <unordered_set>

namespace migraphx {

struct module;

/// An image {N, C, one axis and more} of fewer than 32 channels.
bool is_narrow_image(instruction_ref ins);

/// Convolutions in float with constant weights over images that nothing else reads, and that a
/// convolution or a pointwise operator writes: depthwise ones over narrow images or small ones (at
/// most 2^21 elements), and transposed ones (heads that make a map as large as the picture) over
/// narrow images.
std::unordered_set<instruction_ref> convolutions_of_float_images(const module& m);

} // namespace migraphx
