// SPDX-License-Identifier: MIT
// D = tail(A B) for f32 on matrix units, as exact as multiply-adds: a float is the sum of three
// bf16 (24 bits in three times 8), and six of the nine products of parts are summed in f32; those
// left out are below 2^-24 of the product. Matrix units cut off what they add, so each step of 16
// along k is summed from 0 and then added with rounding. Infinities, NaN and what rounds to them
// have no parts: a block that meets any does its sums plainly. The idea is that of BF16x9
// (Henry, Tang, Heinecke 2019); the cpu target's amx/split_product does the same.
#pragma once
#include "gemm_tiles.cuh"

namespace mgx {

// BM x BN sums by a block, WM x WN by a warp. A_k, B_k as in mma_form.
template <int M, int N, int WarpM, int WarpN, int Stages, bool AlongK_A, bool AlongK_B>
struct split_form {
    static constexpr int BM = M, BN = N, BK = 32, WM = WarpM, WN = WarpN, stages = Stages;
    static constexpr bool A_k = AlongK_A, B_k = AlongK_B;
    static constexpr int parts = 1;
    static constexpr int warps_n = BN / WN, warps = BM / WM * warps_n, threads = warps * 32;
    // Lines of neighbours in shared memory. With such steps the lanes of a warp meet 32 banks.
    static constexpr int a_step = A_k ? BK + 8 : BM + 4, b_step = B_k ? BK + 8 : BN + 4;
    static constexpr int a_elements = (A_k ? BM : BK) * a_step;
    static constexpr int stage_elements = a_elements + (B_k ? BN : BK) * b_step;
    static constexpr int sum_step = BN + 8;
};

// Lines of floats `Step` apart in shared memory.
template <int Step>
struct padded_lines {
    static MGX_DEVICE constexpr int at(int line, int piece) { return line * (Step / 4) + piece; }
};

// Two floats as pairs of bf16, the largest parts first.
struct bf16_parts {
    u32 high, middle, low;
};

MGX_DEVICE bf16_parts parts_of(f32 x, f32 y, bool& unusual) {
    const auto first = [](u32 pair) { return bits_as<f32>(pair << 16); };
    const auto second = [](u32 pair) { return bits_as<f32>(pair & 0xffff0000u); };
    bf16_parts p;
    p.high = pack2<bf16>(x, y);
    unusual |= (p.high & 0x7f80u) == 0x7f80u || (p.high & 0x7f800000u) == 0x7f800000u;
    x -= first(p.high);
    y -= second(p.high);
    p.middle = pack2<bf16>(x, y);
    x -= first(p.middle);
    y -= second(p.middle);
    p.low = pack2<bf16>(x, y);
    return p;
}

template <class F>
struct split_tile {
    static constexpr int tiles_m = F::WM / 16, tiles_n = F::WN / 8;

    f32 sums[tiles_m][tiles_n][4] = {};
    bool unusual = false;
    const warp_place<F> warp;
    int g, t;

    MGX_DEVICE split_tile() {
        const int lane = static_cast<int>(threadIdx.x) % 32;
        g = lane / 4;
        t = lane % 4;
    }

    // Elements (line, k) and (line, k + 1) of A or B.
    template <bool AlongK, int Step>
    MGX_DEVICE bf16_parts pair(const f32* tile, int line, int k) {
        if constexpr (AlongK) {
            const auto x = load<2>(tile + line * Step + k);
            return parts_of(x[0], x[1], unusual);
        } else
            return parts_of(tile[k * Step + line], tile[(k + 1) * Step + line], unusual);
    }

    MGX_DEVICE void add(const f32* a, const f32* b) {
#pragma unroll
        for (int k16 = 0; k16 < F::BK; k16 += 16) {
            const int k = k16 + 2 * t;
            u32 fa[tiles_m][3][4], fb[tiles_n][3][2];
#pragma unroll
            for (int i = 0; i < tiles_m; i++)
#pragma unroll
                for (int e = 0; e < 4; e++) {
                    const auto p = pair<F::A_k, F::a_step>(
                        a, warp.row + i * 16 + g + e % 2 * 8, k + e / 2 * 8);
                    fa[i][0][e] = p.high;
                    fa[i][1][e] = p.middle;
                    fa[i][2][e] = p.low;
                }
#pragma unroll
            for (int j = 0; j < tiles_n; j++)
#pragma unroll
                for (int e = 0; e < 2; e++) {
                    const auto p =
                        pair<F::B_k, F::b_step>(b, warp.column + j * 8 + g, k + e * 8);
                    fb[j][0][e] = p.high;
                    fb[j][1][e] = p.middle;
                    fb[j][2][e] = p.low;
                }
#pragma unroll
            for (int i = 0; i < tiles_m; i++)
#pragma unroll
                for (int j = 0; j < tiles_n; j++) {
                    f32 s[4] = {};
                    mma_16x8x16<bf16>(s, fa[i][1], fb[j][1]);
                    mma_16x8x16<bf16>(s, fa[i][2], fb[j][0]);
                    mma_16x8x16<bf16>(s, fa[i][0], fb[j][2]);
                    mma_16x8x16<bf16>(s, fa[i][1], fb[j][0]);
                    mma_16x8x16<bf16>(s, fa[i][0], fb[j][1]);
                    mma_16x8x16<bf16>(s, fa[i][0], fb[j][0]);
#pragma unroll
                    for (int e = 0; e < 4; e++)
                        sums[i][j][e] += s[e];
                }
        }
    }

    MGX_DEVICE void copied() {}
    MGX_DEVICE void put(f32* to) const { put_sums<F>(sums, warp, to); }
};

// Blocks as for mma_gemm.
template <class F, int V, class Tail>
MGX_DEVICE void split_gemm(const f32* a, const f32* b, unsigned char* shared, const gemm_params& p,
                           const Tail& tail) {
    __shared__ int any_unusual;
    f32* const memory = reinterpret_cast<f32*>(shared);
    for (int batch = static_cast<int>(blockIdx.z); batch < p.batches * p.splits;
         batch += static_cast<int>(gridDim.z)) {
        const auto here = block_tile_of<F, Tail::operands>(p, batch);
        const f32* const a0 = a + here.at.a + here.m0 * p.a.row;
        const f32* const b0 = b + here.at.b + here.n0 * p.b.column;
        split_tile<F> tile;
        if (threadIdx.x == 0)
            any_unusual = 0;
        add_along_k<F, padded_lines<F::a_step>, padded_lines<F::b_step>>(tile, a0, b0, here, memory,
                                                                         p);
        if (tile.unusual)
            any_unusual = 1;
        tile.put(memory);
        __syncthreads();
        const bool plainly = any_unusual != 0;
        constexpr int runs = F::BN / V;
        for (int x = static_cast<int>(threadIdx.x); x < F::BM * runs; x += F::threads) {
            const int i = x / runs, j = x % runs * V;
            const int count = here.columns - j < V ? here.columns - j : V;
            if (i >= here.rows || count <= 0)
                continue;
            f32 run[V];
#pragma unroll
            for (int e = 0; e < V; e++) {
                run[e] = memory[i * F::sum_step + j + e];
                if (plainly && e < count) {
                    run[e] = 0;
                    for (int k = here.first_k; k < here.last_k; k++)
                        run[e] = fma(a0[i * p.a.row + k * p.a.column],
                                     b0[k * p.b.row + (j + e) * p.b.column], run[e]);
                }
            }
            tail.template finish<V>(run, p, here.at, here.m0 + i, here.n0 + j, count);
        }
        __syncthreads();
    }
}

} // namespace mgx
