// SPDX-License-Identifier: MIT
// Register-blocked product of a few rows of A with a few vectors of columns of B. For kernel files
// only.
#pragma once

#include "targets/cpu/kernels/lanes.hpp"

namespace migraphx::cpu::KERNEL_ISA {

// Rows and vectors of the largest tile: 24 accumulators of 32 registers, or 12 of 16.
constexpr int tile_rows = 6;
constexpr int tile_vectors = lanes == 16 ? 4 : 2;

struct gemm_operands {
    const float* a; // (r, k) at a[r * a_row + k * a_k]
    int64_t a_row, a_k;
    const float* b; // (k, c) at b[k * b_row + c]
    int64_t b_row;
    float* c; // (r, c) at c[r * c_row + c]
    int64_t c_row;
    int64_t depth;
};

// Rows are addressed from few pointers with the scales that an address may have, since a pointer
// for each would not fit the registers.
template <int R>
struct row_walk {
    static constexpr int groups = (R + 4) / 5;
    const char* at[groups];
    int64_t step, step3;

    MIGRAPHX_VEC_INLINE row_walk(const float* a, int64_t a_row) {
        step = a_row * int64_t(sizeof(float));
        step3 = step * 3;
        asm("" : "+r"(step3)); // or it is derived anew for each row
        for (int g = 0; g < groups; ++g) {
            at[g] = reinterpret_cast<const char*>(a) + g * 5 * step;
            asm("" : "+r"(at[g]));
        }
    }
    MIGRAPHX_VEC_INLINE float get(int r) const {
        const int64_t steps[] = {0, step, 2 * step, step3, 4 * step};
        return *reinterpret_cast<const float*>(at[r / 5] + steps[r % 5]);
    }
    MIGRAPHX_VEC_INLINE void advance(int64_t bytes) {
        for (int g = 0; g < groups; ++g)
            at[g] += bytes;
    }
};

// acc += a * b for R rows and V whole vectors of columns.
template <int R, int V>
MIGRAPHX_VEC_INLINE void accumulate_tile(const gemm_operands& g, vf (&acc)[R][V]) {
    const float* a = g.a;
    const float* b = g.b;
    for (int64_t k = 0; k < g.depth; ++k) {
        vf w[V];
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v)
            w[v] = load(b + v * lanes);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
            const vf x = splat(a[r * g.a_row]);
#pragma GCC unroll 8
            for (int v = 0; v < V; ++v)
                add_product(acc[r][v], x, w[v]);
        }
        a += g.a_k;
        b += g.b_row;
    }
}

// c = a * b, or c += a * b, for R rows and V vectors; with Part the last vector has `part` lanes.
// Streamed: b comes from beyond the caches next to the core and is asked for ahead of its use.
template <int R, int V, bool Part, bool Streamed = false>
inline void gemm_tile(const gemm_operands& g, bool add, int64_t part) {
    vf acc[R][V];
    const float* b = g.b;
    float* c = g.c;
#pragma GCC unroll 32
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) {
            acc[r][v] = vf{};
            if (add)
                acc[r][v] = Part && v == V - 1 ? load_first(c + r * g.c_row + v * lanes, part)
                                               : load(c + r * g.c_row + v * lanes);
        }
    constexpr int64_t ahead = 4096 / int64_t(sizeof(float)); // floats of b
    const int64_t a_step = g.a_k * int64_t(sizeof(float));
    row_walk<R> a(g.a, g.a_row);
    for (int64_t k = 0; k < g.depth; ++k) {
        vf w[V];
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) {
            w[v] = Part && v == V - 1 ? load_first(b + v * lanes, part) : load(b + v * lanes);
            if (Streamed)
                __builtin_prefetch(b + ahead + v * lanes);
        }
#pragma GCC unroll 32
        for (int r = 0; r < R; ++r) {
            const vf x = splat(a.get(r));
#pragma GCC unroll 8
            for (int v = 0; v < V; ++v)
                add_product(acc[r][v], x, w[v]);
        }
        a.advance(a_step);
        b += g.b_row;
    }
#pragma GCC unroll 32
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) {
            if (Part && v == V - 1)
                store_first(c + r * g.c_row + v * lanes, acc[r][v], part);
            else
                store(c + r * g.c_row + v * lanes, acc[r][v]);
        }
}

// Any number of rows, in tiles of about the same height.
template <int V, bool Part>
inline void gemm_panel(const gemm_operands& all, int64_t rows, bool add, int64_t part) {
    gemm_operands g = all;
    for (int64_t tiles = (rows + tile_rows - 1) / tile_rows; tiles > 0; --tiles) {
        const int64_t r = (rows + tiles - 1) / tiles;
        switch (r) {
        case 1:
            gemm_tile<1, V, Part>(g, add, part);
            break;
        case 2:
            gemm_tile<2, V, Part>(g, add, part);
            break;
        case 3:
            gemm_tile<3, V, Part>(g, add, part);
            break;
        case 4:
            gemm_tile<4, V, Part>(g, add, part);
            break;
        case 5:
            gemm_tile<5, V, Part>(g, add, part);
            break;
        default:
            gemm_tile<tile_rows, V, Part>(g, add, part);
            break;
        }
        g.a += r * g.a_row;
        g.c += r * g.c_row;
        rows -= r;
    }
}

// Two multiply-adds start in a cycle and each takes four: one or two rows need more columns to keep
// eight sums going.
constexpr int vectors_for(int64_t rows) {
    return tile_vectors < 4 && rows <= 2 ? (rows <= 1 ? 8 : 4) : tile_vectors;
}

// rows x cols, both of any size; B is read as it is.
inline void gemm_block(const gemm_operands& all, int64_t rows, int64_t cols, bool add) {
    gemm_operands g = all;
    int64_t left = cols;
    const auto advance = [&](int vectors) {
        g.b += vectors * lanes;
        g.c += vectors * lanes;
        left -= vectors * lanes;
    };
    if constexpr (vectors_for(1) != tile_vectors) {
        if (rows == 1)
            for (; left >= vectors_for(1) * lanes; advance(vectors_for(1)))
                gemm_tile<1, vectors_for(1), false>(g, add, lanes);
        if (rows == 2)
            for (; left >= vectors_for(2) * lanes; advance(vectors_for(2)))
                gemm_tile<2, vectors_for(2), false>(g, add, lanes);
    }
    for (; left >= tile_vectors * lanes; advance(tile_vectors))
        gemm_panel<tile_vectors, false>(g, rows, add, lanes);
    if constexpr (tile_vectors > 2)
        for (; left >= 2 * lanes; advance(2))
            gemm_panel<2, false>(g, rows, add, lanes);
    for (; left >= lanes; advance(1))
        gemm_panel<1, false>(g, rows, add, lanes);
    if (left > 0)
        gemm_panel<1, true>(g, rows, add, left);
}

} // namespace migraphx::cpu::KERNEL_ISA
