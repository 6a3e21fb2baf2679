// SPDX-License-Identifier: MIT
// Shapes as kernels walk them: signed numbers of elements, tuples as their leaves.
#pragma once

#include <migraphx/shape.hpp>

#include <cstdint>
#include <vector>

namespace migraphx {

using sizes = std::vector<int64_t>;

sizes lens_of(const shape& s);
/// Axes of one element get stride 0, like broadcast ones.
sizes strides_of(const shape& s);
sizes row_major_strides(const sizes& lens);
/// Row-major without gaps; axes of one element do not count.
bool is_dense(const shape& s);

/// Bytes from the first element to the last.
std::size_t span_bytes(const shape& s);
/// The tensors of a tuple, in order, or the tensor itself.
std::vector<shape> leaves_of(const shape& s);
std::vector<shape> leaves_of(const std::vector<shape>& shapes);

} // namespace migraphx
