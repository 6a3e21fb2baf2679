// SPDX-License-Identifier: MIT
// D = tail(A W) on matrix units for weights of 4 bits in blocks that share a scale and a zero point,
// and A of half or bf16. Words of weights pass through shared memory as they are, several steps
// ahead (cp.async), and become factors in the registers of the one warp that multiplies them.
//
// The order of k within a run of 32 is free as long as A and W agree on it: lane 4g + t has the
// word of column g that holds k = 8t .. 8t + 7, and the 16 bytes of A's row there. Of a word the
// numbers i and i + 4 are a pair, since they lie 16 bits apart.
#pragma once
#include "block_gemv.cuh"
#include "gemm_tiles.cuh"

namespace mgx {

// M x N sums by a block, M x WarpN by each warp, 128 along k at a time.
template <class T, int M, int N, int WarpN, int Stages>
struct block_form {
    using type = T;
    using sum = f32;
    static constexpr int BM = M, BN = N, BK = 128, WM = M, WN = WarpN, stages = Stages;
    static constexpr int warps_n = BN / WN, threads = warps_n * 32;
    static constexpr int words = BK / 8; // of a column
    static constexpr int a_bytes = BM * BK * 2, stage_bytes = a_bytes + BN * words * 4;
    static constexpr int sum_step = BN + 8;
    static_assert(sizeof(T) == 2 && WM % 16 == 0 && WN % 8 == 0, "whole tiles of 16 bits");
};

// Rows of 16 pieces; four lanes read neighbours of one row and of the next.
struct rows_in_turn {
    static MGX_DEVICE constexpr int at(int line, int piece) {
        return line * 16 + (piece ^ (line & 1) * 4);
    }
};
// Columns of 4 pieces; eight columns at one piece meet no bank twice.
struct columns_in_turn {
    static MGX_DEVICE constexpr int at(int line, int piece) {
        return line * 4 + (piece ^ (line / 2 & 3));
    }
};

// Numbers 0 and 4, 1 and 5, 2 and 6, 3 and 7 of a word as factors (number - lowest) * scale, each
// rounded once; `lowest` counts from the smallest number.
template <class T>
MGX_DEVICE void unpack_pairs(u32 word, int lowest, T scale, u32 (&to)[4]) {
#if defined(MGX_CUDA) && __CUDA_ARCH__ >= 800
    if constexpr (same<T, half>) {
        // 1024 + n in half ends in the bits of n. All is exact but for the last product.
        const u32 less = pack2<half>(-1024.0f - static_cast<f32>(lowest),
                                     -1024.0f - static_cast<f32>(lowest));
        const u32 one = 0x3c003c00u, none = 0x80008000u;
        const u32 factor = static_cast<u32>(scale.bits) * 0x00010001u;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            u32 x = (word >> 4 * i & 0x000f000fu) | 0x64006400u;
            asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(x) : "r"(x), "r"(one), "r"(less));
            asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(to[i]) : "r"(x), "r"(factor), "r"(none));
        }
        return;
    }
#endif
    const f32 factor = to_f32(scale);
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const auto number = [&](int shift) {
            return static_cast<f32>(static_cast<int>(word >> shift & 15u) - lowest) * factor;
        };
        to[i] = pack2<T>(number(4 * i), number(4 * i + 16));
    }
}

// The same pairs of 8 neighbours.
MGX_DEVICE void interleave_pairs(const vec<u32, 4>& x, u32 (&to)[4]) {
#pragma unroll
    for (int i = 0; i < 2; i++) {
        to[2 * i] = (x[i] & 0xffffu) | x[i + 2] << 16;
        to[2 * i + 1] = x[i] >> 16 | (x[i + 2] & 0xffff0000u);
    }
}

template <class F, class Q>
struct block_tile_sums {
    using T = typename F::type;
    static constexpr int tiles_m = F::WM / 16, tiles_n = F::WN / 8, runs = F::BK / 32;
    static constexpr int moved = weight_words<Q, 4>::moved;

    f32 sums[tiles_m][tiles_n][4] = {};
    // Of the step that comes next.
    T scale[runs][tiles_n];
    int lowest[runs][tiles_n];
    const warp_place<F> warp;
    int g, t;

    MGX_DEVICE block_tile_sums() {
        const int lane = static_cast<int>(threadIdx.x) % 32;
        g = lane / 4;
        t = lane % 4;
    }

    // `k`: of the step's first element. There is nothing from `last_k` on.
    MGX_DEVICE void fetch_scales(const T* scales, const Q* zeros, const block_params& b, int n0,
                                 int k, int last_k) {
#pragma unroll
        for (int r = 0; r < runs; r++) {
            const int mine = k + 32 * r + 8 * t;
            const int block = static_cast<int>(b.by_block.div(static_cast<u32>(mine)));
#pragma unroll
            for (int j = 0; j < tiles_n; j++) {
                const int column = n0 + warp.column + 8 * j + g;
                const bool inside = mine < last_k && column < b.product.n;
                const i64 at = static_cast<i64>(column) * b.blocks + block;
                scale[r][j] = inside ? scales[at] : T{};
                lowest[r][j] =
                    moved + (inside && zeros != nullptr ? static_cast<int>(zeros[at]) : 0);
            }
        }
    }

    // Adds the product of a step in shared memory.
    MGX_DEVICE void add(const T* a, const u32* w, const T (&by)[runs][tiles_n],
                        const int (&less)[runs][tiles_n]) {
#pragma unroll
        for (int r = 0; r < runs; r++) {
            const int piece = 4 * r + t;
            u32 fb[tiles_n][4];
#pragma unroll
            for (int j = 0; j < tiles_n; j++) {
                const int line = warp.column + 8 * j + g;
                const u32 word = w[columns_in_turn::at(line, r) * 4 + t];
                unpack_pairs<T>(word ^ weight_words<Q, 4>::moved_all, less[r][j], by[r][j], fb[j]);
            }
#pragma unroll
            for (int i = 0; i < tiles_m; i++) {
                u32 upper[4], lower[4];
                const int line = warp.row + 16 * i + g;
                const auto* const rows = reinterpret_cast<const u32*>(a);
                interleave_pairs(load<4>(rows + rows_in_turn::at(line, piece) * 4), upper);
                interleave_pairs(load<4>(rows + rows_in_turn::at(line + 8, piece) * 4), lower);
#pragma unroll
                for (int half_run = 0; half_run < 4; half_run += 2) {
                    const u32 fa[4] = {upper[half_run], lower[half_run], upper[half_run + 1],
                                       lower[half_run + 1]};
#pragma unroll
                    for (int j = 0; j < tiles_n; j++) {
                        const u32 f[2] = {fb[j][half_run], fb[j][half_run + 1]};
                        mma_16x8x16<T>(sums[i][j], fa, f);
                    }
                }
            }
        }
    }
};

// A block for each tile: x: tiles along n, y: along m, z: the parts of k, which with Parts are a
// cluster whose blocks each add up some rows. `tail` gets V neighbours of a row.
template <class F, class Q, int V, int Parts, class Tail>
MGX_DEVICE void block_gemm(const typename F::type* x, const Q* q, const typename F::type* scale,
                           const Q* zero, unsigned char* shared, const block_params& b,
                           const Tail& tail) {
    using T = typename F::type;
    const gemm_params& p = b.product;
    const auto here = block_tile_of<F, Tail::operands>(p, static_cast<int>(blockIdx.z));
    const int steps = (here.last_k - here.first_k + F::BK - 1) / F::BK;
    line_copier<T, F::threads, F::BM, F::BK, rows_in_turn> copy_a(
        x + here.at.a + here.m0 * p.a.row + here.first_k, p.a.row, F::BK);
    const i64 words = p.k / 8;
    line_copier<u32, F::threads, F::BN, F::words, columns_in_turn> copy_w(
        reinterpret_cast<const u32*>(q) + here.n0 * words + here.first_k / 8, words, F::words);
    const auto stage = [&](int step) { return shared + step % F::stages * F::stage_bytes; };
    const auto fetch = [&](int step) {
        if (step < steps) {
            unsigned char* const to = stage(step);
            const int depth = here.last_k - here.first_k - step * F::BK;
            copy_a.fetch(reinterpret_cast<T*>(to), here.rows, depth);
            copy_w.fetch(reinterpret_cast<u32*>(to + F::a_bytes), here.columns, depth / 8);
        }
        commit_copies();
    };
    block_tile_sums<F, Q> tile;
    tile.fetch_scales(scale, zero, b, here.n0, here.first_k, here.last_k);
#pragma unroll
    for (int s = 0; s < F::stages - 1; s++)
        fetch(s);
    for (int step = 0; step < steps; step++) {
        T by[tile.runs][tile.tiles_n];
        int less[tile.runs][tile.tiles_n];
#pragma unroll
        for (int r = 0; r < tile.runs; r++)
#pragma unroll
            for (int j = 0; j < tile.tiles_n; j++) {
                by[r][j] = tile.scale[r][j];
                less[r][j] = tile.lowest[r][j];
            }
        tile.fetch_scales(scale, zero, b, here.n0, here.first_k + (step + 1) * F::BK, here.last_k);
        wait_for_copies<F::stages - 2>();
        __syncthreads();
        fetch(step + F::stages - 1); // over what the step before has read
        const unsigned char* const now = stage(step);
        tile.add(reinterpret_cast<const T*>(now), reinterpret_cast<const u32*>(now + F::a_bytes),
                 by, less);
    }
    wait_for_copies<0>();
    __syncthreads();
    f32* const sums = reinterpret_cast<f32*>(shared);
    put_sums<F>(tile.sums, tile.warp, sums);
    cluster_barrier<Parts>();
    constexpr int runs = F::BN / V, rows = F::BM / Parts;
    const int first = Parts == 1 ? 0 : here.at.split * rows;
    for (int n = static_cast<int>(threadIdx.x); n < rows * runs; n += F::threads) {
        const int i = first + n / runs, j = n % runs * V;
        const int count = here.columns - j < V ? here.columns - j : V;
        if (i >= here.rows || count <= 0)
            continue;
        f32 part[V];
        get_sums<Parts>(part, sums + i * F::sum_step + j, n);
        held<typename Tail::anchor> run[V];
#pragma unroll
        for (int e = 0; e < V; e++)
            run[e] = as_value<typename Tail::anchor>(part[e]);
        tail.template finish<V>(run, p, here.at, here.m0 + i, here.n0 + j, count);
    }
    cluster_barrier<Parts>();
}

} // namespace mgx
