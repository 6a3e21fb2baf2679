// SPDX-License-Identifier: MIT
// Windows of convolutions as rows of a product, for the kernels that take them so.
#pragma once

#include "runtime/kernel.hpp"
#include "targets/cpu/kernels/gemm.hpp"

#include <optional>
#include <vector>

namespace migraphx::cpu {

/// The windows of a convolution of images whose channels are neighbours, in one group; one spatial
/// axis counts as a row. None for others.
std::optional<gemm_windows> windows_of(const problem& p);
/// The same where only the result's channels need be neighbours.
std::optional<gemm_windows> windows_of_planes(const problem& p);

/// Of the places that windows cover, the share that is no padding.
double share_inside(const problem& p, const gemm_windows& w);

/// Weights O, C, k… as outputs x (places of the window, then channels).
std::vector<float> weights_by_place(const float* from, const shape& s);

} // namespace migraphx::cpu
