// SPDX-License-Identifier: MIT
// Elementary functions on vf, at most 4 ULP from the true value (most of them 2), right at NaN,
// infinities and denormals. Coefficients come from tools/fit_math.py. For kernel files, and for the
// emitter of generated code, whose vectors (jit/llvm/symbolic_vec.hpp) make the same instructions.
#pragma once

#ifndef MIGRAPHX_VEC_SYMBOLIC
#include "targets/cpu/kernels/vec.hpp"
#endif

namespace migraphx::cpu::KERNEL_ISA::vec {

MIGRAPHX_VEC_INLINE vf exp(vf x) {
    // Beyond these bounds the result is infinity or 0; raw_min and raw_max keep NaN in the second
    // operand.
    x = raw_max(splat(-105.0f), raw_min(splat(89.0f), x));
    const vf n = nearest(x * 1.44269504f);
    vf r = fma(n, splat(-0.693359375f), x);
    r = fma(n, splat(2.12194440e-4f), r);
    vf p = splat(0.00138209993f);
    p = fma(p, r, splat(0.00836867094f));
    p = fma(p, r, splat(0.0416682623f));
    p = fma(p, r, splat(0.166665211f));
    p = fma(p, r, splat(0.49999994f));
    p = fma(p, r * r, r) + 1.0f;
    return scale_by_power(p, n);
}

// exp(x) - 1 for x <= 0, exact near 0.
MIGRAPHX_VEC_INLINE vf expm1_negative(vf x) {
    const vf t = raw_max(splat(-0.5f), x);
    vf p = splat(0.000200854323f);
    p = fma(p, t, splat(0.001401074f));
    p = fma(p, t, splat(0.00833285414f));
    p = fma(p, t, splat(0.041664958f));
    p = fma(p, t, splat(0.166666687f));
    p = fma(p, t, splat(0.50000006f));
    p = fma(p, t * t, t);
    return select(x < -0.5f, exp(x) - 1.0f, p);
}

// x = 2^e * (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); tail = log(1 + f) - f.
struct log_parts {
    vf e, f, tail;
};

MIGRAPHX_VEC_INLINE log_parts split_log(vf x) {
    const auto tiny = x < 1.17549435e-38f;
    x = select(tiny, x * 8388608.0f, x);
    const vi root_half = splat_int(0x3f3504f3);
    const vi shifted = wrapping_sub(bits(x), root_half);
    vf e = to_float(shifted >> 23);
    e = select(tiny, e - 23.0f, e);
    const vf f = from_bits((shifted & 0x007fffff) + root_half) - 1.0f;
    vf p = splat(-0.076363951f);
    p = fma(p, f, splat(0.127621979f));
    p = fma(p, f, splat(-0.131596133f));
    p = fma(p, f, splat(0.142015815f));
    p = fma(p, f, splat(-0.166234091f));
    p = fma(p, f, splat(0.200012416f));
    p = fma(p, f, splat(-0.250008196f));
    p = fma(p, f, splat(0.333333313f));
    const vf f2 = f * f;
    return {e, f, fma(f2 * f, p, f2 * -0.5f)};
}

// The value of a logarithm of x where the polynomial does not give it.
MIGRAPHX_VEC_INLINE vf log_edges(vf x, vf value) {
    value = select(x < float_infinity, value, x); // infinity and NaN
    value = select(x == 0.0f, splat(-float_infinity), value);
    return select(x < 0.0f, splat(__builtin_nanf("")), value);
}

MIGRAPHX_VEC_INLINE vf log(vf x) {
    const log_parts s = split_log(x);
    vf y = fma(s.e, splat(-2.12194440e-4f), s.tail) + s.f;
    y = fma(s.e, splat(0.693359375f), y);
    return log_edges(x, y);
}

MIGRAPHX_VEC_INLINE vf log2(vf x) {
    const log_parts s = split_log(x);
    // log2(e) in two parts: the first is exact in 11 bits.
    const vf low = fma(s.tail, splat(1.44269504f), s.f * 3.12228388e-4f);
    return log_edges(x, fma(s.f, splat(1.4423828125f), low) + s.e);
}

MIGRAPHX_VEC_INLINE vf erf(vf x) {
    const vf t = raw_min(splat(4.0f), abs(x)); // erf(4) is 1 in float
    const vf s = t * t;
    vf small = splat(-0.000598021375f);
    small = fma(small, s, splat(0.00499176187f));
    small = fma(small, s, splat(-0.0267662313f));
    small = fma(small, s, splat(0.112818271f));
    small = fma(small, s, splat(-0.376124978f));
    small = fma(small, s, splat(0.128379151f));
    small = fma(small, t, t);
    vf large = splat(1.08432469e-05f);
    large = fma(large, t, splat(-0.000318924722f));
    large = fma(large, t, splat(0.00362671399f));
    large = fma(large, t, splat(-0.0237288345f));
    large = fma(large, t, splat(0.1061984f));
    large = fma(large, t, splat(0.635174513f));
    large = fma(large, t, splat(1.1286428f));
    large = 1.0f - exp(-(large * t));
    return copysign(select(t < 0.92f, small, large), x);
}

MIGRAPHX_VEC_INLINE vf tanh(vf x) {
    const vf t = abs(x);
    const vf s = t * t;
    vf small = splat(-0.00582163921f);
    small = fma(small, s, splat(0.0207370408f));
    small = fma(small, s, splat(-0.0537677594f));
    small = fma(small, s, splat(0.133317545f));
    small = fma(small, s, splat(-0.333332926f));
    small = fma(small * s, t, t);
    const vf large = 1.0f - 2.0f / (exp(t + t) + 1.0f);
    return copysign(select(t < 0.6f, small, large), x);
}

MIGRAPHX_VEC_INLINE vf sigmoid(vf x) {
    const vf e = exp(-abs(x));
    return select(x < 0.0f, e, splat(1.0f)) / (e + 1.0f);
}

MIGRAPHX_VEC_INLINE vf elu(vf x, vf alpha) {
    return select(x > 0.0f, x, alpha * expm1_negative(raw_min(splat(0.0f), x)));
}

// 2^f for f in [-1/2, 1/2].
MIGRAPHX_VEC_INLINE vf power_of_part(vf f) {
    vf p = splat(1.54035304e-4f);
    p = fma(p, f, splat(1.33335581e-3f));
    p = fma(p, f, splat(9.61812911e-3f));
    p = fma(p, f, splat(5.55041087e-2f));
    p = fma(p, f, splat(2.40226507e-1f));
    p = fma(p, f, splat(6.93147181e-1f));
    return fma(p, f, splat(1.0f));
}

// x * (1 + erf(x / sqrt(2))) / 2 as relu(x) - |x| / 2 * erfc(|x| / sqrt(2)). erfc(t) is the power
// of two of -t * p(t), p fitted on [0, 4] (error 2e-8); beyond, it falls faster than any use of it.
MIGRAPHX_VEC_INLINE vf gelu_erf(vf x) {
    const vf a = raw_min(splat(16.0f), abs(x));
    const vf t = a * 0.707106781f;
    vf p = splat(4.53583816e-05f);
    p = fma(p, t, splat(-0.000445505575f));
    p = fma(p, t, splat(0.00148943404f));
    p = fma(p, t, splat(0.000774643093f));
    p = fma(p, t, splat(-0.0282536931f));
    p = fma(p, t, splat(0.148481622f));
    p = fma(p, t, splat(0.918416381f));
    p = fma(p, t, splat(1.62790859f));
    const vf y = raw_max(splat(-126.0f), -(t * p));
    const vf n = nearest(y), f = y - n;
    return fma(a * -0.5f, scale_by_power(power_of_part(f), n), raw_max(splat(0.0f), x));
}

#ifndef MIGRAPHX_VEC_SYMBOLIC // what follows looks at lanes

// x modulo pi/2 in double: the remainder, and the number of quarter turns as a float.
MIGRAPHX_VEC_INLINE vd quarter_turns(vd x, vd& turns) {
    const double magic = 0x1.8p52;
    const vd k = (x * 0.63661977236758134 + magic) - magic;
    turns = k;
    const vd r = fma(k, splat_double(-0x1.921fb544p0), x);
    return fma(k, splat_double(-0x1.0b4611a626331p-34), r);
}

struct sine_cosine {
    vf sine, cosine;
};

// For |x| up to 1e5.
MIGRAPHX_VEC_INLINE sine_cosine sine_and_cosine(vf x) {
    vd low_turns, high_turns;
    const vd low = quarter_turns(widen_low(x), low_turns);
    const vd high = quarter_turns(widen_high(x), high_turns);
    const vf r = narrow(low, high);
    const vi q = to_int(narrow(low_turns, high_turns));
    const vf s = r * r;
    vf sine = splat(2.83724717e-06f);
    sine = fma(sine, s, splat(-0.000198534981f));
    sine = fma(sine, s, splat(0.00833338033f));
    sine = fma(sine, s, splat(-0.166666672f));
    sine = fma(sine * s, r, r);
    vf cosine = splat(2.44306684e-05f);
    cosine = fma(cosine, s, splat(-0.00138873013f));
    cosine = fma(cosine, s, splat(0.0416666456f));
    cosine = fma(cosine * s, s, fma(s, splat(-0.5f), splat(1.0f)));
    const vi odd = (q & 1) != 0;
    const vf a = odd ? cosine : sine;
    const vf b = odd ? sine : cosine;
    return {from_bits(bits(a) ^ ((q & 2) << 30)), from_bits(bits(b) ^ (((q + 1) & 2) << 30))};
}

MIGRAPHX_VEC_INLINE bool beyond_reduction(vf x) {
    return any(not(abs(x) <= 1e5f));
}

template <class F>
MIGRAPHX_VEC_INLINE vf lane_by_lane(vf x, F f) {
    vf y = x;
    for (int i = 0; i < vf_width; ++i)
        y[i] = f(x[i]);
    return y;
}

MIGRAPHX_VEC_INLINE vf sin(vf x) {
    if (__builtin_expect(beyond_reduction(x), 0))
        return lane_by_lane(x, [](float v) { return __builtin_sinf(v); });
    const vf y = sine_and_cosine(x).sine;
    return x == 0.0f ? x : y; // keeps -0
}

MIGRAPHX_VEC_INLINE vf cos(vf x) {
    if (__builtin_expect(beyond_reduction(x), 0))
        return lane_by_lane(x, [](float v) { return __builtin_cosf(v); });
    return sine_and_cosine(x).cosine;
}

MIGRAPHX_VEC_INLINE vf tan(vf x) {
    if (__builtin_expect(beyond_reduction(x), 0))
        return lane_by_lane(x, [](float v) { return __builtin_tanf(v); });
    const sine_cosine s = sine_and_cosine(x);
    return x == 0.0f ? x : s.sine / s.cosine;
}

// x^y in double for x > 0, clamped to where floats are infinite or 0.
MIGRAPHX_VEC_INLINE vd positive_power(vd x, vd y) {
    const vu all = (vu)x;
    const vu one = (vu)splat_double(1.0);
    vd m = (vd)((all & 0x000fffffffffffffULL) | one);
    vd e = (vd)((all >> 52) | (vu)splat_double(0x1p52)) - (0x1p52 + 1023);
    const vl above = m > 1.4142135623730951;
    m = above ? m * 0.5 : m;
    e = above ? e + 1.0 : e;
    const vd s = (m - 1.0) / (m + 1.0);
    const vd s2 = s * s;
    vd p = splat_double(2.8853900817779268 / 11);
    p = fma(p, s2, splat_double(2.8853900817779268 / 9));
    p = fma(p, s2, splat_double(2.8853900817779268 / 7));
    p = fma(p, s2, splat_double(2.8853900817779268 / 5));
    p = fma(p, s2, splat_double(2.8853900817779268 / 3));
    p = fma(p, s2, splat_double(2.8853900817779268));
    vd t = fma(p, s, e) * y;
    t = t > 200.0 ? splat_double(200.0) : t;
    t = t < -200.0 ? splat_double(-200.0) : t;
    const double magic = 0x1.8p52;
    const vd shifted = t + magic;
    const vd r = (t - (shifted - magic)) * 0.69314718055994531;
    vd q = splat_double(1.0 / 40320);
    q = fma(q, r, splat_double(1.0 / 5040));
    q = fma(q, r, splat_double(1.0 / 720));
    q = fma(q, r, splat_double(1.0 / 120));
    q = fma(q, r, splat_double(1.0 / 24));
    q = fma(q, r, splat_double(1.0 / 6));
    q = fma(q, r, splat_double(0.5));
    q = fma(q, r, splat_double(1.0));
    q = fma(q, r, splat_double(1.0));
    return (vd)((vu)q + ((vu)shifted << 52));
}

MIGRAPHX_VEC_INLINE vf pow(vf x, vf y) {
    const vi plain = (x > 0.0f) & (x < float_infinity) & (abs(y) < 1e30f);
    const vf base = plain ? x : splat(1.0f);
    const vf exponent = plain ? y : splat(1.0f);
    vf z = narrow(positive_power(widen_low(base), widen_low(exponent)),
                  positive_power(widen_high(base), widen_high(exponent)));
    if (__builtin_expect(any(not plain), 0))
        for (int i = 0; i < vf_width; ++i)
            if (plain[i] == 0)
                z[i] = __builtin_powf(x[i], y[i]);
    return z;
}

#endif

} // namespace migraphx::cpu::KERNEL_ISA::vec
