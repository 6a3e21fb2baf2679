// SPDX-License-Identifier: MIT
// Mathematical functions of float and double, by one name each.
#pragma once

namespace mgx {

#ifdef MGX_HOST
#define MGX_MATH_NAME(name) __builtin_##name
#else
#define MGX_MATH_NAME(name) ::name
#endif

#define MGX_MATH1(name, callee)                                                                    \
    MGX_DEVICE f32 name(f32 x) { return MGX_MATH_NAME(callee##f)(x); }                             \
    MGX_DEVICE f64 name(f64 x) { return MGX_MATH_NAME(callee)(x); }
#define MGX_MATH2(name, callee)                                                                    \
    MGX_DEVICE f32 name(f32 x, f32 y) { return MGX_MATH_NAME(callee##f)(x, y); }                   \
    MGX_DEVICE f64 name(f64 x, f64 y) { return MGX_MATH_NAME(callee)(x, y); }

MGX_MATH1(exp, exp)
MGX_MATH1(exp2, exp2)
MGX_MATH1(expm1, expm1)
MGX_MATH1(log, log)
MGX_MATH1(log2, log2)
MGX_MATH1(log10, log10)
MGX_MATH1(log1p, log1p)
MGX_MATH1(sqrt, sqrt)
MGX_MATH1(cbrt, cbrt)
MGX_MATH1(sin, sin)
MGX_MATH1(cos, cos)
MGX_MATH1(tan, tan)
MGX_MATH1(asin, asin)
MGX_MATH1(acos, acos)
MGX_MATH1(atan, atan)
MGX_MATH1(sinh, sinh)
MGX_MATH1(cosh, cosh)
MGX_MATH1(tanh, tanh)
MGX_MATH1(asinh, asinh)
MGX_MATH1(acosh, acosh)
MGX_MATH1(atanh, atanh)
MGX_MATH1(erf, erf)
MGX_MATH1(erfc, erfc)
MGX_MATH1(lgamma, lgamma)
MGX_MATH1(tgamma, tgamma)
MGX_MATH1(floor, floor)
MGX_MATH1(ceil, ceil)
MGX_MATH1(trunc, trunc)
MGX_MATH1(round, round)    // halves away from zero
MGX_MATH1(nearbyint, rint) // halves to even
MGX_MATH1(fabs, fabs)
MGX_MATH2(pow, pow)
MGX_MATH2(atan2, atan2)
MGX_MATH2(fmod, fmod)
MGX_MATH2(copysign, copysign)
MGX_MATH2(fmax, fmax) // of a number and a NaN: the number
MGX_MATH2(fmin, fmin)

#undef MGX_MATH1
#undef MGX_MATH2

MGX_DEVICE f32 fma(f32 x, f32 y, f32 z) {
    return MGX_MATH_NAME(fmaf)(x, y, z);
}
MGX_DEVICE f64 fma(f64 x, f64 y, f64 z) {
    return MGX_MATH_NAME(fma)(x, y, z);
}

#undef MGX_MATH_NAME

MGX_DEVICE f32 rsqrt(f32 x) {
#ifdef MGX_HOST
    return 1.0f / sqrt(x);
#else
    return ::rsqrtf(x);
#endif
}
MGX_DEVICE f64 rsqrt(f64 x) {
    return 1.0 / sqrt(x);
}

// Few instructions, about 2 ulp: for softmax, sigmoid and the like.
MGX_DEVICE f32 fast_exp(f32 x) {
#ifdef MGX_CUDA
    return ::__expf(x);
#else
    return exp(x);
#endif
}
MGX_DEVICE f32 fast_exp2(f32 x) {
#ifdef MGX_CUDA
    f32 r;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
    return r;
#else
    return exp2(x);
#endif
}

template <class T>
MGX_DEVICE T infinity() {
    return static_cast<T>(bits_as<f32>(0x7f800000u));
}

// 1 / x, about 1 ulp; of denormals infinity.
MGX_DEVICE f32 fast_recip(f32 x) {
#ifdef MGX_CUDA
    f32 r;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
    return r;
#else
    return 1.0f / x;
#endif
}

template <class T>
MGX_DEVICE bool is_nan(T x) {
    if constexpr (is_small_float<T>)
        return is_nan(to_f32(x));
    else
        return !(x == x);
}
template <class T>
MGX_DEVICE bool is_inf(T x) {
    if constexpr (is_small_float<T>)
        return is_inf(to_f32(x));
    else if constexpr (is_float<T>)
        return fabs(x) == infinity<T>();
    else
        return false;
}
// Of any type that compares; the first when they are equal or do not compare.
template <class T>
MGX_DEVICE T least(T x, T y) {
    return y < x ? y : x;
}
template <class T>
MGX_DEVICE T greatest(T x, T y) {
    return x < y ? y : x;
}

template <class T>
MGX_DEVICE T div_up(T x, T y) {
    return (x + y - 1) / y;
}

// Functions of two values, for reductions and scans.
struct add_op {
    template <class T>
    MGX_DEVICE T operator()(T x, T y) const {
        return x + y;
    }
};
struct mul_op {
    template <class T>
    MGX_DEVICE T operator()(T x, T y) const {
        return x * y;
    }
};
// A NaN of either side stays.
struct max_op {
    template <class T>
    MGX_DEVICE T operator()(T x, T y) const {
        return x > y || is_nan(x) ? x : y;
    }
};
struct min_op {
    template <class T>
    MGX_DEVICE T operator()(T x, T y) const {
        return x < y || is_nan(x) ? x : y;
    }
};

} // namespace mgx
