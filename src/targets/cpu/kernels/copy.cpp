// SPDX-License-Identifier: MIT
// Strided copy: long runs by memcpy, short runs by overlapping moves, transposes in register tiles.
#include "targets/cpu/kernels/copy.hpp"
#include "targets/cpu/kernels/transpose_tile.hpp"

#include <cstring>

namespace migraphx::cpu::KERNEL_ISA {
namespace {

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
        case 2:
            interleave_rows<T, 2>(d, s, sn, r.m);
            return;
        case 3:
            interleave_rows<T, 3>(d, s, sn, r.m);
            return;
        case 4:
            interleave_rows<T, 4>(d, s, sn, r.m);
            return;
        default:
            break;
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
            case -1:
                gather_row<T, -1>(d, s, r.n);
                continue;
            case 1:
                gather_row<T, 1>(d, s, r.n);
                continue;
            case 2:
                gather_row<T, 2>(d, s, r.n);
                continue;
            case 3:
                gather_row<T, 3>(d, s, r.n);
                continue;
            case 4:
                gather_row<T, 4>(d, s, r.n);
                continue;
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

// A transpose through two buffers, so that the cache lines of both sides are touched once and
// whole. For strides whose rows share cache sets.
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
            transpose_block<T>(in, line, out, line, rows, cols);
            for (int64_t k = 0; k < rows; ++k)
                copy_run(d + k * r.dst_m, out + k * line, cols * int64_t(sizeof(T)));
        }
}

// src is contiguous along m (src_m == size), dst along n (dst_n == size).
template <class T>
void copy_transpose(const rectangle& r) {
    const bool shares_sets = r.src_n % 4096 == 0 || r.dst_m % 4096 == 0;
    if (shares_sets && tile<T>::side * sizeof(T) < 64)
        transpose_buffered<T>(r);
    else
        transpose_block<T>(r.src, r.src_n, r.dst, r.dst_m, r.m, r.n);
}

template <class T>
void copy_typed(const rectangle& r, copy_kind kind) {
    switch (kind) {
    case copy_kind::runs:
        copy_runs(r, sizeof(T));
        break;
    case copy_kind::fill:
        copy_fill<T>(r);
        break;
    case copy_kind::transpose:
        copy_transpose<T>(r);
        break;
    case copy_kind::strided:
        copy_strided<T>(r);
        break;
    }
}

void copy_rectangle(const rectangle& r, copy_kind kind, int elem) {
    switch (elem) {
    case 1:
        copy_typed<uint8_t>(r, kind);
        break;
    case 2:
        copy_typed<uint16_t>(r, kind);
        break;
    case 4:
        copy_typed<uint32_t>(r, kind);
        break;
    case 8:
        copy_typed<uint64_t>(r, kind);
        break;
    default:
        break;
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

void fill_copy(copy_kernels& table) {
    table.copy = copy;
}

} // namespace migraphx::cpu::KERNEL_ISA
