// SPDX-License-Identifier: MIT
// Half and bfloat16 to and from float, one value or a row at a time; rounding is to nearest even.
#pragma once

#include "targets/cpu/kernels/elem_type.hpp"
#include "targets/cpu/kernels/lanes.hpp"

#include <cstdint>

namespace migraphx::cpu::KERNEL_ISA {

inline uint32_t float_bits(float x) {
    uint32_t b;
    __builtin_memcpy(&b, &x, 4);
    return b;
}

inline float bits_float(uint32_t b) {
    float x;
    __builtin_memcpy(&x, &b, 4);
    return x;
}

inline float half_to_float(uint16_t h) {
#if defined(__F16C__)
    return _cvtsh_ss(h);
#else
    const uint32_t sign = uint32_t(h & 0x8000) << 16;
    const uint32_t rest = uint32_t(h & 0x7fff) << 13;
    const uint32_t exponent = rest & 0x0f800000;
    if (exponent == 0x0f800000) // infinity, NaN
        return bits_float(sign | (rest + (uint32_t(255 - 31) << 23)));
    if (exponent == 0) // subnormal: the magic number's exponent is that of the smallest normal
        return bits_float(sign |
                          float_bits(bits_float(rest + (113u << 23)) - bits_float(113u << 23)));
    return bits_float(sign | (rest + (112u << 23)));
#endif
}

inline uint16_t float_to_half(float x) {
#if defined(__F16C__)
    return uint16_t(_cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT));
#else
    const uint32_t bits = float_bits(x);
    const uint32_t sign = bits >> 16 & 0x8000;
    uint32_t u = bits & 0x7fffffff;
    if (u >= 0x47800000) // too large, infinity, NaN
        return uint16_t(sign | (u > 0x7f800000 ? 0x7e00 | (u >> 13 & 0x3ff) : 0x7c00));
    if (u < 0x38800000) // subnormal result: the adder rounds
        return uint16_t(sign | (float_bits(bits_float(u) + 0.5f) - float_bits(0.5f)));
    u += 0xc8000fff + (u >> 13 & 1);
    return uint16_t(sign | u >> 13);
#endif
}

inline float bf16_to_float(uint16_t h) {
    return bits_float(uint32_t(h) << 16);
}

inline uint16_t float_to_bf16(float x) {
    const uint32_t b = float_bits(x);
    if ((b & 0x7fffffff) > 0x7f800000)
        return uint16_t(b >> 16 | 0x40);
    return uint16_t((b + 0x7fff + (b >> 16 & 1)) >> 16);
}

// n elements of type f32, f16 or bf16, `stride` elements apart.
inline void load_floats(float* __restrict to, const void* from, elem_type type, int64_t n,
                        int64_t stride = 1) {
    const auto* h = static_cast<const uint16_t*>(from);
    if (type == elem_type::f16) {
        int64_t i = 0;
#if defined(__AVX512F__)
        if (stride == 1)
            for (; i + 16 <= n; i += 16)
                _mm512_storeu_ps(to + i, _mm512_cvtph_ps(_mm256_loadu_si256(
                                             reinterpret_cast<const __m256i*>(h + i))));
#elif defined(__F16C__)
        if (stride == 1)
            for (; i + 8 <= n; i += 8)
                _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(
                                             reinterpret_cast<const __m128i*>(h + i))));
#endif
        for (; i < n; ++i)
            to[i] = half_to_float(h[i * stride]);
    } else if (type == elem_type::bf16) {
        for (int64_t i = 0; i < n; ++i)
            to[i] = bf16_to_float(h[i * stride]);
    } else {
        const auto* f = static_cast<const float*>(from);
        for (int64_t i = 0; i < n; ++i)
            to[i] = f[i * stride];
    }
}

inline void store_floats(void* to, const float* __restrict from, elem_type type, int64_t n,
                         int64_t stride = 1) {
    auto* h = static_cast<uint16_t*>(to);
    if (type == elem_type::f16) {
        int64_t i = 0;
#if defined(__F16C__)
        if (stride == 1)
            for (; i + 8 <= n; i += 8)
                _mm_storeu_si128(
                    reinterpret_cast<__m128i*>(h + i),
                    _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
#endif
        for (; i < n; ++i)
            h[i * stride] = float_to_half(from[i]);
    } else if (type == elem_type::bf16) {
        for (int64_t i = 0; i < n; ++i)
            h[i * stride] = float_to_bf16(from[i]);
    } else {
        auto* f = static_cast<float*>(to);
        for (int64_t i = 0; i < n; ++i)
            f[i * stride] = from[i];
    }
}

// ---- vectors of f32, f16 or bf16 elements, as floats

template <elem_type T>
MIGRAPHX_VEC_INLINE vf load_lanes(const void* base, int64_t at) {
    if constexpr (T == elem_type::f32)
        return load(static_cast<const float*>(base) + at);
    const auto* p = static_cast<const uint16_t*>(base) + at;
#if MIGRAPHX_VEC_BYTES == 64
    const __m256i h = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    if constexpr (T == elem_type::f16)
        return vf(_mm512_cvtph_ps(h));
    return vf(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
#elif MIGRAPHX_VEC_BYTES == 32
    const __m128i h = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    if constexpr (T == elem_type::f16)
        return vf(_mm256_cvtph_ps(h));
    return vf(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
#else
    vf v;
    for (int i = 0; i < lanes; ++i)
        v[i] = T == elem_type::f16 ? half_to_float(p[i]) : bf16_to_float(p[i]);
    return v;
#endif
}

template <elem_type T>
MIGRAPHX_VEC_INLINE void store_lanes(void* base, int64_t at, vf v) {
    if constexpr (T == elem_type::f32) {
        store(static_cast<float*>(base) + at, v);
        return;
    }
    float b[lanes];
    store(b, v);
    store_floats(static_cast<uint16_t*>(base) + at, b, T, lanes);
}

// The first n lanes, 0 <= n <= lanes.
template <elem_type T>
MIGRAPHX_VEC_INLINE vf load_lanes_first(const void* base, int64_t at, int64_t n, float fill = 0) {
    if constexpr (T == elem_type::f32)
        return load_first(static_cast<const float*>(base) + at, n, fill);
    float b[lanes];
    store(b, splat(fill));
    load_floats(b, static_cast<const uint16_t*>(base) + at, T, n);
    return load(b);
}

template <elem_type T>
MIGRAPHX_VEC_INLINE void store_lanes_first(void* base, int64_t at, vf v, int64_t n) {
    if constexpr (T == elem_type::f32) {
        store_first(static_cast<float*>(base) + at, v, n);
        return;
    }
    float b[lanes];
    store(b, v);
    store_floats(static_cast<uint16_t*>(base) + at, b, T, n);
}

} // namespace migraphx::cpu::KERNEL_ISA
