// SPDX-License-Identifier: MIT
// Element types and conversion between them, with the rounding of the engine's own types: small
// floats to nearest even from float and (once) from double, 8-bit floats saturate at their largest
// finite value, floats become integers towards zero, saturated, NaN as 0; integers are cut off.
#pragma once

namespace mgx {

using i8 = signed char;
using u8 = unsigned char;
using i16 = short;
using u16 = unsigned short;
using i32 = int;
using u32 = unsigned;
using i64 = long long;
using u64 = unsigned long long;
using f32 = float;
using f64 = double;

template <class A, class B>
constexpr bool same = false;
template <class A>
constexpr bool same<A, A> = true;

template <class T>
struct plain {
    using type = T;
};
template <class T>
struct plain<const T> : plain<T> {};
template <class T>
struct plain<volatile T> : plain<T> {};
template <class T>
struct plain<T&> : plain<T> {};

template <bool B, class X, class Y>
struct choose {
    using type = X;
};
template <class X, class Y>
struct choose<false, X, Y> {
    using type = Y;
};

// For sizes known to the compiler: moves between registers.
MGX_DEVICE void copy_bytes(void* to, const void* from, int n) {
#ifdef MGX_CUDA
    memcpy(to, from, n);
#else
    __builtin_memcpy(to, from, n);
#endif
}

// The bytes of one type as another of the same size.
template <class To, class From>
MGX_DEVICE To bits_as(const From& x) {
    static_assert(sizeof(To) == sizeof(From), "bits_as: the sizes differ");
    To r;
    copy_bytes(&r, &x, sizeof(To));
    return r;
}

struct half {
    u16 bits;
};
struct bf16 {
    u16 bits;
};
// M mantissa bits; FNUZ: no infinity, no negative zero, 0x80 is NaN, the bias is one larger.
template <int M, bool FNUZ>
struct float8 {
    u8 bits;
};
using fp8e4m3fn = float8<3, false>;
using fp8e5m2 = float8<2, false>;
using fp8e4m3fnuz = float8<3, true>;
using fp8e5m2fnuz = float8<2, true>;

template <class T>
constexpr bool is_small_float = false;
template <>
constexpr bool is_small_float<half> = true;
template <>
constexpr bool is_small_float<bf16> = true;
template <int M, bool Z>
constexpr bool is_small_float<float8<M, Z>> = true;
template <class T>
constexpr bool is_float = is_small_float<T> || same<T, f32> || same<T, f64>;

// What elements of a type are computed in: f32 for the small floats.
template <class T>
using compute = typename choose<is_small_float<T>, f32, T>::type;
// What sums of them are kept in: f32, f64, or an integer of 64 bits (32 for those of 8 and 16).
template <class T>
using accumulate = typename choose<
    is_float<T>, compute<T>,
    typename choose<
        sizeof(T) <= 2, i32,
        typename choose<same<T, u32> || same<T, u64>, u64, i64>::type>::type>::type;

// ---- small floats to float

MGX_DEVICE f32 to_f32(half x) {
#if defined(MGX_CUDA)
    f32 r;
    asm("cvt.f32.f16 %0, %1;" : "=f"(r) : "h"(x.bits));
    return r;
#elif defined(MGX_HIP)
    return static_cast<f32>(bits_as<_Float16>(x));
#else
    const u32 sign = static_cast<u32>(x.bits & 0x8000u) << 16, rest = x.bits & 0x7fffu;
    if (rest < 0x400u) // zero and denormal
        return bits_as<f32>(sign | bits_as<u32>(static_cast<f32>(rest) * 0x1p-24f));
    const u32 r = (rest << 13) + (rest >= 0x7c00u ? 0x70000000u : 0x38000000u);
    return bits_as<f32>(sign | r | (rest > 0x7c00u ? 0x400000u : 0u));
#endif
}

MGX_DEVICE f32 to_f32(bf16 x) {
    return bits_as<f32>(static_cast<u32>(x.bits) << 16);
}

template <int M, bool Z>
MGX_DEVICE f32 to_f32(float8<M, Z> x) {
#if defined(MGX_CUDA) && __CUDA_ARCH__ >= 890
    if constexpr (M == 3 && !Z) {
        u32 pair;
        asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(pair) : "h"(static_cast<u16>(x.bits)));
        return to_f32(half{static_cast<u16>(pair)});
    }
#endif
    if constexpr (M == 2 && !Z) // the upper byte of a half
        return to_f32(half{static_cast<u16>(x.bits << 8)});
    constexpr u32 bias = (1u << (6 - M)) - (Z ? 0 : 1);
    const u32 rest = x.bits & 0x7fu, sign = static_cast<u32>(x.bits & 0x80u) << 24;
    if (Z ? x.bits == 0x80u : rest == 0x7fu)
        return bits_as<f32>(sign | 0x7fc00000u);
    if (rest < (1u << M))
        return bits_as<f32>(sign | bits_as<u32>(static_cast<f32>(rest) *
                                                bits_as<f32>((1u - bias - M + 127u) << 23)));
    return bits_as<f32>(sign | ((rest << (23 - M)) + ((127u - bias) << 23)));
}

MGX_DEVICE f32 to_f32(f32 x) {
    return x;
}
template <class T>
MGX_DEVICE f32 to_f32(T x) {
    return static_cast<f32>(x);
}

// ---- float to small floats

template <class T>
struct from_float;

template <>
struct from_float<half> {
    static MGX_DEVICE half of(f32 x) {
#if defined(MGX_CUDA)
        half r;
        asm("cvt.rn.f16.f32 %0, %1;" : "=h"(r.bits) : "f"(x));
        return r;
#elif defined(MGX_HIP)
        return bits_as<half>(static_cast<_Float16>(x));
#else
        u32 u = bits_as<u32>(x);
        const u32 sign = (u >> 16) & 0x8000u;
        u &= 0x7fffffffu;
        u32 r;
        if (u >= 0x47800000u) // 65536 and up
            r = u > 0x7f800000u ? 0x7e00u | ((u >> 13) & 0x3ffu) : 0x7c00u;
        else if (u < 0x38800000u) // the adder rounds to multiples of the smallest half
            r = bits_as<u32>(bits_as<f32>(u) + 0.5f) - 0x3f000000u;
        else
            r = (u + 0xfffu + ((u >> 13) & 1u) - 0x38000000u) >> 13;
        return {static_cast<u16>(sign | r)};
#endif
    }
};

template <>
struct from_float<bf16> {
    static MGX_DEVICE bf16 of(f32 x) {
#if defined(MGX_CUDA) && __CUDA_ARCH__ >= 800
        bf16 r;
        asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(r.bits) : "f"(x));
        return r;
#else
        const u32 u = bits_as<u32>(x);
        if ((u & 0x7fffffffu) > 0x7f800000u)
            return {static_cast<u16>((u >> 16) | 0x40u)};
        return {static_cast<u16>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16)};
#endif
    }
};

template <int M, bool Z>
struct from_float<float8<M, Z>> {
    static MGX_DEVICE float8<M, Z> of(f32 x) {
#if defined(MGX_CUDA) && __CUDA_ARCH__ >= 890
        if constexpr (!Z) {
            u16 r;
            if constexpr (M == 3)
                asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(r) : "f"(0.0f), "f"(x));
            else
                asm("cvt.rn.satfinite.e5m2x2.f32 %0, %1, %2;" : "=h"(r) : "f"(0.0f), "f"(x));
            return {static_cast<u8>(r)};
        }
#endif
        constexpr u32 bias = (1u << (6 - M)) - (Z ? 0 : 1), top = (127u - bias) << 23;
        constexpr u32 largest = Z ? 0x7fu : (M == 3 ? 0x7eu : 0x7bu);
        const u32 all = bits_as<u32>(x), sign = (all >> 24) & 0x80u, u = all & 0x7fffffffu;
        if (u > 0x7f800000u || (Z && u == 0x7f800000u))
            return {static_cast<u8>(Z ? 0x80u : sign | 0x7fu)};
        u32 r;
        if (u >= 0x7f800000u) {
            r = largest;
        } else if (u < top + (1u << 23)) { // the adder rounds to multiples of the smallest one
            constexpr u32 one = (1u - bias - M + 127u + 23u) << 23;
            r = bits_as<u32>(bits_as<f32>(u) + bits_as<f32>(one)) - one;
        } else {
            r = (u + (1u << (22 - M)) - 1u + ((u >> (23 - M)) & 1u) - top) >> (23 - M);
            r = r > largest ? largest : r;
        }
        return {static_cast<u8>(Z && r == 0 ? 0u : sign | r)};
    }
};

// Rounded so that a later rounding to at most 22 mantissa bits gives what rounding the double
// itself would give (round to odd).
MGX_DEVICE f32 round_to_odd(f64 d) {
    if (!(d - d == 0))
        return static_cast<f32>(d);
    if (d > 3.4028234663852886e38 || d < -3.4028234663852886e38)
        return bits_as<f32>(d > 0 ? 0x7f7fffffu : 0xff7fffffu);
    const f32 f = static_cast<f32>(d);
    const u32 u = bits_as<u32>(f);
    const f64 back = f;
    if (back == d || (u & 1u) != 0)
        return f;
    return bits_as<f32>((back < 0 ? -back : back) > (d < 0 ? -d : d) ? u - 1 : u + 1);
}

// ---- any to any

template <class T>
struct limits;
template <> struct limits<bool> { static constexpr bool low = false, high = true; };
template <> struct limits<i8> { static constexpr i8 low = -128, high = 127; };
template <> struct limits<u8> { static constexpr u8 low = 0, high = 255; };
template <> struct limits<i16> { static constexpr i16 low = -32768, high = 32767; };
template <> struct limits<u16> { static constexpr u16 low = 0, high = 65535; };
template <> struct limits<i32> { static constexpr i32 low = -2147483647 - 1, high = 2147483647; };
template <> struct limits<u32> { static constexpr u32 low = 0, high = 4294967295u; };
template <> struct limits<i64> {
    static constexpr i64 low = -9223372036854775807ll - 1, high = 9223372036854775807ll;
};
template <> struct limits<u64> { static constexpr u64 low = 0, high = ~0ull; };

template <class To, class From>
MGX_DEVICE To convert(From x) {
    if constexpr (same<To, From>) {
        return x;
    } else if constexpr (same<To, bool>) {
        if constexpr (is_float<From>)
            return !(convert<compute<From>>(x) == 0);
        else
            return x != 0;
    } else if constexpr (is_small_float<From>) {
        return convert<To>(to_f32(x));
    } else if constexpr (is_small_float<To>) {
        if constexpr (same<From, f64>)
            return from_float<To>::of(round_to_odd(x));
        else if constexpr (same<From, f32> || sizeof(From) <= 2)
            return from_float<To>::of(static_cast<f32>(x));
        else
            return from_float<To>::of(round_to_odd(static_cast<f64>(x)));
    } else if constexpr (is_float<From> && !is_float<To>) {
        constexpr f64 low = static_cast<f64>(limits<To>::low);
        constexpr f64 past = sizeof(To) == 8 ? (low == 0 ? 18446744073709551616.0 : -low)
                                             : static_cast<f64>(limits<To>::high) + 1;
        if (!(x == x))
            return 0;
        if (x <= static_cast<From>(low)) // -129 as f32 is below -128: saturates
            return limits<To>::low;
        if (x >= static_cast<From>(past))
            return limits<To>::high;
        return static_cast<To>(x);
    } else {
        return static_cast<To>(x);
    }
}

template <class T>
MGX_DEVICE T from_f32(f32 x) {
    return convert<T>(x);
}
template <class T>
MGX_DEVICE compute<T> to_compute(T x) {
    return convert<compute<T>>(x);
}

} // namespace mgx
