// SPDX-License-Identifier: MIT
// Output shapes shared by the operators. Each rule takes static, range-dynamic and symbolic shapes;
// a mix of symbolic and range-dynamic ones counts as range-dynamic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <migraphx/permutation.hpp>
#include <migraphx/shape.hpp>

namespace migraphx {

/// A symbolic shape as ranges; others unchanged, tuples member by member.
shape demote_to_range(const shape& s);
/// Static and fixed-range shapes become symbolic when one is symbolic and none a true range;
/// otherwise dynamic ones make all of them range-dynamic. Static shapes alone stay static.
std::vector<shape> align_kinds(const std::vector<shape>& shapes);
/// The least shape that values of both have: equal dimensions stay, others become ranges, tensors
/// of other ranks unranked; sequences, optionals and tuples member by member. Static tensors of
/// equal dimensions become row-major. Throws for other kinds and element types.
shape joined_shape(const shape& a, const shape& b);
/// Dimensions of any shape: those of a dynamic one, fixed ones of a static one (as literals when
/// `symbolic`).
std::vector<shape::dynamic_dimension> dims_of(const shape& s, bool symbolic = false);

/// Packed in the memory order of `in`; a packed or range-dynamic `in` keeps its layout.
shape keep_permutation(const shape& in, shape::type_t t);
/// As keep_permutation, but row-major for a broadcast input (scatternd, prefix_scan, reshape).
shape keep_permutation_or_standard(const shape& in, shape::type_t t);
/// Elementwise unary rule: dynamic and scalar inputs keep their shape, broadcast ones become
/// row-major, others keep their memory order.
shape unary_shape(const shape& in, shape::type_t t);
/// Elementwise rule for any number of operands with equal dimensions (not checked for types):
/// equal packed layouts stay; else the majority order of the packed ones, else of those that are
/// not broadcast, else of all. One operand: unary_shape. `subject` names the operation in errors.
shape pointwise_shape(const std::vector<shape>& ins, shape::type_t t,
                      const std::string& subject = "pointwise");
/// Row-major with the given axes reduced to 1. Negative axes count from the end.
shape reduce_shape(const shape& in, const std::vector<std::int64_t>& axes);
/// The same with another element type (argmin, argmax).
shape reduce_shape(const shape& in, const std::vector<std::int64_t>& axes, shape::type_t t);
/// Packed with these dimensions in the majority order of the inputs (concat, binary fallback).
shape majority_shape(const std::vector<shape>& ins, shape::type_t t,
                     const std::vector<std::size_t>& lens);
shape majority_shape(const std::vector<shape>& ins, shape::type_t t,
                     const std::vector<shape::dynamic_dimension>& dims);

/// axis in [-rank, rank-1] as an index; throws for others, naming `subject`.
std::size_t normalize_axis(std::int64_t axis, std::size_t rank, const std::string& subject);
std::vector<std::size_t> normalize_axes(const std::vector<std::int64_t>& axes, std::size_t rank,
                                        const std::string& subject);

/// Axis list applied to dims and strides alike; static and symbolic keep the memory, ranges their
/// dimensions.
shape transpose_shape(const shape& in, const std::vector<std::int64_t>& perm);

/// Strides of `in` seen with other dimensions without copying; nullopt when axes cannot merge.
/// Static and symbolic shapes.
std::optional<shape> reshape_without_copy(const shape& in, const std::vector<std::size_t>& lens);
std::optional<shape> reshape_without_copy(const shape& in,
                                          const std::vector<shape::dynamic_dimension>& dims);
/// Packed with other dimensions of the same number of elements; the memory order is propagated
/// where dimensions merge and split cleanly, else row-major. Broadcast inputs give row-major.
shape reshape_shape(const shape& in, const std::vector<std::size_t>& lens);
shape reshape_shape(const shape& in, const std::vector<shape::dynamic_dimension>& dims);

} // namespace migraphx
