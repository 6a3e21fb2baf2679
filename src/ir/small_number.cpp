// SPDX-License-Identifier: MIT
// Numbers of two, four or eight bits: values, codes and limits.
#include "ir/small_number.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace migraphx {

namespace {

constexpr double fp4_values[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
constexpr int power_bias = 127;
constexpr std::uint8_t power_nan = 0xff;
constexpr std::uint8_t largest_power = 0xfe;

// Nearest, ties to the even code.
std::uint8_t fp4_code(double x) {
    if (std::isnan(x))
        return 0;
    const auto magnitude = std::fabs(x);
    unsigned code = 0;
    while (code < 7) {
        const auto middle = (fp4_values[code] + fp4_values[code + 1]) / 2;
        if (magnitude < middle or (magnitude == middle and code % 2 == 0))
            break;
        ++code;
    }
    return static_cast<std::uint8_t>(code | (std::signbit(x) ? 8u : 0u));
}

[[noreturn]] void not_small(shape::type_t t) {
    fail(error_kind::invalid_argument,
         "number: a type of at most 8 bits was expected, got " + shape::name(t));
}

} // namespace

int small_integer_bits(shape::type_t t) {
    switch (t) {
    case shape::int4_type:
    case shape::uint4_type:
        return 4;
    case shape::int2_type:
    case shape::uint2_type:
        return 2;
    default:
        return 0;
    }
}

double small_value(shape::type_t t, std::uint8_t code) {
    if (const auto bits = small_integer_bits(t); bits != 0) {
        const int x = code & ((1 << bits) - 1);
        const bool is_signed = t == shape::int4_type or t == shape::int2_type;
        return is_signed and x >= 1 << (bits - 1) ? x - (1 << bits) : x;
    }
    if (t == shape::fp4_type) {
        const auto magnitude = fp4_values[code & 7u];
        return (code & 8u) != 0 ? -magnitude : magnitude;
    }
    if (t != shape::fp8e8m0_type)
        not_small(t);
    return code == power_nan ? std::numeric_limits<double>::quiet_NaN()
                             : std::ldexp(1.0, int{code} - power_bias);
}

std::uint8_t small_code(shape::type_t t, double x) {
    if (const auto bits = small_integer_bits(t); bits != 0) {
        const auto [low, high] = small_limits(t);
        const int n = std::isnan(x) ? 0 : static_cast<int>(std::clamp(x, low, high));
        return static_cast<std::uint8_t>(n & ((1 << bits) - 1));
    }
    if (t == shape::fp4_type)
        return fp4_code(x);
    return power_code(x, power_rounding::up, true);
}

std::pair<double, double> small_limits(shape::type_t t) {
    switch (t) {
    case shape::int4_type:
        return {-8, 7};
    case shape::uint4_type:
        return {0, 15};
    case shape::int2_type:
        return {-2, 1};
    case shape::uint2_type:
        return {0, 3};
    case shape::fp4_type:
        return {-6, 6};
    case shape::fp8e8m0_type:
        return {small_value(t, 0), small_value(t, largest_power)};
    default:
        not_small(t);
    }
}

std::uint8_t power_code(double x, power_rounding r, bool saturates) {
    if (std::isnan(x))
        return power_nan;
    const std::uint8_t beyond = saturates ? largest_power : power_nan;
    if (std::isinf(x))
        return beyond;
    if (x == 0)
        return saturates ? 0 : power_nan;
    int exponent = 0;
    const auto fraction = std::frexp(std::fabs(x), &exponent); // in [0.5, 1)
    auto code = exponent - 1 + power_bias;
    if (code < 0 or (code == 0 and fraction == 0.5))
        return code == 0 or saturates ? 0 : power_nan;
    // Halfway between two powers goes up, as the upper one has the even mantissa of the two.
    if ((r == power_rounding::up and fraction > 0.5) or
        (r == power_rounding::nearest and fraction >= 0.75))
        ++code;
    return code > largest_power ? beyond : static_cast<std::uint8_t>(code);
}

} // namespace migraphx
