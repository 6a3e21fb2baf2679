// SPDX-License-Identifier: MIT
// The first layer of a network: three channels are no whole vectors, so kernels for matrix units
// gather single elements. With a fourth one of zeros, and two neighbours of a row as one position
// (whose stride is then half of it), the image has eight channels, and each tap is a copy of 16
// bytes. The operator that makes such an image also converts it and lays its channels last, which
// two operators did before.
#pragma once

#include <string>

namespace migraphx {

struct module;

namespace gpu {

/// Convolutions in half or bf16 of images with few channels, in one group, with constant weights;
/// all sizes are known.
struct fold_channels {
    std::string name() const { return "gpu::fold_channels"; }
    void apply(module& m) const;
};

} // namespace gpu

} // namespace migraphx
