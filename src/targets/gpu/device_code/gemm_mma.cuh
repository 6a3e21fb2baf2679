// SPDX-License-Identifier: MIT
// D = tail(A B) for half and bf16 on the matrix units of a warp (mma.m16n8k16), summed in f32.
// Tiles of A and B are copied to shared memory several steps ahead (cp.async); rows of 16-byte
// pieces are swizzled so that ldmatrix meets no bank twice. Sums leave through shared memory, so
// that the epilogue reads its operands and writes results 16 bytes at a time.
#pragma once
#include "gemm_tail.cuh"
#include "tensor_cores.cuh"

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

// Lines of `Pieces` pieces of 8 elements: where piece `i` of line `line` lies. Eight lines at one
// piece lie in eight different places modulo 128 bytes.
template <int Pieces>
MGX_DEVICE int swizzled(int line, int i) {
    if constexpr (Pieces >= 8)
        return line * Pieces + (i ^ (line & 7));
    else
        return line * Pieces + (i ^ (line / (8 / Pieces) & (Pieces - 1)));
}

// `Lines` lines of `Length` neighbours from global memory; `step` between lines; `lines` and
// `length` of them exist, the others are 0. `whole`: pieces are aligned to their 16 bytes.
template <class F, int Lines, int Length>
MGX_DEVICE void copy_tile(typename F::type* to, const typename F::type* from, i64 step, int lines,
                          int length, bool whole) {
    using T = typename F::type;
    constexpr int pieces = Length / 8, all = Lines * pieces;
#pragma unroll
    for (int first = 0; first < all; first += F::threads) {
        const int x = first + static_cast<int>(threadIdx.x);
        if (all % F::threads != 0 && x >= all)
            break;
        const int line = x / pieces, piece = x % pieces;
        T* const target = to + swizzled<pieces>(line, piece) * 8;
        const int left = line < lines ? length - piece * 8 : 0;
        const int count = left < 0 ? 0 : (left < 8 ? left : 8);
        const T* const source = from + (count > 0 ? line * step + piece * 8 : 0);
        if (whole)
            copy_16_async(target, source, count * 2);
        else {
#pragma unroll
            for (int i = 0; i < 8; i++)
                target[i] = i < count ? source[i] : T{0};
        }
    }
}

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
                    load_tiles<false>(fa[i], a + swizzled<F::BK / 8>(m + row8, kk / 8) * 8);
                else
                    load_tiles<true>(fa[i], a + swizzled<F::BM / 8>(kk + row8, m / 8) * 8);
            }
#pragma unroll
            for (int j = 0; j < tiles_n; j += 2) {
                // Two tiles of 8 columns: each k, then k + 8.
                const int n = warp_column + j * 8 + quarter / 2 * 8;
                const int kk = k + quarter % 2 * 8;
                u32 f[4];
                if constexpr (F::B_k)
                    load_tiles<false>(f, b + swizzled<F::BK / 8>(n + row8, kk / 8) * 8);
                else
                    load_tiles<true>(f, b + swizzled<F::BN / 8>(kk + row8, n / 8) * 8);
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
        const bool whole_a = (reinterpret_cast<u64>(a + at.a) | a_step * 2) % 16 == 0;
        const bool whole_b = (reinterpret_cast<u64>(b + at.b) | b_step * 2) % 16 == 0;
        const auto fetch = [&](int step) {
            if (step < steps) {
                T* const to = memory + step % F::stages * F::stage_elements;
                const int k0 = first_k + step * F::BK, depth = last_k - k0;
                if constexpr (F::A_k)
                    copy_tile<F, F::BM, F::BK>(to, a0 + k0, a_step, rows, depth, whole_a);
                else
                    copy_tile<F, F::BK, F::BM>(to, a0 + k0 * a_step, a_step, depth, rows,
                                                 whole_a);
                T* const to_b = to + F::a_elements;
                if constexpr (F::B_k)
                    copy_tile<F, F::BN, F::BK>(to_b, b0 + k0, b_step, columns, depth, whole_b);
                else
                    copy_tile<F, F::BK, F::BN>(to_b, b0 + k0 * b_step, b_step, depth, columns,
                                                 whole_b);
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
