// SPDX-License-Identifier: MIT
// Numbers of two, four or eight bits, one a byte, as ir/small_number.hpp defines them; conversion
// by the rules of `convert` and `cast`; quantisation; two 4-bit numbers in a byte.
#pragma once
#include "move.cuh"

namespace mgx {

template <int Bits, bool Signed>
struct small_int {
    u8 bits;
};
using int4_ = small_int<4, true>;
using uint4_ = small_int<4, false>;
using int2_ = small_int<2, true>;
using uint2_ = small_int<2, false>;
struct fp4 {
    u8 bits;
};
struct fp8e8m0 {
    u8 bits;
};

template <class T>
constexpr bool is_small_int = false;
template <int B, bool S>
constexpr bool is_small_int<small_int<B, S>> = true;
template <class T>
constexpr bool is_small = is_small_int<T> || same<T, fp4> || same<T, fp8e8m0>;
template <class T>
constexpr bool is_fp8 = false;
template <int M, bool Z>
constexpr bool is_fp8<float8<M, Z>> = true;
template <class T>
constexpr bool is_fnuz = false;
template <int M>
constexpr bool is_fnuz<float8<M, true>> = true;

// ---- values

// What is exact for every number of the type; integers of 64 bits come as near as f64 does.
template <int B, bool S>
MGX_DEVICE f64 number_of(small_int<B, S> x) {
    const int v = x.bits & ((1 << B) - 1);
    return S && v >= 1 << (B - 1) ? v - (1 << B) : v;
}
MGX_DEVICE f64 number_of(fp4 x) {
    const int code = x.bits & 7;
    const f64 magnitude = code < 2 ? code * 0.5 : (2 + (code & 1)) * (1 << (code >> 1)) * 0.25;
    return (x.bits & 8) != 0 ? -magnitude : magnitude;
}
MGX_DEVICE f64 number_of(fp8e8m0 x) {
    return bits_as<f64>(x.bits == 0xff ? u64{0x7ff8} << 48
                                       : static_cast<u64>(x.bits - 127 + 1023) << 52);
}
template <class T>
MGX_DEVICE f64 number_of(T x) {
    return convert<f64>(x);
}

MGX_DEVICE bool is_finite(f64 x) {
    return x - x == 0;
}

// ---- codes

enum class power_rounding { up, down, nearest };

// The power of two of |x|.
MGX_DEVICE u8 power_code(f64 x, power_rounding r, bool saturates) {
    const u8 largest = 0xfe, none = 0xff, beyond = saturates ? largest : none;
    if (x != x)
        return none;
    if (!is_finite(x))
        return beyond;
    if (x == 0)
        return saturates ? 0 : none;
    const u64 bits = bits_as<u64>(x);
    const u64 mantissa = bits & ((u64{1} << 52) - 1), half_way = u64{1} << 51;
    int code = static_cast<int>(bits >> 52 & 0x7ff) - 1023 + 127;
    if (code < 0 || (code == 0 && mantissa == 0))
        return code == 0 || saturates ? 0 : none;
    if ((r == power_rounding::up && mantissa > 0) ||
        (r == power_rounding::nearest && mantissa >= half_way))
        code++;
    return code > largest ? beyond : static_cast<u8>(code);
}

// Saturated; NaN is 0 where the type has none.
template <class T>
MGX_DEVICE T saturated(f64 x) {
    if constexpr (is_small_int<T>) {
        constexpr bool is_signed = same<T, int4_> || same<T, int2_>;
        constexpr int bits = same<T, int4_> || same<T, uint4_> ? 4 : 2;
        constexpr int low = is_signed ? -(1 << (bits - 1)) : 0;
        constexpr int high = low + (1 << bits) - 1;
        const int n = x != x ? 0 : x <= low ? low : x >= high ? high : static_cast<int>(x);
        return {static_cast<u8>(n & ((1 << bits) - 1))};
    } else if constexpr (same<T, fp4>) {
        const f64 magnitude = x != x ? 0 : fabs(x);
        int code = 0;
        while (code < 7) {
            const f64 middle = (number_of(fp4{static_cast<u8>(code)}) +
                                number_of(fp4{static_cast<u8>(code + 1)})) /
                               2;
            if (magnitude < middle || (magnitude == middle && code % 2 == 0))
                break;
            code++;
        }
        return {static_cast<u8>(x != x ? 0 : code | (bits_as<u64>(x) >> 63 != 0 ? 8 : 0))};
    } else if constexpr (same<T, fp8e8m0>) {
        return {power_code(x, power_rounding::up, true)};
    } else {
        return convert<T>(x);
    }
}

// ---- convert and cast

struct convert_rule {
    template <class To, class From>
    MGX_DEVICE To of(From x) const {
        if constexpr (same<To, bool>)
            return number_of(x) > 0;
        else if constexpr (is_small<To> || is_small<From>)
            return saturated<To>(number_of(x));
        else
            return convert<To>(x);
    }
};

struct cast_rule {
    bool saturate;
    power_rounding rounding;

    template <class To>
    MGX_DEVICE To fp8_of(f64 x) const {
        constexpr u8 largest_code = is_fnuz<To> ? 0x7f : same<To, fp8e4m3fn> ? 0x7e : 0x7b;
        const f64 largest = number_of(To{largest_code});
        if (saturate)
            return convert<To>(x != x ? x : x > largest ? largest : x < -largest ? -largest : x);
        const f64 limit = largest + (largest - number_of(To{largest_code - 1})) / 2;
        const f64 magnitude = fabs(x);
        // Halfway to the next code goes to the even one of the two.
        if (!(magnitude > limit || (magnitude == limit && largest_code % 2 != 0)))
            return convert<To>(x);
        const int sign = x < 0 && !is_fnuz<To> ? 0x80 : 0;
        return {static_cast<u8>((largest_code + 1) | sign)};
    }
    template <class To, class From>
    MGX_DEVICE To of(From x) const {
        if constexpr (is_small_int<To>) {
            const f64 v = number_of(x);
            const i64 n = is_finite(v) ? static_cast<i64>(fmod(v, 256.0)) : 0;
            constexpr int bits = same<To, int4_> || same<To, uint4_> ? 4 : 2;
            return {static_cast<u8>(n & ((1 << bits) - 1))};
        } else if constexpr (same<To, fp8e8m0>) {
            return {power_code(number_of(x), rounding, saturate)};
        } else if constexpr (same<To, fp4>) {
            return saturated<fp4>(number_of(x));
        } else if constexpr (is_fp8<To>) {
            return fp8_of<To>(number_of(x));
        } else if constexpr (same<To, bool>) {
            return !(number_of(x) == 0);
        } else if constexpr (is_small<From> || is_float<From>) {
            return convert<To>(number_of(x));
        } else {
            const i64 v = static_cast<i64>(x);
            if constexpr (is_small_float<To>)
                return convert<To>(static_cast<f32>(v));
            else
                return static_cast<To>(v);
        }
    }
};

template <class To, class From, class Rule, int R, class I>
MGX_DEVICE void convert_numbers(To* y, const From* x, const copy_params<R, I>& p, Rule rule) {
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[2];
        p.at.offsets(i, at);
        y[at[0]] = rule.template of<To>(x[at[1]]);
    }
}

// ---- quantisation

// Tensors: output, x, scale, zero point.
template <int R, class I>
struct quantize_params {
    walk<R, 4, I> at;
    I n;
    f32 low, high; // of the output's type
};

template <class Q>
constexpr bool is_wide = sizeof(Q) >= 4;

// `rounds`: to integers. `zero` may be null.
template <bool rounds, class Q, class T, int R, class I>
MGX_DEVICE void quantize(Q* y, const T* x, const T* scale, const Q* zero,
                         const quantize_params<R, I>& p) {
    using number = compute<T>;
    using sum = typename choose<is_wide<Q> || same<T, f64>, f64, f32>::type;
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[4];
        p.at.offsets(i, at);
        const number q = to_compute(x[at[1]]) / to_compute(scale[at[2]]);
        sum v = static_cast<sum>(rounds ? nearbyint(q) : q);
        if (zero != nullptr)
            v += static_cast<sum>(number_of(zero[at[3]]));
        v = v < static_cast<sum>(p.low) ? static_cast<sum>(p.low) : v;
        v = v > static_cast<sum>(p.high) ? static_cast<sum>(p.high) : v;
        y[at[0]] = saturated<Q>(static_cast<f64>(v));
    }
}

template <class T, class Q, class S, int R, class I>
MGX_DEVICE void dequantize(T* y, const Q* x, const S* scale, const Q* zero,
                           const quantize_params<R, I>& p) {
    using number = typename choose<is_wide<Q> || sizeof(T) == 8, f64, f32>::type;
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[4];
        p.at.offsets(i, at);
        number v = static_cast<number>(number_of(x[at[1]]));
        if (zero != nullptr)
            v -= static_cast<number>(number_of(zero[at[3]]));
        y[at[0]] = convert<T>(v * static_cast<number>(number_of(scale[at[2]])));
    }
}

// ---- pairs in a byte, the even position in the low half

// Tensors: bytes, numbers (at the even positions). `step`: to the odd one.
template <int R, class I>
struct pack_params {
    walk<R, 2, I> at;
    I step;
    I n;
};
template <class Small, class B, class T, int R, class I>
MGX_DEVICE void pack_pairs(B* y, const T* x, const pack_params<R, I>& p) {
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[2];
        p.at.offsets(i, at);
        const int low = saturated<Small>(number_of(x[at[1]])).bits;
        const int high = saturated<Small>(number_of(x[at[1] + p.step])).bits;
        y[at[0]] = static_cast<B>(low | high << 4);
    }
}
template <class Small, class B, class T, int R, class I>
MGX_DEVICE void unpack_pairs(T* y, const B* x, const pack_params<R, I>& p) {
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[2];
        p.at.offsets(i, at);
        const u8 both = static_cast<u8>(x[at[0]]);
        y[at[1]] = convert<T>(number_of(Small{static_cast<u8>(both & 15)}));
        y[at[1] + p.step] = convert<T>(number_of(Small{static_cast<u8>(both >> 4)}));
    }
}

} // namespace mgx
