// SPDX-License-Identifier: MIT
// What the kernels here need beyond vec.hpp: loads and stores of 0 to vf_width lanes with a chosen
// fill, and folds of a vector to one value. For kernel files only.
#pragma once

#include "targets/cpu/kernels/vec.hpp"

namespace migraphx::cpu::KERNEL_ISA {

// Asks for the line that holds `p`, to be written: it may be another core's.
MIGRAPHX_VEC_INLINE void fetch_to_write(const float* p) {
#if defined(__x86_64__)
    asm volatile("prefetchw %0" : : "m"(*p)); // the builtin is a plain read here
#else
    __builtin_prefetch(p, 1);
#endif
}

using namespace vec;

constexpr int lanes = vf_width;
constexpr float infinity = float_infinity;

MIGRAPHX_VEC_INLINE vi iota() {
    vi v;
    for (int i = 0; i < lanes; ++i)
        v[i] = i;
    return v;
}

// The first n lanes, 0 <= n <= lanes; the others are `fill` and their memory is not touched.
MIGRAPHX_VEC_INLINE vf load_first(const float* p, int64_t n, float fill = 0) {
#if MIGRAPHX_VEC_BYTES == 64
    return vf(_mm512_mask_loadu_ps(__m512(splat(fill)), __mmask16((1u << n) - 1), p));
#elif MIGRAPHX_VEC_BYTES == 32
    const vi on = iota() < int32_t(n);
    return on ? vf(_mm256_maskload_ps(p, __m256i(on))) : splat(fill);
#else
    vf v = splat(fill);
    for (int i = 0; i < n; ++i)
        v[i] = p[i];
    return v;
#endif
}

MIGRAPHX_VEC_INLINE void store_first(float* p, vf v, int64_t n) {
#if MIGRAPHX_VEC_BYTES == 64
    _mm512_mask_storeu_ps(p, __mmask16((1u << n) - 1), __m512(v));
#elif MIGRAPHX_VEC_BYTES == 32
    _mm256_maskstore_ps(p, __m256i(iota() < int32_t(n)), __m256(v));
#else
    for (int i = 0; i < n; ++i)
        p[i] = v[i];
#endif
}

// Bytes as integers, one a lane: a whole vector, or the first n with 0 behind them.
MIGRAPHX_VEC_INLINE vi load_first_bytes(const uint8_t* p, int64_t n) {
#if MIGRAPHX_VEC_BYTES == 64
    return vi(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(__mmask16((1u << n) - 1), p)));
#else
    vi v{};
    for (int i = 0; i < n; ++i)
        v[i] = p[i];
    return v;
#endif
}

MIGRAPHX_VEC_INLINE vi load_bytes(const uint8_t* p) {
#if MIGRAPHX_VEC_BYTES == 64
    return vi(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#elif MIGRAPHX_VEC_BYTES == 32
    return vi(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
#else
    return vi{p[0], p[1], p[2], p[3]};
#endif
}

// Folds neighbouring halves until one value is left.
template <class Op>
MIGRAPHX_VEC_INLINE float fold(vf v, Op op) {
#if MIGRAPHX_VEC_BYTES == 64
    const __m256 h = __m256(op(_mm512_castps512_ps256(__m512(v)),
                               _mm256_castsi256_ps(_mm512_extracti64x4_epi64(__m512i(v), 1))));
    __m128 q = op(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
#elif MIGRAPHX_VEC_BYTES == 32
    __m128 q = op(_mm256_castps256_ps128(__m256(v)), _mm256_extractf128_ps(__m256(v), 1));
#else
    __m128 q = __m128(v);
#endif
    q = op(q, _mm_movehl_ps(q, q));
    q = op(q, _mm_shuffle_ps(q, q, 1));
    return _mm_cvtss_f32(q);
}

MIGRAPHX_VEC_INLINE float sum_of(vf v) {
    return fold(v, [](auto a, auto b) { return a + b; });
}

// NaN lanes are not seen.
MIGRAPHX_VEC_INLINE float largest_of(vf v) {
    return fold(v, [](auto a, auto b) { return a > b ? a : b; });
}

MIGRAPHX_VEC_INLINE float smallest_of(vf v) {
    return fold(v, [](auto a, auto b) { return a < b ? a : b; });
}

} // namespace migraphx::cpu::KERNEL_ISA
