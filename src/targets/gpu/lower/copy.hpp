// SPDX-License-Identifier: MIT
// Launches that move elements (device_code/move.cuh, tiles.cuh), for the lowerings of operators
// that do nothing else or begin with a copy.
#pragma once

#include "targets/gpu/lower/walk.hpp"

#include <optional>
#include <string>
#include <vector>

namespace migraphx::gpu {

/// Where each position along an axis comes from; empty: from itself. Negative: from nowhere.
using axis_source = sizes;

/// Whether elements are of 1, 2, 4 or 8 bytes; others have no address of their own.
bool is_movable(const shape& s);

/// Copies input `input` to output `output`: tensors 0 and 1 of the box. `from`: the offset of the
/// first element in the input.
generated strided_copy(const device& on, std::size_t elem, box b, std::size_t input,
                       int64_t from = 0);

/// Between shapes of equal dimensions, or of equal numbers of elements in row-major order.
generated copy_between(const device& on, const shape& from, const shape& to, std::size_t input);

/// Every element of the box's only tensor becomes `element` (its bytes).
generated fill_box(const device& on, box b, const std::vector<char>& element);

/// The first `count` words of the scratch memory become 0; of a kernel with one output.
generated fill_scratch(const device& on, int64_t count, std::size_t scratch);

/// out[i, j, ...] = in[from[0][i], from[1][j], ...], or `element` where there is no source. The
/// box's tensors are the output and the input (over the positions of the output: strides of the
/// input's axes). `element_input`: the input that holds the element, where a run gives it.
generated mapped_copy(const device& on, std::size_t elem, const box& b,
                      const std::vector<axis_source>& from, const std::vector<char>& element,
                      std::optional<std::size_t> element_input = std::nullopt);

/// A kernel of one launch.
lowered one_launch(const device_problem& p, generated g);

} // namespace migraphx::gpu
