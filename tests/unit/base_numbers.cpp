// SPDX-License-Identifier: MIT
// half, bf16 and the 8-bit floats: every code, and rounding against arithmetic on doubles.
#include "base/convert.hpp"

#include <bitset>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <migraphx/bf16.hpp>
#include <migraphx/float8.hpp>
#include <migraphx/half.hpp>
#include <random>
#include <vector>

namespace {

using migraphx::bf16;
using migraphx::bit_cast;
using migraphx::half;
namespace fp8 = migraphx::fp8;

// The value of a code by the definition of the format: sign, exponent, mantissa.
double by_definition(unsigned code, int mantissa, int exponent, int bias) {
    const unsigned sign = (code >> (mantissa + exponent)) & 1u;
    const int e = static_cast<int>((code >> mantissa) & ((1u << exponent) - 1));
    const double m = code & ((1u << mantissa) - 1);
    const double size = e == 0 ? std::ldexp(m, 1 - bias - mantissa)
                               : std::ldexp(m + std::ldexp(1.0, mantissa), e - bias - mantissa);
    return sign != 0 ? -size : size;
}

template <class T>
void check_ieee_codes(int mantissa, int exponent) {
    const int bias = (1 << (exponent - 1)) - 1;
    const unsigned top = ((1u << exponent) - 1) << mantissa;
    const unsigned quiet = 1u << (mantissa - 1);
    for (unsigned code = 0; code < 65536; ++code) {
        const auto x = T::from_bits(static_cast<std::uint16_t>(code));
        const unsigned rest = code & 0x7fff;
        const float f = x;
        const unsigned back = T(f).bits;
        const unsigned again = T(static_cast<double>(f)).bits;
        ASSERT_EQ(std::signbit(f), code >= 0x8000) << code;
        if (rest > top) {
            ASSERT_TRUE(std::isnan(f) and x.is_nan()) << code;
            ASSERT_EQ(back, code | quiet) << code;
            ASSERT_EQ(again, code | quiet) << code;
            continue;
        }
        ASSERT_EQ(back, code);
        ASSERT_EQ(again, code);
        ASSERT_EQ(std::isinf(f), rest == top);
        ASSERT_EQ(x.is_inf(), rest == top);
        if (rest < top) {
            ASSERT_EQ(static_cast<double>(f), by_definition(code, mantissa, exponent, bias))
                << code;
        }
    }
}

// Between neighbours a < b of the format: just below, at and just above the middle.
template <class T>
void check_ieee_rounding() {
    const unsigned top = std::numeric_limits<T>::infinity().bits;
    for (unsigned code = 0; code < top; ++code) {
        const double a = T::from_bits(static_cast<std::uint16_t>(code)).to_float();
        const double b = code + 1 == top
                             ? std::ldexp(1.0, std::numeric_limits<T>::max_exponent)
                             : T::from_bits(static_cast<std::uint16_t>(code + 1)).to_float();
        const double middle = (a + b) / 2;
        const unsigned even = code % 2 == 0 ? code : code + 1;
        ASSERT_EQ(T(middle).bits, even) << code;
        ASSERT_EQ(T(std::nextafter(middle, a)).bits, code) << code;
        ASSERT_EQ(T(std::nextafter(middle, b)).bits, code + 1) << code;
        ASSERT_EQ(T(-std::nextafter(middle, b)).bits, (code + 1) | 0x8000u) << code;
        const auto single = static_cast<float>(middle);
        if (static_cast<double>(single) != middle)
            continue;
        ASSERT_EQ(T(single).bits, even) << code;
        ASSERT_EQ(T(std::nextafter(single, -1.0f)).bits, code) << code;
        ASSERT_EQ(T(std::nextafter(single, HUGE_VALF)).bits, code + 1) << code;
    }
}

TEST(base_numbers, half_codes) {
    check_ieee_codes<half>(10, 5);
}
TEST(base_numbers, bf16_codes) {
    check_ieee_codes<bf16>(7, 8);
}
TEST(base_numbers, half_rounding) {
    check_ieee_rounding<half>();
}
TEST(base_numbers, bf16_rounding) {
    check_ieee_rounding<bf16>();
}

TEST(base_numbers, known_values) {
    EXPECT_EQ(half(1.0f).bits, 0x3c00);
    EXPECT_EQ(half(65504.0f).bits, 0x7bff);
    EXPECT_EQ(half(65519.0f).bits, 0x7bff);
    EXPECT_EQ(half(65520.0f).bits, 0x7c00);
    EXPECT_EQ(half(1e30).bits, 0x7c00);
    EXPECT_EQ(half(-1e300).bits, 0xfc00);
    EXPECT_EQ(half(1e-300).bits, 0);
    EXPECT_EQ(half(-0.0f).bits, 0x8000);
    EXPECT_EQ(half(std::ldexp(1.0, -25)).bits, 0);
    EXPECT_EQ(half(std::nextafter(std::ldexp(1.0, -25), 1.0)).bits, 1);
    EXPECT_EQ(bf16(1.0f).bits, 0x3f80);
    EXPECT_EQ(bf16(std::numeric_limits<float>::max()).bits, 0x7f80);
    EXPECT_EQ(bf16(std::numeric_limits<double>::max()).bits, 0x7f80);
    EXPECT_EQ(bf16(std::numeric_limits<float>::denorm_min()).bits, 0);
    static_assert(half(0.1).bits == 0x2e66);
    static_assert(std::is_trivially_copyable_v<half> and
                  std::is_trivially_default_constructible_v<half>);
    static_assert(fp8::fp8e4m3fn(1.5f).data == 0x3c);
}

TEST(base_numbers, limits) {
    EXPECT_EQ(static_cast<float>(std::numeric_limits<half>::max()), 65504.0f);
    EXPECT_EQ(static_cast<float>(std::numeric_limits<half>::lowest()), -65504.0f);
    EXPECT_EQ(static_cast<float>(std::numeric_limits<half>::min()), std::ldexp(1.0f, -14));
    EXPECT_EQ(static_cast<float>(std::numeric_limits<half>::denorm_min()), std::ldexp(1.0f, -24));
    EXPECT_EQ(static_cast<float>(std::numeric_limits<half>::epsilon()), std::ldexp(1.0f, -10));
    EXPECT_EQ(std::numeric_limits<half>::digits10, 3);
    EXPECT_EQ(std::numeric_limits<half>::max_exponent, 16);
    EXPECT_EQ(std::numeric_limits<half>::min_exponent, -13);
    EXPECT_TRUE(std::isnan(std::numeric_limits<half>::quiet_NaN()));
    EXPECT_TRUE(std::numeric_limits<half>::signaling_NaN().is_nan());
    EXPECT_TRUE(std::isinf(std::numeric_limits<half>::infinity()));
    EXPECT_EQ(static_cast<float>(std::numeric_limits<bf16>::epsilon()), std::ldexp(1.0f, -7));
    EXPECT_EQ(static_cast<float>(std::numeric_limits<bf16>::max()), 3.3895314e38f);
    EXPECT_EQ(static_cast<float>(std::numeric_limits<fp8::fp8e4m3fn>::max()), 448.0f);
    EXPECT_EQ(static_cast<float>(std::numeric_limits<fp8::fp8e4m3fnuz>::max()), 240.0f);
    EXPECT_EQ(static_cast<float>(std::numeric_limits<fp8::fp8e5m2>::max()), 57344.0f);
    EXPECT_EQ(static_cast<float>(std::numeric_limits<fp8::fp8e5m2fnuz>::lowest()), -57344.0f);
    EXPECT_EQ(static_cast<float>(std::numeric_limits<fp8::fp8e4m3fn>::denorm_min()),
              std::ldexp(1.0f, -9));
    EXPECT_EQ(static_cast<float>(std::numeric_limits<fp8::fp8e4m3fnuz>::min()),
              std::ldexp(1.0f, -7));
    EXPECT_EQ(std::numeric_limits<fp8::fp8e4m3fn>::max_exponent, 9);
    EXPECT_EQ(std::numeric_limits<fp8::fp8e5m2>::max_exponent, 16);
    EXPECT_EQ(std::numeric_limits<fp8::fp8e5m2fnuz>::max_exponent, 16);
    EXPECT_TRUE(fp8::numeric_limits<fp8::fp8e5m2>::has_infinity);
    EXPECT_FALSE(fp8::numeric_limits<fp8::fp8e4m3fn>::has_infinity);
}

template <class T>
class base_fp8 : public testing::Test {};
using fp8_types = testing::Types<fp8::fp8e4m3fn, fp8::fp8e5m2, fp8::fp8e4m3fnuz, fp8::fp8e5m2fnuz>;
TYPED_TEST_SUITE(base_fp8, fp8_types);

TYPED_TEST(base_fp8, codes) {
    using T = TypeParam;
    constexpr bool is_fnuz = T::nan_code == 0x80;
    constexpr bool is_e4 = T::mantissa_bits == 3;
    constexpr int bias = (is_e4 ? 7 : 15) + (is_fnuz ? 1 : 0);
    for (unsigned code = 0; code < 256; ++code) {
        const T x(static_cast<std::uint8_t>(code), T::from_bits());
        const float f = x;
        const unsigned rest = code & 0x7f;
        const bool nan = is_fnuz ? code == 0x80 : (is_e4 ? rest == 0x7f : rest > 0x7c);
        const bool inf = not is_fnuz and not is_e4 and rest == 0x7c;
        ASSERT_EQ(std::isnan(f), nan) << code;
        ASSERT_EQ(x.is_nan(), nan) << code;
        ASSERT_EQ(std::isnan(x), nan) << code;
        ASSERT_EQ(std::isfinite(x), not nan and not inf) << code;
        ASSERT_EQ(std::isinf(f), inf) << code;
        if (nan)
            ASSERT_TRUE(T(f).is_nan()) << code;
        else if (inf)
            ASSERT_EQ(T(f).data, (code & 0x80u) | 0x7bu) << code;
        else {
            ASSERT_EQ(T(f).data, code);
            ASSERT_EQ(T(static_cast<double>(f)).data, code);
            ASSERT_EQ(static_cast<double>(f),
                      by_definition(code, T::mantissa_bits, T::exponent_bits, bias));
        }
    }
}

TYPED_TEST(base_fp8, rounding) {
    using T = TypeParam;
    for (unsigned code = 0; code < T::max_code; ++code) {
        const double a = T(static_cast<std::uint8_t>(code), T::from_bits());
        const double b = T(static_cast<std::uint8_t>(code + 1), T::from_bits());
        const double middle = (a + b) / 2;
        const auto single = static_cast<float>(middle);
        ASSERT_EQ(static_cast<double>(single), middle);
        const unsigned even = code % 2 == 0 ? code : code + 1;
        ASSERT_EQ(T(middle).data, even) << code;
        ASSERT_EQ(T(single).data, even) << code;
        ASSERT_EQ(T(std::nextafter(single, -1.0f)).data, code) << code;
        ASSERT_EQ(T(std::nextafter(single, HUGE_VALF)).data, code + 1) << code;
        ASSERT_EQ(T(std::nextafter(middle, a)).data, code) << code;
        ASSERT_EQ(T(std::nextafter(middle, b)).data, code + 1) << code;
        ASSERT_EQ(T(-std::nextafter(single, HUGE_VALF)).data, (code + 1) | 0x80u) << code;
    }
    EXPECT_EQ(T(1e30f).data, T::max_code);
    EXPECT_EQ(T(-1e30f).data, T::max_code | 0x80u);
    EXPECT_EQ(T(1e-30f).data, 0);
    EXPECT_EQ(T(std::numeric_limits<float>::denorm_min()).data, 0);
    constexpr bool is_fnuz = T::nan_code == 0x80;
    EXPECT_EQ(T(-1e-30f).data, is_fnuz ? 0 : 0x80);
    EXPECT_EQ(T(HUGE_VALF).data, is_fnuz ? 0x80 : T::max_code);
}

TYPED_TEST(base_fp8, stochastic_rounding_is_between_neighbours) {
    using T = TypeParam;
    int above = 0;
    std::mt19937 rng(1);
    for (int i = 0; i < 4000; ++i) {
        const T x(1.0f + 0.25f / (1 << T::mantissa_bits), fp8::rounding_mode::stochastic, rng());
        ASSERT_TRUE(x.data == T(1.0f).data or x.data == T(1.0f).data + 1);
        above += x.data == T(1.0f).data ? 0 : 1;
    }
    EXPECT_NEAR(above, 1000, 150);
}

TYPED_TEST(base_fp8, arrays) {
    using T = TypeParam;
    std::vector<float> in;
    for (int i = -3000; i < 3000; ++i)
        in.push_back(static_cast<float>(i) * 0.37f);
    std::vector<T> small(in.size());
    std::vector<float> out(in.size());
    migraphx::convert_array(in.data(), small.data(), in.size());
    migraphx::convert_array(small.data(), out.data(), in.size());
    for (std::size_t i = 0; i < in.size(); ++i)
        ASSERT_EQ(out[i], static_cast<float>(T(in[i]))) << in[i];
}

template <class T>
void check_arrays() {
    std::vector<T> codes(65536);
    for (unsigned i = 0; i < 65536; ++i)
        codes[i] = T::from_bits(static_cast<std::uint16_t>(i));
    std::vector<float> wide(codes.size());
    migraphx::convert_array(codes.data(), wide.data(), codes.size());
    for (unsigned i = 0; i < 65536; ++i)
        ASSERT_EQ(bit_cast<std::uint32_t>(wide[i]), bit_cast<std::uint32_t>(codes[i].to_float()))
            << i;

    // Odd counts use the part after the vectors.
    std::mt19937 rng(7);
    std::vector<float> in(100003);
    for (auto& x : in)
        x = bit_cast<float>(static_cast<std::uint32_t>(rng()));
    for (std::size_t i = 0; i < 50000; ++i) // the range of half
        in[i] = std::ldexp(static_cast<float>(rng() % 8192) - 4096.0f,
                           static_cast<int>(rng() % 34) - 30);
    std::vector<T> narrow(in.size());
    migraphx::convert_array(in.data(), narrow.data(), in.size());
    for (std::size_t i = 0; i < in.size(); ++i)
        ASSERT_EQ(narrow[i].bits, T(in[i]).bits) << in[i];
}

TEST(base_numbers, half_arrays) {
    check_arrays<half>();
}
TEST(base_numbers, bf16_arrays) {
    check_arrays<bf16>();
}

TEST(base_numbers, arithmetic) {
    const half h = 1.5f;
    const bf16 b = 2;
    EXPECT_EQ(h + h, half(3));
    EXPECT_EQ(h * 2, 3.0f);
    EXPECT_EQ(-h, half(-1.5));
    EXPECT_TRUE(h < b and b > h and h != b);
    EXPECT_EQ(half(b), half(2.0f));
    half c = h;
    c += 1;
    c /= half(2);
    EXPECT_EQ(c, half(1.25));
    EXPECT_EQ(c++, half(1.25));
    EXPECT_EQ(--c, 1.25f);
    const std::vector<half> list{1.0, 2.0};
    EXPECT_EQ(list[1], half(2));
    const std::vector<fp8::fp8e5m2> small{1.0, 2.0};
    EXPECT_EQ(small[0] + small[1], fp8::fp8e5m2(3.0f));
    EXPECT_EQ(fp8::fabs(fp8::fp8e4m3fn(-2.0f)), fp8::fp8e4m3fn(2.0f));
    EXPECT_EQ((-fp8::fp8e4m3fnuz(0.0f)).data, 0);
    EXPECT_FALSE(std::numeric_limits<half>::quiet_NaN() == std::numeric_limits<half>::quiet_NaN());
    static_assert(std::is_same_v<std::common_type_t<half, float>, float>);
    static_assert(std::is_same_v<std::common_type_t<half, half>, half>);
    static_assert(std::is_same_v<std::common_type_t<half, double>, double>);
    static_assert(std::is_same_v<std::common_type_t<half, fp8::fp8e5m2>, float>);
}

} // namespace
