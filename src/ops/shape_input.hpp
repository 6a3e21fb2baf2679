// SPDX-License-Identifier: MIT
// Inputs whose values describe a shape: dimensions, axes, bounds, repeats.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/shape.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace migraphx {

constexpr std::size_t unlimited_size = std::numeric_limits<std::size_t>::max();

/// An optional input that is not there: past the end, or an `undefined`.
bool is_absent(const std::vector<shape>& in, std::size_t i);
bool is_absent(const std::vector<argument>& in, std::size_t i);

/// How many values the 1-D input `s` has. Throws unless it is static, 1-D and integral.
std::size_t shape_input_size(const shape& s, const std::string& what);
/// Its values; none when it is absent or has no elements. Throws when its data is not there.
std::vector<int64_t> read_integers(const argument& a);
/// The same for values that must not be negative.
std::vector<std::size_t> read_sizes(const argument& a, const std::string& what);

/// `rank` dimensions of unknown size.
std::vector<shape::dynamic_dimension> unknown_dims(std::size_t rank);
/// Any size up to the largest of each dimension of `s`.
std::vector<shape::dynamic_dimension> up_to_dims(const shape& s);
/// The dimensions or, for a tensor of no dimensions, the one element.
shape tensor_shape(shape::type_t t, const std::vector<std::size_t>& lens);
shape tensor_shape(shape::type_t t, const std::vector<shape::dynamic_dimension>& dims);

/// A dynamic shape of the kind of `like`: fixed dimensions become literals beside symbolic ones.
shape dynamic_shape(const shape& like, shape::type_t t, std::vector<shape::dynamic_dimension> dims);

/// Throws when the product does not fit the address space.
std::size_t checked_elements(const std::vector<std::size_t>& lens);

} // namespace migraphx
