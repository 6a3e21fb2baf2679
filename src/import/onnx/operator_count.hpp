// SPDX-License-Identifier: MIT
// What operators a model needs: the table that a report of supported and missing operators starts
// from.
#pragma once

#include "import/onnx/model.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace migraphx::onnx {

struct operator_use {
    std::string domain; // "" for the default domain
    std::string op_type;
    std::int64_t opset = 0;
    std::size_t count = 0;
    bool is_function = false; // defined by the model itself
    std::string first;        // describe() of the first node
};

/// Operators of the main graph, of subgraphs and of the bodies of functions (each body once),
/// sorted by domain, name and opset.
std::vector<operator_use> count_operators(const model& m);

/// One line for each operator: `  12  Conv            opset 17`.
std::string to_string(const std::vector<operator_use>& uses);

} // namespace migraphx::onnx
