// SPDX-License-Identifier: MIT
// Strided copy: long runs by memcpy, short runs by overlapping moves, transposes in register tiles.
#include "targets/cpu/kernels/copy.hpp"

#include <cstring>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace migraphx::cpu::KERNEL_ISA {
namespace {

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

inline void copy_run(char* d, const char* s, int64_t bytes) {
    if (bytes > 128) {
        std::memcpy(d, s, size_t(bytes));
        return;
    }
#if defined(__SSE2__)
    if (bytes >= 16) {
        const __m128i tail = _mm_loadu_si128(reinterpret_cast<const __m128i*>(s + bytes - 16));
        for (int64_t i = 0; i + 16 < bytes; i += 16)
            _mm_storeu_si128(reinterpret_cast<__m128i*>(d + i),
                             _mm_loadu_si128(reinterpret_cast<const __m128i*>(s + i)));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(d + bytes - 16), tail);
        return;
    }
#endif
    if (bytes >= 8) {
        const auto tail = load_as<uint64_t>(s + bytes - 8);
        if (bytes > 8)
            store_as(d, load_as<uint64_t>(s));
        store_as(d + bytes - 8, tail);
        return;
    }
    if (bytes >= 4) {
        const auto tail = load_as<uint32_t>(s + bytes - 4);
        store_as(d, load_as<uint32_t>(s));
        store_as(d + bytes - 4, tail);
        return;
    }
    for (int64_t i = 0; i < bytes; ++i)
        d[i] = s[i];
}

struct rectangle {
    const char* src;
    char* dst;
    int64_t m, src_m, dst_m, n, src_n, dst_n;
};

void copy_runs(const rectangle& r, int64_t elem) {
    const int64_t bytes = r.n * elem;
    for (int64_t i = 0; i < r.m; ++i)
        copy_run(r.dst + i * r.dst_m, r.src + i * r.src_m, bytes);
}

template <class T>
void copy_fill(const rectangle& r) {
    for (int64_t i = 0; i < r.m; ++i) {
        const T v = load_as<T>(r.src + i * r.src_m);
        T* d = reinterpret_cast<T*>(r.dst + i * r.dst_m);
        for (int64_t j = 0; j < r.n; ++j)
            d[j] = v;
    }
}

// Destination row contiguous, source step known at compile time.
template <class T, int Step>
inline void gather_row(T* __restrict d, const T* __restrict s, int64_t n) {
    for (int64_t j = 0; j < n; ++j)
        d[j] = s[j * Step];
}

// N source rows become the N elements of each destination step.
template <class T, int N>
inline void interleave_rows(T* __restrict d, const T* __restrict s, int64_t row, int64_t m) {
    for (int64_t i = 0; i < m; ++i)
        for (int j = 0; j < N; ++j)
            d[i * N + j] = s[i + j * row];
}

// Few columns whose source is contiguous along m: columns one by one, or interleaved.
template <class T>
void copy_narrow(const rectangle& r) {
    const int64_t size = sizeof(T);
    T* d = reinterpret_cast<T*>(r.dst);
    const T* s = reinterpret_cast<const T*>(r.src);
    const int64_t dm = r.dst_m / size, dn = r.dst_n / size, sn = r.src_n / size;
    if (dn == 1 && dm == r.n) {
        switch (r.n) {
        case 2: interleave_rows<T, 2>(d, s, sn, r.m); return;
        case 3: interleave_rows<T, 3>(d, s, sn, r.m); return;
        case 4: interleave_rows<T, 4>(d, s, sn, r.m); return;
        default: break;
        }
    }
    for (int64_t j = 0; j < r.n; ++j)
        for (int64_t i = 0; i < r.m; ++i)
            d[i * dm + j * dn] = s[i + j * sn];
}

template <class T>
void copy_strided(const rectangle& r) {
    const int64_t size = sizeof(T);
    if (r.src_m == size && r.n <= 4) {
        copy_narrow<T>(r);
        return;
    }
    for (int64_t i = 0; i < r.m; ++i) {
        const T* s = reinterpret_cast<const T*>(r.src + i * r.src_m);
        T* d = reinterpret_cast<T*>(r.dst + i * r.dst_m);
        const int64_t ss = r.src_n / size;
        const int64_t ds = r.dst_n / size;
        if (ds == 1) {
            switch (ss) {
            case -1: gather_row<T, -1>(d, s, r.n); continue;
            case 1: gather_row<T, 1>(d, s, r.n); continue;
            case 2: gather_row<T, 2>(d, s, r.n); continue;
            case 3: gather_row<T, 3>(d, s, r.n); continue;
            case 4: gather_row<T, 4>(d, s, r.n); continue;
            default:
                for (int64_t j = 0; j < r.n; ++j)
                    d[j] = s[j * ss];
                continue;
            }
        }
        for (int64_t j = 0; j < r.n; ++j)
            d[j * ds] = s[j * ss];
    }
}

// ---- transposes: dst(i, j) = src(j, i) for a tile; s advances by ss bytes per j, d by ds bytes per i ----

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
inline void store128(char* p, __m128i v) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v); }
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
                                 _mm_unpacklo_epi32(ab_hi, ce_hi), _mm_unpackhi_epi32(ab_hi, ce_hi)};
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
    return __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
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
    // Whole rows are loaded and stored at once: with strides that are powers of two all of them share a
    // cache set, and a line touched twice would have been evicted in between.
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
                r[4 * k + j] =
                    _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(q), 1);
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

template <class T>
void transpose_scalar(const rectangle& r, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
    const int64_t size = sizeof(T);
    for (int64_t i = i0; i < i1; ++i)
        for (int64_t j = j0; j < j1; ++j)
            store_as<T>(r.dst + i * r.dst_m + j * size, load_as<T>(r.src + j * r.src_n + i * size));
}

// Rows i0..i1 and columns j0..j1 in tiles of Tile, what is left over in smaller ones.
template <class T, class Tile>
void transpose_tiles(const rectangle& r, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
    constexpr int side = Tile::side;
    const int64_t size = sizeof(T);
    const int64_t i_full = i0 + (i1 - i0) / side * side;
    const int64_t j_full = j0 + (j1 - j0) / side * side;
    for (int64_t i = i0; i < i_full; i += side)
        for (int64_t j = j0; j < j_full; j += side)
            Tile::run(r.src + j * r.src_n + i * size, r.src_n, r.dst + i * r.dst_m + j * size,
                      r.dst_m);
    if constexpr (side > 4) {
        transpose_tiles<T, small_tile<T>>(r, i0, i_full, j_full, j1);
        transpose_tiles<T, small_tile<T>>(r, i_full, i1, j0, j1);
    } else {
        transpose_scalar<T>(r, i0, i_full, j_full, j1);
        transpose_scalar<T>(r, i_full, i1, j0, j1);
    }
}

// The same through two buffers, so that the cache lines of both sides are touched once and whole. For strides
// whose rows share cache sets.
template <class T>
void transpose_buffered(const rectangle& r) {
    constexpr int line = 64;
    constexpr int side = line / int(sizeof(T));
    alignas(64) char in[side * line];
    alignas(64) char out[side * line];
    for (int64_t i = 0; i < r.m; i += side)
        for (int64_t j = 0; j < r.n; j += side) {
            const int64_t rows = r.m - i < side ? r.m - i : side;
            const int64_t cols = r.n - j < side ? r.n - j : side;
            const char* s = r.src + j * r.src_n + i * int64_t(sizeof(T));
            char* d = r.dst + i * r.dst_m + j * int64_t(sizeof(T));
            for (int64_t k = 0; k < cols; ++k)
                copy_run(in + k * line, s + k * r.src_n, rows * int64_t(sizeof(T)));
            const rectangle block{in, out, rows, int64_t(sizeof(T)), line, cols, line, int64_t(sizeof(T))};
            transpose_tiles<T, tile<T>>(block, 0, rows, 0, cols);
            for (int64_t k = 0; k < rows; ++k)
                copy_run(d + k * r.dst_m, out + k * line, cols * int64_t(sizeof(T)));
        }
}

// src is contiguous along m (src_m == size), dst along n (dst_n == size).
template <class T>
void copy_transpose(const rectangle& r) {
    const bool shares_sets = r.src_n % 1024 == 0 || r.dst_m % 1024 == 0;
    if (shares_sets && tile<T>::side * sizeof(T) < 64)
        transpose_buffered<T>(r);
    else
        transpose_tiles<T, tile<T>>(r, 0, r.m, 0, r.n);
}

template <class T>
void copy_typed(const rectangle& r, copy_kind kind) {
    switch (kind) {
    case copy_kind::runs: copy_runs(r, sizeof(T)); break;
    case copy_kind::fill: copy_fill<T>(r); break;
    case copy_kind::transpose: copy_transpose<T>(r); break;
    case copy_kind::strided: copy_strided<T>(r); break;
    }
}

void copy_rectangle(const rectangle& r, copy_kind kind, int elem) {
    switch (elem) {
    case 1: copy_typed<uint8_t>(r, kind); break;
    case 2: copy_typed<uint16_t>(r, kind); break;
    case 4: copy_typed<uint32_t>(r, kind); break;
    case 8: copy_typed<uint64_t>(r, kind); break;
    default: break;
    }
}

void copy(const copy_params& p, int64_t begin, int64_t end) {
    int64_t index[copy_params::max_rank];
    const int64_t per_item = p.m_blocks * p.n_blocks;
    int64_t item = begin / per_item;
    int64_t part = begin - item * per_item;
    const char* src = p.src;
    char* dst = p.dst;
    for (int d = p.rank - 1; d >= 0; --d) {
        index[d] = item % p.lens[d];
        item /= p.lens[d];
        src += index[d] * p.src_steps[d];
        dst += index[d] * p.dst_steps[d];
    }
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t i = part / p.n_blocks * p.m_block;
        const int64_t j = part % p.n_blocks * p.n_block;
        const rectangle r{src + i * p.src_m + j * p.src_n,
                          dst + i * p.dst_m + j * p.dst_n,
                          p.m - i < p.m_block ? p.m - i : p.m_block,
                          p.src_m,
                          p.dst_m,
                          p.n - j < p.n_block ? p.n - j : p.n_block,
                          p.src_n,
                          p.dst_n};
        copy_rectangle(r, p.kind, p.elem);
        if (++part < per_item)
            continue;
        part = 0;
        for (int d = p.rank - 1; d >= 0; --d) {
            src += p.src_steps[d];
            dst += p.dst_steps[d];
            if (++index[d] < p.lens[d])
                break;
            src -= p.lens[d] * p.src_steps[d];
            dst -= p.lens[d] * p.dst_steps[d];
            index[d] = 0;
        }
    }
}

} // namespace

void fill_copy(copy_kernels& table) { table.copy = copy; }

} // namespace migraphx::cpu::KERNEL_ISA
