// SPDX-License-Identifier: MIT
// Elements of tensors as they are stored in a model: in the raw field, in a typed field, or in
// another file.
#pragma once

#include "import/onnx/model.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace migraphx::onnx {

/// Contiguous elements in row-major order. Types below 8 bits are packed, low bits first.
struct tensor_bytes {
    element_type type = element_type::undefined;
    std::size_t elements = 0;
    std::string_view bytes;            // byte_size(type, elements) of them
    std::shared_ptr<const void> owner; // keeps the bytes where they are
    bool is_view = false;              // they lie in the model or in an external file
};

/// "float", "int4" … as in the ONNX documentation; the number itself when it is unknown.
std::string type_name(element_type t);

/// Bits of one element. Throws for strings and unknown types.
std::size_t bit_width(element_type t);

/// Bytes of n elements, the last one filled up. Throws on overflow.
std::size_t byte_size(element_type t, std::size_t n);

/// Product of the dims. Throws when a dim is negative or the product overflows.
std::size_t element_count(const tensor& t);

/// The elements of any tensor but one of strings. A view when they are stored as the result needs
/// them and start at a multiple of `alignment` (0: of the element's size), else a copy aligned to
/// 64 bytes. The pages of a mapped file behind a copy of raw elements are given back to the system.
/// Throws when the stored bytes do not match type and dims.
tensor_bytes tensor_data(const model& m, const tensor& t, std::size_t alignment = 0);

/// The elements of a tensor of strings, as views into the model.
std::vector<std::string_view> tensor_strings(const model& m, const tensor& t);

/// Elements of two or four bits, one a byte with zeros above. The result has `packed.elements`
/// bytes.
tensor_bytes unpack_bits(const tensor_bytes& packed);

/// The dense form of a sparse tensor, zero where nothing is stored. `limit` bounds its size in
/// bytes, since dims alone decide it.
tensor_bytes to_dense(const model& m, const sparse_tensor& t,
                      std::size_t limit = std::size_t{1} << 30);

} // namespace migraphx::onnx
