// SPDX-License-Identifier: MIT
// A nest: one fused region of pointwise operators as a loop nest over memory. It is what every code
// generator starts from: the interpreter here (oracle), the vectorised tile machine of the cpu
// target, and generated code. It knows nothing of modules and instructions.
//
//   for each index in dims:                       // outer to inner
//       %i = inputs[i].memory[sum(index * strides)]
//       %j = body[j](operands...)                 // in order; SSA
//       outputs[k].memory[...] = %outputs[k].reg
#pragma once

#include <migraphx/shape.hpp>

#include "codegen/fold.hpp"
#include "ops/pointwise_table.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace migraphx::codegen {

// How a value is held while computing: f32 for float, half, bf16 and fp8; f64 for double; i64 for
// integers and bool.
enum class value_class : uint8_t { f32, f64, i64 };

// Throws invalid_argument for tuple and fp4x2.
value_class class_of(shape::type_t type);
bool is_float_class(value_class c);

// Elements chosen by an integer input of the nest, as the `gather` operator does it: its value at the
// same index, times `stride` elements. Negative ones count from the end of `extent`.
struct nest_gather {
    int input = 0;
    int64_t stride = 0;
    int64_t extent = 0;

    bool operator==(const nest_gather&) const = default;
};

// Indices along a dim that are not in the tensor; fewer than the dim has.
struct nest_border {
    int64_t before = 0, after = 0;

    bool operator==(const nest_border&) const = default;
};

// A tensor as the nest walks it: one stride in elements per dim, 0 where broadcast. Inputs may be
// gathered or have a border: what a gather or a pad in front of the nest would have copied is read
// where it lies.
struct nest_access {
    shape::type_t type = shape::float_type;
    std::vector<int64_t> strides;
    std::optional<nest_gather> gathered = std::nullopt;
    std::vector<nest_border> border = {}; // one per dim, or none: index `before` is the first element
    std::array<char, 8> fill = {};        // an element, the value of the border

    bool has_border(std::size_t dim) const {
        return not border.empty() and border[dim] != nest_border{};
    }
    bool by_strides() const { return not gathered and border.empty(); }

    bool operator==(const nest_access&) const = default;
};

// Whether the element that an input gives may change along the dim.
bool moves_along(const std::vector<nest_access>& inputs, const nest_access& a, std::size_t dim);

struct nest_output {
    nest_access access;
    int reg = 0; // its type is access.type
    // In stages of row nests (row_stages.hpp) only: one value for each row of the inner dim, whose
    // stride is 0. The type is that in which the register's class is held: float, double or int64.
    std::optional<fold> how = std::nullopt;

    bool operator==(const nest_output&) const = default;
};

// A register, or an immediate of the type that the operator expects there; integers wrap to it.
struct nest_operand {
    static nest_operand reg(int number) { return {number, 0, 0}; }
    static nest_operand real(double value) {
        const bool fits = value > -0x1p63 and value < 0x1p63;
        return {-1, value, fits ? int64_t(value) : 0};
    }
    static nest_operand integer(int64_t value) { return {-1, double(value), value}; }

    bool is_reg() const { return number >= 0; }

    int number = -1;
    double real_value = 0;
    int64_t int_value = 0;

    bool operator==(const nest_operand&) const = default;
};

// `row` of the pointwise table, or null for `convert` to `type`. Operands are those of the row (an
// attribute is the last one, an immediate) and have the type of the result, except that
//   - the condition of `where` may have any type,
//   - the operand of isnan and isinf may have any type; the result is bool,
//   - the operand of `convert` may have any type: NaN gives 0 for integers, infinities stay for
//     floating point and saturate for integers, finite values out of range saturate, fractions are
//     cut off, bool is x > 0.
// Floating-point results are not rounded to `type` except by `convert` and by the stores; integer
// results wrap to `type` and bool results are 0 or 1.
struct nest_op {
    const pointwise_row* row = nullptr;
    shape::type_t type = shape::float_type;
    std::vector<nest_operand> operands;

    const char* name() const { return row != nullptr ? row->name : "convert"; }
    bool operator==(const nest_op&) const = default;
};

struct nest {
    std::vector<int64_t> dims;       // outer to inner; empty means one element
    std::vector<nest_access> inputs; // registers 0 .. inputs-1
    std::vector<nest_op> body;       // registers inputs, inputs+1, ...
    std::vector<nest_output> outputs;

    int registers() const { return int(inputs.size() + body.size()); }
    shape::type_t reg_type(int reg) const;
    int64_t elements() const;

    bool operator==(const nest&) const = default;
};

// Builds a nest in order: all inputs first, then operators, then outputs. Operators that the table
// lacks, wrong operand counts and types throw invalid_argument.
class nest_builder {
public:
    explicit nest_builder(std::vector<int64_t> dims);

    // A tensor of exactly the nest's dims; returns its register.
    int input(const shape& s);
    int input(shape::type_t type, std::vector<int64_t> strides);

    // The result type follows the operands: the first register among those that carry the value's
    // type, else `immediate_type`. Returns the result's register.
    int op(const std::string& name, std::vector<nest_operand> operands,
           shape::type_t immediate_type = shape::float_type);
    int convert(int reg, shape::type_t type);
    // As it is; `finish` checks it.
    int append(nest_op op);

    void output(const shape& s, int reg);
    void output(int reg, std::vector<int64_t> strides);

    // The finished nest, validated but not simplified.
    nest finish();

private:
    nest result;
};

// Throws internal with the reason if the nest breaks the rules above: counts, register order,
// types, negative dims, an output with stride 0 along a dim above 1 (unless there are no elements).
void validate(const nest& n);

// Same results, fewer loops: removes dead operators and identities (inputs stay, so that callers'
// pointers keep their places), drops dims of size 1, orders dims so that the innermost is the one
// nearest in memory, and merges neighbours that all accesses walk as one.
nest simplify(nest n);

// A nest of no dims as one of a dim of one element, for what walks along the innermost.
nest with_a_dim(nest n);

// For people and golden tests, one line per input, operator and output:
//   nest {4, 768}
//   %0 = load float_type {768, 1}
//   %1 = mul(%0, 0.5) float_type
//   store %1 float_type {768, 1}
std::string to_string(const nest& n);

} // namespace migraphx::codegen
