// SPDX-License-Identifier: MIT
// The two products of attention for a warp: scores of its 16 queries with Keys keys, and weights
// times values. One kind multiplies on tensor cores, the other in the type of its sums; both say
// which rows and columns the numbers of a lane belong to:
//   lane_rows, row(i)        rows of the lane, within the warp's 16
//   lane_columns, column(j)  keys of the lane, within the warp's Keys
//   lane_outs, out_column(j) columns of the result
//   score(i, j), out(i, j)   where these lie in the lane's arrays
//   over_row(x, op)          op over the lanes that hold parts of a row
// Size: columns of q and k, Outs: of v, both filled up with zeros. k_stride, v_stride: of the rows
// of tiles in shared memory, such that reads by columns of rows meet different banks.
#pragma once
#include "tensor_cores.cuh"

namespace mgx {

MGX_DEVICE f32 power_of_2(f32 x) {
    return fast_exp2(x);
}
MGX_DEVICE f64 power_of_2(f64 x) {
    return exp2(x);
}

// T: half or bf16; Size and Outs are multiples of 16, Keys too.
template <class T, int Size, int Outs, int Keys>
struct tensor_core_warp {
    using element = T;
    using sum = f32;
    static constexpr int size = Size, outs = Outs, keys = Keys;
    static constexpr int k_stride = Size + 8, v_stride = Outs + 8, own_bytes = 0;
    static constexpr int lane_rows = 2, lane_columns = Keys / 4, lane_outs = Outs / 4;
    static constexpr int lane_scores = lane_rows * lane_columns, lane_results = 2 * lane_outs;
    // Wider heads are read from shared memory again for every tile of keys.
    static constexpr bool in_registers = Size <= 128;

    const T* queries;
    u32 held[in_registers ? Size / 16 : 1][4];

    MGX_DEVICE tensor_core_warp(const T* q, unsigned char*) : queries(q) {}

    static MGX_DEVICE int lane() { return thread_rank() % 32; }
    static MGX_DEVICE int row(int i) { return lane() / 4 + 8 * i; }
    static MGX_DEVICE int column(int j) { return j / 2 * 8 + lane() % 4 * 2 + j % 2; }
    static MGX_DEVICE int out_column(int j) { return column(j); }
    static MGX_DEVICE constexpr int score(int i, int j) { return j / 2 * 4 + i * 2 + j % 2; }
    static MGX_DEVICE constexpr int out(int i, int j) { return score(i, j); }
    template <class Op>
    static MGX_DEVICE f32 over_row(f32 x, Op op) {
        return warp_reduce<4>(x, op);
    }

    MGX_DEVICE void query_fragment(int d, u32 (&a)[4]) const {
        load_tiles<false>(a, queries + lane() % 16 * k_stride + 16 * d + lane() / 16 * 8);
    }
    MGX_DEVICE void load_queries() {
        if constexpr (in_registers) {
#pragma unroll
            for (int d = 0; d < Size / 16; d++)
                query_fragment(d, held[d]);
        }
    }

    MGX_DEVICE void scores(const T* k, f32* x) const {
        f32 c[Keys / 8][4];
#pragma unroll
        for (int n = 0; n < Keys / 8; n++)
#pragma unroll
            for (int i = 0; i < 4; i++)
                c[n][i] = 0;
        k += (lane() / 16 * 8 + lane() % 8) * k_stride + lane() / 8 % 2 * 8;
#pragma unroll
        for (int d = 0; d < Size / 16; d++) {
            u32 a[4];
            if constexpr (in_registers) {
#pragma unroll
                for (int i = 0; i < 4; i++)
                    a[i] = held[d][i];
            } else
                query_fragment(d, a);
#pragma unroll
            for (int n = 0; n < Keys / 16; n++) {
                u32 b[4];
                load_tiles<false>(b, k + 16 * n * k_stride + 16 * d);
                mma_16x8x16<T>(c[2 * n], a, {b[0], b[1]});
                mma_16x8x16<T>(c[2 * n + 1], a, {b[2], b[3]});
            }
        }
#pragma unroll
        for (int n = 0; n < Keys / 8; n++)
#pragma unroll
            for (int i = 0; i < 4; i++)
                x[4 * n + i] = c[n][i];
    }

    MGX_DEVICE void add_values(const f32* x, const T* v, f32* y) const {
        f32 c[Outs / 8][4];
#pragma unroll
        for (int n = 0; n < Outs / 8; n++)
#pragma unroll
            for (int i = 0; i < 4; i++)
                c[n][i] = y[4 * n + i];
        v += (lane() / 8 % 2 * 8 + lane() % 8) * v_stride + lane() / 16 * 8;
#pragma unroll
        for (int t = 0; t < Keys / 16; t++) {
            const f32* const p = x + 8 * t;
            const u32 a[4] = {pack2<T>(p[0], p[1]), pack2<T>(p[2], p[3]), pack2<T>(p[4], p[5]),
                              pack2<T>(p[6], p[7])};
#pragma unroll
            for (int n = 0; n < Outs / 16; n++) {
                u32 b[4];
                load_tiles<true>(b, v + 16 * t * v_stride + 16 * n);
                mma_16x8x16<T>(c[2 * n], a, {b[0], b[1]});
                mma_16x8x16<T>(c[2 * n + 1], a, {b[2], b[3]});
            }
        }
#pragma unroll
        for (int n = 0; n < Outs / 8; n++)
#pragma unroll
            for (int i = 0; i < 4; i++)
                y[4 * n + i] = c[n][i];
    }
};

// Lanes are 4 x 8: lane (r, c) has rows r + 4 i and keys c + 8 j. T: any float; Size is a multiple
// of 8, Outs of 32, Keys of 8.
template <class T, int Size, int Outs, int Keys>
struct plain_warp {
    using element = T;
    using sum = compute<T>;
    static constexpr int unit = 16 / sizeof(T); // elements of 16 bytes
    static constexpr int size = Size, outs = Outs, keys = Keys;
    static constexpr int k_stride = Size + unit, v_stride = Outs;
    static constexpr int lane_rows = 4, lane_columns = Keys / 8, lane_outs = Outs / 8;
    static constexpr int lane_scores = lane_rows * lane_columns,
                         lane_results = lane_rows * lane_outs;
    static constexpr int weight_stride = Keys + 4,
                         own_bytes = 16 * weight_stride * static_cast<int>(sizeof(sum));

    const T* queries;
    sum* weights; // 16 rows

    MGX_DEVICE plain_warp(const T* q, unsigned char* own)
        : queries(q), weights(reinterpret_cast<sum*>(own)) {}

    static MGX_DEVICE int lane() { return thread_rank() % 32; }
    static MGX_DEVICE int row(int i) { return lane() / 8 + 4 * i; }
    static MGX_DEVICE int column(int j) { return lane() % 8 + 8 * j; }
    static MGX_DEVICE int out_column(int j) { return j / 4 * 32 + lane() % 8 * 4 + j % 4; }
    static MGX_DEVICE constexpr int score(int i, int j) { return i * lane_columns + j; }
    static MGX_DEVICE constexpr int out(int i, int j) { return i * lane_outs + j; }
    template <class Op>
    static MGX_DEVICE sum over_row(sum x, Op op) {
        return warp_reduce<8>(x, op);
    }
    MGX_DEVICE void load_queries() {}

    MGX_DEVICE void scores(const T* k, sum* x) const {
#pragma unroll
        for (int i = 0; i < lane_scores; i++)
            x[i] = 0;
        const T* const a = queries + lane() / 8 * k_stride;
        k += lane() % 8 * k_stride;
#pragma unroll 2
        for (int d = 0; d < Size; d += 4) {
            vec<sum, 4> q[4];
#pragma unroll
            for (int i = 0; i < 4; i++)
                q[i] = convert_all<sum>(load<4>(a + 4 * i * k_stride + d));
#pragma unroll
            for (int j = 0; j < lane_columns; j++) {
                const vec<sum, 4> b = convert_all<sum>(load<4>(k + 8 * j * k_stride + d));
#pragma unroll
                for (int i = 0; i < 4; i++)
#pragma unroll
                    for (int e = 0; e < 4; e++)
                        x[score(i, j)] = fma(q[i][e], b[e], x[score(i, j)]);
            }
        }
    }

    MGX_DEVICE void add_values(const sum* x, const T* v, sum* y) const {
        warp_barrier(); // the weights of the tile before have been read
#pragma unroll
        for (int i = 0; i < 4; i++)
#pragma unroll
            for (int j = 0; j < lane_columns; j++)
                weights[row(i) * weight_stride + column(j)] = x[score(i, j)];
        warp_barrier();
        const sum* const w = weights + lane() / 8 * weight_stride;
        v += lane() % 8 * 4;
#pragma unroll 2
        for (int t = 0; t < Keys; t += 4) {
            vec<sum, 4> p[4];
#pragma unroll
            for (int i = 0; i < 4; i++)
                p[i] = load<4>(w + 4 * i * weight_stride + t);
#pragma unroll
            for (int e = 0; e < 4; e++)
#pragma unroll
                for (int n = 0; n < Outs / 32; n++) {
                    const vec<sum, 4> b =
                        convert_all<sum>(load<4>(v + (t + e) * v_stride + 32 * n));
#pragma unroll
                    for (int i = 0; i < 4; i++)
#pragma unroll
                        for (int c = 0; c < 4; c++)
                            y[out(i, 4 * n + c)] = fma(p[i][e], b[c], y[out(i, 4 * n + c)]);
                }
        }
    }
};

} // namespace mgx
