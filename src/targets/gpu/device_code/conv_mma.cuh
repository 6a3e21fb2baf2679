// SPDX-License-Identifier: MIT
// The convolutions of conv.cuh on matrix units: half and bf16 with sums in float, bytes with sums in
// 32 bits. Tiles of Depth along k go through a ring of Stages in shared memory, copied while the one
// before is multiplied.
#pragma once

#include "conv_tiles.cuh"

namespace mgx {

// Warps of WarpRows x WarpColumns sums. Blocks as for conv_tile_fma; Neighbours: channels are
// neighbours in memory and come in pieces of 16 bytes.
template <class T, class Out, int R, bool Transposed, bool Neighbours, bool Last, bool Split,
          int Rows, int Columns, int WarpRows, int WarpColumns, int Stages, class Epilogue>
MGX_DEVICE void conv_tile_mma(const T* x, const T* packed, Out* y, accumulate<T>* partial,
                              const conv_params& p, const Epilogue& e) {
    constexpr int Depth = 64 / sizeof(T), Chunk = 16 / sizeof(T), parts = Depth / Chunk;
    constexpr int warps_across = Columns / WarpColumns;
    constexpr int Threads = Rows / WarpRows * warps_across * 32;
    constexpr int loads_a = Rows * parts / Threads;
    static_assert(loads_a * Threads == Rows * parts, "threads share out the loads evenly");
    static_assert(Neighbours || Threads % Rows == 0, "a thread's chunks are of one row");
    // Rows of 80 bytes: eight of them lie in different banks.
    constexpr int step = Depth + Chunk;
    MGX_DYNAMIC_SHARED(unsigned char, memory);
    T* const a_ring = reinterpret_cast<T*>(memory);
    T* const b_ring = a_ring + Stages * Rows * step;

    const auto here = conv_block_of<Rows, Columns, Depth>(p);
    const int thread = threadIdx.x;
    const bool whole = is_aligned<Chunk>(x);

    // Of one tap: neighbouring threads read along k; else along the positions.
    constexpr int rows_each = Neighbours ? loads_a : 1, walks_each = Neighbours ? 1 : loads_a;
    conv_row<T, R, Transposed> row[rows_each];
    conv_walk<R> walk[walks_each];
#pragma unroll
    for (int i = 0; i < rows_each; i++)
        row[i].start(x, here.first_row + (Neighbours ? (thread + i * Threads) / parts : thread % Rows),
                     here.group, p);
#pragma unroll
    for (int i = 0; i < walks_each; i++)
        walk[i].start(here.first_tile * Depth +
                          (Neighbours ? thread % parts : (thread + i * Threads) / Rows) * Chunk,
                      p);
    const T* const weights = packed + static_cast<i64>(here.group) * p.outputs * p.k_step +
                             static_cast<i64>(here.first_tile) * Depth;
    // Elements that do not come in vectors: to registers, so that many are under way at once.
    const auto gather = [&](vec<T, Chunk>(&held)[loads_a]) {
#pragma unroll
        for (int i = 0; i < loads_a; i++)
            held[i] = conv_gather<Chunk, Neighbours>(row[i % rows_each], walk[i % walks_each], p);
#pragma unroll
        for (int i = 0; i < walks_each; i++)
            walk[i].advance(Depth, p);
    };
    const auto keep = [&](i32 tile, const vec<T, Chunk>(&held)[loads_a]) {
        T* const a = a_ring + tile % Stages * Rows * step;
#pragma unroll
        for (int i = 0; i < loads_a; i++) {
            const int id = thread + i * Threads;
            store<Chunk>(a + (Neighbours ? id / parts * step + id % parts * Chunk
                                         : id % Rows * step + id / Rows * Chunk),
                         held[i]);
        }
    };
    const bool by_copies = Neighbours && whole;
    const auto fetch = [&](i32 tile) {
        T* const a = a_ring + tile % Stages * Rows * step;
        T* const b = b_ring + tile % Stages * Columns * step;
        if (by_copies) {
#pragma unroll
            for (int i = 0; i < loads_a; i++) {
                const int id = thread + i * Threads;
                const T* from = row[i % rows_each].source(walk[0], p);
                copy_16_async(a + id / parts * step + id % parts * Chunk,
                              from != nullptr ? from : x, from != nullptr ? 16 : 0);
            }
            walk[0].advance(Depth, p);
        }
        conv_copy_weights<Columns, Depth, step, Threads>(b, weights, tile, here, p);
    };

    const int lane = thread % 32, warp = thread / 32;
    const int warp_row = warp / warps_across * WarpRows;
    const int warp_column = warp % warps_across * WarpColumns;
    constexpr int down = WarpRows / 16, across = WarpColumns / 8;
    static_assert(across % 2 == 0, "columns are read sixteen at a time");
    mma_sum<T> sum[down][across][4] = {};
#pragma unroll
    for (int s = 0; s < Stages - 1; s++) {
        if (s < here.tiles)
            fetch(s);
        commit_copies();
    }
    vec<T, Chunk> held[loads_a];
    if (!by_copies) {
        vec<T, Chunk> first[Stages - 1][loads_a];
#pragma unroll
        for (int s = 0; s < Stages - 1; s++)
            gather(first[s]);
#pragma unroll
        for (int s = 0; s < Stages - 1; s++)
            keep(s, first[s]);
    }
    for (i32 t = 0; t < here.tiles; t++) {
        wait_for_copies<Stages - 2>();
        __syncthreads();
        const bool more = t + Stages - 1 < here.tiles;
        if (more)
            fetch(t + Stages - 1);
        commit_copies();
        if (more && !by_copies)
            gather(held);
        const T* const a = a_ring + t % Stages * Rows * step;
        const T* const b = b_ring + t % Stages * Columns * step;
#pragma unroll
        for (int k = 0; k < Depth; k += mma_depth<T>) {
            u32 fa[down][4], fb[across / 2][4];
#pragma unroll
            for (int i = 0; i < down; i++)
                load_tiles<false>(fa[i],
                                  a + (warp_row + i * 16 + lane % 16) * step + k +
                                      lane / 16 * Chunk);
                // Two tiles of eight columns, both halves of k of each.
#pragma unroll
            for (int j = 0; j < across / 2; j++)
                load_tiles<false>(fb[j],
                                  b + (warp_column + j * 16 + lane / 16 * 8 + lane % 8) * step + k +
                                      lane / 8 % 2 * Chunk);
#pragma unroll
            for (int i = 0; i < down; i++)
#pragma unroll
                for (int j = 0; j < across; j++) {
                    const u32 column[2] = {fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]};
                    multiply_tiles<T>(sum[i][j], fa[i], column);
                }
        }
        if (more && !by_copies)
            keep(t + Stages - 1, held);
    }
    wait_for_copies<0>();
    __syncthreads();
    constexpr int tile_step = Columns + 4;
    auto* const tile = reinterpret_cast<accumulate<T>*>(memory);
#pragma unroll
    for (int i = 0; i < down; i++)
#pragma unroll
        for (int j = 0; j < across; j++)
#pragma unroll
            for (int h = 0; h < 2; h++) {
                auto* to = tile + (warp_row + i * 16 + h * 8 + lane / 4) * tile_step + warp_column +
                          j * 8 + lane % 4 * 2;
                to[0] = static_cast<accumulate<T>>(sum[i][j][2 * h]);
                to[1] = static_cast<accumulate<T>>(sum[i][j][2 * h + 1]);
            }
    __syncthreads();
    conv_write<R, Last, Split, Rows, Columns, Threads>(tile, tile_step, here, y, partial, p, e);
}

} // namespace mgx
