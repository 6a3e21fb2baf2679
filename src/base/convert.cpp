// SPDX-License-Identifier: MIT
// Arrays of small floats to float and back.
#include "base/convert.hpp"

#include <array>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace migraphx {
namespace {

template <class From, class To>
void convert_scalars(const From* in, To* out, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i)
        out[i] = To(static_cast<float>(in[i]));
}

#if defined(__x86_64__)
bool has_f16c() {
    static const bool has =
        __builtin_cpu_supports("avx2") != 0 and __builtin_cpu_supports("f16c") != 0;
    return has;
}

// Each returns how many items it did; the caller does the rest.
__attribute__((target("avx2,f16c"))) std::size_t half_to_float_x8(const half* in, float* out,
                                                                  std::size_t n) {
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(
            out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i))));
    return i;
}

__attribute__((target("avx2,f16c"))) std::size_t float_to_half_x8(const float* in, half* out,
                                                                  std::size_t n) {
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i),
                         _mm256_cvtps_ph(_mm256_loadu_ps(in + i),
                                         _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    return i;
}

__attribute__((target("avx2"))) std::size_t bf16_to_float_x8(const bf16* in, float* out,
                                                             std::size_t n) {
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const auto wide =
            _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i)));
        _mm256_storeu_ps(out + i, _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16)));
    }
    return i;
}

__attribute__((target("avx2"))) std::size_t float_to_bf16_x8(const float* in, bf16* out,
                                                             std::size_t n) {
    const auto one = _mm256_set1_epi32(1);
    const auto round = _mm256_set1_epi32(0x7fff);
    const auto quiet = _mm256_set1_epi32(0x40);
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const auto x = _mm256_loadu_ps(in + i);
        const auto u = _mm256_castps_si256(x);
        const auto top = _mm256_srli_epi32(u, 16);
        const auto odd = _mm256_and_si256(top, one);
        const auto rounded =
            _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(u, round), odd), 16);
        const auto nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
        const auto r = _mm256_blendv_epi8(rounded, _mm256_or_si256(top, quiet), nan);
        const auto packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(r, r), 0x08);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), _mm256_castsi256_si128(packed));
    }
    return i;
}
#endif

template <class T>
void decode_bytes(const T* in, float* out, std::size_t n) {
    static const std::array<float, 256> table = [] {
        std::array<float, 256> t{};
        for (unsigned i = 0; i < 256; ++i)
            t[i] = T(static_cast<std::uint8_t>(i), T::from_bits());
        return t;
    }();
    for (std::size_t i = 0; i < n; ++i)
        out[i] = table[in[i].data];
}

} // namespace

void convert_array(const half* in, float* out, std::size_t n) {
    std::size_t done = 0;
#if defined(__x86_64__)
    if (has_f16c())
        done = half_to_float_x8(in, out, n);
#endif
    convert_scalars(in + done, out + done, n - done);
}

void convert_array(const float* in, half* out, std::size_t n) {
    std::size_t done = 0;
#if defined(__x86_64__)
    if (has_f16c())
        done = float_to_half_x8(in, out, n);
#endif
    convert_scalars(in + done, out + done, n - done);
}

void convert_array(const bf16* in, float* out, std::size_t n) {
    std::size_t done = 0;
#if defined(__x86_64__)
    if (has_f16c())
        done = bf16_to_float_x8(in, out, n);
#endif
    convert_scalars(in + done, out + done, n - done);
}

void convert_array(const float* in, bf16* out, std::size_t n) {
    std::size_t done = 0;
#if defined(__x86_64__)
    if (has_f16c())
        done = float_to_bf16_x8(in, out, n);
#endif
    convert_scalars(in + done, out + done, n - done);
}

void convert_array(const fp8::fp8e4m3fn* in, float* out, std::size_t n) {
    decode_bytes(in, out, n);
}
void convert_array(const fp8::fp8e5m2* in, float* out, std::size_t n) {
    decode_bytes(in, out, n);
}
void convert_array(const fp8::fp8e4m3fnuz* in, float* out, std::size_t n) {
    decode_bytes(in, out, n);
}
void convert_array(const fp8::fp8e5m2fnuz* in, float* out, std::size_t n) {
    decode_bytes(in, out, n);
}
void convert_array(const float* in, fp8::fp8e4m3fn* out, std::size_t n) {
    convert_scalars(in, out, n);
}
void convert_array(const float* in, fp8::fp8e5m2* out, std::size_t n) {
    convert_scalars(in, out, n);
}
void convert_array(const float* in, fp8::fp8e4m3fnuz* out, std::size_t n) {
    convert_scalars(in, out, n);
}
void convert_array(const float* in, fp8::fp8e5m2fnuz* out, std::size_t n) {
    convert_scalars(in, out, n);
}

} // namespace migraphx
