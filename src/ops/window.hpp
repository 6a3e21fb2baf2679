// SPDX-License-Identifier: MIT
// Sliding windows of convolutions and poolings: paddings and the number of positions.
#pragma once

#include <migraphx/op/common.hpp>
#include <migraphx/shape.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace migraphx {

/// A window along one dimension. Positions are multiples of `stride` from `-before` on; a position
/// has `kernel` taps, `dilation` apart.
struct window {
    std::size_t kernel = 1;
    std::size_t stride = 1;
    std::size_t dilation = 1;
    std::size_t before = 0;
    std::size_t after = 0;
    /// The last position may hang over the padding after the data, but not start in it.
    bool ceil = false;
    /// Paddings follow from the length of the data.
    op::padding_mode_t mode = op::default_;

    /// From the first tap to the last one.
    std::size_t extent() const { return dilation * (kernel - 1) + 1; }
    /// Paddings before and after data of this length.
    std::pair<std::size_t, std::size_t> padding(std::size_t length) const;
    /// Number of positions; 0 when the window does not fit.
    std::size_t positions(std::size_t length) const;
    /// The same for a dimension that is not known yet.
    shape::dynamic_dimension positions(const shape::dynamic_dimension& length) const;
    /// The same with other taps than `kernel`, which may not be known yet either.
    shape::dynamic_dimension positions(const shape::dynamic_dimension& length,
                                       const shape::dynamic_dimension& taps) const;
};

/// Paddings with which ceil(length / stride) positions fit; the odd one before (same_lower) or
/// after (same_upper).
std::pair<std::size_t, std::size_t> same_padding(std::size_t length, std::size_t stride,
                                                 std::size_t extent, op::padding_mode_t mode);

/// One window for each spatial dimension. `padding` has one or two values for each (begins, ends);
/// it is ignored unless `mode` is default_. Throws for wrong numbers of values, for zero strides,
/// dilations and kernels; `subject` names what has the kernel lengths.
std::vector<window> make_windows(const std::vector<std::size_t>& kernel,
                                 const std::vector<std::size_t>& padding,
                                 const std::vector<std::size_t>& stride,
                                 const std::vector<std::size_t>& dilation, op::padding_mode_t mode,
                                 const char* subject);

/// Other dimensions in the memory order of `like`; static when `like` and all dimensions are.
shape shape_in_order_of(const shape& like, shape::type_t t,
                        const std::vector<shape::dynamic_dimension>& dims);

} // namespace migraphx
