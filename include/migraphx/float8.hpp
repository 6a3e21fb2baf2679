// SPDX-License-Identifier: MIT
// The four 8-bit floats. e4m3fn: no infinity, NaN is 0x7f/0xff. e5m2: IEEE-like. The fnuz kinds
// have no infinity and no negative zero; 0x80 is NaN and their exponent bias is one larger.
// Conversion from float rounds to nearest even and saturates at the largest finite value (infinity
// included, which the fnuz kinds turn into NaN), as ONNX Cast does by default.
#ifndef MIGRAPHX_GUARD_FLOAT8_HPP
#define MIGRAPHX_GUARD_FLOAT8_HPP

#include <cstdint>
#include <limits>
#include <migraphx/bit_cast.hpp>
#include <migraphx/generic_float.hpp>
#include <string_view> // std::hash
#include <type_traits>

namespace migraphx {
namespace fp8 {

enum class rounding_mode { standard, stochastic };

enum class f8_type { bf8 = 0, fp8 = 1 };

template <f8_type T = f8_type::fp8, bool FNUZ = true>
struct float8 {
    std::uint8_t data;

    static constexpr int mantissa_bits = T == f8_type::fp8 ? 3 : 2;
    static constexpr int exponent_bits = 7 - mantissa_bits;
    static constexpr int bias = (1 << (exponent_bits - 1)) - (FNUZ ? 0 : 1);
    // Magnitudes: the largest finite one, and what stands for NaN.
    static constexpr std::uint8_t max_code = FNUZ ? 0x7f : (T == f8_type::fp8 ? 0x7e : 0x7b);
    static constexpr std::uint8_t nan_code = FNUZ ? 0x80 : 0x7f;

    struct from_bits_t {};
    static constexpr from_bits_t from_bits() { return {}; }

    float8() = default;
    constexpr float8(std::uint8_t bits, from_bits_t) noexcept : data(bits) {}
    // `rng` supplies the random bits of stochastic rounding.
    constexpr float8(float v, rounding_mode rm = rounding_mode::standard,
                     std::uint32_t rng = 0) noexcept
        : data(encode(v, rm, rng)) {}
    constexpr float8(double v) noexcept
        : data(encode(round_to_odd(v), rounding_mode::standard, 0)) {}
    template <class U, std::enable_if_t<std::is_arithmetic<U>{}, int> = 0>
    constexpr float8(U v) noexcept : float8(static_cast<double>(v)) {}

    constexpr float to_float() const noexcept {
        constexpr std::uint32_t quiet_nan = 0x7fc00000u;
        const std::uint32_t sign = static_cast<std::uint32_t>(data & 0x80u) << 24;
        const std::uint32_t rest = data & 0x7fu;
        if (FNUZ and data == 0x80)
            return bit_cast<float>(quiet_nan);
        if (not FNUZ) {
            if (T == f8_type::fp8 and rest == 0x7f)
                return bit_cast<float>(sign | quiet_nan);
            if (T == f8_type::bf8 and rest >= 0x7c)
                return bit_cast<float>(sign | (rest == 0x7c ? 0x7f800000u : quiet_nan));
        }
        if (rest < (1u << mantissa_bits)) {
            const float magnitude = static_cast<float>(rest) * smallest();
            return bit_cast<float>(sign | bit_cast<std::uint32_t>(magnitude));
        }
        return bit_cast<float>(sign | ((rest << shift) + bias_change));
    }
    constexpr operator float() const noexcept { return to_float(); }
    constexpr explicit operator bool() const noexcept { return not is_zero(); }

    constexpr bool is_zero() const noexcept { return FNUZ ? data == 0 : (data & 0x7f) == 0; }
    constexpr bool is_nan() const noexcept {
        if (FNUZ)
            return data == 0x80;
        return T == f8_type::fp8 ? (data & 0x7f) == 0x7f : (data & 0x7f) > 0x7c;
    }
    constexpr bool is_inf() const noexcept {
        return not FNUZ and T == f8_type::bf8 and (data & 0x7f) == 0x7c;
    }

    constexpr float8 operator-() const noexcept {
        if (FNUZ and (data & 0x7f) == 0)
            return *this;
        return {static_cast<std::uint8_t>(data ^ 0x80u), from_bits()};
    }

#define MIGRAPHX_FLOAT8_OP(op)                                                                     \
    friend constexpr float8 operator op(const float8& x, const float8& y) {                        \
        return float8(x.to_float() op y.to_float());                                               \
    }                                                                                              \
    template <class U, std::enable_if_t<std::is_arithmetic<U>{}, int> = 0>                         \
    friend constexpr auto operator op(const float8& x, U y) {                                      \
        return x.to_float() op y;                                                                  \
    }                                                                                              \
    template <class U, std::enable_if_t<std::is_arithmetic<U>{}, int> = 0>                         \
    friend constexpr auto operator op(U x, const float8& y) {                                      \
        return x op y.to_float();                                                                  \
    }                                                                                              \
    constexpr float8& operator op##=(const float8& y) {                                            \
        return *this = float8(to_float() op y.to_float());                                         \
    }
    MIGRAPHX_FLOAT8_OP(+)
    MIGRAPHX_FLOAT8_OP(-)
    MIGRAPHX_FLOAT8_OP(*)
    MIGRAPHX_FLOAT8_OP(/)
#undef MIGRAPHX_FLOAT8_OP

#define MIGRAPHX_FLOAT8_COMPARE(op)                                                                \
    friend constexpr bool operator op(const float8& x, const float8& y) {                          \
        return x.to_float() op y.to_float();                                                       \
    }                                                                                              \
    template <class U, std::enable_if_t<std::is_arithmetic<U>{}, int> = 0>                         \
    friend constexpr bool operator op(const float8& x, U y) {                                      \
        return x.to_float() op y;                                                                  \
    }                                                                                              \
    template <class U, std::enable_if_t<std::is_arithmetic<U>{}, int> = 0>                         \
    friend constexpr bool operator op(U x, const float8& y) {                                      \
        return x op y.to_float();                                                                  \
    }
    MIGRAPHX_FLOAT8_COMPARE(==)
    MIGRAPHX_FLOAT8_COMPARE(!=)
    MIGRAPHX_FLOAT8_COMPARE(<)
    MIGRAPHX_FLOAT8_COMPARE(<=)
    MIGRAPHX_FLOAT8_COMPARE(>)
    MIGRAPHX_FLOAT8_COMPARE(>=)
#undef MIGRAPHX_FLOAT8_COMPARE

private:
    static constexpr unsigned shift = 23 - mantissa_bits;
    static constexpr std::uint32_t bias_change = static_cast<std::uint32_t>(127 - bias) << 23;

    static constexpr float smallest() {
        return bit_cast<float>(static_cast<std::uint32_t>(1 - bias - mantissa_bits + 127) << 23);
    }

    static constexpr std::uint8_t encode(float f, rounding_mode rm, std::uint32_t rng) noexcept {
        const auto all = bit_cast<std::uint32_t>(f);
        const std::uint32_t sign = (all >> 31) << 7;
        const std::uint32_t u = all & 0x7fffffffu;
        if (u > 0x7f800000u or (FNUZ and u == 0x7f800000u))
            return static_cast<std::uint8_t>(FNUZ ? nan_code : (sign | nan_code));
        // The wanted code is `whole` plus a fraction of `cut` bits; the carry may reach the
        // exponent.
        std::uint32_t fixed = u - bias_change;
        unsigned cut = shift;
        if (u < bias_change + (1u << 23)) {
            const std::uint32_t e = u >> 23;
            const std::uint32_t m = e == 0 ? 0 : ((u & 0x7fffffu) | 0x800000u);
            const unsigned extra = (bias_change >> 23) + 1 - e;
            cut = shift + extra;
            fixed = m;
            if (cut > 25) // below half of the smallest code
            {
                cut = 25;
                fixed = m == 0 ? 0 : 1;
            }
        }
        std::uint32_t add = rng & ((1u << cut) - 1);
        if (rm == rounding_mode::standard)
            add = (1u << (cut - 1)) - 1 + ((fixed >> cut) & 1u);
        std::uint32_t r = (fixed + add) >> cut;
        if (r > max_code or u >= 0x7f800000u)
            r = max_code;
        if (FNUZ and r == 0)
            return 0;
        return static_cast<std::uint8_t>(sign | r);
    }
};

using fp8e4m3fn = float8<f8_type::fp8, false>;
using fp8e5m2 = float8<f8_type::bf8, false>;
using fp8e4m3fnuz = float8<f8_type::fp8, true>;
using fp8e5m2fnuz = float8<f8_type::bf8, true>;

template <f8_type T, bool FNUZ>
constexpr float8<T, FNUZ> fabs(float8<T, FNUZ> v) {
    if (FNUZ and v.data == 0x80)
        return v;
    return {static_cast<std::uint8_t>(v.data & 0x7fu), float8<T, FNUZ>::from_bits()};
}

template <class Stream, f8_type T, bool FNUZ>
auto operator<<(Stream& os, const float8<T, FNUZ>& x) -> decltype(os << static_cast<float>(x)) {
    return os << x.to_float();
}

template <class T>
class numeric_limits;

template <f8_type T, bool FNUZ>
class numeric_limits<float8<T, FNUZ>> {
    using type = float8<T, FNUZ>;
    static constexpr int bits = type::mantissa_bits;
    static constexpr type code(int c) { return {static_cast<std::uint8_t>(c), type::from_bits()}; }

public:
    static constexpr bool is_specialized = true;
    static constexpr bool is_signed = true;
    static constexpr bool is_integer = false;
    static constexpr bool is_exact = false;
    static constexpr bool has_infinity = not FNUZ and T == f8_type::bf8;
    static constexpr bool has_quiet_NaN = true;
    static constexpr bool has_signaling_NaN = false;
    static constexpr std::float_denorm_style has_denorm = std::denorm_present;
    static constexpr bool has_denorm_loss = false;
    static constexpr std::float_round_style round_style = std::round_to_nearest;
    static constexpr bool is_iec559 = false;
    static constexpr bool is_bounded = true;
    static constexpr bool is_modulo = false;
    static constexpr int digits = bits + 1;
    static constexpr int digits10 = 0;
    static constexpr int max_digits10 = bits == 3 ? 3 : 2;
    static constexpr int radix = 2;
    static constexpr int min_exponent = 2 - type::bias;
    static constexpr int max_exponent = (type::max_code >> bits) - type::bias + 1;
    static constexpr int min_exponent10 = min_exponent * 30103 / 100000;
    static constexpr int max_exponent10 = max_exponent * 30103 / 100000;
    static constexpr bool traps = false;
    static constexpr bool tinyness_before = false;

    static constexpr type min() { return code(1 << bits); }
    static constexpr type lowest() { return code(0x80 | type::max_code); }
    static constexpr type max() { return code(type::max_code); }
    static constexpr type epsilon() { return type(1.0f / static_cast<float>(1 << bits)); }
    static constexpr type round_error() { return type(0.5f); }
    static constexpr type quiet_NaN() { return code(type::nan_code); }
    static constexpr type signaling_NaN() { return quiet_NaN(); }
    static constexpr type denorm_min() { return code(1); }
    // The largest finite value for the kinds that have no infinity.
    static constexpr type infinity() { return has_infinity ? code(0x7c) : max(); }
};

} // namespace fp8
} // namespace migraphx

namespace std {

template <migraphx::fp8::f8_type T, bool FNUZ>
class numeric_limits<migraphx::fp8::float8<T, FNUZ>> // NOLINT
    : public migraphx::fp8::numeric_limits<migraphx::fp8::float8<T, FNUZ>> {};

template <migraphx::fp8::f8_type T, bool FNUZ>
constexpr bool isfinite(migraphx::fp8::float8<T, FNUZ> x) // NOLINT
{
    return not x.is_nan() and not x.is_inf();
}

template <migraphx::fp8::f8_type T, bool FNUZ>
constexpr bool isnan(migraphx::fp8::float8<T, FNUZ> x) // NOLINT
{
    return x.is_nan();
}

template <migraphx::fp8::f8_type T, bool FNUZ, class U>
struct common_type<migraphx::fp8::float8<T, FNUZ>, U> : common_type<float, U> // NOLINT
{};
template <migraphx::fp8::f8_type T, bool FNUZ, class U>
struct common_type<U, migraphx::fp8::float8<T, FNUZ>> : common_type<float, U> // NOLINT
{};
template <migraphx::fp8::f8_type T, bool FNUZ>
struct common_type<migraphx::fp8::float8<T, FNUZ>, migraphx::fp8::float8<T, FNUZ>> // NOLINT
{
    using type = migraphx::fp8::float8<T, FNUZ>;
};
template <migraphx::fp8::f8_type T1, bool Z1, migraphx::fp8::f8_type T2, bool Z2>
struct common_type<migraphx::fp8::float8<T1, Z1>, migraphx::fp8::float8<T2, Z2>> // NOLINT
{
    using type = float;
};
template <migraphx::fp8::f8_type T, bool Z, unsigned M, unsigned E, unsigned F>
struct common_type<migraphx::fp8::float8<T, Z>, migraphx::generic_float<M, E, F>> // NOLINT
{
    using type = float;
};
template <migraphx::fp8::f8_type T, bool Z, unsigned M, unsigned E, unsigned F>
struct common_type<migraphx::generic_float<M, E, F>, migraphx::fp8::float8<T, Z>> // NOLINT
{
    using type = float;
};

template <migraphx::fp8::f8_type T, bool FNUZ>
struct hash<migraphx::fp8::float8<T, FNUZ>> // NOLINT
{
    size_t operator()(const migraphx::fp8::float8<T, FNUZ>& x) const noexcept {
        return hash<float>{}(x.to_float());
    }
};

} // namespace std
#endif
