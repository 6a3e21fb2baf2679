// SPDX-License-Identifier: MIT
// generic_float<M, E>: IEEE-like binary float of 1 sign, E exponent and M mantissa bits, stored in
// the smallest unsigned integer. Conversion from float and double rounds once, to nearest even;
// NaNs keep the payload bits that fit and become quiet. Arithmetic is done in float and rounded.
#ifndef MIGRAPHX_GUARD_GENERIC_FLOAT_HPP
#define MIGRAPHX_GUARD_GENERIC_FLOAT_HPP

#include <cstddef>
#include <cstdint>
#include <limits>
#include <migraphx/bit_cast.hpp>
#include <string_view> // std::hash
#include <type_traits>

namespace migraphx {

constexpr std::size_t integer_divide_ceil(std::size_t x, std::size_t y) {
    return x / y + (x % y != 0 ? 1 : 0);
}
constexpr std::size_t ceil_mul_of(std::size_t x, std::size_t y) {
    return y * integer_divide_ceil(x, y);
}

// The double as a float of the same sign such that a later rounding to at most 22 mantissa bits
// gives what rounding the double itself would give (round to odd).
constexpr float round_to_odd(double d) noexcept {
    if (not(d - d == 0)) // infinity or NaN
        return static_cast<float>(d);
    constexpr double top = 3.4028234663852886e38;
    if (d > top or d < -top)
        return bit_cast<float>(static_cast<std::uint32_t>(d > 0 ? 0x7f7fffff : 0xff7fffff));
    const float f = static_cast<float>(d);
    const double back = f;
    const auto bits = bit_cast<std::uint32_t>(f);
    const double size = d < 0 ? -d : d;
    const double rounded = back < 0 ? -back : back;
    if (back == d or (bits & 1u) != 0)
        return f;
    return bit_cast<float>(rounded > size ? bits - 1 : bits + 1);
}

template <unsigned MantissaSize, unsigned ExponentSize, unsigned Flags = 0>
struct generic_float {
    static_assert(MantissaSize >= 1 and MantissaSize <= 23, "mantissa does not fit in float");
    static_assert(ExponentSize >= 2 and ExponentSize <= 8, "exponent does not fit in float");
    static constexpr unsigned width = 1 + MantissaSize + ExponentSize;
    using type =
        std::conditional_t<(width <= 8), std::uint8_t,
                           std::conditional_t<(width <= 16), std::uint16_t, std::uint32_t>>;

    type bits;

    generic_float() = default;
    constexpr generic_float(float f) noexcept : bits(from_float(f)) {}
    constexpr generic_float(double d) noexcept : bits(from_float(round_to_odd(d))) {}
    template <class T, std::enable_if_t<std::is_arithmetic<T>{}, int> = 0>
    constexpr generic_float(T x) noexcept : generic_float(static_cast<double>(x)) {}

    static constexpr generic_float from_bits(type b) noexcept {
        generic_float r(0.0f);
        r.bits = b;
        return r;
    }

    constexpr float to_float() const noexcept {
        const std::uint32_t sign = static_cast<std::uint32_t>(bits >> (width - 1)) << 31;
        const std::uint32_t rest = bits & magnitude_mask;
        if constexpr (ExponentSize == 8) {
            return bit_cast<float>(sign | (rest << shift));
        } else {
            std::uint32_t r = rest << shift;
            if (rest >= exponent_mask)
                r |= 0x7f800000u | (rest > exponent_mask ? 0x00400000u : 0u);
            else if (rest < (1u << MantissaSize))
                r = bit_cast<std::uint32_t>(static_cast<float>(rest) * smallest());
            else
                r += bias_change;
            return bit_cast<float>(sign | r);
        }
    }
    constexpr operator float() const noexcept { return to_float(); }

    constexpr bool is_nan() const noexcept { return (bits & magnitude_mask) > exponent_mask; }
    constexpr bool is_inf() const noexcept { return (bits & magnitude_mask) == exponent_mask; }
    constexpr bool is_finite() const noexcept { return (bits & magnitude_mask) < exponent_mask; }

    static constexpr generic_float infinity() { return from_bits(exponent_mask); }
    static constexpr generic_float snan() {
        return from_bits(static_cast<type>(exponent_mask | (MantissaSize > 1 ? quiet >> 1 : 1u)));
    }
    static constexpr generic_float qnan() {
        return from_bits(static_cast<type>(exponent_mask | quiet));
    }
    static constexpr generic_float min() { return from_bits(type(1u << MantissaSize)); }
    static constexpr generic_float denorm_min() { return from_bits(1); }
    static constexpr generic_float max() { return from_bits(static_cast<type>(exponent_mask - 1)); }
    static constexpr generic_float lowest() {
        return from_bits(static_cast<type>((exponent_mask - 1) | (1u << (width - 1))));
    }
    static constexpr generic_float epsilon() {
        return generic_float(1.0f / static_cast<float>(1u << MantissaSize));
    }

    constexpr generic_float operator-() const noexcept {
        return from_bits(static_cast<type>(bits ^ (1u << (width - 1))));
    }
    constexpr generic_float operator+() const noexcept { return *this; }

#define MIGRAPHX_GENERIC_FLOAT_OP(op)                                                              \
    friend constexpr generic_float operator op(const generic_float& x, const generic_float& y) {   \
        return generic_float(x.to_float() op y.to_float());                                        \
    }                                                                                              \
    template <class T, std::enable_if_t<std::is_arithmetic<T>{}, int> = 0>                         \
    friend constexpr auto operator op(const generic_float& x, T y) {                               \
        return x.to_float() op y;                                                                  \
    }                                                                                              \
    template <class T, std::enable_if_t<std::is_arithmetic<T>{}, int> = 0>                         \
    friend constexpr auto operator op(T x, const generic_float& y) {                               \
        return x op y.to_float();                                                                  \
    }                                                                                              \
    constexpr generic_float& operator op##=(const generic_float& y) {                              \
        return *this = generic_float(to_float() op y.to_float());                                  \
    }
    MIGRAPHX_GENERIC_FLOAT_OP(+)
    MIGRAPHX_GENERIC_FLOAT_OP(-)
    MIGRAPHX_GENERIC_FLOAT_OP(*)
    MIGRAPHX_GENERIC_FLOAT_OP(/)
#undef MIGRAPHX_GENERIC_FLOAT_OP

#define MIGRAPHX_GENERIC_FLOAT_COMPARE(op)                                                         \
    friend constexpr bool operator op(const generic_float& x, const generic_float& y) {            \
        return x.to_float() op y.to_float();                                                       \
    }                                                                                              \
    template <class T, std::enable_if_t<std::is_arithmetic<T>{}, int> = 0>                         \
    friend constexpr bool operator op(const generic_float& x, T y) {                               \
        return x.to_float() op y;                                                                  \
    }                                                                                              \
    template <class T, std::enable_if_t<std::is_arithmetic<T>{}, int> = 0>                         \
    friend constexpr bool operator op(T x, const generic_float& y) {                               \
        return x op y.to_float();                                                                  \
    }
    MIGRAPHX_GENERIC_FLOAT_COMPARE(==)
    MIGRAPHX_GENERIC_FLOAT_COMPARE(!=)
    MIGRAPHX_GENERIC_FLOAT_COMPARE(<)
    MIGRAPHX_GENERIC_FLOAT_COMPARE(<=)
    MIGRAPHX_GENERIC_FLOAT_COMPARE(>)
    MIGRAPHX_GENERIC_FLOAT_COMPARE(>=)
#undef MIGRAPHX_GENERIC_FLOAT_COMPARE

    constexpr generic_float& operator++() {
        return *this += generic_float(1.0f);
    }
    constexpr generic_float& operator--() {
        return *this -= generic_float(1.0f);
    }
    constexpr generic_float operator++(int) {
        auto old = *this;
        ++*this;
        return old;
    }
    constexpr generic_float operator--(int) {
        auto old = *this;
        --*this;
        return old;
    }

private:
    static constexpr unsigned shift = 23 - MantissaSize;
    static constexpr int bias = (1 << (ExponentSize - 1)) - 1;
    static constexpr std::uint32_t bias_change = static_cast<std::uint32_t>(127 - bias) << 23;
    static constexpr std::uint32_t exponent_mask = ((1u << ExponentSize) - 1) << MantissaSize;
    static constexpr std::uint32_t magnitude_mask = (1u << (width - 1)) - 1;
    static constexpr std::uint32_t quiet = 1u << (MantissaSize - 1);

    // The value of the lowest denormal, 2^(1 - bias - M), as a float.
    static constexpr float smallest() {
        return bit_cast<float>(
            static_cast<std::uint32_t>(1 - bias - static_cast<int>(MantissaSize) + 127) << 23);
    }

    static constexpr type from_float(float f) noexcept {
        const auto all = bit_cast<std::uint32_t>(f);
        const std::uint32_t sign = (all >> 31) << (width - 1);
        const std::uint32_t u = all & 0x7fffffffu;
        std::uint32_t r = 0;
        if (u > 0x7f800000u) {
            r = exponent_mask | quiet | ((u >> shift) & ((1u << MantissaSize) - 1));
        } else if (ExponentSize == 8 or u >= bias_change + (1u << 23)) {
            // Rounds in place; a carry moves into the exponent. Values past the top become
            // infinity.
            constexpr std::uint32_t half_ulp = shift == 0 ? 0 : (1u << shift) / 2;
            const std::uint32_t odd = (u >> shift) & 1u;
            const std::uint32_t change = ExponentSize == 8 ? 0 : bias_change;
            r = shift == 0 ? u - change : (u - change + half_ulp - 1 + odd) >> shift;
            r = r > exponent_mask ? exponent_mask : r;
        } else {
            // Denormal: adding a number whose last mantissa bit weighs one step does the rounding.
            const std::uint32_t step = bit_cast<std::uint32_t>(smallest());
            const float magic = bit_cast<float>(step + (23u << 23));
            r = bit_cast<std::uint32_t>(bit_cast<float>(u) + magic) -
                bit_cast<std::uint32_t>(magic);
        }
        return static_cast<type>(sign | r);
    }
};

template <class Stream, unsigned M, unsigned E, unsigned F>
auto operator<<(Stream& os, const generic_float<M, E, F>& x)
    -> decltype(os << static_cast<float>(x)) {
    return os << x.to_float();
}

} // namespace migraphx

namespace std {

template <unsigned M, unsigned E, unsigned F>
class numeric_limits<migraphx::generic_float<M, E, F>> // NOLINT
{
    using type = migraphx::generic_float<M, E, F>;

public:
    static constexpr bool is_specialized = true;
    static constexpr bool is_signed = true;
    static constexpr bool is_integer = false;
    static constexpr bool is_exact = false;
    static constexpr bool has_infinity = true;
    static constexpr bool has_quiet_NaN = true;
    static constexpr bool has_signaling_NaN = true;
    static constexpr float_denorm_style has_denorm = denorm_present;
    static constexpr bool has_denorm_loss = false;
    static constexpr float_round_style round_style = round_to_nearest;
    static constexpr bool is_iec559 = true;
    static constexpr bool is_bounded = true;
    static constexpr bool is_modulo = false;
    static constexpr int digits = M + 1;
    static constexpr int digits10 = M * 30103 / 100000;
    static constexpr int max_digits10 = (M + 1) * 30103 / 100000 + 2;
    static constexpr int radix = 2;
    static constexpr int max_exponent = 1 << (E - 1);
    static constexpr int min_exponent = 3 - (1 << (E - 1));
    static constexpr int max_exponent10 = max_exponent * 30103 / 100000;
    static constexpr int min_exponent10 = min_exponent * 30103 / 100000;
    static constexpr bool traps = false;
    static constexpr bool tinyness_before = false;

    static constexpr type min() noexcept { return type::min(); }
    static constexpr type lowest() noexcept { return type::lowest(); }
    static constexpr type max() noexcept { return type::max(); }
    static constexpr type epsilon() noexcept { return type::epsilon(); }
    static constexpr type round_error() noexcept { return type(0.5f); }
    static constexpr type infinity() noexcept { return type::infinity(); }
    static constexpr type quiet_NaN() noexcept { return type::qnan(); }
    static constexpr type signaling_NaN() noexcept { return type::snan(); }
    static constexpr type denorm_min() noexcept { return type::denorm_min(); }
};

template <unsigned M, unsigned E, unsigned F, class T>
struct common_type<migraphx::generic_float<M, E, F>, T> : common_type<float, T> // NOLINT
{};
template <unsigned M, unsigned E, unsigned F, class T>
struct common_type<T, migraphx::generic_float<M, E, F>> : common_type<float, T> // NOLINT
{};
template <unsigned M, unsigned E, unsigned F>
struct common_type<migraphx::generic_float<M, E, F>, migraphx::generic_float<M, E, F>> // NOLINT
{
    using type = migraphx::generic_float<M, E, F>;
};
template <unsigned M1, unsigned E1, unsigned F1, unsigned M2, unsigned E2, unsigned F2>
struct common_type<migraphx::generic_float<M1, E1, F1>, // NOLINT
                   migraphx::generic_float<M2, E2, F2>> {
    using type = float;
};

template <unsigned M, unsigned E, unsigned F>
struct hash<migraphx::generic_float<M, E, F>> // NOLINT
{
    size_t operator()(const migraphx::generic_float<M, E, F>& x) const noexcept {
        return hash<float>{}(x.to_float());
    }
};

} // namespace std
#endif
