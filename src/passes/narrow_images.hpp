// SPDX-License-Identifier: MIT
// Images of fewer channels than one step of a product on matrix units takes. They are found at the
// ends of a network, at its largest sizes, where one rounding moves the most of what follows, and
// they are small beside the images between: where no product on matrix units reads them, they may
// stay in float.
#pragma once

#include <migraphx/instruction_ref.hpp>

#include <unordered_set>

namespace migraphx {

struct module;

/// An image {N, C, one axis and more} of fewer than 32 channels.
bool is_narrow_image(instruction_ref ins);

/// Convolutions in float with constant weights over such images that nothing else reads, and that a
/// convolution or a pointwise operator writes: depthwise and transposed ones (heads that make a map
/// as large as the picture).
std::unordered_set<instruction_ref> narrow_convolutions(const module& m);

} // namespace migraphx
