// SPDX-License-Identifier: MIT
// Reads and writes at positions that are values of a tensor of integers (T). Negative ones count
// from the end. Device code cannot fail: reads outside go to the nearest position, writes outside
// do not happen.
#pragma once
#include "elements.cuh"
#include "walk.cuh"

namespace mgx {

// K indices, which lie `index_step` apart, name a position along K axes of the data.
template <int K, class I>
struct index_tuple {
    I lens[K];
    I steps[K]; // of the data
    I index_step;

    template <class T>
    MGX_DEVICE bool inside(const T* index, I (&position)[K]) const {
        bool all = true;
#pragma unroll
        for (int k = 0; k < K; k++) {
            const i64 v = (i64)index[(i64)k * index_step];
            const i64 at = v < 0 ? v + lens[k] : v;
            all = all && at >= 0 && at < lens[k];
            position[k] = (I)(at < 0 ? 0 : at < lens[k] ? at : lens[k] - 1);
        }
        return all;
    }
};

template <int R, int K, class I>
struct gather_params {
    walk<R, 3, I> at; // output, data, indices
    index_tuple<K, I> tuple;
    I first; // of the data, an offset
    I n;
};
template <int B, int E, class T, int R, int K, class I>
MGX_DEVICE void gather_elements(char* y, const char* x, const T* index,
                                const gather_params<R, K, I>& p) {
    const bool aligned = aligned_to<B>(y) && aligned_to<B>(x);
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[3], position[K];
        p.at.offsets(i, at);
        p.tuple.inside(index + at[2], position);
        i64 from = (i64)at[1] + p.first;
#pragma unroll
        for (int k = 0; k < K; k++)
            from += (i64)position[k] * p.tuple.steps[k];
        store_elements<B, E>(y + (i64)at[0] * B, load_elements<B, E>(x + from * B, aligned),
                             aligned);
    }
}

} // namespace mgx
