// SPDX-License-Identifier: MIT
// A row nest: pointwise operators and reductions over the same dims, fused. Each index of the kept
// dims has a row of elements, those of the reduced dims; a register holds a value for each element,
// or one for the row (`fold`s, and what is computed of such only).
//
//   for each index in kept:
//       %i = inputs[i], an element's or, with no stride along `reduced`, the row's
//       %j = operator(operands...)              // of elements when an operand is
//       %k = fold(how, %j)                      // over the row; of the row
//       outputs: of elements or of the row
//
// Softmax, layer normalization and the like are such nests: two or three folds, each of what
// depends on the one before it. A fold's *level* is how many folds must be done before it.
#pragma once

#include "codegen/nest.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace migraphx::codegen {

/// An operator, or with `how` a fold of its one operand; positions are int64.
struct row_op {
    nest_op op;
    std::optional<fold> how;
};

struct row_nest {
    std::vector<int64_t> kept, reduced; ///< outer to inner
    std::vector<nest_access> inputs;    ///< a stride for each of `kept`, then of `reduced`
    std::vector<row_op> body;
    std::vector<nest_output> outputs; ///< one for each row: stride 0 along `reduced`

    int registers() const { return int(inputs.size() + body.size()); }
    shape::type_t reg_type(int reg) const;
    int64_t rows() const;
    int64_t row_length() const;

    /// By register: whether it differs from element to element.
    std::vector<bool> of_elements() const;
    /// By register: the number of folds that come before it, one after the other; a fold's result
    /// has the level of its operand plus one.
    std::vector<int> levels() const;
};

/// Throws internal with the reason when registers, types, or dims do not fit together.
void validate(const row_nest& n);

/// Whether a fold gives positions of extremes.
bool has_positions(const row_nest& n);

/// Same results: dims of one element dropped, kept and reduced dims each ordered by the strides of
/// the first element input, outer to inner, and merged where all accesses walk them as one. Nests
/// with positions keep the order of `reduced`.
row_nest simplify(row_nest n);

/// The same as a nest; of nests without reduced dims and folds.
nest without_rows(const row_nest& n);

/// As that of nests; "rows {4} of {768}", "%2 = fold sum(%1) float_type".
std::string to_string(const row_nest& n);

/// Appends operators by name: what composites are made of.
class row_builder {
public:
    row_nest result;

    int input(nest_access a);
    int append(nest_op op, std::optional<fold> how = std::nullopt);
    /// A row of the pointwise table over registers and numbers, of type `type`.
    int op(const char* name, std::vector<nest_operand> operands, shape::type_t type);
    int reduce(fold how, int reg);

    /// softmax or logsoftmax of a register's rows.
    int softmax(int reg, bool log);
    /// layer_norm (`center`) or rms_norm of a register's rows; scale and bias: registers or -1.
    int norm(int reg, bool center, double epsilon, int scale, int bias);
};

} // namespace migraphx::codegen
