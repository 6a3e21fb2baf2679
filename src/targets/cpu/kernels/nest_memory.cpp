// SPDX-License-Identifier: MIT
// Between memory of any element type and tiles. fp8 types are not here: their scalar form serves.

#include "targets/cpu/kernels/nest_parts.hpp"
#include "targets/cpu/kernels/nest_round.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

using namespace vec;

// Elements that C++ converts by itself.
template <class E, class T>
void load_row(T* tile, const E* p, int64_t n) {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i)
        tile[i] = T(p[i]);
}

template <class E, class T>
void store_row(E* p, const T* tile, int64_t n) {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i)
        p[i] = E(tile[i]);
}

struct half_bits {
    uint16_t bits;
    static MIGRAPHX_VEC_INLINE vf widen(vh x) { return half_to_float(x); }
    static MIGRAPHX_VEC_INLINE vh shrink(vf x) { return float_to_half(x); }
};
struct bf16_bits_t {
    uint16_t bits;
    static MIGRAPHX_VEC_INLINE vf widen(vh x) { return bf16_to_float(x); }
    static MIGRAPHX_VEC_INLINE vh shrink(vf x) { return float_to_bf16(x); }
};
struct truth_byte {
    uint8_t bits;
};

template <class E>
void load_short_floats(float* tile, const E* p, int64_t n) {
    int64_t i = 0;
    vh x;
    for (; i + vf_width <= n; i += vf_width) {
        __builtin_memcpy(&x, p + i, sizeof(x));
        store(tile + i, E::widen(x));
    }
    if (i < n) {
        x = vh{};
        __builtin_memcpy(&x, p + i, std::size_t(n - i) * sizeof(E));
        store_part(tile + i, E::widen(x), int(n - i));
    }
}

template <class E>
void store_short_floats(E* p, const float* tile, int64_t n) {
    int64_t i = 0;
    for (; i + vf_width <= n; i += vf_width) {
        const vh x = E::shrink(load(tile + i));
        __builtin_memcpy(p + i, &x, sizeof(x));
    }
    if (i < n) {
        const vh x = E::shrink(load_part(tile + i, int(n - i)));
        __builtin_memcpy(p + i, &x, std::size_t(n - i) * sizeof(E));
    }
}

void load_row(float* tile, const half_bits* p, int64_t n) {
    load_short_floats(tile, p, n);
}
void load_row(float* tile, const bf16_bits_t* p, int64_t n) {
    load_short_floats(tile, p, n);
}
void store_row(half_bits* p, const float* tile, int64_t n) {
    store_short_floats(p, tile, n);
}
void store_row(bf16_bits_t* p, const float* tile, int64_t n) {
    store_short_floats(p, tile, n);
}

template <class T>
void load_row(T* tile, const truth_byte* p, int64_t n) {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i)
        tile[i] = p[i].bits != 0 ? T(1) : T(0);
}
template <class T>
void store_row(truth_byte* p, const T* tile, int64_t n) {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i)
        p[i].bits = tile[i] != 0 ? 1 : 0;
}

// Strided elements pass through a small contiguous buffer.
constexpr int64_t bounce = 64;

template <class E, class T>
void load_strided(T* tile, const E* p, int64_t n, int64_t stride) {
    E buffer[bounce];
    for (int64_t i = 0; i < n; i += bounce) {
        const int64_t part = n - i < bounce ? n - i : bounce;
        for (int64_t k = 0; k < part; ++k)
            buffer[k] = p[(i + k) * stride];
        load_row(tile + i, buffer, part);
    }
}

template <class E, class T>
void store_strided(E* p, const T* tile, int64_t n, int64_t stride) {
    E buffer[bounce];
    for (int64_t i = 0; i < n; i += bounce) {
        const int64_t part = n - i < bounce ? n - i : bounce;
        store_row(buffer, tile + i, part);
        for (int64_t k = 0; k < part; ++k)
            p[(i + k) * stride] = buffer[k];
    }
}

// Copies the first row to all others, by doubling.
template <class T>
void repeat_row(T* tile, int64_t rows, int64_t cols) {
    const int64_t n = rows * cols;
    for (int64_t have = cols; have < n; have *= 2) {
        const int64_t more = n - have < have ? n - have : have;
        __builtin_memcpy(tile + have, tile, std::size_t(more) * sizeof(T));
    }
}

// Four columns of the buffer, n rows, into four neighbouring columns of the tile.
template <class T>
void spread_columns(T* to, const T (&from)[4][bounce], int64_t n, int64_t cols) {
    for (int64_t r = 0; r < n; ++r)
        for (int64_t c = 0; c < 4; ++c)
            to[r * cols + c] = from[c][r];
}
void spread_columns(float* to, const float (&from)[4][bounce], int64_t n, int64_t cols) {
    int64_t r = 0;
    for (; r + 4 <= n; r += 4, to += 4 * cols) {
        __m128 a = _mm_loadu_ps(from[0] + r);
        __m128 b = _mm_loadu_ps(from[1] + r);
        __m128 c = _mm_loadu_ps(from[2] + r);
        __m128 d = _mm_loadu_ps(from[3] + r);
        _MM_TRANSPOSE4_PS(a, b, c, d);
        _mm_storeu_ps(to, a);
        _mm_storeu_ps(to + cols, b);
        _mm_storeu_ps(to + 2 * cols, c);
        _mm_storeu_ps(to + 3 * cols, d);
    }
    for (; r < n; ++r, to += cols)
        for (int64_t c = 0; c < 4; ++c)
            to[c] = from[c][r];
}

// Rows next to each other in memory: reads along the columns.
template <class E, class T>
void load_transposed(T* tile, const E* p, int64_t rows, int64_t cols, int64_t col_stride) {
    T buffer[4][bounce];
    for (int64_t first = 0; first < rows; first += bounce) {
        const int64_t part = rows - first < bounce ? rows - first : bounce;
        const E* from = p + first;
        T* to = tile + first * cols;
        int64_t c = 0;
        for (; c + 4 <= cols; c += 4) {
            for (int64_t k = 0; k < 4; ++k)
                load_row(buffer[k], from + (c + k) * col_stride, part);
            spread_columns(to + c, buffer, part, cols);
        }
        for (; c < cols; ++c) {
            load_row(buffer[0], from + c * col_stride, part);
            for (int64_t r = 0; r < part; ++r)
                to[r * cols + c] = buffer[0][r];
        }
    }
}

template <class E, class T>
void load_tile(void* tile, const void* memory, int64_t rows, int64_t row_stride, int64_t cols,
               int64_t col_stride) {
    T* to = static_cast<T*>(tile);
    const E* from = static_cast<const E*>(memory);
    if (rows > 1 and row_stride == 0) {
        load_tile<E, T>(tile, memory, 1, 0, cols, col_stride);
        repeat_row(to, rows, cols);
        return;
    }
    if (rows > 1 and row_stride == 1 and col_stride != 0 and cols > 1) {
        load_transposed(to, from, rows, cols, col_stride);
        return;
    }
    for (int64_t r = 0; r < rows; ++r, to += cols, from += row_stride) {
        if (col_stride == 1) {
            load_row(to, from, cols);
        } else if (col_stride == 0) {
            load_row(to, from, 1);
            const T value = *to;
            for (int64_t i = 1; i < cols; ++i)
                to[i] = value;
        } else {
            load_strided(to, from, cols, col_stride);
        }
    }
}

template <class E, class T>
void store_tile(void* memory, const void* tile, int64_t rows, int64_t row_stride, int64_t cols,
                int64_t col_stride) {
    const T* from = static_cast<const T*>(tile);
    E* to = static_cast<E*>(memory);
    for (int64_t r = 0; r < rows; ++r, from += cols, to += row_stride) {
        if (col_stride == 1)
            store_row(to, from, cols);
        else
            store_strided(to, from, cols, col_stride);
    }
}

// An integer that a float tile is truncated to; NaN gives 0, out of range saturates.
template <class E>
struct saturated {
    E value;
};

template <class E>
constexpr E lowest_of = E(E(0) - E(1)) > E(0) ? E(0) : E(E(1) << (sizeof(E) * 8 - 1));
template <class E>
constexpr E highest_of = E(~lowest_of<E>);

// Narrow ones go through int32.
template <class E>
void store_row(saturated<E>* p, const float* tile, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
        float x = tile[i];
        x = x == x ? x : 0.0f;
        x = x > float(lowest_of<E>) ? x : float(lowest_of<E>);
        x = x < float(highest_of<E>) ? x : float(highest_of<E>);
        p[i].value = E(int32_t(x));
    }
}
void store_row(saturated<int32_t>* p, const float* tile, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
        float x = tile[i];
        const bool above = x >= 0x1p31f;
        x = x == x ? x : 0.0f;
        x = x > -0x1p31f ? x : -0x1p31f;
        x = x < 0x1.fffffep30f ? x : 0x1.fffffep30f;
        p[i].value = above ? INT32_MAX : int32_t(x);
    }
}
void store_row(saturated<int64_t>* p, const float* tile, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
        const float x = tile[i];
        p[i].value = x != x ? 0 : x >= 0x1p63f ? INT64_MAX : x < -0x1p63f ? INT64_MIN : int64_t(x);
    }
}

constexpr int class_index(float) {
    return int(vm_class::f32);
}
constexpr int class_index(double) {
    return int(vm_class::f64);
}
constexpr int class_index(int64_t) {
    return int(vm_class::i64);
}

template <class E, class T>
void fill_type(nest_kernels& k, vm_type type) {
    k.load[int(type)][class_index(T{})] = load_tile<E, T>;
    k.store[int(type)][class_index(T{})] = store_tile<E, T>;
}

// Integers are computed in i64; converted on the fly they can also be loaded as f32.
template <class E>
void fill_integer(nest_kernels& k, vm_type type) {
    fill_type<E, int64_t>(k, type);
    k.load[int(type)][int(vm_class::f32)] = load_tile<E, float>;
}
template <class E>
void fill_saturating(nest_kernels& k, vm_type type) {
    k.saturating_store[int(type)] = store_tile<saturated<E>, float>;
}

} // namespace

void fill_nest_memory(nest_kernels& k) {
    fill_type<float, float>(k, vm_type::float_type);
    fill_type<half_bits, float>(k, vm_type::half_type);
    fill_type<bf16_bits_t, float>(k, vm_type::bf16_type);
    fill_type<truth_byte, float>(k, vm_type::bool_type);
    fill_type<double, double>(k, vm_type::double_type);
    fill_integer<uint8_t>(k, vm_type::uint8_type);
    fill_integer<int8_t>(k, vm_type::int8_type);
    fill_integer<uint16_t>(k, vm_type::uint16_type);
    fill_integer<int16_t>(k, vm_type::int16_type);
    fill_integer<int32_t>(k, vm_type::int32_type);
    fill_integer<uint32_t>(k, vm_type::uint32_type);
    fill_integer<int64_t>(k, vm_type::int64_type);
    fill_type<int64_t, int64_t>(k, vm_type::uint64_type);
    fill_saturating<uint8_t>(k, vm_type::uint8_type);
    fill_saturating<int8_t>(k, vm_type::int8_type);
    fill_saturating<uint16_t>(k, vm_type::uint16_type);
    fill_saturating<int16_t>(k, vm_type::int16_type);
    fill_saturating<int32_t>(k, vm_type::int32_type);
    fill_saturating<int64_t>(k, vm_type::int64_type);
}

} // namespace migraphx::cpu::KERNEL_ISA
