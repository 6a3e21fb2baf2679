// SPDX-License-Identifier: MIT
// D = tail(A B) for few rows of A (M), columns of B with neighbours along k: bound by reading B,
// which is read once, 16 bytes at a time. `Split` warps share a column's sum, so that few columns
// keep the device busy.
#pragma once
#include "gemm_plain.cuh"

namespace mgx {

// V neighbours, at once where they are aligned.
template <int V, class T>
MGX_DEVICE vec<T, V> load_some(const T* p, bool whole) {
    if (whole)
        return load<V>(p);
    vec<T, V> r;
#pragma unroll
    for (int i = 0; i < V; i++)
        r[i] = p[i];
    return r;
}

// Adds the lanes' sums, then those of the `Split` warps that share columns; one thread gives each to
// the tail.
template <int Split, int Warps, class Held, int Rows, int Columns, class Tail>
MGX_DEVICE void finish_columns(const Held (&sums)[Rows][Columns], const gemm_params& p,
                               const gemm_place& at, int i0, const Tail& tail) {
    __shared__ Held parts[Warps][Rows][Columns];
    const int me = static_cast<int>(threadIdx.x), warp = me / 32, lane = me % 32;
#pragma unroll
    for (int i = 0; i < Rows; i++)
#pragma unroll
        for (int j = 0; j < Columns; j++) {
            Held s = sums[i][j];
#pragma unroll
            for (int d = 16; d > 0; d /= 2)
                s += shuffle_xor(s, d);
            if (lane == 0)
                parts[warp][i][j] = s;
        }
    __syncthreads();
    // One thread for each sum.
    constexpr int groups = Warps / Split, all = groups * Rows * Columns;
    for (int x = me; x < all; x += Warps * 32) {
        const int g = x / (Rows * Columns), i = x / Columns % Rows, j = x % Columns;
        const int column = (static_cast<int>(blockIdx.x) * groups + g) * Columns + j;
        if (i0 + i >= p.m || column >= p.n)
            continue;
        Held s = 0;
#pragma unroll
        for (int w = 0; w < Split; w++)
            s += parts[g * Split + w][i][j];
        held<typename Tail::anchor> one[1] = {as_value<typename Tail::anchor>(s)};
        tail.template finish<1>(one, p, at, i0 + i, column, 1);
    }
}

// Rows: how many of A (the last ones may not exist); Columns: of B by each group of `Split` warps,
// so that what is read of A serves several; V: elements of 16 bytes of B.
template <class Held, class A, class B, int Rows, int Columns, int Split, int Warps, int V,
          class Tail>
MGX_DEVICE void thin_gemm(const A* a, const B* b, const gemm_params& p, const Tail& tail) {
    static_assert(Warps % Split == 0, "whole groups of warps");
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    const int group = warp / Split, part = warp % Split;
    const int batch = static_cast<int>(blockIdx.z);
    const auto at = gemm_place_of<Tail::operands>(p, batch);
    const int j0 = (static_cast<int>(blockIdx.x) * (Warps / Split) + group) * Columns;
    const int i0 = static_cast<int>(blockIdx.y) * Rows;
    const A* const a0 = a + at.a;
    const B* const b0 = b + at.b;
    // Steps are whole runs; where tensors begin is known only here.
    const bool whole =
        (reinterpret_cast<u64>(a0) | reinterpret_cast<u64>(b0)) % (sizeof(B) * V) == 0;
    Held sums[Rows][Columns];
#pragma unroll
    for (int i = 0; i < Rows; i++)
#pragma unroll
        for (int j = 0; j < Columns; j++)
            sums[i][j] = 0;
    constexpr int stride = 32 * Split * V;
#pragma unroll 2
    for (int k = (part * 32 + lane) * V; k < p.k; k += stride) {
        // k is a multiple of V (the engine sees to that), so a run is whole or not at all.
        vec<B, V> y[Columns];
#pragma unroll
        for (int j = 0; j < Columns; j++) {
            const int column = j0 + j < p.n ? j0 + j : p.n - 1;
            y[j] = load_some<V>(b0 + column * p.b.column + k, whole);
        }
#pragma unroll
        for (int i = 0; i < Rows; i++) {
            const int row = i0 + i < p.m ? i0 + i : p.m - 1;
            const auto x = load_some<V>(a0 + row * p.a.row + k, whole);
#pragma unroll
            for (int j = 0; j < Columns; j++)
#pragma unroll
                for (int e = 0; e < V; e++)
                    sums[i][j] += factor<Held>(x[e]) * factor<Held>(y[j][e]);
        }
    }
    finish_columns<Split, Warps>(sums, p, at, i0, tail);
}

} // namespace mgx
