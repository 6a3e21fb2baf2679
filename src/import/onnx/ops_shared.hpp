// SPDX-License-Identifier: MIT
// Parts of operators that several families build upon.
#pragma once

#include "import/onnx/importer.hpp"

namespace migraphx::onnx {

/// Options of the convolution recipes from the attributes of a Conv.
value convolution_options(node_reader& n);
/// Images with the channels moved from the last dimension to the second, and back.
instruction_ref channels_first(node_reader& n, instruction_ref x);
instruction_ref channels_last(node_reader& n, instruction_ref x);
/// The window pooling, or the global one, that the node's attributes describe, of `x`.
instruction_ref pooling_of(node_reader& n, instruction_ref x);
instruction_ref global_pooling_of(node_reader& n, instruction_ref x);
/// An attribute of `count` sizes of at least `least`; so many of `fallback` when it is not there.
std::vector<std::size_t> window_sizes(node_reader& n, const char* name, std::size_t count,
                                      int64_t fallback, int64_t least);
/// A recipe of matrix products for operands as ONNX has them: a vector is a row on the left and a
/// column on the right. `in` has further operands of the recipe behind the two.
instruction_ref product_of(node_reader& n, const char* recipe, instructions in);
/// x as uint8 with a scale and a zero point from its range, as DynamicQuantizeLinear does: all
/// three.
instructions dynamically_quantised(node_reader& n, instruction_ref x);
/// RNN, GRU or LSTM, as `op` says, of these inputs in ONNX's order with the node's attributes.
instructions recurrent_of(node_reader& n, std::string_view op, instructions in);
/// 0, 1 … as int64, as many as dimension `axis` of `x` has.
instruction_ref count_along(node_reader& n, instruction_ref x, std::size_t axis);

/// The element type that an attribute names; `fallback` when it is not there. Throws for types that
/// the engine does not compute with.
shape::type_t type_attribute(node_reader& n, const char* name, shape::type_t fallback);
/// Sizes of 0 or more with at most `most` elements together.
std::vector<std::size_t> checked_sizes(node_reader& n, const std::vector<int64_t>& dims,
                                       std::size_t most = std::size_t{1} << 40);

/// `x` without, or with, the dimensions of one element that `axes`, values of a run, name.
instruction_ref drop_axes(node_reader& n, instruction_ref x, instruction_ref axes);
instruction_ref insert_axes(node_reader& n, instruction_ref x, instruction_ref axes);

} // namespace migraphx::onnx
