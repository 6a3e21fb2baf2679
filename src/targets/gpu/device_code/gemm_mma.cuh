// SPDX-License-Identifier: MIT
// D = tail(A B) on the matrix units of a warp: half, bf16 and fp8 summed in f32, bytes in 32 bits.
// Tiles of A and B are copied to shared memory several steps ahead (cp.async); rows of 16-byte
// pieces are swizzled so that ldmatrix meets no bank twice. Sums leave through shared memory, so
// that the epilogue reads its operands and writes results 16 bytes at a time.
#pragma once
#include "gemm_tiles.cuh"

namespace mgx {

// BM x BN sums by a block, WM x WN by a warp, BK along k at a time. A_k: neighbours of A lie along
// k, else along m; B_k: those of B along k, else along n. Of bytes both lie along k. Parts: each
// number of B is a sum of so many, two lie along k, those of eight columns behind each other.
template <class T, int M, int N, int K, int WarpM, int WarpN, int Stages, bool AlongK_A,
          bool AlongK_B, int Parts = 1>
struct mma_form {
    using type = T;
    using sum = mma_sum<T>;
    static constexpr int piece = 16 / sizeof(T); // what is copied at once
    static constexpr int BM = M, BN = N, BK = K, WM = WarpM, WN = WarpN, stages = Stages;
    static constexpr bool A_k = AlongK_A, B_k = AlongK_B;
    static constexpr int parts = Parts;
    static constexpr int warps_n = BN / WN, warps = BM / WM * warps_n, threads = warps * 32;
    static constexpr int a_elements = BM * BK, b_elements = BN * Parts * BK;
    static constexpr int stage_elements = a_elements + b_elements;
    static constexpr int sum_step = BN + 8;
    static_assert(BK % mma_depth<T> == 0 && WM % 16 == 0 && WN % 16 == 0, "whole tiles");
    static_assert(sizeof(T) == 2 || (A_k && B_k), "single bytes are not transposed");
    static_assert(Parts == 1 || (Parts == 2 && B_k), "parts lie along k");
};

// Lines of `Pieces` pieces of 16 bytes. Eight lines at one piece lie in eight different places
// modulo 128 bytes.
template <int Pieces>
struct swizzle {
    static MGX_DEVICE constexpr int at(int line, int piece) {
        return Pieces >= 8 ? line * Pieces + (piece ^ (line & 7))
                           : line * Pieces + (piece ^ (line / (8 / Pieces) & (Pieces - 1)));
    }
};

template <class F>
struct mma_tile {
    using T = typename F::type;
    static constexpr int tiles_m = F::WM / 16, tiles_n = F::WN / 8, piece = F::piece;

    typename F::sum sums[tiles_m][tiles_n][4];
    const warp_place<F> warp;

    MGX_DEVICE mma_tile() {
#pragma unroll
        for (int i = 0; i < tiles_m; i++)
#pragma unroll
            for (int j = 0; j < tiles_n; j++)
#pragma unroll
                for (int e = 0; e < 4; e++)
                    sums[i][j][e] = 0;
    }

    // Adds the product of two tiles in shared memory.
    MGX_DEVICE void add(const T* a, const T* b) {
        const int lane = static_cast<int>(threadIdx.x) % 32;
        const int row8 = lane % 8, quarter = lane / 8;
#pragma unroll
        for (int k = 0; k < F::BK; k += mma_depth<T>) {
            u32 fa[tiles_m][4], fb[tiles_n * F::parts][2];
#pragma unroll
            for (int i = 0; i < tiles_m; i++) {
                // Tiles in order: rows 0-7, rows 8-15, then both a piece further along k.
                const int m = warp.row + i * 16 + quarter % 2 * 8;
                const int kk = k + quarter / 2 * piece;
                if constexpr (F::A_k)
                    load_tiles<false>(fa[i], a + swizzle<F::BK / piece>::at(m + row8, kk / piece) * piece);
                else
                    load_tiles<true>(fa[i], a + swizzle<F::BM / 8>::at(kk + row8, m / 8) * 8);
            }
#pragma unroll
            for (int j = 0; j < tiles_n * F::parts; j += 2) {
                // Two tiles of 8 columns, or both parts of one: each k, then a piece further.
                const int n = warp.column * F::parts + j * 8 + quarter / 2 * 8;
                const int kk = k + quarter % 2 * piece;
                u32 f[4];
                if constexpr (F::B_k)
                    load_tiles<false>(f, b + swizzle<F::BK / piece>::at(n + row8, kk / piece) * piece);
                else
                    load_tiles<true>(f, b + swizzle<F::BN / 8>::at(kk + row8, n / 8) * 8);
                fb[j][0] = f[0];
                fb[j][1] = f[1];
                fb[j + 1][0] = f[2];
                fb[j + 1][1] = f[3];
            }
            // One part after the other: what adds to the same sums waits for it.
#pragma unroll
            for (int part = 0; part < F::parts; part++)
#pragma unroll
                for (int i = 0; i < tiles_m; i++)
#pragma unroll
                    for (int j = 0; j < tiles_n; j++)
                        multiply_tiles<T>(sums[i][j], fa[i], fb[j * F::parts + part]);
        }
    }

    static MGX_DEVICE unsigned char* aligned(unsigned char* shared) { return shared; }
    MGX_DEVICE void copied() {}
    MGX_DEVICE void put(typename F::sum* to) const { put_sums<F>(sums, warp, to); }
};

// A block for each tile of each matrix of the batch: x: tiles along n, y: along m, z: the batch and
// the parts of k. With Parts the parts are a cluster, and each of its blocks adds up some rows.
// `tail(sums, place, i, j, count)` takes V neighbours of a row from (i, j) on.
template <class F, int V, int Parts = 1, class Tile = mma_tile<F>, class Tail>
MGX_DEVICE void mma_gemm(const typename F::type* a, const typename F::type* b, unsigned char* shared,
                         const gemm_params& p, const Tail& tail) {
    using T = typename F::type;
    T* const memory = reinterpret_cast<T*>(Tile::aligned(shared));
    for (int batch = static_cast<int>(blockIdx.z); batch < p.batches * p.splits;
         batch += static_cast<int>(gridDim.z)) {
        const auto here = block_tile_of<F, Tail::operands>(p, batch);
        Tile tile;
        add_along_k<F, swizzle<(F::A_k ? F::BK : F::BM) / F::piece>,
                    swizzle<(F::B_k ? F::BK : F::BN) / F::piece>>(
            tile, a + here.at.a + here.m0 * p.a.row,
            b + here.at.b + here.n0 * F::parts * p.b.column, here, memory, p);
        auto* const sums = reinterpret_cast<typename F::sum*>(memory);
        tile.put(sums);
        cluster_barrier<Parts>();
        constexpr int runs = F::BN / V, rows = F::BM / Parts;
        const int first = Parts == 1 ? 0 : here.at.split * rows;
        for (int x = static_cast<int>(threadIdx.x); x < rows * runs; x += F::threads) {
            const int i = first + x / runs, j = x % runs * V;
            const int count = here.columns - j < V ? here.columns - j : V;
            if (i >= here.rows || count <= 0)
                continue;
            typename F::sum part[V];
            get_sums<Parts>(part, sums + i * F::sum_step + j, x);
            held<typename Tail::anchor> run[V];
#pragma unroll
            for (int e = 0; e < V; e++)
                run[e] = as_value<typename Tail::anchor>(part[e]);
            tail.template finish<V>(run, p, here.at, here.m0 + i, here.n0 + j, count);
        }
        cluster_barrier<Parts>();
    }
}

} // namespace mgx
