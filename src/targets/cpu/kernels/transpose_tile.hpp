// SPDX-License-Identifier: MIT
// Square tiles transposed in registers: dst(i, j) = src(j, i), where s advances by ss bytes per j
// and d by ds bytes per i. tile<T> is the largest for the instruction set, small_tile<T> is 4 x 4.
// For kernel files only.
#pragma once

#include <cstdint>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace migraphx::cpu::KERNEL_ISA {

template <class T>
inline T load_as(const char* p) {
    T v;
    __builtin_memcpy(&v, p, sizeof(T));
    return v;
}

template <class T>
inline void store_as(char* p, T v) {
    __builtin_memcpy(p, &v, sizeof(T));
}

template <class T, int Side>
inline void transpose_small(const char* s, int64_t ss, char* d, int64_t ds) {
    for (int i = 0; i < Side; ++i)
        for (int j = 0; j < Side; ++j)
            store_as<T>(d + i * ds + j * int64_t(sizeof(T)),
                        load_as<T>(s + j * ss + i * int64_t(sizeof(T))));
}

template <class T>
struct small_tile {
    static constexpr int side = 4;
    static void run(const char* s, int64_t ss, char* d, int64_t ds) {
        transpose_small<T, 4>(s, ss, d, ds);
    }
};

template <class T>
struct tile : small_tile<T> {};

#if defined(__SSE2__)
inline __m128i load128(const char* p) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
inline void store128(char* p, __m128i v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v);
}
inline __m128i load64(const char* p) {
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
}

template <>
struct tile<uint8_t> {
    static constexpr int side = 8;
    static void run(const char* s, int64_t ss, char* d, int64_t ds) {
        const __m128i a = _mm_unpacklo_epi8(load64(s), load64(s + ss));
        const __m128i b = _mm_unpacklo_epi8(load64(s + 2 * ss), load64(s + 3 * ss));
        const __m128i c = _mm_unpacklo_epi8(load64(s + 4 * ss), load64(s + 5 * ss));
        const __m128i e = _mm_unpacklo_epi8(load64(s + 6 * ss), load64(s + 7 * ss));
        const __m128i ab_lo = _mm_unpacklo_epi16(a, b), ab_hi = _mm_unpackhi_epi16(a, b);
        const __m128i ce_lo = _mm_unpacklo_epi16(c, e), ce_hi = _mm_unpackhi_epi16(c, e);
        const __m128i rows[4] = {_mm_unpacklo_epi32(ab_lo, ce_lo), _mm_unpackhi_epi32(ab_lo, ce_lo),
                                 _mm_unpacklo_epi32(ab_hi, ce_hi),
                                 _mm_unpackhi_epi32(ab_hi, ce_hi)};
        for (int i = 0; i < 4; ++i) {
            _mm_storel_epi64(reinterpret_cast<__m128i*>(d + (2 * i) * ds), rows[i]);
            _mm_storel_epi64(reinterpret_cast<__m128i*>(d + (2 * i + 1) * ds),
                             _mm_unpackhi_epi64(rows[i], rows[i]));
        }
    }
};

template <>
struct tile<uint16_t> {
    static constexpr int side = 8;
    static void run(const char* s, int64_t ss, char* d, int64_t ds) {
        __m128i r[8], t[8];
        for (int i = 0; i < 8; ++i)
            r[i] = load128(s + i * ss);
        for (int i = 0; i < 4; ++i) {
            t[2 * i] = _mm_unpacklo_epi16(r[2 * i], r[2 * i + 1]);
            t[2 * i + 1] = _mm_unpackhi_epi16(r[2 * i], r[2 * i + 1]);
        }
        for (int i = 0; i < 2; ++i) { // t0 t1 t2 t3 | t4 t5 t6 t7
            r[4 * i] = _mm_unpacklo_epi32(t[4 * i], t[4 * i + 2]);
            r[4 * i + 1] = _mm_unpackhi_epi32(t[4 * i], t[4 * i + 2]);
            r[4 * i + 2] = _mm_unpacklo_epi32(t[4 * i + 1], t[4 * i + 3]);
            r[4 * i + 3] = _mm_unpackhi_epi32(t[4 * i + 1], t[4 * i + 3]);
        }
        for (int i = 0; i < 4; ++i) {
            store128(d + (2 * i) * ds, _mm_unpacklo_epi64(r[i], r[i + 4]));
            store128(d + (2 * i + 1) * ds, _mm_unpackhi_epi64(r[i], r[i + 4]));
        }
    }
};

template <>
struct tile<uint64_t> {
    static constexpr int side = 4;
    static void run(const char* s, int64_t ss, char* d, int64_t ds) {
        for (int i = 0; i < 2; ++i)
            for (int j = 0; j < 2; ++j) {
                const __m128i a = load128(s + (2 * j) * ss + i * 16);
                const __m128i b = load128(s + (2 * j + 1) * ss + i * 16);
                store128(d + (2 * i) * ds + j * 16, _mm_unpacklo_epi64(a, b));
                store128(d + (2 * i + 1) * ds + j * 16, _mm_unpackhi_epi64(a, b));
            }
    }
};
#endif

#if defined(__SSE2__)
template <>
struct small_tile<uint32_t> {
    static constexpr int side = 4;
    static void run(const char* s, int64_t ss, char* d, int64_t ds) {
        const __m128i a = load128(s), b = load128(s + ss);
        const __m128i c = load128(s + 2 * ss), e = load128(s + 3 * ss);
        const __m128i ab_lo = _mm_unpacklo_epi32(a, b), ab_hi = _mm_unpackhi_epi32(a, b);
        const __m128i ce_lo = _mm_unpacklo_epi32(c, e), ce_hi = _mm_unpackhi_epi32(c, e);
        store128(d, _mm_unpacklo_epi64(ab_lo, ce_lo));
        store128(d + ds, _mm_unpackhi_epi64(ab_lo, ce_lo));
        store128(d + 2 * ds, _mm_unpacklo_epi64(ab_hi, ce_hi));
        store128(d + 3 * ds, _mm_unpackhi_epi64(ab_hi, ce_hi));
    }
};
#endif

#if defined(__AVX512F__)
using int32x16 = int32_t __attribute__((vector_size(64)));
using int64x8 = int64_t __attribute__((vector_size(64)));

inline int32x16 low_pairs(int32x16 a, int32x16 b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
}
inline int32x16 high_pairs(int32x16 a, int32x16 b) {
    return __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15,
                                   31);
}
inline int64x8 low_quads(int32x16 a, int32x16 b) {
    return __builtin_shufflevector(int64x8(a), int64x8(b), 0, 8, 2, 10, 4, 12, 6, 14);
}
inline int64x8 high_quads(int32x16 a, int32x16 b) {
    return __builtin_shufflevector(int64x8(a), int64x8(b), 1, 9, 3, 11, 5, 13, 7, 15);
}
inline int64x8 even_lanes(int64x8 a, int64x8 b) {
    return __builtin_shufflevector(a, b, 0, 1, 4, 5, 8, 9, 12, 13);
}
inline int64x8 odd_lanes(int64x8 a, int64x8 b) {
    return __builtin_shufflevector(a, b, 2, 3, 6, 7, 10, 11, 14, 15);
}

template <>
struct tile<uint32_t> {
    static constexpr int side = 16;
    // Whole rows are loaded and stored at once: with strides that are powers of two all of them
    // share a cache set, and a line touched twice would have been evicted in between.
    static void run(const char* s, int64_t ss, char* d, int64_t ds) {
        int64x8 q[16];
        for (int k = 0; k < 4; ++k) {
            int32x16 r[4];
            for (int j = 0; j < 4; ++j)
                r[j] = load_as<int32x16>(s + (4 * k + j) * ss);
            const int32x16 t[4] = {low_pairs(r[0], r[1]), high_pairs(r[0], r[1]),
                                   low_pairs(r[2], r[3]), high_pairs(r[2], r[3])};
            // q[4c + k], lane l: column 4l + c of source rows 4k..4k+3
            q[k] = low_quads(t[0], t[2]);
            q[4 + k] = high_quads(t[0], t[2]);
            q[8 + k] = low_quads(t[1], t[3]);
            q[12 + k] = high_quads(t[1], t[3]);
        }
        for (int c = 0; c < 4; ++c) {
            const int64x8 even01 = even_lanes(q[4 * c], q[4 * c + 1]);
            const int64x8 even23 = even_lanes(q[4 * c + 2], q[4 * c + 3]);
            const int64x8 odd01 = odd_lanes(q[4 * c], q[4 * c + 1]);
            const int64x8 odd23 = odd_lanes(q[4 * c + 2], q[4 * c + 3]);
            store_as(d + c * ds, even_lanes(even01, even23));
            store_as(d + (4 + c) * ds, even_lanes(odd01, odd23));
            store_as(d + (8 + c) * ds, odd_lanes(even01, even23));
            store_as(d + (12 + c) * ds, odd_lanes(odd01, odd23));
        }
    }
};
#elif defined(__AVX__)
template <>
struct tile<uint32_t> {
    static constexpr int side = 8;
    static void run(const char* s, int64_t ss, char* d, int64_t ds) {
        __m256 r[8], t[8];
        for (int k = 0; k < 2; ++k)
            for (int j = 0; j < 4; ++j) {
                const auto* p = reinterpret_cast<const float*>(s + j * ss + k * 16);
                const auto* q = reinterpret_cast<const float*>(s + (j + 4) * ss + k * 16);
                r[4 * k + j] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)),
                                                    _mm_loadu_ps(q), 1);
            }
        for (int k = 0; k < 2; ++k) {
            t[4 * k] = _mm256_unpacklo_ps(r[4 * k], r[4 * k + 1]);
            t[4 * k + 1] = _mm256_unpackhi_ps(r[4 * k], r[4 * k + 1]);
            t[4 * k + 2] = _mm256_unpacklo_ps(r[4 * k + 2], r[4 * k + 3]);
            t[4 * k + 3] = _mm256_unpackhi_ps(r[4 * k + 2], r[4 * k + 3]);
        }
        for (int k = 0; k < 2; ++k) {
            char* q = d + 4 * k * ds;
            const auto put = [](char* at, __m256 v) {
                _mm256_storeu_ps(reinterpret_cast<float*>(at), v);
            };
            put(q, _mm256_shuffle_ps(t[4 * k], t[4 * k + 2], 0x44));
            put(q + ds, _mm256_shuffle_ps(t[4 * k], t[4 * k + 2], 0xee));
            put(q + 2 * ds, _mm256_shuffle_ps(t[4 * k + 1], t[4 * k + 3], 0x44));
            put(q + 3 * ds, _mm256_shuffle_ps(t[4 * k + 1], t[4 * k + 3], 0xee));
        }
    }
};
#endif

template <class T, class Tile>
inline void transpose_by(const char* s, int64_t ss, char* d, int64_t ds, int64_t m, int64_t n) {
    constexpr int64_t side = Tile::side, size = sizeof(T);
    const int64_t m_full = m / side * side, n_full = n / side * side;
    for (int64_t i = 0; i < m_full; i += side)
        for (int64_t j = 0; j < n_full; j += side)
            Tile::run(s + j * ss + i * size, ss, d + i * ds + j * size, ds);
    const auto rest = [&](int64_t i0, int64_t i1, int64_t j0) {
        if constexpr (side > 4)
            transpose_by<T, small_tile<T>>(s + j0 * ss + i0 * size, ss, d + i0 * ds + j0 * size, ds,
                                           i1 - i0, n - j0);
        else
            for (int64_t i = i0; i < i1; ++i)
                for (int64_t j = j0; j < n; ++j)
                    store_as<T>(d + i * ds + j * size, load_as<T>(s + j * ss + i * size));
    };
    if (n_full < n)
        rest(0, m_full, n_full);
    if (m_full < m)
        rest(m_full, m, 0);
}

// m x n elements of the destination.
template <class T>
inline void transpose_block(const char* s, int64_t ss, char* d, int64_t ds, int64_t m, int64_t n) {
    transpose_by<T, tile<T>>(s, ss, d, ds, m, n);
}

inline void transpose_floats(const float* s, int64_t s_step, float* d, int64_t d_step, int64_t m,
                             int64_t n) {
    transpose_block<uint32_t>(reinterpret_cast<const char*>(s), s_step * 4,
                              reinterpret_cast<char*>(d), d_step * 4, m, n);
}

} // namespace migraphx::cpu::KERNEL_ISA
