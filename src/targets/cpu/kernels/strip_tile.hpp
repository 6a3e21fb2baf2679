// SPDX-License-Identifier: MIT
// Register tiles of a strip of packed rows times a panel of columns. For kernel files only.
//
// Two multiply-adds start in a cycle, and where another hyperthread shares the core that leaves few
// places for other instructions: a tile is to have few. Rows lie as they are multiplied, so all
// are reached from one pointer by short distances, and AVX-512 multiplies by a float in memory
// in one instruction. Beside a busy hyperthread a tile of 14 x 32 so reaches 85 % of the peak; rows
// read where they lie, each value first spread over a register, reach 70 %. Alone both reach 99 %.
//
// Eight floats of each row lie together, so packing copies them: (k, r) of a strip of R rows is at
// (k / 8 * R + r) * 8 + k % 8. With a transposition, (k, r) at k * 16 + r, packing took three times
// as long.
#pragma once

#include "targets/cpu/kernels/channel_map.hpp"
#include "targets/cpu/kernels/lanes.hpp"
#include "targets/cpu/kernels/row_parts.hpp"

namespace migraphx::cpu::KERNEL_ISA {

constexpr int64_t strip_depth = 8; // floats of a row that lie together
// 28 accumulators of 32 registers, or 12 of 16.
constexpr int strip_rows = lanes == 16 ? 14 : 6;

// Of a strip of strip_rows rows.
constexpr int64_t strip_floats(int64_t depth) {
    return (depth + strip_depth - 1) / strip_depth * strip_depth * strip_rows;
}

using strip_part = float __attribute__((vector_size(32), aligned(4), may_alias));

// Rows of a to a strip.
template <class Map>
inline void pack_rows(const float* a, int64_t a_row, int64_t rows, int64_t depth, Map map,
                      float* strip) {
    const auto part = [](const float* p) -> const strip_part& {
        return *reinterpret_cast<const strip_part*>(p);
    };
    int64_t k = 0;
    for (; k + strip_depth <= depth; k += strip_depth, a += strip_depth) {
        const float* from = a;
        for (int64_t r = 0; r < rows; ++r, from += a_row, strip += strip_depth) {
            strip_part x = part(from);
            map(x, k, part);
            *reinterpret_cast<strip_part*>(strip) = x;
        }
    }
    for (int64_t r = 0; r < rows && k < depth; ++r)
        for (int64_t i = 0; i < depth - k; ++i) {
            float x = a[r * a_row + i];
            map(x, k + i, [](const float* p) { return *p; });
            strip[r * strip_depth + i] = x;
        }
}

inline void pack_strip(const float* a, int64_t a_row, int64_t rows, int64_t depth,
                       const channel_map& map, float* strip) {
    with_form(map, [&](auto form) { pack_rows(a, a_row, rows, depth, form, strip); });
}

// n floats of row r from depth k on; from == null: zeros.
inline void pack_strip_row(const float* from, int64_t n, int64_t rows, int64_t r, int64_t k,
                           float* strip) {
    int64_t i = 0;
    const auto place = [&](int64_t at) __attribute__((always_inline)) {
        return strip + (at / strip_depth * rows + r) * strip_depth + at % strip_depth;
    };
    for (; i < n && (k + i) % strip_depth != 0; ++i)
        *place(k + i) = from == nullptr ? 0 : from[i];
    float* to = place(k + i);
    for (; i + strip_depth <= n; i += strip_depth, to += rows * strip_depth)
        *reinterpret_cast<strip_part*>(to) =
            from == nullptr ? strip_part{} : *reinterpret_cast<const strip_part*>(from + i);
    for (; i < n; ++i, ++to)
        *to = from == nullptr ? 0 : from[i];
}

// sum += x * y.
MIGRAPHX_VEC_INLINE void add_product_with(vf& sum, const float& x, vf y) {
#if MIGRAPHX_VEC_BYTES == 64
    asm("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(y), "m"(x));
#else
    add_product(sum, splat(x), y);
#endif
}

// sum += x * y with the sum staying in its register: else the compiler would write some to a factor
// and, with 28 sums of 32 registers, move and spill them.
MIGRAPHX_VEC_INLINE void add_in_place(vf& sum, vf x, vf y) {
#if MIGRAPHX_VEC_BYTES == 64
    asm("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(x), "v"(y));
#else
    add_product(sum, x, y);
#endif
}

// sum += x * y in the lower half of the lanes, the others become 0: on processors that multiply in
// halves that takes half the time.
MIGRAPHX_VEC_INLINE void add_lower_product(vf& sum, vf x, vf y) {
#if MIGRAPHX_VEC_BYTES == 64
    asm("vfmadd231ps %t2, %t1, %t0" : "+v"(sum) : "v"(x), "v"(y));
#else
    add_product(sum, x, y);
#endif
}

MIGRAPHX_VEC_INLINE void add_lower_product_with(vf& sum, const float& x, vf y) {
#if MIGRAPHX_VEC_BYTES == 64
    asm("vfmadd231ps %2%{1to8%}, %t1, %t0" : "+v"(sum) : "v"(y), "m"(x));
#else
    add_product(sum, splat(x), y);
#endif
}

// acc += a * y for one k, the rows of a being Step floats apart. More than two loads a cycle would
// cost as much, so every third row is spread over a register for all vectors. Half: of the last
// vector only the lower lanes count.
template <int R, int V, int Step = strip_depth, bool Half = false>
MIGRAPHX_VEC_INLINE void add_strip_rows(vf (&acc)[R][V], const float* a, const vf (&y)[V]) {
#pragma GCC unroll 32
    for (int r = 0; r < R; ++r) {
        if (lanes == 16 && V <= 2 && (r % 3 != 2 || (Half && V == 1))) {
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v)
                if (Half && v == V - 1)
                    add_lower_product_with(acc[r][v], a[r * Step], y[v]);
                else
                    add_product_with(acc[r][v], a[r * Step], y[v]);
        } else {
            const vf x = splat(a[r * Step]);
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v)
                if (Half && v == V - 1)
                    add_lower_product(acc[r][v], x, y[v]);
                else
                    add_in_place(acc[r][v], x, y[v]);
        }
    }
    // The compiler would load ahead more than registers hold.
    asm volatile("" ::: "memory");
}

// acc += a * b for one k.
template <int R, int V, int Step = strip_depth, bool Half = false>
MIGRAPHX_VEC_INLINE void add_strip_step(vf (&acc)[R][V], const float* a, const float* b) {
    vf y[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v)
        y[v] = load(b + v * lanes);
    add_strip_rows<R, V, Step, Half>(acc, a, y);
}

// acc += a * b, a strip by a panel whose rows are b_row floats apart. after() runs once every
// four k.
template <int R, int V, bool Half = false, class After>
MIGRAPHX_VEC_INLINE void multiply_strip(vf (&acc)[R][V], const float* a, const float* b,
                                        int64_t b_row, int64_t depth, After after) {
    for (; depth >= strip_depth; depth -= strip_depth) {
#pragma GCC unroll 8
        for (int i = 0; i < strip_depth; ++i) {
            add_strip_step<R, V, strip_depth, Half>(acc, a + i, b + i * b_row);
            if (i % 4 == 3)
                after();
        }
        a += R * strip_depth;
        b += strip_depth * b_row;
    }
    for (; depth > 0; --depth) {
        add_strip_step<R, V, strip_depth, Half>(acc, a, b);
        ++a;
        b += b_row;
    }
}

// The same with rows that lie side by side: (k, r) at a[k * a_step + r].
template <int R, int V>
MIGRAPHX_VEC_INLINE void multiply_columns(vf (&acc)[R][V], const float* a, int64_t a_step,
                                          const float* b, int64_t b_row, int64_t depth) {
    for (; depth >= 4; depth -= 4) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i)
            add_strip_step<R, V, 1>(acc, a + i * a_step, b + i * b_row);
        a += 4 * a_step;
        b += 4 * b_row;
    }
    for (; depth > 0; --depth) {
        add_strip_step<R, V, 1>(acc, a, b);
        a += a_step;
        b += b_row;
    }
}

} // namespace migraphx::cpu::KERNEL_ISA
