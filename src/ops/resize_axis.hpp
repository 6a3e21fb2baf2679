// SPDX-License-Identifier: MIT
// Resampling along one axis: which positions of the input an output position reads, and how much of
// each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace migraphx {

/// Coordinate in the input (of length `in`) of output position i (of length `out`). Modes:
/// half_pixel, pytorch_half_pixel, align_corners, asymmetric, tf_half_pixel_for_nn. Throws for
/// others.
float resize_coordinate(const std::string& mode, std::size_t i, float scale, std::size_t in,
                        std::size_t out);

/// Nearest position for each output position. Modes: floor, ceil, round_prefer_floor,
/// round_prefer_ceil.
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
/// Keys' kernel with parameter a; positions outside repeat the edge.
resize_taps cubic_taps(const std::string& coordinate_mode, float scale, std::size_t in,
                       std::size_t out, double a);

} // namespace migraphx
