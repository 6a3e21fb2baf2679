// SPDX-License-Identifier: MIT
// Constants of a graph.
#pragma once

#include "import/tf/model.hpp"

#include <migraphx/argument.hpp>

namespace migraphx::tf {

/// The elements of a tensor. `value` has one element instead of `dims` when all are equal and they
/// are many: a file states those by one number.
struct constant_tensor {
    argument value;
    std::vector<std::size_t> dims;
    bool repeated = false;
};

/// Shares the model's memory where it can; the argument must not be written. Throws for types that
/// the engine does not have and when the bytes do not fit the dimensions.
constant_tensor read_constant(const model& m, const tensor& t);

} // namespace migraphx::tf
