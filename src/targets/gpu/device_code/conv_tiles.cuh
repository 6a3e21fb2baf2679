// SPDX-License-Identifier: MIT
// Tiles of packed weights on their way to shared memory, as the kernels with rings of tiles copy
// them.
#pragma once

#include "conv.cuh"
#include "tensor_cores.cuh"

namespace mgx {

// Rows of Depth weights, `Step` elements apart, one for each of the block's columns; 16 bytes at a
// time. `tile` counts from the block's first one, where `weights` points.
template <int Columns, int Depth, int Step, int Threads, class T>
MGX_DEVICE void conv_copy_weights(T* to, const T* weights, i32 tile, const conv_block& here,
                                  const conv_params& p) {
    constexpr int Chunk = 16 / sizeof(T), parts = Depth / Chunk;
    constexpr int loads = (Columns * parts + Threads - 1) / Threads;
#pragma unroll
    for (int i = 0; i < loads; i++) {
        const int id = static_cast<int>(threadIdx.x) + i * Threads;
        if (Columns * parts % Threads != 0 && id >= Columns * parts)
            break;
        const i32 column = here.first_column + id / parts;
        const bool good = column < p.outputs;
        copy_16_async(to + id / parts * Step + id % parts * Chunk,
                      weights + (good ? static_cast<i64>(column) * p.k_step : 0) + tile * Depth +
                          id % parts * Chunk,
                      good ? 16 : 0);
    }
}

} // namespace mgx
