// SPDX-License-Identifier: MIT
// Rows times one packed panel of weights, with the epilogue in registers. For kernel files only.
#pragma once

#include "targets/cpu/kernels/row_tile.hpp"
#include "targets/cpu/kernels/strip_tile.hpp"

namespace migraphx::cpu::KERNEL_ISA {

constexpr int row_vectors = 2;
constexpr int64_t row_panel = row_vectors * lanes; // columns of a panel

constexpr int64_t panels_of(int64_t columns) {
    return (columns + row_panel - 1) / row_panel;
}

// 24 accumulators of 32, or 12 of 16; with 28 the compiler moves them about, and loses a quarter.
constexpr int row_most = lanes == 16 ? 12 : 6;

struct row_product {
    const float* x; // (r, k) at x[r * x_row + k]
    int64_t x_row;
    const float* panel; // (k, c) at panel[k * row_panel + c], padded with zeros
    const float* bias;  // row_panel values
    int64_t depth;
    // For products in pairs: what pairs of the panel's rows add, row_panel values for each part of
    // the depth, or null; the exponent of the root of the weights' mean square.
    const float* pairs = nullptr;
    int weight_exponent = 0;
};

// f(row_count<vectors>, row_count<1 if the last of them counts by its lower half, else 0>) for the
// columns of a panel that exist.
template <class F>
MIGRAPHX_VEC_INLINE void with_columns(int64_t columns, F f) {
    constexpr int half = lanes == 16 ? 1 : 0;
    if (columns > lanes + half * lanes / 2 && columns > lanes)
        f(row_count<2>{}, row_count<0>{});
    else if (columns > lanes)
        f(row_count<2>{}, row_count<half>{});
    else if (columns > half * lanes / 2)
        f(row_count<1>{}, row_count<0>{});
    else
        f(row_count<1>{}, row_count<half>{});
}

constexpr int unroll_depth = 4;

// Rows are addressed from few pointers with the scales that an address may have, since a pointer
// for each would not fit the registers.
template <int R>
struct row_pointers {
    static constexpr int groups = (R + 4) / 5;
    const char* at[groups];
    int64_t step, step3;

    MIGRAPHX_VEC_INLINE row_pointers(const float* x, int64_t x_row) {
        step = x_row * int64_t(sizeof(float));
        step3 = step * 3;
#if defined(__x86_64__)
        asm("" : "+r"(step3)); // or it is derived anew for each row
#endif
        for (int g = 0; g < groups; ++g) {
            at[g] = reinterpret_cast<const char*>(x) + g * 5 * step;
#if defined(__x86_64__)
            asm("" : "+r"(at[g]));
#endif
        }
    }
    MIGRAPHX_VEC_INLINE const float& get(int r, int64_t k) const {
        const char* p = at[r / 5] + k * int64_t(sizeof(float));
        switch (r % 5) {
        case 0:
            break;
        case 1:
            p += step;
            break;
        case 2:
            p += 2 * step;
            break;
        case 3:
            p += step3;
            break;
        default:
            p += 4 * step;
            break;
        }
        return *reinterpret_cast<const float*>(p);
    }
    MIGRAPHX_VEC_INLINE void advance(int64_t k) {
        for (int g = 0; g < groups; ++g) {
            at[g] += k * int64_t(sizeof(float));
#if defined(__x86_64__)
            asm("" : "+r"(at[g])); // or each row gets a counter of its own
#endif
        }
    }
};

// Half: of the last vector only the lower lanes count.
template <int R, int V, bool Half = false>
inline void row_tile(const row_product& p, const float* rows, const row_epilogue& e,
                     const tile_place& at) {
    vf acc[R][V];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v)
            acc[r][v] = load(p.bias + v * lanes);
    row_pointers<R> x(rows, p.x_row);
    const float* w = p.panel;
    // Large tiles have no registers to look ahead in.
    constexpr int unroll = R * V >= 20 ? 2 : unroll_depth;
    constexpr int ahead = 24; // rows of the panel
    const auto multiply = [&](int64_t k) __attribute__((always_inline)) {
        vf b[V];
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
            b[v] = load(w + k * row_panel + v * lanes);
            // Weights come from far; the processor's own prefetching ends with each page.
            __builtin_prefetch(w + (k + ahead) * row_panel + v * lanes);
        }
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
            if constexpr (Half && V == 1) {
                add_lower_product_with(acc[r][0], x.get(r, k), b[0]);
                continue;
            }
            const vf a = splat(x.get(r, k));
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v)
                if (Half && v == V - 1)
                    add_lower_product(acc[r][v], a, b[v]);
                else
                    add_product(acc[r][v], a, b[v]);
        }
    };
    int64_t k = p.depth;
    for (; k >= unroll; k -= unroll) {
#pragma GCC unroll 4
        for (int i = 0; i < unroll; ++i) {
            multiply(i);
            // The compiler would load ahead more than registers hold.
            asm volatile("" ::: "memory");
        }
        x.advance(unroll);
        w += unroll * row_panel;
    }
    for (; k > 0; --k) {
        multiply(0);
        x.advance(1);
        w += row_panel;
    }
    finish_tile<R, V>(acc, e, at);
}

// One row has too few sums to keep the multipliers busy: four for each vector.
template <int V>
inline void single_row(const row_product& p, const float* x, const row_epilogue& e,
                       const tile_place& at) {
    constexpr int parts = 4;
    vf sum[parts][V];
    for (int i = 0; i < parts; ++i)
        for (int v = 0; v < V; ++v)
            sum[i][v] = i == 0 ? load(p.bias + v * lanes) : vf{};
    int64_t k = 0;
    for (; k + parts <= p.depth; k += parts)
        for (int i = 0; i < parts; ++i)
            for (int v = 0; v < V; ++v)
                add_product(sum[i][v], splat(x[k + i]),
                            load(p.panel + (k + i) * row_panel + v * lanes));
    for (; k < p.depth; ++k)
        for (int v = 0; v < V; ++v)
            sum[0][v] = fma(splat(x[k]), load(p.panel + k * row_panel + v * lanes), sum[0][v]);
    vf acc[1][V];
    for (int v = 0; v < V; ++v)
        acc[0][v] = (sum[0][v] + sum[1][v]) + (sum[2][v] + sum[3][v]);
    finish_tile<1, V>(acc, e, at);
}

template <int R>
inline void row_tile_of(const row_product& p, const float* x, const row_epilogue& e,
                        const tile_place& at) {
    if constexpr (R == 1) {
        if (at.channels > lanes)
            single_row<2>(p, x, e, at);
        else
            single_row<1>(p, x, e, at);
    } else
        with_columns(at.channels, [&](auto v, auto half) {
            row_tile<R, decltype(v)::value, decltype(half)::value != 0>(p, x, e, at);
        });
}

// Any number of rows, in tiles of about the same height.
inline void row_block(const row_product& p, const row_epilogue& e, tile_place at, int64_t rows) {
    const float* x = p.x;
    for (int64_t tiles = (rows + row_most - 1) / row_most; tiles > 0; --tiles) {
        const int64_t r = (rows + tiles - 1) / tiles;
        with_rows<row_most>(r, [&](auto n) { row_tile_of<decltype(n)::value>(p, x, e, at); });
        x += r * p.x_row;
        at.y += r * at.y_row;
        at.row += r;
        rows -= r;
    }
}

} // namespace migraphx::cpu::KERNEL_ISA
