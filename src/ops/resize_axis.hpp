// SPDX-License-Identifier: MIT
// Resampling along one axis: which positions of the input an output position reads, and how much of
// each.
#pragma once

#include "ops/tensor.hpp"

#include <migraphx/operation.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace migraphx {

/// floor(scale * len). Throws for a length beyond any memory.
std::size_t resized_length(std::size_t len, float scale);

/// Coordinate in the input (of length `in`) of output position i (of length `out`). Modes:
/// half_pixel, half_pixel_symmetric, pytorch_half_pixel, align_corners, asymmetric,
/// tf_half_pixel_for_nn and tf_crop_and_resize, which sees the part [begin, end] of the input.
/// Throws for others.
float resize_coordinate(const std::string& mode, std::size_t i, float scale, std::size_t in,
                        std::size_t out, float begin = 0, float end = 1);

/// The position among `in` ones that is nearest to x. Modes: floor, ceil, round_prefer_floor,
/// round_prefer_ceil.
std::size_t nearest_position(const std::string& nearest_mode, float x, std::size_t in);

/// The same for each output position.
std::vector<int64_t> nearest_positions(const std::string& coordinate_mode,
                                       const std::string& nearest_mode, float scale, std::size_t in,
                                       std::size_t out);

/// `taps` positions and weights for each output position, one after another.
struct resize_taps {
    std::size_t taps = 0;
    std::vector<std::size_t> position;
    std::vector<double> weight;
    /// Every output position is the input position of the same number.
    bool is_identity() const;
};
resize_taps linear_taps(const std::string& coordinate_mode, float scale, std::size_t in,
                        std::size_t out);
/// Keys' cubic kernel with parameter a.
double cubic_kernel(double x, double a);
/// That kernel over four positions; those outside repeat the edge.
resize_taps cubic_taps(const std::string& coordinate_mode, float scale, std::size_t in,
                       std::size_t out, double a);
/// What becomes of one axis.
struct resampled_axis {
    std::size_t axis = 0;
    std::size_t length = 0; ///< of the result
    resize_taps taps;
    std::vector<bool> outside; ///< positions that take the extrapolation value; empty: none
};
/// The axes that `op` (resize or resample) changes, in order; the others are copied. `in`: the
/// values of all inputs but the first, whose shape is `x`.
std::vector<resampled_axis> resampled_axes(const operation& op, const shape& x, const shape& out,
                                           const std::vector<argument>& in);
/// The same for resize alone.
std::vector<resampled_axis> axes_of_resize(const operation& op, const shape& x, const shape& out,
                                           const std::vector<argument>& in);
/// `x` with `len` positions along `axis`.
numbers<double> resampled(const numbers<double>& x, std::size_t axis, std::size_t len,
                          const resize_taps& taps);

} // namespace migraphx
