// SPDX-License-Identifier: MIT
// Rows of the pointwise operators (operator reference, sections 2 to 4).
// Comparisons are exact, max/min/clip propagate NaN, integer arithmetic wraps and never traps.

#include "ops/pointwise_table.hpp"

#include <cmath>
#include <limits>

namespace migraphx {
namespace {

using row_real = const double*;
using row_int = const int64_t*;

int64_t wrap_add(int64_t a, int64_t b) {
    return int64_t(uint64_t(a) + uint64_t(b));
}
int64_t wrap_sub(int64_t a, int64_t b) {
    return int64_t(uint64_t(a) - uint64_t(b));
}
int64_t wrap_mul(int64_t a, int64_t b) {
    return int64_t(uint64_t(a) * uint64_t(b));
}

// Truncating; division by zero gives 0.
int64_t guarded_div(int64_t a, int64_t b) {
    if (b == 0)
        return 0;
    return b == -1 ? wrap_sub(0, a) : a / b;
}

int64_t guarded_rem(int64_t a, int64_t b) {
    return b == 0 or b == -1 ? 0 : a % b;
}

int64_t floored_rem(int64_t a, int64_t b) {
    const int64_t r = guarded_rem(a, b);
    return r != 0 and (r < 0) != (b < 0) ? r + b : r;
}

double floored_rem(double a, double b) {
    const double r = std::fmod(a, b);
    if (r == 0)
        return std::copysign(0.0, b);
    return (r < 0) != (b < 0) ? r + b : r;
}

int64_t integer_power(int64_t base, int64_t exponent) {
    if (exponent < 0) {
        if (base == 0)
            return std::numeric_limits<int64_t>::max();
        if (base == 1 or base == -1)
            return exponent % 2 == 0 ? 1 : base;
        return 0;
    }
    int64_t result = 1;
    for (; exponent > 0; exponent >>= 1) {
        if (exponent & 1)
            result = wrap_mul(result, base);
        base = wrap_mul(base, base);
    }
    return result;
}

double nan_max(double a, double b) {
    return std::isnan(a) or a > b ? a : b;
}
double nan_min(double a, double b) {
    return std::isnan(a) or a < b ? a : b;
}

// Half to even whatever the rounding mode is.
double round_half_even(double x) {
    const double r = std::round(x);
    if (std::fabs(x - std::trunc(x)) != 0.5)
        return r;
    return std::copysign(2 * std::round(x / 2), x);
}

double sign_of(double x) {
    return double(x > 0) - double(x < 0);
}

constexpr int64_t unchanged(row_int x) {
    return x[0];
}

// clang-format off
constexpr pointwise_row pointwise_table[] = {
    // Unary: name, summary, arity, double, int64, kernel text, tested range, ulp
    {"abs", "Magnitude", 1, [](row_real x) { return std::fabs(x[0]); },
     [](row_int x) { return x[0] < 0 ? wrap_sub(0, x[0]) : x[0]; }, "${function:abs}(${0})"},
    {"acos", "Inverse cosine", 1, [](row_real x) { return std::acos(x[0]); }, nullptr, "${function:acos}(${0})", -1, 1, 1},
    {"acosh", "Inverse hyperbolic cosine", 1, [](row_real x) { return std::acosh(x[0]); }, nullptr, "${function:acosh}(${0})", 1, 1e4, 1},
    {"asin", "Inverse sine", 1, [](row_real x) { return std::asin(x[0]); }, nullptr, "${function:asin}(${0})", -1, 1, 1},
    {"asinh", "Inverse hyperbolic sine", 1, [](row_real x) { return std::asinh(x[0]); }, nullptr, "${function:asinh}(${0})", -1e4, 1e4, 1},
    {"atan", "Inverse tangent", 1, [](row_real x) { return std::atan(x[0]); }, nullptr, "${function:atan}(${0})", -100, 100, 1},
    {"atanh", "Inverse hyperbolic tangent", 1, [](row_real x) { return std::atanh(x[0]); }, nullptr, "${function:atanh}(${0})", -1, 1, 1},
    {"cos", "Cosine", 1, [](row_real x) { return std::cos(x[0]); }, nullptr, "${function:cos}(${0})", -1000, 1000, 4},
    {"cosh", "Hyperbolic cosine", 1, [](row_real x) { return std::cosh(x[0]); }, nullptr, "${function:cosh}(${0})", -20, 20, 1},
    {"sin", "Sine", 1, [](row_real x) { return std::sin(x[0]); }, nullptr, "${function:sin}(${0})", -1000, 1000, 4},
    {"sinh", "Hyperbolic sine", 1, [](row_real x) { return std::sinh(x[0]); }, nullptr, "${function:sinh}(${0})", -20, 20, 1},
    {"tan", "Tangent", 1, [](row_real x) { return std::tan(x[0]); }, nullptr, "${function:tan}(${0})", -1000, 1000, 4},
    {"tanh", "Hyperbolic tangent", 1, [](row_real x) { return std::tanh(x[0]); }, nullptr, "${function:tanh}(${0})", -12, 12, 4},
    {"exp", "Natural exponential", 1, [](row_real x) { return std::exp(x[0]); }, nullptr, "${function:exp}(${0})", -104, 89, 2},
    {"log", "Natural logarithm", 1, [](row_real x) { return std::log(x[0]); }, nullptr, "${function:log}(${0})", 0, 1e6, 3},
    {"log2", "Base-2 logarithm", 1, [](row_real x) { return std::log2(x[0]); }, nullptr, "${function:log2}(${0})", 0, 1e6, 4},
    {"erf", "Error function", 1, [](row_real x) { return std::erf(x[0]); }, nullptr, "${function:erf}(${0})", -5, 5, 4},
    {"sqrt", "Square root", 1, [](row_real x) { return std::sqrt(x[0]); }, nullptr, "${function:sqrt}(${0})", 0, 1e6, 1},
    {"rsqrt", "Reciprocal square root", 1, [](row_real x) { return 1 / std::sqrt(x[0]); }, nullptr, "${function:rsqrt}(${0})", 0, 1e6, 2},
    {"recip", "Reciprocal", 1, [](row_real x) { return 1 / x[0]; },
     [](row_int x) { return guarded_div(1, x[0]); }, "${function:recip}(${0})", -1e6, 1e6, 1},
    {"ceil", "Smallest integer not below x", 1, [](row_real x) { return std::ceil(x[0]); }, unchanged, "${function:ceil}(${0})"},
    {"floor", "Largest integer not above x", 1, [](row_real x) { return std::floor(x[0]); }, unchanged, "${function:floor}(${0})"},
    {"nearbyint", "Nearest integer, ties to even", 1, [](row_real x) { return round_half_even(x[0]); }, unchanged, "${function:nearbyint}(${0})"},
    {"neg", "Negation", 1, [](row_real x) { return -x[0]; }, [](row_int x) { return wrap_sub(0, x[0]); }, "-${0}"},
    {"not", "Logical not, in the operand's type", 1, [](row_real x) { return x[0] == 0 ? 1.0 : 0.0; },
     [](row_int x) { return int64_t(x[0] == 0); }, "not ${0}", -1, 1},
    {"sign", "-1, 0 or 1; 0 for NaN", 1, [](row_real x) { return sign_of(x[0]); },
     [](row_int x) { return int64_t(x[0] > 0) - int64_t(x[0] < 0); }, "${function:sign}(${0})"},
    {"relu", "max(0, x)", 1, [](row_real x) { return nan_max(x[0], 0.0); },
     [](row_int x) { return x[0] > 0 ? x[0] : 0; }, "${function:max}(decltype(${0}){0}, ${0})"},
    {"sigmoid", "Logistic function 1 / (1 + exp(-x))", 1, [](row_real x) { return 1 / (1 + std::exp(-x[0])); }, nullptr,
     "1.f / (1.f + ${function:exp}(-${0}))", -80, 80, 4},
    {.name = "elu", .summary = "x above 0, alpha * (exp(x) - 1) below", .arity = 1,
     .real = [](row_real x) { return x[0] > 0 ? x[0] : x[1] * std::expm1(x[0]); }, .integer = nullptr,
     .kernel = "${function:where}(${0} > 0, ${0}, ${alpha} * ${function:expm1}(${0}))", .lo = -20, .hi = 20, .max_ulp = 4,
     .attribute = "alpha", .attribute_default = 1},
    {.name = "leaky_relu", .summary = "x above 0, alpha * x below", .arity = 1,
     .real = [](row_real x) { return x[0] > 0 ? x[0] : x[1] * x[0]; }, .integer = nullptr,
     .kernel = "${function:where}(${0} > 0, ${0}, ${alpha} * ${0})", .max_ulp = 1,
     .attribute = "alpha", .attribute_default = 0.01},
    {.name = "isinf", .summary = "True for an infinity of either sign", .arity = 1,
     .real = [](row_real x) { return std::isinf(x[0]) ? 1.0 : 0.0; }, .integer = [](row_int) { return int64_t{0}; },
     .kernel = "${function:isinf}(${0})", .bool_result = true},
    {.name = "isnan", .summary = "True for NaN", .arity = 1,
     .real = [](row_real x) { return std::isnan(x[0]) ? 1.0 : 0.0; }, .integer = [](row_int) { return int64_t{0}; },
     .kernel = "${function:isnan}(${0})", .bool_result = true},
    {"identity", "The input itself", 1, [](row_real x) { return x[0]; }, unchanged, "${0}"},

    // Binary
    {.name = "add", .summary = "Sum", .arity = 2, .real = [](row_real x) { return x[0] + x[1]; },
     .integer = [](row_int x) { return wrap_add(x[0], x[1]); }, .kernel = "${0} + ${1}", .max_ulp = 1, .commutative = true},
    {.name = "sub", .summary = "Difference", .arity = 2, .real = [](row_real x) { return x[0] - x[1]; },
     .integer = [](row_int x) { return wrap_sub(x[0], x[1]); }, .kernel = "${0} - ${1}", .max_ulp = 1},
    {.name = "mul", .summary = "Product", .arity = 2, .real = [](row_real x) { return x[0] * x[1]; },
     .integer = [](row_int x) { return wrap_mul(x[0], x[1]); }, .kernel = "${0} * ${1}", .max_ulp = 1, .commutative = true},
    {.name = "div", .summary = "Quotient; integers truncate toward zero", .arity = 2, .real = [](row_real x) { return x[0] / x[1]; },
     .integer = [](row_int x) { return guarded_div(x[0], x[1]); }, .kernel = "${0} / ${1}", .max_ulp = 1},
    {.name = "pow", .summary = "x to the power of y", .arity = 2, .real = [](row_real x) { return std::pow(x[0], x[1]); },
     .integer = [](row_int x) { return integer_power(x[0], x[1]); }, .kernel = "${function:pow}(${0}, ${1})", .lo = -12, .hi = 12, .max_ulp = 2},
    {.name = "max", .summary = "Larger of two; NaN if either is", .arity = 2, .real = [](row_real x) { return nan_max(x[0], x[1]); },
     .integer = [](row_int x) { return x[0] > x[1] ? x[0] : x[1]; }, .kernel = "${function:max}(${0}, ${1})", .commutative = true},
    {.name = "min", .summary = "Smaller of two; NaN if either is", .arity = 2, .real = [](row_real x) { return nan_min(x[0], x[1]); },
     .integer = [](row_int x) { return x[0] < x[1] ? x[0] : x[1]; }, .kernel = "${function:min}(${0}, ${1})", .commutative = true},
    {.name = "mod", .summary = "Remainder with the sign of the divisor", .arity = 2,
     .real = [](row_real x) { return floored_rem(x[0], x[1]); },
     .integer = [](row_int x) { return floored_rem(x[0], x[1]); }, .kernel = "${function:mod}(${0}, ${1})", .max_ulp = 1},
    {.name = "fmod", .summary = "Remainder with the sign of the dividend", .arity = 2,
     .real = [](row_real x) { return std::fmod(x[0], x[1]); },
     .integer = [](row_int x) { return guarded_rem(x[0], x[1]); }, .kernel = "${function:fmod}(${0}, ${1})"},
    {.name = "sqdiff", .summary = "Square of the difference", .arity = 2,
     .real = [](row_real x) { return (x[0] - x[1]) * (x[0] - x[1]); },
     .integer = [](row_int x) { return wrap_mul(wrap_sub(x[0], x[1]), wrap_sub(x[0], x[1])); },
     .kernel = "(${0} - ${1}) * (${0} - ${1})", .max_ulp = 2},
    {.name = "prelu", .summary = "x above or at 0, slope * x below", .arity = 2,
     .real = [](row_real x) { return x[0] < 0 ? x[0] * x[1] : x[0]; },
     .integer = [](row_int x) { return x[0] < 0 ? wrap_mul(x[0], x[1]) : x[0]; },
     .kernel = "(${0} < 0) ? (${0} * ${1}) : ${0}", .max_ulp = 1},
    {.name = "equal", .summary = "1 where equal; NaN equals nothing", .arity = 2, .real = [](row_real x) { return x[0] == x[1] ? 1.0 : 0.0; },
     .integer = [](row_int x) { return int64_t(x[0] == x[1]); }, .kernel = "${0} == ${1}", .lo = -2, .hi = 2, .commutative = true},
    {.name = "greater", .summary = "1 where x > y", .arity = 2, .real = [](row_real x) { return x[0] > x[1] ? 1.0 : 0.0; },
     .integer = [](row_int x) { return int64_t(x[0] > x[1]); }, .kernel = "${0} > ${1}", .lo = -2, .hi = 2},
    {.name = "less", .summary = "1 where x < y", .arity = 2, .real = [](row_real x) { return x[0] < x[1] ? 1.0 : 0.0; },
     .integer = [](row_int x) { return int64_t(x[0] < x[1]); }, .kernel = "${0} < ${1}", .lo = -2, .hi = 2},
    {.name = "logical_and", .summary = "1 where both are nonzero", .arity = 2,
     .real = [](row_real x) { return x[0] != 0 and x[1] != 0 ? 1.0 : 0.0; },
     .integer = [](row_int x) { return int64_t(x[0] != 0 and x[1] != 0); }, .kernel = "${0} and ${1}", .lo = -1, .hi = 1},
    {.name = "logical_or", .summary = "1 where either is nonzero", .arity = 2,
     .real = [](row_real x) { return x[0] != 0 or x[1] != 0 ? 1.0 : 0.0; },
     .integer = [](row_int x) { return int64_t(x[0] != 0 or x[1] != 0); }, .kernel = "${0} or ${1}", .lo = -1, .hi = 1},
    {.name = "logical_xor", .summary = "1 where one of two is nonzero", .arity = 2,
     .real = [](row_real x) { return (x[0] != 0) != (x[1] != 0) ? 1.0 : 0.0; },
     .integer = [](row_int x) { return int64_t((x[0] != 0) != (x[1] != 0)); }, .kernel = "bool(${0}) != bool(${1})", .lo = -1, .hi = 1},
    {.name = "bitwise_and", .summary = "Bitwise and of integers", .arity = 2, .real = nullptr,
     .integer = [](row_int x) { return x[0] & x[1]; }, .kernel = "${0} & ${1}", .commutative = true, .integral_only = true},

    // Ternary
    {.name = "where", .summary = "x where the condition is nonzero, else y", .arity = 3,
     .real = [](row_real x) { return x[0] != 0 ? x[1] : x[2]; },
     .integer = [](row_int x) { return x[0] != 0 ? x[1] : x[2]; }, .kernel = "${function:where}(${0}, ${1}, ${2})", .lo = -1, .hi = 1},
    {.name = "clip", .summary = "min(max(lo, x), hi)", .arity = 3,
     .real = [](row_real x) { return nan_min(nan_max(x[0], x[1]), x[2]); },
     .integer = [](row_int x) { const int64_t v = x[0] > x[1] ? x[0] : x[1]; return v < x[2] ? v : x[2]; },
     .kernel = "${function:min}(${function:max}(${1}, ${0}), ${2})"},
};
// clang-format on

} // namespace

std::span<const pointwise_row> pointwise_rows() {
    return pointwise_table;
}

const pointwise_row* find_pointwise_row(std::string_view name) {
    for (const pointwise_row& row : pointwise_table)
        if (name == row.name)
            return &row;
    return nullptr;
}

} // namespace migraphx
