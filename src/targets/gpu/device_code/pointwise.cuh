// SPDX-License-Identifier: MIT
// What the text of pointwise operators is written in: how values are held, the functions that the
// rows of the pointwise table name, conversions by the rules of `convert`, elements along a run of
// memory.
//
// Held values: f32 for float, half, bf16 and fp8; f64; `whole` for integers and bool; `natural` for
// uint64. The same row text serves all of them.
#pragma once

#include "dialect.cuh"

namespace mgx {

// A bool in memory: any other byte than 0 is true.
struct bool8 {
    u8 bits;
};

// Integers of 64 bits that wrap and never trap: division by zero gives 0.
template <class I>
struct integer {
    I v;

    integer() = default;
    MGX_DEVICE constexpr integer(int x) : v(static_cast<I>(x)) {}
    static MGX_DEVICE integer of(u64 bits) {
        integer r;
        r.v = static_cast<I>(bits);
        return r;
    }
    MGX_DEVICE u64 bits() const { return static_cast<u64>(v); }
    explicit MGX_DEVICE operator bool() const { return v != 0; }
    explicit MGX_DEVICE operator f32() const { return static_cast<f32>(v); }
    explicit MGX_DEVICE operator f64() const { return static_cast<f64>(v); }
    // Cut off.
    explicit MGX_DEVICE operator i8() const { return static_cast<i8>(v); }
    explicit MGX_DEVICE operator u8() const { return static_cast<u8>(v); }
    explicit MGX_DEVICE operator i16() const { return static_cast<i16>(v); }
    explicit MGX_DEVICE operator u16() const { return static_cast<u16>(v); }
    explicit MGX_DEVICE operator i32() const { return static_cast<i32>(v); }
    explicit MGX_DEVICE operator u32() const { return static_cast<u32>(v); }
    explicit MGX_DEVICE operator i64() const { return static_cast<i64>(v); }
    explicit MGX_DEVICE operator u64() const { return static_cast<u64>(v); }

    friend MGX_DEVICE integer operator+(integer a, integer b) { return of(a.bits() + b.bits()); }
    friend MGX_DEVICE integer operator-(integer a, integer b) { return of(a.bits() - b.bits()); }
    friend MGX_DEVICE integer operator*(integer a, integer b) { return of(a.bits() * b.bits()); }
    friend MGX_DEVICE integer operator-(integer a) { return of(0 - a.bits()); }
    friend MGX_DEVICE integer operator&(integer a, integer b) { return of(a.bits() & b.bits()); }
    friend MGX_DEVICE integer operator/(integer a, integer b) {
        if (b.v == 0)
            return 0;
        return is_minus_one(b) ? -a : of(static_cast<u64>(a.v / b.v));
    }
    friend MGX_DEVICE integer operator%(integer a, integer b) {
        return b.v == 0 || is_minus_one(b) ? integer(0) : of(static_cast<u64>(a.v % b.v));
    }
    friend MGX_DEVICE bool operator==(integer a, integer b) { return a.v == b.v; }
    friend MGX_DEVICE bool operator!=(integer a, integer b) { return a.v != b.v; }
    friend MGX_DEVICE bool operator<(integer a, integer b) { return a.v < b.v; }
    friend MGX_DEVICE bool operator>(integer a, integer b) { return a.v > b.v; }
    static MGX_DEVICE bool is_minus_one(integer x) {
        return static_cast<I>(-1) < 0 && x.v == static_cast<I>(-1);
    }
};
using whole = integer<i64>;
using natural = integer<u64>;

// ---- elements and their values

template <class T>
struct holder {
    using type = typename choose<is_float<T>, compute<T>, whole>::type;
};
template <>
struct holder<u64> {
    using type = natural;
};
template <class T>
using held = typename holder<T>::type;

template <class T>
MGX_DEVICE held<T> value(T x) {
    if constexpr (is_float<T>)
        return to_compute(x);
    else
        return held<T>::of(static_cast<u64>(x));
}
MGX_DEVICE whole value(bool8 x) {
    return x.bits != 0;
}

template <class T>
MGX_DEVICE T stored(held<T> x) {
    if constexpr (is_float<T>)
        return convert<T>(x);
    else if constexpr (same<T, bool8>)
        return {static_cast<u8>(x.v != 0)};
    else
        return static_cast<T>(x.v);
}

// An integer brought back to its type.
template <class T>
MGX_DEVICE whole wrapped(whole x) {
    return value(stored<T>(x));
}
// A real result as an integer: cut off, saturated, NaN is 0.
template <class T>
MGX_DEVICE T cut(f64 x) {
    return T::of(static_cast<u64>(convert<decltype(T::v)>(x)));
}

MGX_DEVICE bool truth(f32 x) {
    return x != 0;
}
MGX_DEVICE bool truth(f64 x) {
    return x != 0;
}
template <class I>
MGX_DEVICE bool truth(integer<I> x) {
    return x.v != 0;
}

template <class T>
MGX_DEVICE T nan_of() {
    return static_cast<T>(bits_as<f32>(0x7fc00000u));
}

// ---- convert: finite numbers saturate, infinities stay

template <class T>
struct largest;
template <>
struct largest<half> {
    static constexpr f32 value = 65504.0f;
};
template <>
struct largest<bf16> {
    static constexpr f32 value = 0x1.fep+127f;
};
template <>
struct largest<f32> {
    static constexpr f32 value = 0x1.fffffep+127f;
};
template <int M, bool Z>
struct largest<float8<M, Z>> {
    static constexpr f32 value = M == 2 ? 57344.0f : (Z ? 240.0f : 448.0f);
};

template <class T, class X>
MGX_DEVICE X kept_finite(X x) {
    constexpr X top = static_cast<X>(largest<T>::value);
    if (is_inf(x))
        return x;
    return x > top ? top : (x < -top ? -top : x);
}

template <class T, class X>
struct converter {
    static MGX_DEVICE held<T> of(X x) { // from f32 or f64
        if constexpr (same<held<T>, X> && sizeof(T) >= sizeof(X) && is_float<T>)
            return x;
        else if constexpr (same<T, f64>)
            return static_cast<f64>(x);
        else if constexpr (is_float<T>)
            return value(convert<T>(kept_finite<T>(x)));
        else if constexpr (same<T, bool8>)
            return x > 0;
        else
            return held<T>::of(static_cast<u64>(convert<T>(x)));
    }
};
template <class T, class I>
struct converter<T, integer<I>> {
    static MGX_DEVICE held<T> of(integer<I> x) {
        if constexpr (same<T, f32> || same<T, f64>)
            return static_cast<T>(x);
        else if constexpr (is_float<T>)
            return converter<T, f64>::of(static_cast<f64>(x));
        else if constexpr (same<T, bool8>)
            return x.v > 0;
        else {
            // Compared in the source's type: what is beyond the target's range saturates.
            constexpr bool wide_enough = sizeof(T) == 8;
            constexpr bool is_signed = static_cast<T>(-1) < 0;
            if (static_cast<I>(-1) < 0 && x.v < 0)
                return held<T>::of(
                    is_signed && (wide_enough || x.v > static_cast<I>(limits<T>::low))
                        ? x.bits()
                        : static_cast<u64>(static_cast<i64>(limits<T>::low)));
            return held<T>::of(x.bits() < static_cast<u64>(limits<T>::high)
                                   ? x.bits()
                                   : static_cast<u64>(limits<T>::high));
        }
    }
};
template <class T, class X>
MGX_DEVICE held<T> converted(X x) {
    return converter<T, X>::of(x);
}

// ---- the functions of the table

namespace fn {

#define MGX_ROW_FUNCTION(name)                                                                     \
    template <class T>                                                                             \
    MGX_DEVICE T name(T x) {                                                                       \
        return mgx::name(x);                                                                       \
    }
MGX_ROW_FUNCTION(acos)
MGX_ROW_FUNCTION(acosh)
MGX_ROW_FUNCTION(asin)
MGX_ROW_FUNCTION(asinh)
MGX_ROW_FUNCTION(atan)
MGX_ROW_FUNCTION(atanh)
MGX_ROW_FUNCTION(cos)
MGX_ROW_FUNCTION(cosh)
MGX_ROW_FUNCTION(sin)
MGX_ROW_FUNCTION(sinh)
MGX_ROW_FUNCTION(tan)
MGX_ROW_FUNCTION(tanh)
MGX_ROW_FUNCTION(exp)
MGX_ROW_FUNCTION(expm1)
MGX_ROW_FUNCTION(log)
MGX_ROW_FUNCTION(log2)
MGX_ROW_FUNCTION(erf)
MGX_ROW_FUNCTION(sqrt)
MGX_ROW_FUNCTION(rsqrt)
MGX_ROW_FUNCTION(ceil)
MGX_ROW_FUNCTION(floor)
MGX_ROW_FUNCTION(nearbyint)
#undef MGX_ROW_FUNCTION

#ifdef MGX_SMALL_RESULTS
// All results are rounded to 16 bits or fewer: relative errors of up to 2^-15, in a third of the
// instructions. erf: its series, from 3/4 on Abramowitz and Stegun, 7.1.26.
MGX_DEVICE f32 exp(f32 x) {
    return fast_exp(x);
}
MGX_DEVICE f32 erf(f32 x) {
    const f32 a = fabs(x), z = x * x;
    f32 p = fma(1.2055333e-4f, z, -8.5483270e-4f);
    p = fma(p, z, 5.2239776e-3f);
    p = fma(p, z, -2.6866171e-2f);
    p = fma(p, z, 0.11283792f);
    p = fma(p, z, -0.37612639f);
    p = fma(p, z, 1.1283792f);
    const f32 t = fast_recip(fma(0.3275911f, a, 1.0f));
    f32 q = 1.061405429f;
    q = fma(q, t, -1.453152027f);
    q = fma(q, t, 1.421413741f);
    q = fma(q, t, -0.284496736f);
    q = fma(q, t, 0.254829592f);
    return a < 0.75f ? p * x : copysign(fma(-q * t, fast_exp(-z), 1.0f), x);
}
MGX_DEVICE f32 tanh(f32 x) {
    const f32 a = fabs(x), z = x * x;
    f32 p = 2.1869489e-2f;
    p = fma(p, z, -5.3968254e-2f);
    p = fma(p, z, 0.13333333f);
    p = fma(p, z, -0.33333333f);
    p = fma(p, z, 1.0f);
    return a < 0.5f ? p * x
                    : copysign(fma(-2.0f, fast_recip(fast_exp(2.0f * a) + 1.0f), 1.0f), x);
}
#endif

MGX_DEVICE f32 abs(f32 x) {
    return fabs(x);
}
MGX_DEVICE f64 abs(f64 x) {
    return fabs(x);
}
template <class I>
MGX_DEVICE integer<I> abs(integer<I> x) {
    return x < 0 ? -x : x;
}

// Whole numbers already.
template <class I>
MGX_DEVICE integer<I> ceil(integer<I> x) {
    return x;
}
template <class I>
MGX_DEVICE integer<I> floor(integer<I> x) {
    return x;
}
template <class I>
MGX_DEVICE integer<I> nearbyint(integer<I> x) {
    return x;
}

template <class T>
MGX_DEVICE T recip(T x) {
    return T(1) / x;
}
// 0 for NaN.
template <class T>
MGX_DEVICE T sign(T x) {
    return T(static_cast<int>(x > 0) - static_cast<int>(x < 0));
}

template <class T>
MGX_DEVICE T max(T a, T b) {
    return a > b || is_nan(a) ? a : b;
}
template <class T>
MGX_DEVICE T min(T a, T b) {
    return a < b || is_nan(a) ? a : b;
}
template <class T>
MGX_DEVICE T where(bool c, T a, T b) {
    return c ? a : b;
}
template <class T>
MGX_DEVICE bool isinf(T x) {
    return is_inf(x);
}
template <class T>
MGX_DEVICE bool isnan(T x) {
    return is_nan(x);
}

template <class T>
MGX_DEVICE T pow(T x, T y) {
    return mgx::pow(x, y);
}
template <class I>
MGX_DEVICE integer<I> pow(integer<I> x, integer<I> y) {
    if (y < 0) {
        if (x == 0)
            return integer<I>::of(static_cast<u64>(limits<I>::high));
        if (x == 1 || x == -1)
            return y % 2 == 0 ? integer<I>(1) : x;
        return 0;
    }
    integer<I> r = 1;
    for (u64 e = y.bits(); e > 0; e >>= 1, x = x * x)
        if ((e & 1) != 0)
            r = r * x;
    return r;
}

template <class T>
MGX_DEVICE T fmod(T x, T y) {
    return mgx::fmod(x, y);
}
template <class I>
MGX_DEVICE integer<I> fmod(integer<I> x, integer<I> y) {
    return x % y;
}
// With the sign of the divisor.
template <class T>
MGX_DEVICE T mod(T x, T y) {
    const T r = mgx::fmod(x, y);
    if (r == 0)
        return copysign(T(0), y);
    return (r < 0) != (y < 0) ? r + y : r;
}
template <class I>
MGX_DEVICE integer<I> mod(integer<I> x, integer<I> y) {
    const integer<I> r = x % y;
    return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

} // namespace fn

// ---- runs of N elements in memory

enum class run { repeated, unit, strided };

// Wide: the address is a multiple of the vector's size (up to 16 bytes).
template <int N, run Kind, bool Wide, class T, class Index>
MGX_DEVICE vec<T, N> load_run(const T* p, Index stride) {
    if constexpr (Kind == run::unit && Wide && N > 1) {
        return load<N>(p);
    } else {
        vec<T, N> r;
#pragma unroll
        for (int i = 0; i < N; i++)
            r[i] = p[Kind == run::repeated ? Index(0) : Kind == run::unit ? Index(i) : i * stride];
        return r;
    }
}
// N times the same.
template <int N, class T>
MGX_DEVICE vec<T, N> vec_of(T x) {
    vec<T, N> r;
#pragma unroll
    for (int i = 0; i < N; i++)
        r[i] = x;
    return r;
}
// Those that are at positions below `size`, `fill` in the place of others. Index is unsigned, and
// offsets before the first element wrap round like positions.
template <int N, class T, class Index>
MGX_DEVICE vec<T, N> load_bordered(const T* p, Index at, Index stride, bool inside, Index position,
                                   Index size, T fill) {
    vec<T, N> r;
#pragma unroll
    for (int i = 0; i < N; i++)
        r[i] = inside && Index(position + i) < size ? p[Index(at + i * stride)] : fill;
    return r;
}
template <run Kind, bool Wide, int N, class T, class Index>
MGX_DEVICE void store_run(T* p, const vec<T, N>& x, Index stride) {
    if constexpr (Kind == run::unit && Wide && N > 1) {
        store(p, x);
    } else {
#pragma unroll
        for (int i = 0; i < N; i++)
            p[Kind == run::unit ? Index(i) : i * stride] = x[i];
    }
}

// Whether vectors of N elements from here on lie at multiples of their size.
template <int N, class T>
MGX_DEVICE bool is_aligned(const T* p) {
    constexpr int bytes = sizeof(T) * N < 16 ? sizeof(T) * N : 16;
    return reinterpret_cast<u64>(p) % bytes == 0;
}

} // namespace mgx
