// SPDX-License-Identifier: MIT
// Runs a nest one element at a time in double and int64: the oracle of every other way to run it.
#pragma once

#include "codegen/row_nest.hpp"

#include <span>

namespace migraphx::codegen {

// A value in flight. `real` counts for the floating-point classes, `integer` for i64.
struct scalar_value {
    double real = 0;
    int64_t integer = 0;
};

// Reads and writes one element of a type; writing rounds once, wraps integers, stores bool as 0
// or 1.
scalar_value load_scalar(shape::type_t type, const void* p);
void store_scalar(shape::type_t type, void* p, const scalar_value& v);

// The value after the `convert` operator, as nest_op describes it.
scalar_value convert_scalar(shape::type_t from, const scalar_value& v, shape::type_t to);

// An integer wrapped to the width of an integer type; 0 or 1 for bool.
int64_t wrap_integer(shape::type_t type, int64_t v);

// inputs[i] and outputs[k] point at the element of index 0 of each access. An output may be the
// very memory of an input that has the same strides and type.
void interpret(const row_nest& n, std::span<const void* const> inputs,
               std::span<void* const> outputs);
void interpret(const nest& n, std::span<const void* const> inputs, std::span<void* const> outputs);

} // namespace migraphx::codegen
