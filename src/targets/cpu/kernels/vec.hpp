// SPDX-License-Identifier: MIT
// Vectors of the level's width, as GCC vector types: vf float, vi int32, vui uint32, and with half
// as many lanes vd double, vl int64, vu uint64. Arithmetic, comparisons (lanes of 0 or -1) and
// `mask ? a : b` are the compiler's; what it lacks is here. For kernel files only.
#pragma once

#include <cstdint>

// GCC 12 reports its own _mm512_undefined_ps.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>

#if defined(__AVX512F__)
#define MIGRAPHX_VEC_BYTES 64
#elif defined(__AVX2__)
#define MIGRAPHX_VEC_BYTES 32
#else
#define MIGRAPHX_VEC_BYTES 16
#endif
#define MIGRAPHX_VEC_INLINE __attribute__((always_inline)) inline

namespace migraphx::cpu::KERNEL_ISA::vec {

typedef float vf __attribute__((vector_size(MIGRAPHX_VEC_BYTES)));
typedef int32_t vi __attribute__((vector_size(MIGRAPHX_VEC_BYTES)));
typedef uint32_t vui __attribute__((vector_size(MIGRAPHX_VEC_BYTES)));
typedef double vd __attribute__((vector_size(MIGRAPHX_VEC_BYTES)));
typedef int64_t vl __attribute__((vector_size(MIGRAPHX_VEC_BYTES)));
typedef uint64_t vu __attribute__((vector_size(MIGRAPHX_VEC_BYTES)));

constexpr int vf_width = MIGRAPHX_VEC_BYTES / 4;
constexpr float float_infinity = __builtin_inff();

MIGRAPHX_VEC_INLINE vf splat(float x) {
    return x - vf{};
} // x - 0 folds away, 0 + x does not
MIGRAPHX_VEC_INLINE vi splat_int(int32_t x) {
    return vi{} + x;
}
MIGRAPHX_VEC_INLINE vd splat_double(double x) {
    return x - vd{};
}

MIGRAPHX_VEC_INLINE vi bits(vf x) {
    return (vi)x;
}
MIGRAPHX_VEC_INLINE vf from_bits(vi x) {
    return (vf)x;
}

// Lane by lane.
MIGRAPHX_VEC_INLINE vf select(vi mask, vf a, vf b) {
    return mask ? a : b;
}
MIGRAPHX_VEC_INLINE vi wrapping_sub(vi a, vi b) {
    return (vi)((vui)a - (vui)b);
}

MIGRAPHX_VEC_INLINE vf abs(vf x) {
    return from_bits(bits(x) & 0x7fffffff);
}
MIGRAPHX_VEC_INLINE vf copysign(vf magnitude, vf sign) {
    return from_bits((bits(magnitude) & 0x7fffffff) | (bits(sign) & int32_t(0x80000000)));
}

// 1.0f in the lanes that the mask selects, else 0.
MIGRAPHX_VEC_INLINE vf one_where(vi mask) {
    return from_bits(mask & bits(splat(1.0f)));
}

#if MIGRAPHX_VEC_BYTES == 64

MIGRAPHX_VEC_INLINE vf load(const float* p) {
    return (vf)_mm512_loadu_ps(p);
}
MIGRAPHX_VEC_INLINE void store(float* p, vf x) {
    _mm512_storeu_ps(p, (__m512)x);
}
// The first n lanes, 0 < n < vf_width; the others are 0 and their memory is not touched.
MIGRAPHX_VEC_INLINE vf load_part(const float* p, int n) {
    return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}
MIGRAPHX_VEC_INLINE void store_part(float* p, vf x, int n) {
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)x);
}
// x > y ? x : y and x < y ? x : y: y if either is NaN.
MIGRAPHX_VEC_INLINE vf raw_max(vf x, vf y) {
    return (vf)_mm512_max_ps((__m512)x, (__m512)y);
}
MIGRAPHX_VEC_INLINE vf raw_min(vf x, vf y) {
    return (vf)_mm512_min_ps((__m512)x, (__m512)y);
}
MIGRAPHX_VEC_INLINE vf sqrt(vf x) {
    return (vf)_mm512_sqrt_ps((__m512)x);
}
MIGRAPHX_VEC_INLINE vf fma(vf a, vf b, vf c) {
    return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
MIGRAPHX_VEC_INLINE vf nearest(vf x) {
    return (vf)_mm512_roundscale_ps((__m512)x, 8);
}
MIGRAPHX_VEC_INLINE vf floor(vf x) {
    return (vf)_mm512_roundscale_ps((__m512)x, 9);
}
MIGRAPHX_VEC_INLINE vf ceil(vf x) {
    return (vf)_mm512_roundscale_ps((__m512)x, 10);
}
MIGRAPHX_VEC_INLINE vf trunc(vf x) {
    return (vf)_mm512_roundscale_ps((__m512)x, 11);
}
// Nearest integer; INT32_MIN where it does not fit.
MIGRAPHX_VEC_INLINE vi to_int(vf x) {
    return (vi)_mm512_cvtps_epi32((__m512)x);
}
MIGRAPHX_VEC_INLINE vf to_float(vi x) {
    return (vf)_mm512_cvtepi32_ps((__m512i)x);
}
MIGRAPHX_VEC_INLINE bool any(vi mask) {
    return _mm512_movepi32_mask((__m512i)mask) != 0;
}
MIGRAPHX_VEC_INLINE vd widen_low(vf x) {
    return (vd)_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)x));
}
MIGRAPHX_VEC_INLINE vd widen_high(vf x) {
    return (vd)_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)x, 1));
}
MIGRAPHX_VEC_INLINE vf narrow(vd low, vd high) {
    return (vf)_mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps((__m512d)low)),
                                  _mm512_cvtpd_ps((__m512d)high), 1);
}
MIGRAPHX_VEC_INLINE vd fma(vd a, vd b, vd c) {
    return (vd)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}
// x * 2^n, n integral.
MIGRAPHX_VEC_INLINE vf scale_by_power(vf x, vf n) {
    return (vf)_mm512_scalef_ps((__m512)x, (__m512)n);
}

#elif MIGRAPHX_VEC_BYTES == 32

MIGRAPHX_VEC_INLINE vf load(const float* p) {
    return (vf)_mm256_loadu_ps(p);
}
MIGRAPHX_VEC_INLINE void store(float* p, vf x) {
    _mm256_storeu_ps(p, (__m256)x);
}
MIGRAPHX_VEC_INLINE __m256i first_lanes(int n) {
    return (__m256i)(vi{0, 1, 2, 3, 4, 5, 6, 7} < splat_int(n));
}
MIGRAPHX_VEC_INLINE vf load_part(const float* p, int n) {
    return (vf)_mm256_maskload_ps(p, first_lanes(n));
}
MIGRAPHX_VEC_INLINE void store_part(float* p, vf x, int n) {
    _mm256_maskstore_ps(p, first_lanes(n), (__m256)x);
}
MIGRAPHX_VEC_INLINE vf raw_max(vf x, vf y) {
    return (vf)_mm256_max_ps((__m256)x, (__m256)y);
}
MIGRAPHX_VEC_INLINE vf raw_min(vf x, vf y) {
    return (vf)_mm256_min_ps((__m256)x, (__m256)y);
}
MIGRAPHX_VEC_INLINE vf sqrt(vf x) {
    return (vf)_mm256_sqrt_ps((__m256)x);
}
MIGRAPHX_VEC_INLINE vf fma(vf a, vf b, vf c) {
    return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
MIGRAPHX_VEC_INLINE vf nearest(vf x) {
    return (vf)_mm256_round_ps((__m256)x, 8);
}
MIGRAPHX_VEC_INLINE vf floor(vf x) {
    return (vf)_mm256_round_ps((__m256)x, 9);
}
MIGRAPHX_VEC_INLINE vf ceil(vf x) {
    return (vf)_mm256_round_ps((__m256)x, 10);
}
MIGRAPHX_VEC_INLINE vf trunc(vf x) {
    return (vf)_mm256_round_ps((__m256)x, 11);
}
MIGRAPHX_VEC_INLINE vi to_int(vf x) {
    return (vi)_mm256_cvtps_epi32((__m256)x);
}
MIGRAPHX_VEC_INLINE vf to_float(vi x) {
    return (vf)_mm256_cvtepi32_ps((__m256i)x);
}
MIGRAPHX_VEC_INLINE bool any(vi mask) {
    return _mm256_movemask_ps((__m256)mask) != 0;
}
MIGRAPHX_VEC_INLINE vd widen_low(vf x) {
    return (vd)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)x));
}
MIGRAPHX_VEC_INLINE vd widen_high(vf x) {
    return (vd)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)x, 1));
}
MIGRAPHX_VEC_INLINE vf narrow(vd low, vd high) {
    return (vf)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps((__m256d)low)),
                                    _mm256_cvtpd_ps((__m256d)high), 1);
}
MIGRAPHX_VEC_INLINE vd fma(vd a, vd b, vd c) {
    return (vd)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}

#else

MIGRAPHX_VEC_INLINE vf load(const float* p) {
    return (vf)_mm_loadu_ps(p);
}
MIGRAPHX_VEC_INLINE void store(float* p, vf x) {
    _mm_storeu_ps(p, (__m128)x);
}
MIGRAPHX_VEC_INLINE vf load_part(const float* p, int n) {
    return vf{p[0], n > 1 ? p[1] : 0.0f, n > 2 ? p[2] : 0.0f, 0.0f};
}
MIGRAPHX_VEC_INLINE void store_part(float* p, vf x, int n) {
    p[0] = x[0];
    if (n > 1)
        p[1] = x[1];
    if (n > 2)
        p[2] = x[2];
}
MIGRAPHX_VEC_INLINE vf raw_max(vf x, vf y) {
    return (vf)_mm_max_ps((__m128)x, (__m128)y);
}
MIGRAPHX_VEC_INLINE vf raw_min(vf x, vf y) {
    return (vf)_mm_min_ps((__m128)x, (__m128)y);
}
MIGRAPHX_VEC_INLINE vf sqrt(vf x) {
    return (vf)_mm_sqrt_ps((__m128)x);
}
MIGRAPHX_VEC_INLINE vf fma(vf a, vf b, vf c) {
    return a * b + c;
}
MIGRAPHX_VEC_INLINE vf nearest(vf x) {
    return (vf)_mm_round_ps((__m128)x, 8);
}
MIGRAPHX_VEC_INLINE vf floor(vf x) {
    return (vf)_mm_round_ps((__m128)x, 9);
}
MIGRAPHX_VEC_INLINE vf ceil(vf x) {
    return (vf)_mm_round_ps((__m128)x, 10);
}
MIGRAPHX_VEC_INLINE vf trunc(vf x) {
    return (vf)_mm_round_ps((__m128)x, 11);
}
MIGRAPHX_VEC_INLINE vi to_int(vf x) {
    return (vi)_mm_cvtps_epi32((__m128)x);
}
MIGRAPHX_VEC_INLINE vf to_float(vi x) {
    return (vf)_mm_cvtepi32_ps((__m128i)x);
}
MIGRAPHX_VEC_INLINE bool any(vi mask) {
    return _mm_movemask_ps((__m128)mask) != 0;
}
MIGRAPHX_VEC_INLINE vd widen_low(vf x) {
    return (vd)_mm_cvtps_pd((__m128)x);
}
MIGRAPHX_VEC_INLINE vd widen_high(vf x) {
    return (vd)_mm_cvtps_pd(_mm_movehl_ps((__m128)x, (__m128)x));
}
MIGRAPHX_VEC_INLINE vf narrow(vd low, vd high) {
    return (vf)_mm_movelh_ps(_mm_cvtpd_ps((__m128d)low), _mm_cvtpd_ps((__m128d)high));
}
MIGRAPHX_VEC_INLINE vd fma(vd a, vd b, vd c) {
    return a * b + c;
}

#endif

#if MIGRAPHX_VEC_BYTES != 64
// In two factors, so that results in the denormal range and at the top come out rounded once.
MIGRAPHX_VEC_INLINE vf scale_by_power(vf x, vf n) {
    const vi k = to_int(n);
    const vi first = k >> 1;
    const vf a = from_bits((first + 127) << 23);
    const vf b = from_bits((k - first + 127) << 23);
    return x * a * b;
}
#endif

// NaN if either is NaN.
MIGRAPHX_VEC_INLINE vf max(vf x, vf y) {
    return x != x ? x : raw_max(x, y);
}
MIGRAPHX_VEC_INLINE vf min(vf x, vf y) {
    return x != x ? x : raw_min(x, y);
}

// sum += a * b, the sum staying in its register: with 12 sums of 16 registers GCC would use forms
// of the instruction that write a factor, and then moves and spills sums.
MIGRAPHX_VEC_INLINE void add_product(vf& sum, vf a, vf b) {
#if MIGRAPHX_VEC_BYTES == 32
    asm("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
#else
    sum = fma(a, b, sum);
#endif
}

// Finite values into [-top, top].
MIGRAPHX_VEC_INLINE vf clamp_finite(vf x, vf top) {
    const vf inside = raw_max(-top, raw_min(top, x)); // NaN stays
    return select(abs(x) == float_infinity, x, inside);
}

} // namespace migraphx::cpu::KERNEL_ISA::vec
