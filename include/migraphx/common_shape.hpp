// SPDX-License-Identifier: MIT
// Broadcasting of dimensions and promotion of element types between the operands of an operation.
#ifndef MIGRAPHX_COMMON_SHAPE_HPP
#define MIGRAPHX_COMMON_SHAPE_HPP

#include <cstddef>
#include <vector>

#include <migraphx/shape.hpp>

namespace migraphx {

/// Dimensions aligned at the right: equal ones stay, 1 gives way to the other; else it throws.
std::vector<std::size_t> compute_broadcasted_lens(std::vector<std::size_t> s0,
                                                  std::vector<std::size_t> s1);
/// The same for static shapes in any number.
std::vector<std::size_t> compute_common_lens(const std::vector<shape>& shapes);

/// The same for dimensions that are not known yet: equal ones stay, 1 gives way, else the sizes
/// that both allow; throws when there are none. Range dimensions make the result a range.
std::vector<shape::dynamic_dimension>
compute_broadcasted_dyn_dims(std::vector<shape::dynamic_dimension> dds0,
                             std::vector<shape::dynamic_dimension> dds1);
std::vector<shape::dynamic_dimension> compute_broadcasted_dyn_dims(shape s0, shape s1);
/// All inputs static or symbolic: symbolic dimensions. Any range-dynamic input: ranges.
std::vector<shape::dynamic_dimension> compute_common_dyn_dims(const std::vector<shape>& shapes);

/// Usual arithmetic promotion; half, bf16 and fp8 with a different type count as float. Throws for
/// tuple_type and fp4x2_type with another type.
shape::type_t compute_common_type(shape::type_t t1, shape::type_t t2);
/// Promotion folded from left to right.
shape::type_t compute_common_types(const std::vector<shape>& shapes);
/// Common type and common dimensions of all. All static: row-major and static, else dynamic.
shape common_shape(const std::vector<shape>& shapes);

/// The input stretched to these dimensions: its stride where the (right-aligned) dimension is
/// equal, else stride 0. Throws where neither equal nor 1.
shape make_bcast_shape(const shape& input_shape, const std::vector<std::size_t>& bcast_lens);
/// A static or symbolic input with dimensions that are symbolic or fixed gives a symbolic shape
/// with a layout, other combinations a range-dynamic one.
shape make_bcast_shape(const shape& input_shape,
                       const std::vector<shape::dynamic_dimension>& bcast_dyn_dims);

} // namespace migraphx

#endif
