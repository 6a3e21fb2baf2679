// SPDX-License-Identifier: MIT
// Register tiles of a strip of packed rows times a panel of columns. For kernel files only.
//
// Two multiply-adds start in a cycle, and where another hyperthread shares the core that leaves few
// places for other instructions: a tile is to have few. Rows lie as they are multiplied, so all
// are reached from one pointer by short distances, and AVX-512 multiplies by a float in memory
// in one instruction. Beside a busy hyperthread a tile of 14 x 32 so reaches 85 % of the peak; rows
// read where they lie, each value first spread over a register, reach 70 %. Alone both reach 99 %.
#pragma once

#include "targets/cpu/kernels/lanes.hpp"
#include "targets/cpu/kernels/transpose_tile.hpp"

namespace migraphx::cpu::KERNEL_ISA {

constexpr int64_t strip_step = lanes == 16 ? 16 : 8; // floats from (k, r) to (k + 1, r)
// 28 accumulators of 32 registers, or 12 of 16.
constexpr int strip_rows = lanes == 16 ? 14 : 6;

// Rows of a to strip[k * strip_step + r]. `there`: rows of a that may be read, `rows` at least.
inline void pack_strip(const float* a, int64_t a_row, int64_t rows, int64_t there, int64_t depth,
                       float* strip) {
    // Whole tiles of the transposition are much faster; what is read too much is not used.
    const int64_t taken = there < strip_step ? rows : strip_step;
    transpose_floats(a, a_row, strip, strip_step, depth, taken);
}

// sum += x * y.
MIGRAPHX_VEC_INLINE void add_product_with(vf& sum, const float& x, vf y) {
#if MIGRAPHX_VEC_BYTES == 64
    asm("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(y), "m"(x));
#else
    add_product(sum, splat(x), y);
#endif
}

// acc += a * b for one k. More than two loads a cycle would cost as much, so every third row is
// spread over a register for all vectors.
template <int R, int V>
MIGRAPHX_VEC_INLINE void add_strip_step(vf (&acc)[R][V], const float* a, const float* b) {
    vf y[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v)
        y[v] = load(b + v * lanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
        if (lanes == 16 && V <= 2 && r % 3 != 2) {
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v)
                add_product_with(acc[r][v], a[r], y[v]);
        } else {
            const vf x = splat(a[r]);
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v)
                add_product(acc[r][v], x, y[v]);
        }
    }
    // The compiler would load ahead more than registers hold.
    asm volatile("" ::: "memory");
}

// acc += a * b, a strip by a panel whose rows are b_row floats apart. after() runs once every
// four k.
template <int R, int V, class After>
MIGRAPHX_VEC_INLINE void multiply_strip(vf (&acc)[R][V], const float* a, const float* b,
                                        int64_t b_row, int64_t depth, After after) {
    for (; depth >= 4; depth -= 4) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i)
            add_strip_step<R, V>(acc, a + i * strip_step, b + i * b_row);
        a += 4 * strip_step;
        b += 4 * b_row;
        after();
    }
    for (; depth > 0; --depth) {
        add_strip_step<R, V>(acc, a, b);
        a += strip_step;
        b += b_row;
    }
}

} // namespace migraphx::cpu::KERNEL_ISA
