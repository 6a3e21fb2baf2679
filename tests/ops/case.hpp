// SPDX-License-Identifier: MIT
// One line of tests/ops/*.txt: an operator, its operands, and what is expected.
//   operator[attributes] type {lens} [strides {…}] [(values)] [in [lo, hi]] [const] … more operands
//   …
//       [mod "x = @param:x -> float_type; y = neg(x); @return(y)"] ...
//       [=> {lens} ; type {lens}] [= values ; values] [-> values ; values] [tol x]
//       [packed|static|batch|writes]
//       [!! error text]
// An operand without a type has the first one's; one without lens is a scalar; `none` is a missing
// operand. `mod` gives a module, as text with `;` between its lines. A list of types (`float,half`)
// makes one case of each, with a tolerance of each.
//   packed  the operator wants row-major operands          static  it wants dimensions that are
//   known writes  the operator writes to its operands batch   only the first dimension of the first
//   operand may be a range
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/operation.hpp>
#include <migraphx/shape.hpp>

#include <optional>
#include <string>
#include <vector>

namespace op_cases {

struct operand {
    bool missing = false;
    bool constant = false;
    migraphx::shape type; // packed or with the strides given
    std::optional<std::vector<double>> values;
    std::optional<std::pair<double, double>> range;
};

struct stated_shape {
    std::optional<migraphx::shape::type_t> type;
    std::vector<std::size_t> lens;
};

struct op_case {
    std::string text; // with one type
    std::string operation;
    std::vector<operand> operands;
    std::vector<std::string> modules; // as text
    std::vector<stated_shape> shapes;
    std::vector<std::vector<double>> results;
    std::optional<double> tolerance;
    std::string error;
    bool packed = false;
    bool fixed = false;
    bool batch = false;
    bool writes = false;
};

/// The cases of a line: one for each type. Throws std::runtime_error for a line that cannot be
/// read.
std::vector<op_case> read_cases(const std::string& line);

/// Row-major; the values given, or a function of the position of the operand.
migraphx::argument make_operand(const operand& o, std::size_t position);

} // namespace op_cases
