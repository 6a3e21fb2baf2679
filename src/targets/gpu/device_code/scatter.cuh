// SPDX-License-Identifier: MIT
// Updates of elements at positions that are values of a tensor of integers (T). Those outside of
// the data do nothing. Where several replace one element the last wins: the positions are walked
// once to note in `winner`, for each place that they name, the number of the last one, plus one.
#pragma once
#include "gather.cuh"

namespace mgx {

template <int R, int K, class I>
struct winner_params {
    walk<R, 3, I> at;        // indices, number of the update, place
    index_tuple<K, I> tuple; // steps in places
    I n;
};
template <class T, int R, int K, class I>
MGX_DEVICE void note_winners(const T* index, u32* winner, const winner_params<R, K, I>& p) {
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[3], position[K];
        p.at.offsets(i, at);
        if (!p.tuple.inside(index + at[0], position))
            continue;
        i64 place = at[2];
#pragma unroll
        for (int k = 0; k < K; k++)
            place += (i64)position[k] * p.tuple.steps[k];
        atomic_max(winner + place, (u32)at[1] + 1);
    }
}

// R axes of the updates; K indices each. `places`: as the steps of the tuple, but in `winner`.
template <int R, int K, class I>
struct scatter_params {
    walk<R, 5, I> at; // updates, data, indices, number of the update, place
    index_tuple<K, I> tuple;
    I places[K];
    I n;
};

// `with_winners`: only the noted one is written.
template <int B, int E, bool with_winners, class T, int R, int K, class I>
MGX_DEVICE void replace_elements(char* y, const char* updates, const T* index, const u32* winner,
                                 const scatter_params<R, K, I>& p) {
    const bool aligned = aligned_to<B>(y) && aligned_to<B>(updates);
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[5], position[K];
        p.at.offsets(i, at);
        if (!p.tuple.inside(index + at[2], position))
            continue;
        i64 to = at[1], place = at[4];
#pragma unroll
        for (int k = 0; k < K; k++) {
            to += (i64)position[k] * p.tuple.steps[k];
            place += (i64)position[k] * p.places[k];
        }
        if (with_winners && winner[place] != (u32)at[3] + 1)
            continue;
        store_elements<B, E>(y + to * B, load_elements<B, E>(updates + (i64)at[0] * B, aligned),
                             aligned);
    }
}

struct scatter_add {
    template <class V>
    static MGX_DEVICE void apply(V* p, V x) {
        if constexpr (same<V, bool>)
            atomic_update(p, [=](bool old) { return old || x; });
        else
            atomic_add(p, x);
    }
};
struct scatter_mul {
    template <class V>
    static MGX_DEVICE void apply(V* p, V x) {
        if constexpr (same<V, bool>)
            atomic_update(p, [=](bool old) { return old && x; });
        else
            atomic_mul(p, x);
    }
};
// An update that is NaN wins.
struct scatter_min {
    template <class V>
    static MGX_DEVICE void apply(V* p, V x) {
        atomic_update(p, [=](V old) {
            const auto a = to_compute(x), b = to_compute(old);
            return a < b || a != a ? x : old;
        });
    }
};
struct scatter_max {
    template <class V>
    static MGX_DEVICE void apply(V* p, V x) {
        atomic_update(p, [=](V old) {
            const auto a = to_compute(x), b = to_compute(old);
            return a > b || a != a ? x : old;
        });
    }
};

template <class Op, class V, class T, int R, int K, class I>
MGX_DEVICE void combine_elements(V* y, const V* updates, const T* index,
                                 const scatter_params<R, K, I>& p) {
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[5], position[K];
        p.at.offsets(i, at);
        if (!p.tuple.inside(index + at[2], position))
            continue;
        i64 to = at[1];
#pragma unroll
        for (int k = 0; k < K; k++)
            to += (i64)position[k] * p.tuple.steps[k];
        Op::apply(y + to, updates[at[0]]);
    }
}

} // namespace mgx
