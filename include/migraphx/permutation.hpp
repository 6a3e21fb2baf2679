// SPDX-License-Identifier: MIT
// Permutations of axes. `perm` lists source axes: result[i] = source[perm[i]]. The permutation of a
// memory layout lists the axes from the slowest to the fastest.
#ifndef MIGRAPHX_PERMUTATION_HPP
#define MIGRAPHX_PERMUTATION_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

#include <migraphx/errors.hpp>
#include <migraphx/shape.hpp>

namespace migraphx {

/// True when perm holds each of 0 .. n-1 once.
bool is_permutation_of_axes(const std::vector<std::int64_t>& perm, std::size_t n);

/// result[i] = dims[perm[i]].
template <class Vector>
Vector reorder_dims(const Vector& dims, const std::vector<std::int64_t>& perm) {
    if (!is_permutation_of_axes(perm, dims.size()))
        MIGRAPHX_THROW("reorder_dims: expected each axis once in the permutation");
    Vector result(dims);
    for (std::size_t i = 0; i < perm.size(); ++i)
        result[i] = dims[static_cast<std::size_t>(perm[i])];
    return result;
}

/// The same memory seen with its axes in another order (dims and strides both permuted).
shape reorder_shape(const shape& s, const std::vector<std::int64_t>& perm);

std::vector<std::int64_t> invert_permutation(const std::vector<std::int64_t>& perm);
std::vector<std::int64_t> identity_permutation(std::size_t n);

/// Axes sorted from the largest stride to the smallest: ties by length (larger first), then by
/// position; broadcast axes stay in place. The identity for range-dynamic shapes.
std::vector<std::int64_t> find_permutation(const shape& s);
/// The layout of most of these shapes; broadcast ones only count when there are no others.
std::vector<std::int64_t> find_permutation(const std::vector<shape>& shapes);

/// Shapes seen with the axes of their common layout in order, so that packed ones become standard.
std::vector<shape> normalize_permutation(const std::vector<shape>& shapes);

} // namespace migraphx

#endif
