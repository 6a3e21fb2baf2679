// SPDX-License-Identifier: MIT
// D = tail(A B) for half and bf16 on the matrix units of a warp (mma.m16n8k16), summed in f32.
// Tiles of A and B are copied to shared memory several steps ahead (cp.async); rows of 16-byte
// pieces are swizzled so that ldmatrix meets no bank twice. Sums leave through shared memory, so
// that the epilogue reads its operands and writes results 16 bytes at a time.
#pragma once
#include "gemm_copy.cuh"
#include "gemm_tail.cuh"

namespace mgx {

// BM x BN sums by a block, WM x WN by a warp, BK along k at a time. A_k: neighbours of A lie along
// k, else along m; B_k: those of B along k, else along n.
template <class T, int M, int N, int K, int WarpM, int WarpN, int Stages, bool AlongK_A,
          bool AlongK_B>
struct mma_form {
    using type = T;
    static constexpr int BM = M, BN = N, BK = K, WM = WarpM, WN = WarpN, stages = Stages;
    static constexpr bool A_k = AlongK_A, B_k = AlongK_B;
    static constexpr int warps_n = BN / WN, warps = BM / WM * warps_n, threads = warps * 32;
    static constexpr int a_elements = BM * BK, b_elements = BN * BK;
    static constexpr int stage_elements = a_elements + b_elements;
    static constexpr int sum_step = BN + 4; // floats
    static_assert(BK % 16 == 0 && WM % 16 == 0 && WN % 16 == 0, "tiles of 16 x 16 x 16");
};

// Lines of `Pieces` pieces of 8 elements. Eight lines at one piece lie in eight different places
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
    static constexpr int tiles_m = F::WM / 16, tiles_n = F::WN / 8;

    f32 sums[tiles_m][tiles_n][4];
    int warp_row, warp_column;

    MGX_DEVICE mma_tile() {
        const int warp = static_cast<int>(threadIdx.x) / 32;
        warp_row = warp / F::warps_n * F::WM;
        warp_column = warp % F::warps_n * F::WN;
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
        for (int k = 0; k < F::BK; k += 16) {
            u32 fa[tiles_m][4], fb[tiles_n][2];
#pragma unroll
            for (int i = 0; i < tiles_m; i++) {
                // Tiles in order: rows 0-7, rows 8-15, then both at k + 8.
                const int m = warp_row + i * 16 + quarter % 2 * 8;
                const int kk = k + quarter / 2 * 8;
                if constexpr (F::A_k)
                    load_tiles<false>(fa[i], a + swizzle<F::BK / 8>::at(m + row8, kk / 8) * 8);
                else
                    load_tiles<true>(fa[i], a + swizzle<F::BM / 8>::at(kk + row8, m / 8) * 8);
            }
#pragma unroll
            for (int j = 0; j < tiles_n; j += 2) {
                // Two tiles of 8 columns: each k, then k + 8.
                const int n = warp_column + j * 8 + quarter / 2 * 8;
                const int kk = k + quarter % 2 * 8;
                u32 f[4];
                if constexpr (F::B_k)
                    load_tiles<false>(f, b + swizzle<F::BK / 8>::at(n + row8, kk / 8) * 8);
                else
                    load_tiles<true>(f, b + swizzle<F::BN / 8>::at(kk + row8, n / 8) * 8);
                fb[j][0] = f[0];
                fb[j][1] = f[1];
                fb[j + 1][0] = f[2];
                fb[j + 1][1] = f[3];
            }
#pragma unroll
            for (int i = 0; i < tiles_m; i++)
#pragma unroll
                for (int j = 0; j < tiles_n; j++)
                    mma_16x8x16<T>(sums[i][j], fa[i], fb[j]);
        }
    }

    MGX_DEVICE void put(f32* to) const {
        const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
#pragma unroll
        for (int i = 0; i < tiles_m; i++)
#pragma unroll
            for (int j = 0; j < tiles_n; j++)
#pragma unroll
                for (int e = 0; e < 4; e++)
                    to[(warp_row + i * 16 + g + e / 2 * 8) * F::sum_step + warp_column + j * 8 +
                       2 * t + e % 2] = sums[i][j][e];
    }
};

// A block for each tile of each matrix of the batch: x: tiles along n, y: along m, z: the batch and
// the parts of k.
// `tail(sums, place, i, j, count)` takes V neighbours of a row from (i, j) on.
template <class F, int V, class Tail>
MGX_DEVICE void mma_gemm(const typename F::type* a, const typename F::type* b, unsigned char* shared,
                         const gemm_params& p, const Tail& tail) {
    using T = typename F::type;
    T* const memory = reinterpret_cast<T*>(shared);
    for (int batch = static_cast<int>(blockIdx.z); batch < p.batches * p.splits;
         batch += static_cast<int>(gridDim.z)) {
        const auto at = gemm_place_of<Tail::operands>(p, batch);
        const int m0 = static_cast<int>(blockIdx.y) * F::BM;
        const int n0 = static_cast<int>(blockIdx.x) * F::BN;
        const int rows = p.m - m0, columns = p.n - n0;
        const T* const a0 = a + at.a + m0 * p.a.row;
        const T* const b0 = b + at.b + n0 * p.b.column;
        const int first_k = at.split * p.depth;
        const int last_k = first_k + p.depth < p.k ? first_k + p.depth : p.k;
        const int steps = (last_k - first_k + F::BK - 1) / F::BK;
        const i64 a_step = F::A_k ? p.a.row : p.a.column, b_step = F::B_k ? p.b.column : p.b.row;
        line_copier<T, F::threads, F::A_k ? F::BM : F::BK, F::A_k ? F::BK : F::BM,
                    swizzle<(F::A_k ? F::BK : F::BM) / 8>>
            copy_a(a0 + first_k * p.a.column, a_step, F::BK * p.a.column);
        line_copier<T, F::threads, F::B_k ? F::BN : F::BK, F::B_k ? F::BK : F::BN,
                    swizzle<(F::B_k ? F::BK : F::BN) / 8>>
            copy_b(b0 + first_k * p.b.row, b_step, F::BK * p.b.row);
        const auto fetch = [&](int step) {
            if (step < steps) {
                T* const to = memory + step % F::stages * F::stage_elements;
                const int depth = last_k - first_k - step * F::BK;
                copy_a.fetch(to, F::A_k ? rows : depth, F::A_k ? depth : rows);
                copy_b.fetch(to + F::a_elements, F::B_k ? columns : depth,
                             F::B_k ? depth : columns);
            }
            commit_copies();
        };
        mma_tile<F> tile;
#pragma unroll
        for (int s = 0; s < F::stages - 1; s++)
            fetch(s);
        for (int step = 0; step < steps; step++) {
            wait_for_copies<F::stages - 2>();
            __syncthreads();
            fetch(step + F::stages - 1); // over what the step before has read
            const T* const now = memory + step % F::stages * F::stage_elements;
            tile.add(now, now + F::a_elements);
        }
        wait_for_copies<0>();
        __syncthreads();
        f32* const sums = reinterpret_cast<f32*>(shared);
        tile.put(sums);
        __syncthreads();
        constexpr int runs = F::BN / V;
        for (int x = static_cast<int>(threadIdx.x); x < F::BM * runs; x += F::threads) {
            const int i = x / runs, j = x % runs * V;
            const int count = columns - j < V ? columns - j : V;
            if (i >= rows || count <= 0)
                continue;
            f32 run[V];
#pragma unroll
            for (int e = 0; e < V; e++)
                run[e] = sums[i * F::sum_step + j + e];
            tail.template finish<V>(run, p, at, m0 + i, n0 + j, count);
        }
        __syncthreads();
    }
}

} // namespace mgx
