// SPDX-License-Identifier: MIT
// The convolutions of conv.cuh on multiply-adds of floats whose channels are neighbours and come in
// fours: tiles of k go through a ring in shared memory, copied while earlier ones are multiplied.
// A tile's k is cut into Slices, each for threads of its own, whose sums are added at the end: a
// few blocks then have warps enough to hide what each waits for.
#pragma once

#include "conv_tiles.cuh"

namespace mgx {

// Blocks as for conv_tile_fma, of (Rows / RowsEach) * (Columns / ColumnsEach) * Slices threads. A
// thread's rows are Rows / RowsEach apart, its columns likewise, so that neighbouring threads read
// neighbouring rows of shared memory, which lie in different banks.
template <class Out, int R, bool Transposed, bool Last, bool Split, int Rows, int Columns,
          int RowsEach, int ColumnsEach, int Slices, int Stages, class Epilogue>
MGX_DEVICE void conv_tile_ring(const f32* x, const f32* packed, Out* y, f32* partial,
                               const conv_params& p, const Epilogue& e) {
    constexpr int Depth = 16, Chunk = 4, parts = Depth / Chunk;
    constexpr int across = Columns / ColumnsEach, down = Rows / RowsEach;
    constexpr int team = across * down, Threads = team * Slices;
    constexpr int loads_a = (Rows * parts + Threads - 1) / Threads;
    static_assert(parts % Slices == 0, "a slice has whole chunks");
    // Rows of 80 bytes: eight of them lie in different banks.
    constexpr int step = Depth + 4;
    MGX_DYNAMIC_SHARED(unsigned char, memory);
    f32* const a_ring = reinterpret_cast<f32*>(memory);
    f32* const b_ring = a_ring + Stages * Rows * step;

    const auto here = conv_block_of<Rows, Columns, Depth>(p);
    const int thread = threadIdx.x;
    const bool whole = is_aligned<Chunk>(x);
    conv_row<f32, R, Transposed> row[loads_a];
#pragma unroll
    for (int i = 0; i < loads_a; i++)
        row[i].start(x, here.first_row + (thread + i * Threads) / parts, here.group, p);
    conv_walk<R> walk;
    walk.start(here.first_tile * Depth + thread % parts * Chunk, p);
    const f32* const weights = packed + static_cast<i64>(here.group) * p.outputs * p.k_step +
                               static_cast<i64>(here.first_tile) * Depth;
    const auto fetch = [&](i32 tile) {
        f32* const a = a_ring + tile % Stages * Rows * step;
        f32* const b = b_ring + tile % Stages * Columns * step;
#pragma unroll
        for (int i = 0; i < loads_a; i++) {
            const int id = thread + i * Threads;
            if (Rows * parts % Threads != 0 && id >= Rows * parts)
                break;
            f32* const to = a + id / parts * step + id % parts * Chunk;
            if (whole) {
                const f32* from = row[i].source(walk, p);
                copy_16_async(to, from != nullptr ? from : x, from != nullptr ? 16 : 0);
            } else
                store<Chunk>(to, conv_gather<Chunk, true>(row[i], walk, p));
        }
        walk.advance(Depth, p);
        conv_copy_weights<Columns, Depth, step, Threads>(b, weights, tile, here, p);
    };

    const int slice = thread / team, mate = thread % team;
    const int mine_row = mate / across, mine_column = mate % across;
    f32 sum[RowsEach][ColumnsEach] = {};
#pragma unroll
    for (int s = 0; s < Stages - 1; s++) {
        if (s < here.tiles)
            fetch(s);
        commit_copies();
    }
    for (i32 t = 0; t < here.tiles; t++) {
        wait_for_copies<Stages - 2>();
        __syncthreads();
        if (t + Stages - 1 < here.tiles)
            fetch(t + Stages - 1);
        commit_copies();
        const f32* const a = a_ring + (t % Stages * Rows + mine_row) * step;
        const f32* const b = b_ring + (t % Stages * Columns + mine_column) * step;
#pragma unroll
        for (int c = 0; c < parts / Slices; c++) {
            const int k = (slice * (parts / Slices) + c) * Chunk;
            vec<f32, Chunk> va[RowsEach], vb[ColumnsEach];
#pragma unroll
            for (int i = 0; i < RowsEach; i++)
                va[i] = load<Chunk>(a + i * down * step + k);
#pragma unroll
            for (int j = 0; j < ColumnsEach; j++)
                vb[j] = load<Chunk>(b + j * across * step + k);
#pragma unroll
            for (int q = 0; q < Chunk; q++)
#pragma unroll
                for (int i = 0; i < RowsEach; i++)
#pragma unroll
                    for (int j = 0; j < ColumnsEach; j++)
                        sum[i][j] += va[i][q] * vb[j][q];
        }
    }
    wait_for_copies<0>();
    constexpr int tile_step = Columns + 1;
    f32* const tile = reinterpret_cast<f32*>(memory);
#pragma unroll
    for (int s = 0; s < Slices; s++) {
        __syncthreads();
        if (slice == s) {
#pragma unroll
            for (int i = 0; i < RowsEach; i++)
#pragma unroll
                for (int j = 0; j < ColumnsEach; j++) {
                    f32& to = tile[(mine_row + i * down) * tile_step + mine_column + j * across];
                    to = s == 0 ? sum[i][j] : to + sum[i][j];
                }
        }
    }
    __syncthreads();
    conv_write<R, Last, Split, Rows, Columns, Threads>(tile, tile_step, here, y, partial, p, e);
}

} // namespace mgx
