// SPDX-License-Identifier: MIT
// The table of pointwise operators: one row feeds the reference, code generation for every target
// and the accuracy test.
#pragma once

#include <migraphx/shape.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace migraphx {

// An operator of one value per element. Operands are `arity` tensor elements, in input order,
// followed by the value of the attribute if the row names one.
struct pointwise_row {
    const char* name;
    const char* summary;
    int arity;
    double (*real)(const double*);      // for floating-point element types
    int64_t (*integer)(const int64_t*); // for integers and bool; null: `real`, cast back
    const char* kernel;                 // C expression: ${0} ${1} operands, ${function:f} calls,
                                        // ${attribute} the attribute's value
    double lo = -100, hi = 100;         // operand range of the accuracy test
    double max_ulp = 0;                 // largest error of a vector form in float, in this range
    bool commutative = false;
    bool bool_result = false;        // result is bool_type instead of the operand's type
    bool integral_only = false;      // floating-point operands are refused
    const char* attribute = nullptr; // name of a float attribute
    double attribute_default = 0;

    int operands() const { return arity + (attribute != nullptr ? 1 : 0); }
};

// All rows, in the order of the operator reference; `convert`, which changes the type, is no row.
std::span<const pointwise_row> pointwise_rows();

// The row of that name, or null.
const pointwise_row* find_pointwise_row(std::string_view name);

// Evaluates a row for `arity` operands of an integer type or bool, those of uint64 as their two's
// complement: `integer` if there is one, else `real` with the result truncated toward zero (NaN
// gives 0, out of range saturates).
int64_t evaluate_integer(const pointwise_row& row, shape::type_t type, const int64_t* operands,
                         double attribute = 0);

// Are the results for uint64 others than those for the same bits as int64?
bool differs_for_unsigned(const pointwise_row& row);

} // namespace migraphx
