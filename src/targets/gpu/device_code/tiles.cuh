// SPDX-License-Identifier: MIT
// Transpositions through shared memory: axis a is contiguous in the output, axis b in the input. A
// block reads a tile of T x T elements along b and writes it along a, so both sides move whole
// lines; VA and VB are the elements of one access along each.
#pragma once
#include "elements.cuh"
#include "walk.cuh"

namespace mgx {

template <int R, class I>
struct tile_params {
    walk<R, 2, I> outer; // the other axes: output, input
    index_divider<I> tiles_a, tiles_b;
    I blocks; // tiles in all
    I len_a, len_b;
    I out_b, in_a; // strides in elements, as those of `outer`
    I from;        // of the first element, in the input
};

template <int E, int T, int VA, int VB, int R, class I>
MGX_DEVICE void transpose_tiles(char* y, const char* x, const tile_params<R, I>& p) {
    // Rows are a word longer than a multiple of the banks.
    constexpr int pitch = T + (E < 4 ? 4 / E : 1);
    __shared__ element<E> tile[T * pitch];
    const bool aligned_x = aligned_to<VB * E>(x), aligned_y = aligned_to<VA * E>(y);
    for (I block = blockIdx.x; block < p.blocks; block += gridDim.x) {
        I at[2];
        const I rest = p.tiles_a.quotient(block);
        const I a0 = (block - rest * p.tiles_a.size()) * T;
        const I outer = p.tiles_b.quotient(rest);
        const I b0 = (rest - outer * p.tiles_b.size()) * T;
        p.outer.offsets(outer, at);
        for (int t = threadIdx.x; t < T * (T / VB); t += blockDim.x) {
            const int a = t / (T / VB), b = t % (T / VB) * VB;
            if (a0 + a >= p.len_a || b0 + b >= p.len_b)
                continue;
            const i64 from = (i64)at[1] + p.from + (i64)(a0 + a) * p.in_a + (b0 + b);
            const elements<VB * E, E> v = load_elements<VB * E, E>(x + from * E, aligned_x);
#pragma unroll
            for (int k = 0; k < VB; k++)
                tile[a * pitch + b + k] = v.v[k];
        }
        __syncthreads();
        for (int t = threadIdx.x; t < T * (T / VA); t += blockDim.x) {
            const int b = t / (T / VA), a = t % (T / VA) * VA;
            if (a0 + a >= p.len_a || b0 + b >= p.len_b)
                continue;
            elements<VA * E, E> v;
#pragma unroll
            for (int k = 0; k < VA; k++)
                v.v[k] = tile[(a + k) * pitch + b];
            const i64 to = (i64)at[0] + (i64)(b0 + b) * p.out_b + (a0 + a);
            store_elements<VA * E, E>(y + to * E, v, aligned_y);
        }
        __syncthreads();
    }
}

// The same where the output's contiguous axis is short (the C channels of an image) and the input's
// comes next: a thread reads V neighbours of every channel and writes them as one run.
template <int R, class I>
struct interleave_params {
    walk<R, 2, I> outer; // the other axes: output, input
    index_divider<I> runs;
    I n; // runs in all
    I in_a;
    I from; // of the first element, in the input
};

template <int E, int C, int V, int R, class I>
MGX_DEVICE void interleave_runs(char* y, const char* x, const interleave_params<R, I>& p) {
    const bool aligned_x = aligned_to<V * E>(x), aligned_y = aligned_to<V * E>(y);
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[2];
        const I outer = p.runs.quotient(i);
        const I b = (i - outer * p.runs.size()) * V;
        p.outer.offsets(outer, at);
        elements<V * E, E> in[C];
#pragma unroll
        for (int c = 0; c < C; c++)
            in[c] = load_elements<V * E, E>(
                x + ((i64)at[1] + p.from + (i64)c * p.in_a + b) * E, aligned_x);
#pragma unroll
        for (int k = 0; k < C; k++) {
            elements<V * E, E> out;
#pragma unroll
            for (int v = 0; v < V; v++)
                out.v[v] = in[(k * V + v) % C].v[(k * V + v) / C];
            store_elements<V * E, E>(y + ((i64)at[0] + (i64)b * C + k * V) * E, out, aligned_y);
        }
    }
}

} // namespace mgx
