// SPDX-License-Identifier: MIT
// Register tiles of a strip of packed rows times a panel of columns, with a third of the
// multiplications made by additions. For kernel files only.
//
// Where additions have units of their own (adds_beside_multiplies; Zen 4: as many), two
// products of a sum can be one product of two sums (Winograd, "A New Algorithm for Inner Product",
// 1968):
//
//     a1 b1 + a2 b2 = (a1 + b2) (a2 + b1) - a1 a2 - b1 b2
//
// What is subtracted depends on a row or a column alone, so it is summed while they are packed. Of
// three k two go so and one plainly: four additions and four multiply-adds for six products, which
// Zen 4 does 1.5 times as fast as six multiply-adds.
//
// Errors are those of sums of (|a| + |b|)^2, so both factors are to be of one magnitude. Where
// numbers are rarely negative (images, what a relu leaves) such sums would grow with every pair,
// far beyond what is left of them in the end; so every other pair has the signs of b1 and a2
// changed:
//
//     a1 b1 + a2 b2 = a1 a2 + b1 b2 - (b2 - a1) (b1 - a2)
//
// Of uniform numbers in [0, 1) and weights around 0, a sum of 384 then errs a quarter as much.
#pragma once

#include "targets/cpu/kernels/strip_tile.hpp"

#include <type_traits>

namespace migraphx::cpu::KERNEL_ISA {

// 24 accumulators, three rows of the panel, two sums.
constexpr int paired_rows = 12;

// A strip of R rows: R times what pairs of a row add, then (k, r) at k * R + r.
constexpr int64_t paired_strip_floats(int64_t depth) {
    return (depth + 1) * paired_rows;
}

// Sums in pairs start far from their ends and come back: long ones are taken in parts, which start
// one after the other. A multiple of 3 and of strip_depth.
constexpr int64_t pair_depth = 192;

constexpr int64_t pair_parts(int64_t depth) {
    return (depth + pair_depth - 1) / pair_depth;
}

// Scales are powers of two; what would need others than these either way goes plainly.
constexpr int most_exponent = 40;

inline float power_of_two(int e) {
    return from_bits(splat_int((e + 127) << 23))[0];
}

// y + x.
MIGRAPHX_VEC_INLINE vf add_with(vf y, const float& x) {
#if MIGRAPHX_VEC_BYTES == 64
    vf sum;
    asm("vaddps %2%{1to16%}, %1, %0" : "=v"(sum) : "v"(y), "m"(x));
    return sum;
#else
    return y + splat(x);
#endif
}

// y - x.
MIGRAPHX_VEC_INLINE vf subtract_from(vf y, const float& x) {
#if MIGRAPHX_VEC_BYTES == 64
    vf difference;
    asm("vsubps %2%{1to16%}, %1, %0" : "=v"(difference) : "v"(y), "m"(x));
    return difference;
#else
    return y - splat(x);
#endif
}

// sum -= x * y, the sum staying in its register.
MIGRAPHX_VEC_INLINE void subtract_in_place(vf& sum, vf x, vf y) {
#if MIGRAPHX_VEC_BYTES == 64
    asm("vfnmadd231ps %2, %1, %0" : "+v"(sum) : "v"(x), "v"(y));
#else
    add_product(sum, -x, y);
#endif
}

// What pairs of columns add: minus the sums of products of pairs of rows of b, which are b_row
// floats apart, with the other sign for every other pair; of n <= lanes columns.
MIGRAPHX_VEC_INLINE vf pair_products(const float* b, int64_t b_row, int64_t depth, int64_t n) {
    vf sum{};
    for (int64_t k = 0; k + 3 <= depth; k += 3, b += 3 * b_row) {
        const vf x = load_first(b, n);
        sum = fma(k % 2 == 0 ? -x : x, load_first(b + b_row, n), sum);
    }
    return sum;
}

// acc += a b for three k, of which the first two are a pair. Rows of each a are Step floats apart.
// Minus: by differences.
template <int R, int V, int Step, bool Minus>
MIGRAPHX_VEC_INLINE void add_pair_and_one(vf (&acc)[R][V], const float* a0, const float* a1,
                                          const float* a2, const float* b0, const float* b1,
                                          const float* b2) {
    vf y[3][V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
        y[0][v] = load(b0 + v * lanes);
        y[1][v] = load(b1 + v * lanes);
        y[2][v] = load(b2 + v * lanes);
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v)
            if (Minus)
                subtract_in_place(acc[r][v], subtract_from(y[1][v], a0[r * Step]),
                                  subtract_from(y[0][v], a1[r * Step]));
            else
                add_in_place(acc[r][v], add_with(y[1][v], a0[r * Step]),
                             add_with(y[0][v], a1[r * Step]));
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v)
            add_product_with(acc[r][v], a2[r * Step], y[2][v]);
    }
    asm volatile("" ::: "memory");
}

// acc = what pairs of rows and of columns add.
template <int R, int V>
MIGRAPHX_VEC_INLINE void start_pairs(vf (&acc)[R][V], const float* rows, const float* columns) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
        const vf column = load(columns + v * lanes);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r)
            acc[r][v] = add_with(column, rows[r]);
    }
}

// acc += the same.
template <int R, int V>
MIGRAPHX_VEC_INLINE void go_on_with_pairs(vf (&acc)[R][V], const float* rows,
                                          const float* columns) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
        const vf column = load(columns + v * lanes);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r)
            acc[r][v] += add_with(column, rows[r]);
    }
}

// acc = a strip by a panel whose rows are b_row floats apart and whose pair_products are `pairs`.
template <int R, int V>
MIGRAPHX_VEC_INLINE void multiply_pairs(vf (&acc)[R][V], const float* a, const float* b,
                                        int64_t b_row, const float* pairs, int64_t depth) {
    start_pairs<R, V>(acc, a, pairs);
    a += R;
    const auto step = [&](auto minus) __attribute__((always_inline)) {
        add_pair_and_one<R, V, 1, minus>(acc, a, a + R, a + 2 * R, b, b + b_row, b + 2 * b_row);
        a += 3 * R;
        b += 3 * b_row;
        depth -= 3;
    };
    while (depth >= 6) {
        step(std::false_type{});
        step(std::true_type{});
    }
    if (depth >= 3)
        step(std::false_type{});
    for (; depth > 0; --depth, a += R, b += b_row)
        add_strip_step<R, V, 1>(acc, a, b);
}

// acc += the same of a strip as pack_strip packs it, without what pairs add. after() runs once
// every four k or so.
template <int R, int V, class After>
MIGRAPHX_VEC_INLINE void add_strip_pairs(vf (&acc)[R][V], const float* a, const float* b,
                                         int64_t b_row, int64_t depth, After after) {
    const int64_t packed = depth / strip_depth * strip_depth;
    const auto at = [&](int64_t k) __attribute__((always_inline)) {
        return a + k / strip_depth * (R * strip_depth) + k % strip_depth;
    };
    int64_t k = 0;
    const auto step = [&](auto minus) __attribute__((always_inline)) {
        add_pair_and_one<R, V, strip_depth, minus>(acc, at(k), at(k + 1), at(k + 2), b, b + b_row,
                                                   b + 2 * b_row);
        if (k % 4 != 3)
            after();
        k += 3;
        b += 3 * b_row;
    };
    while (k + 6 <= packed) {
        step(std::false_type{});
        step(std::true_type{});
    }
    if (k + 3 <= packed)
        step(std::false_type{});
    for (; k < depth; ++k, b += b_row)
        add_strip_step<R, V>(acc, at(k), b);
}

} // namespace migraphx::cpu::KERNEL_ISA
