// SPDX-License-Identifier: MIT
// Reductions of rows: the threads of a row are a part of a warp, or the block; or a block's threads
// stand in X columns of Y, and each column is reduced.
#pragma once

#include "pointwise.cuh"

namespace mgx {

struct all_op {
    template <class T>
    MGX_DEVICE T operator()(T a, T b) const {
        return T(truth(a) && truth(b) ? 1 : 0);
    }
};
struct any_op {
    template <class T>
    MGX_DEVICE T operator()(T a, T b) const {
        return T(truth(a) || truth(b) ? 1 : 0);
    }
};

// An element and its position. `none`: of no elements yet.
template <class T, class Index>
struct found {
    T value;
    Index at;
    static constexpr Index none = static_cast<Index>(-1);
};
// The further out of two; NaN counts as the extreme. Of equal ones the first, or the last.
template <bool Largest, bool Last>
struct further_op {
    template <class T, class Index>
    MGX_DEVICE found<T, Index> operator()(const found<T, Index>& a,
                                          const found<T, Index>& b) const {
        if (a.at == a.none || b.at == b.none)
            return a.at == a.none ? b : a;
        const bool a_nan = is_nan(a.value), b_nan = is_nan(b.value);
        const bool equal = a_nan || b_nan ? a_nan && b_nan : a.value == b.value;
        if (equal)
            return (a.at < b.at) != Last ? a : b;
        if (a_nan || b_nan)
            return a_nan ? a : b;
        return (Largest ? a.value > b.value : a.value < b.value) ? a : b;
    }
};

// Two reductions at once.
template <class A, class B>
struct pair {
    A first;
    B second;
};
template <class OpA, class OpB>
struct pair_op {
    template <class A, class B>
    MGX_DEVICE pair<A, B> operator()(const pair<A, B>& a, const pair<A, B>& b) const {
        return {OpA{}(a.first, b.first), OpB{}(a.second, b.second)};
    }
};

// All T threads of a row get op over their values: T is a power of two up to the warp's size, rows
// side by side in the warp, or T is the whole block, in warps. `Slot`: another number for each
// reduction of a kernel, so that none waits for the readers of the one before it.
template <int T, int Slot, class V, class Op>
MGX_DEVICE V row_reduce(V x, V identity, Op op) {
    if constexpr (T == 1) {
        return x;
    } else if constexpr (T <= warp_size) {
        return warp_reduce<T>(x, op);
    } else {
        constexpr int warps = T / warp_size;
        __shared__ V parts[warps];
        x = warp_reduce(x, op);
        if (lane_id() == 0)
            parts[warp_id()] = x;
        __syncthreads();
        constexpr int width = warps < warp_size ? warps : warp_size;
        const V part = lane_id() % width < warps ? parts[lane_id() % width] : identity;
        return warp_reduce<width>(part, op);
    }
}

// Every thread of a column gets op over the column's values, N of them side by side. Thread (x, y)
// of the block is thread x + y * X.
template <int X, int Y, int Slot, int N, class V, class Op>
MGX_DEVICE vec<V, N> column_reduce(vec<V, N> value, Op op) {
    if constexpr (Y > 1) {
        __shared__ V parts[Y][X * N];
        const int t = thread_rank(), x = t % X * N;
#pragma unroll
        for (int i = 0; i < N; i++)
            parts[t / X][x + i] = value[i];
        __syncthreads();
        for (int column = t; column < X * N; column += X * Y) {
            V all = parts[0][column];
            for (int y = 1; y < Y; y++)
                all = op(all, parts[y][column]);
            parts[0][column] = all;
        }
        __syncthreads();
#pragma unroll
        for (int i = 0; i < N; i++)
            value[i] = parts[0][x + i];
    }
    return value;
}

} // namespace mgx
