// SPDX-License-Identifier: MIT
// Bounds of a slice with step 1, as in NumPy: negative ones count from the end, and both are
// clipped.
#pragma once

#include <migraphx/shape.hpp>

#include <cstdint>

namespace migraphx {

struct slice_range {
    std::size_t start = 0;
    std::size_t len = 0;
};

/// The positions of a dimension of `len` that start:end selects.
slice_range slice_positions(std::size_t len, int64_t start, int64_t end);
/// How many positions start:end selects of a dimension that is not known yet. Symbolic dimensions
/// stay so when the bounds clip the same way for all their sizes.
shape::dynamic_dimension slice_dimension(const shape::dynamic_dimension& d, int64_t start,
                                         int64_t end);

} // namespace migraphx
