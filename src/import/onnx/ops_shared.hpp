// SPDX-License-Identifier: MIT
// Parts of operators that several families build upon.
#pragma once

#include "import/onnx/importer.hpp"

namespace migraphx::onnx {

/// Options of the convolution recipes from the attributes of a Conv.
value convolution_options(node_reader& n);
/// The window pooling, or the global one, that the node's attributes describe, of `x`.
instruction_ref pooling_of(node_reader& n, instruction_ref x);
instruction_ref global_pooling_of(node_reader& n, instruction_ref x);
/// 0, 1 … as int64, as many as dimension `axis` of `x` has.
instruction_ref count_along(node_reader& n, instruction_ref x, std::size_t axis);

/// `x` without, or with, the dimensions of one element that `axes`, values of a run, name.
instruction_ref drop_axes(node_reader& n, instruction_ref x, instruction_ref axes);
instruction_ref insert_axes(node_reader& n, instruction_ref x, instruction_ref axes);

} // namespace migraphx::onnx
