// SPDX-License-Identifier: MIT
// D = tail(A B) for every type and all steps, by multiply-adds of the type that sums are held in.
// A block of 16 x 16 threads does BM x BN sums, each thread its BM / 16 x BN / 16.
#pragma once
#include "gemm_tail.cuh"

namespace mgx {

// Held: what elements are multiplied as: f32, f64, or unsigned integers, which wrap.
template <class Held, class T>
MGX_DEVICE Held factor(T x) {
    if constexpr (is_float<T>)
        return static_cast<Held>(to_compute(x));
    else if constexpr (same<T, bool8>)
        return static_cast<Held>(x.bits != 0);
    else
        return static_cast<Held>(x);
}

template <class Held, class A, class B, int BM, int BN, int BK, class Tail>
MGX_DEVICE void plain_gemm(const A* a, const B* b, const gemm_params& p, const Tail& tail) {
    constexpr int threads = 256, TM = BM / 16, TN = BN / 16;
    __shared__ Held tile_a[BK][BM + 1];
    __shared__ Held tile_b[BK][BN + 1];
    const int me = static_cast<int>(threadIdx.x), ty = me / 16, tx = me % 16;
    for (int batch = static_cast<int>(blockIdx.z); batch < p.batches;
         batch += static_cast<int>(gridDim.z)) {
        const auto at = gemm_place_of<Tail::operands>(p, batch);
        const int m0 = static_cast<int>(blockIdx.y) * BM, n0 = static_cast<int>(blockIdx.x) * BN;
        const A* const a0 = a + at.a;
        const B* const b0 = b + at.b;
        Held sums[TM][TN];
#pragma unroll
        for (int i = 0; i < TM; i++)
#pragma unroll
            for (int j = 0; j < TN; j++)
                sums[i][j] = 0;
        for (int k0 = 0; k0 < p.k; k0 += BK) {
            // Threads next to each other read neighbours where there are any.
            const bool a_by_rows = p.a.row == 1, b_by_rows = p.b.row == 1;
            for (int x = me; x < BM * BK; x += threads) {
                const int i = a_by_rows ? x % BM : x / BK, k = a_by_rows ? x / BM : x % BK;
                const bool inside = m0 + i < p.m && k0 + k < p.k;
                tile_a[k][i] =
                    inside ? factor<Held>(a0[(m0 + i) * p.a.row + (k0 + k) * p.a.column]) : Held(0);
            }
            for (int x = me; x < BN * BK; x += threads) {
                const int j = b_by_rows ? x / BK : x % BN, k = b_by_rows ? x % BK : x / BN;
                const bool inside = n0 + j < p.n && k0 + k < p.k;
                tile_b[k][j] =
                    inside ? factor<Held>(b0[(k0 + k) * p.b.row + (n0 + j) * p.b.column]) : Held(0);
            }
            __syncthreads();
#pragma unroll
            for (int k = 0; k < BK; k++) {
                Held x[TM], y[TN];
#pragma unroll
                for (int i = 0; i < TM; i++)
                    x[i] = tile_a[k][ty * TM + i];
#pragma unroll
                for (int j = 0; j < TN; j++)
                    y[j] = tile_b[k][tx + j * 16];
#pragma unroll
                for (int i = 0; i < TM; i++)
#pragma unroll
                    for (int j = 0; j < TN; j++)
                        sums[i][j] += x[i] * y[j];
            }
            __syncthreads();
        }
#pragma unroll
        for (int i = 0; i < TM; i++)
#pragma unroll
            for (int j = 0; j < TN; j++) {
                const int row = m0 + ty * TM + i, column = n0 + tx + j * 16;
                if (row < p.m && column < p.n) {
                    held<typename Tail::anchor> one[1] = {as_value<typename Tail::anchor>(sums[i][j])};
                    tail.template finish<1>(one, p, at, row, column, 1);
                }
            }
    }
}

} // namespace mgx
