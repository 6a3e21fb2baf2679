// SPDX-License-Identifier: MIT
// Pairs of numbers turned by angles: (a, b) becomes (a cos - b sin, b cos + a sin), where b lies half
// a row behind a.
#pragma once
#include "elements.cuh"
#include "walk.cuh"

namespace mgx {

template <int V, class T>
MGX_DEVICE vec<compute<T>, V> load_some(const T* p, bool aligned) {
    const auto x = load_elements<V * sizeof(T), sizeof(T)>(reinterpret_cast<const char*>(p), aligned);
    vec<compute<T>, V> r;
#pragma unroll
    for (int i = 0; i < V; i++)
        r[i] = to_compute(bits_as<T>(x[i]));
    return r;
}
template <class T, int V>
MGX_DEVICE void store_some(T* p, const vec<compute<T>, V>& x, bool aligned) {
    elements<V * sizeof(T), sizeof(T)> r;
#pragma unroll
    for (int i = 0; i < V; i++)
        r[i] = bits_as<element<sizeof(T)>>(convert<T>(x[i]));
    store_elements<V * sizeof(T), sizeof(T)>(reinterpret_cast<char*>(p), r, aligned);
}

// The halves: how far behind the first of a pair the second lies in y, x, cos and sin, in elements;
// 0 where both have one angle.
template <int R, class I>
struct rotary_params {
    walk<R, 4, I> at; // y, x, cos, sin: V elements of the first half
    I halves[4];
    I n;
};
template <int V, class T, int R, class I>
MGX_DEVICE void turn_pairs(T* y, const T* x, const T* cos, const T* sin,
                           const rotary_params<R, I>& p) {
    constexpr int bytes = V * sizeof(T);
    const bool aligned = aligned_to<bytes>(y) && aligned_to<bytes>(x) && aligned_to<bytes>(cos) &&
                         aligned_to<bytes>(sin);
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[4];
        p.at.offsets(i, at);
        T* const to = y + static_cast<i64>(at[0]) * V;
        const T* const from = x + static_cast<i64>(at[1]) * V;
        const T* const c = cos + static_cast<i64>(at[2]) * V;
        const T* const s = sin + static_cast<i64>(at[3]) * V;
        const auto a = load_some<V>(from, aligned), b = load_some<V>(from + p.halves[1], aligned);
        const auto c1 = load_some<V>(c, aligned), c2 = load_some<V>(c + p.halves[2], aligned);
        const auto s1 = load_some<V>(s, aligned), s2 = load_some<V>(s + p.halves[3], aligned);
        vec<compute<T>, V> first, second;
#pragma unroll
        for (int k = 0; k < V; k++) {
            first[k] = a[k] * c1[k] - b[k] * s1[k];
            second[k] = b[k] * c2[k] + a[k] * s2[k];
        }
        store_some<T>(to, first, aligned);
        store_some<T>(to + p.halves[0], second, aligned);
    }
}

// Heads of queries and keys turned by the angles of their positions, the others and what lies behind
// the pairs copied. A thread for each element; y, x (heads, rows, ...): see lower/rotary.cpp.
template <int R, class I>
struct head_rotary_params {
    walk<R, 6, I> at; // y, x, the position of a length, and which head, row and column it is
    I pair_y, pair_x; // strides of columns
    I angle_row, angle_column, sin_row, sin_column;
    I length_step;
    I heads, rows, pairs, positions;
    I interleaved;
    I n;
};
template <class T, class A, class L, int R, class I>
MGX_DEVICE void turn_heads(T* y, const T* x, const L* lengths, const A* cos, const A* sin,
                           const head_rotary_params<R, I>& p) {
    using C = compute<T>;
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[6];
        p.at.offsets(i, at);
        const I head = at[3], row = at[4], column = at[5];
        const T value = x[at[1]];
        if (head >= p.heads || column >= 2 * p.pairs) {
            y[at[0]] = value;
            continue;
        }
        // Device code cannot fail: positions outside have the nearest one's angles.
        i64 position = p.rows > 1 ? static_cast<i64>(row) : static_cast<i64>(lengths[at[2]]);
        position = position < 0 ? 0 : position < p.positions ? position : p.positions - 1;
        const bool second = p.interleaved != 0 ? column % 2 != 0 : column >= p.pairs;
        const I pair = p.interleaved != 0 ? column / 2 : second ? column - p.pairs : column;
        const I by = p.interleaved != 0 ? 1 : p.pairs;
        const C other = to_compute(x[at[1] + (second ? -by : by) * p.pair_x]);
        const C c = static_cast<C>(
            to_compute(cos[position * p.angle_row + static_cast<i64>(pair) * p.angle_column]));
        const C s = static_cast<C>(
            to_compute(sin[position * p.sin_row + static_cast<i64>(pair) * p.sin_column]));
        y[at[0]] = convert<T>(to_compute(value) * c + (second ? other : -other) * s);
    }
}

} // namespace mgx
