// SPDX-License-Identifier: MIT
// Tensors of a model as arguments of the engine.
#pragma once

#include "import/onnx/tensor.hpp"

#include <migraphx/argument.hpp>
#include <migraphx/shape.hpp>

#include <optional>

namespace migraphx::onnx {

/// The element type of the engine; nullopt where it has none.
std::optional<shape::type_t> to_shape_type(element_type t);

/// The elements as an argument that shares the model's memory where it can; it must not be written.
/// A tensor without dims is a scalar. Elements of two or four bits are unpacked, one a byte.
/// Strings are copied. Throws for types that the engine does not have.
argument tensor_argument(const model& m, const tensor& t);
argument tensor_argument(const model& m, const sparse_tensor& t);

} // namespace migraphx::onnx
