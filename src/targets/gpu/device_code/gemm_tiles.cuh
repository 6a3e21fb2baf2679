// SPDX-License-Identifier: MIT
// What products on matrix units share: which tile a block does, and how the tiles of its operands
// pass through shared memory, several steps of k ahead of what is multiplied.
//
// A form F has BM, BN, BK (a block's sums, a step along k), WM, WN (a warp's sums), threads, stages,
// A_k and B_k (neighbours of A and B lie along k), parts (lines of B for each column), a_elements and
// stage_elements (of A's tile, of both, in shared memory) and sum_step (between rows of sums there).
#pragma once
#include "cluster.cuh"
#include "gemm_copy.cuh"
#include "gemm_tail.cuh"

namespace mgx {

// Where a warp's sums are among the block's.
template <class F>
struct warp_place {
    int row, column;
    MGX_DEVICE warp_place() {
        const int warp = static_cast<int>(threadIdx.x) / 32;
        row = warp / F::warps_n * F::WM;
        column = warp % F::warps_n * F::WN;
    }
};

// Fragments of 16 x 8 sums to shared memory, two neighbours at a time; with rows 8 modulo 32 apart
// half a warp meets no bank twice.
template <class F, class Sum>
MGX_DEVICE void put_sums(const Sum (&sums)[F::WM / 16][F::WN / 8][4], const warp_place<F>& at,
                         Sum* to) {
    const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
#pragma unroll
    for (int i = 0; i < F::WM / 16; i++)
#pragma unroll
        for (int j = 0; j < F::WN / 8; j++)
#pragma unroll
            for (int e = 0; e < 4; e += 2) {
                vec<Sum, 2> two;
                two[0] = sums[i][j][e];
                two[1] = sums[i][j][e + 1];
                store<2>(to + (at.row + i * 16 + g + e / 2 * 8) * F::sum_step + at.column + j * 8 +
                             2 * t,
                         two);
            }
}

// V sums of a row, added over the Parts blocks of a cluster, for thread x of the block: of runs of
// eight, every other four threads read the second half first, so that eight of them meet no bank
// twice.
template <int Parts, int V, class Sum>
MGX_DEVICE void get_sums(Sum (&to)[V], const Sum* from, int x) {
    if constexpr (V == 8) {
        const int late = x / 4 % 2;
        vec<Sum, 4> first{}, second{};
#pragma unroll
        for (int part = 0; part < Parts; part++) {
            const auto u = cluster_load<Parts>(from + 4 * late, part);
            const auto v = cluster_load<Parts>(from + 4 - 4 * late, part);
#pragma unroll
            for (int e = 0; e < 4; e++) {
                first[e] += u[e];
                second[e] += v[e];
            }
        }
#pragma unroll
        for (int e = 0; e < 4; e++) {
            to[e] = late ? second[e] : first[e];
            to[e + 4] = late ? first[e] : second[e];
        }
    } else {
        static_assert(Parts == 1, "parts of even rows");
#pragma unroll
        for (int e = 0; e < V; e++)
            to[e] = from[e];
    }
}

// A block's tile of one matrix of the batch, or of a part of its k.
struct block_tile {
    gemm_place at;
    int m0, n0, rows, columns; // rows and columns that exist from (m0, n0) on
    int first_k, last_k;
};
template <class F, int Operands>
MGX_DEVICE block_tile block_tile_of(const gemm_params& p, int batch) {
    block_tile t;
    t.at = gemm_place_of<Operands>(p, batch);
    t.m0 = static_cast<int>(blockIdx.y) * F::BM;
    t.n0 = static_cast<int>(blockIdx.x) * F::BN;
    t.rows = p.m - t.m0;
    t.columns = p.n - t.n0;
    t.first_k = t.at.split * p.depth;
    t.last_k = t.first_k + p.depth < p.k ? t.first_k + p.depth : p.k;
    return t;
}

// tile.add(a, b) for each step along k. `a0`, `b0`: the block's first row of A and column of B;
// PlaceA, PlaceB: how their lines lie in shared memory (see line_copier). tile.copied() stands
// between this thread's copies and the barrier.
template <class F, class PlaceA, class PlaceB, class T, class Tile>
MGX_DEVICE void add_along_k(Tile& tile, const T* a0, const T* b0, const block_tile& here,
                            T* memory, const gemm_params& p) {
    const int steps = (here.last_k - here.first_k + F::BK - 1) / F::BK;
    const i64 a_step = F::A_k ? p.a.row : p.a.column, b_step = F::B_k ? p.b.column : p.b.row;
    line_copier<T, F::threads, F::A_k ? F::BM : F::BK, F::A_k ? F::BK : F::BM, PlaceA> copy_a(
        a0 + here.first_k * p.a.column, a_step, F::BK * p.a.column);
    line_copier<T, F::threads, F::B_k ? F::BN * F::parts : F::BK, F::B_k ? F::BK : F::BN, PlaceB>
        copy_b(b0 + here.first_k * p.b.row, b_step, F::BK * p.b.row);
    const int lines = F::parts == 1 ? here.columns : (here.columns + 7) / 8 * 8 * F::parts;
    const auto fetch = [&](int step) {
        if (step < steps) {
            T* const to = memory + step % F::stages * F::stage_elements;
            const int depth = here.last_k - here.first_k - step * F::BK;
            copy_a.fetch(to, F::A_k ? here.rows : depth, F::A_k ? depth : here.rows);
            copy_b.fetch(to + F::a_elements, F::B_k ? lines : depth,
                         F::B_k ? depth : here.columns);
        }
        commit_copies();
    };
#pragma unroll
    for (int s = 0; s < F::stages - 1; s++)
        fetch(s);
    for (int step = 0; step < steps; step++) {
        wait_for_copies<F::stages - 2>();
        tile.copied();
        __syncthreads();
        fetch(step + F::stages - 1); // over what the step before has read
        const T* const now = memory + step % F::stages * F::stage_elements;
        tile.add(now, now + F::a_elements);
    }
    wait_for_copies<0>();
    __syncthreads();
}

} // namespace mgx
