// SPDX-License-Identifier: MIT
// Matrix products of the reference evaluation: tiles are converted once and multiplied as double
// or, for integers, modulo 2^64.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/shape.hpp>

#include <cstdint>
#include <functional>

namespace migraphx {

/// acc[m, n] += a[m, k] * b[k, n], rows `lda`, `ldb` and `ldc` elements apart.
template <class T>
void multiply_add(T* acc, std::size_t ldc, const T* a, std::size_t lda, const T* b, std::size_t ldb,
                  std::size_t m, std::size_t n, std::size_t k);

/// Loads `count` elements of an operand from logical element `first` on.
template <class T>
using matrix_loader = std::function<void(std::size_t first, std::size_t count, T* to)>;

/// out[..., m, n] = sum over k of a[..., m, k] * b[..., k, n] for equal leading dimensions, tile by
/// tile on several threads. The elements come from `a` and `b`.
template <class T>
void matrix_product(const argument& out, std::size_t k, const matrix_loader<T>& a,
                    const matrix_loader<T>& b);

/// Output of a product of matrices in the last two of at least two dimensions; leading dimensions
/// must be equal (for dynamic ones: have sizes in common). Row-major.
shape matrix_product_shape(const shape& a, const shape& b, shape::type_t t);

} // namespace migraphx
