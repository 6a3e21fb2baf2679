// SPDX-License-Identifier: MIT
// What kernels of matrix products share: where the matrices of a batch lie, and how sums become
// results: an epilogue on runs of neighbours along a row.
#pragma once
#include "dialect.cuh"
#include "gemm_params.cuh"
#include "pointwise.cuh"

namespace mgx {

// Offsets of one matrix of the batch.
struct gemm_place {
    i64 a, b, d, operands[gemm_most_operands];
};

template <int Operands>
MGX_DEVICE gemm_place gemm_place_of(const gemm_params& p, int index) {
    gemm_place at{};
#pragma unroll
    for (int i = gemm_most_axes - 1; i >= 0; i--) {
        if (p.batch[i] == 1)
            continue;
        const int here = index % p.batch[i];
        index /= p.batch[i];
        at.a += here * p.a.batch[i];
        at.b += here * p.b.batch[i];
        at.d += here * p.d.batch[i];
#pragma unroll
        for (int o = 0; o < Operands; o++)
            at.operands[o] += here * p.operands[o].batch[i];
    }
    return at;
}

// How the elements of an operand along a row lie.
enum class along_row {
    repeated,   // one for all
    neighbours, // 16 bytes at a time where `V` elements are that many
    apart
};

// V values of an operand from column j on, of which `count` exist.
template <int V, along_row Form, class T>
MGX_DEVICE void load_run(held<T> (&to)[V], const T* row, i64 step, int j, int count) {
    if constexpr (Form == along_row::repeated) {
        const auto x = value(row[0]);
#pragma unroll
        for (int i = 0; i < V; i++)
            to[i] = x;
    } else if (Form == along_row::neighbours && count == V &&
               reinterpret_cast<u64>(row + j) % (sizeof(T) * V < 16 ? sizeof(T) * V : 16) == 0) {
        const auto x = load<V>(row + j);
#pragma unroll
        for (int i = 0; i < V; i++)
            to[i] = value(x[i]);
    } else {
        const i64 s = Form == along_row::neighbours ? 1 : step;
#pragma unroll
        for (int i = 0; i < V; i++)
            if (i < count)
                to[i] = value(row[(j + i) * s]);
    }
}

template <int V, class T, class H>
MGX_DEVICE void store_run(T* row, i64 step, int j, int count, const H (&from)[V]) {
    if (step == 1 && count == V &&
        reinterpret_cast<u64>(row + j) % (sizeof(T) * V < 16 ? sizeof(T) * V : 16) == 0) {
        vec<T, V> x;
#pragma unroll
        for (int i = 0; i < V; i++)
            x[i] = stored<T>(from[i]);
        store<V>(row + j, x);
    } else {
#pragma unroll
        for (int i = 0; i < V; i++)
            if (i < count)
                row[(j + i) * step] = stored<T>(from[i]);
    }
}

} // namespace mgx
