// SPDX-License-Identifier: MIT
// Moving elements as bytes, without looking at their values: any element type, any strides.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/shape.hpp>

#include <cstdint>
#include <vector>

namespace migraphx {

/// The i-th element of `in` in logical order becomes the i-th of `out`; the dimensions may differ.
void copy_in_order(const argument& out, const argument& in);

/// For each axis, the position in the input from which each position of the output is taken.
using axis_sources = std::vector<std::vector<int64_t>>;
constexpr int64_t no_source = -1;

/// out[i, j, ...] = in[from[0][i], from[1][j], ...]; elements with a `no_source` are left alone.
/// Throws for a position outside of `in`.
void copy_by_axis(const argument& out, const argument& in, const axis_sources& from);
/// Each position from itself.
axis_sources same_positions(const std::vector<std::size_t>& lens);

/// Every element of `out` becomes a copy of the element at `element`.
void fill_elements(const argument& out, const void* element);

/// The block of `a` with these lens that begins at this multi-index.
argument block_of(const argument& a, const std::vector<std::size_t>& start,
                  const std::vector<std::size_t>& lens);

/// Calls f(memory offset) for every element of `s` in logical order.
template <class F>
void each_offset(const shape& s, F f) {
    if (s.elements() == 0)
        return;
    const auto& lens = s.lens();
    const auto& strides = s.strides();
    std::vector<std::size_t> index(lens.size(), 0);
    std::size_t offset = 0;
    for (std::size_t n = s.elements(); n > 0; --n) {
        f(offset);
        for (std::size_t d = lens.size(); d-- > 0;) {
            offset += strides[d];
            if (++index[d] < lens[d])
                break;
            offset -= strides[d] * lens[d];
            index[d] = 0;
        }
    }
}

} // namespace migraphx
