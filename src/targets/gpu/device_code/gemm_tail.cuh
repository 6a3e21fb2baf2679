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
    int index, split; // which matrix, which part of k
};

// `index` counts the parts of k of all matrices.
template <int Operands>
MGX_DEVICE gemm_place gemm_place_of(const gemm_params& p, int index) {
    gemm_place at{};
    at.split = index % p.splits;
    index /= p.splits;
    at.index = index;
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

// A sum as the value of a product of type Anchor: integers wrap to it; integer sums of a product
// that is scaled become floats.
template <class Anchor, class Held>
MGX_DEVICE held<Anchor> as_value(Held x) {
    if constexpr (!is_float<Anchor>)
        return value(static_cast<Anchor>(x));
    else if constexpr (same<Held, u32>)
        return static_cast<held<Anchor>>(static_cast<i32>(x));
    else
        return x;
}

// In the place of a tail where k is split: sums (f32 or u32) of each part lie one after the other.
template <class Sum>
struct parts_of_sums {
    using anchor = Sum;
    static constexpr int operands = 0;
    Sum* to;
    template <int V>
    MGX_DEVICE void finish(const held<Sum> (&sums)[V], const gemm_params& p, const gemm_place& at,
                           int i, int j, int count) const {
        Sum* const row =
            to + ((static_cast<i64>(at.split) * p.batches + at.index) * p.m + i) * p.n;
        store_run<V>(row, 1, j, count, sums);
    }
};

// Adds the parts, in their order, and gives the sums to the tail; a thread for V neighbours.
template <int V, class Sum, class Tail>
MGX_DEVICE void join_parts(const Sum* parts, gemm_params p, const Tail& tail) {
    const int splits = p.splits, runs = (p.n + V - 1) / V;
    const i64 all = static_cast<i64>(p.batches) * p.m * runs;
    const i64 part = static_cast<i64>(p.batches) * p.m * p.n;
    p.splits = 1;
    for (i64 x = global_thread<i64>(); x < all; x += global_threads<i64>()) {
        const int j = static_cast<int>(x % runs) * V;
        const i64 row = x / runs;
        const int i = static_cast<int>(row % p.m), batch = static_cast<int>(row / p.m);
        const int count = p.n - j < V ? p.n - j : V;
        Sum sums[V] = {};
        held<Sum> more[V] = {};
        for (int s = 0; s < splits; s++) {
            load_run<V, along_row::neighbours>(more, parts + s * part + row * p.n, 1, j, count);
#pragma unroll
            for (int e = 0; e < V; e++)
                sums[e] += static_cast<Sum>(more[e]);
        }
        held<typename Tail::anchor> run[V];
#pragma unroll
        for (int e = 0; e < V; e++)
            run[e] = as_value<typename Tail::anchor>(sums[e]);
        tail.template finish<V>(run, p, gemm_place_of<Tail::operands>(p, batch), i, j, count);
    }
}

} // namespace mgx
