// SPDX-License-Identifier: MIT
// Copies of elements to other places: strided copies, joins of several, fills, and copies whose
// source along some axes is looked up. Offsets count accesses of B bytes, each B / E elements.
#pragma once
#include "elements.cuh"
#include "walk.cuh"

namespace mgx {

template <int R, class I>
struct copy_params {
    walk<R, 2, I> at; // output, input
    I n;
    I from; // of the first element, in the input
};

// Splat: neighbours in the output are one element of the input, whose offsets count elements.
template <int B, int E, bool Splat, int R, class I>
MGX_DEVICE void copy_elements(char* y, const char* x, const copy_params<R, I>& p) {
    const bool aligned = aligned_to<B>(y) && (Splat || aligned_to<B>(x));
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[2];
        p.at.offsets(i, at);
        const i64 from = (i64)at[1] + p.from;
        const elements<B, E> v =
            Splat ? repeated<B, E>(*reinterpret_cast<const element<E>*>(x + from * E))
                  : load_elements<B, E>(x + from * B, aligned);
        store_elements<B, E>(y + (i64)at[0] * B, v, aligned);
    }
}

// Row-major order, which the two sides split into different dimensions.
template <int RY, int RX, class I>
struct reshape_params {
    walk<RY, 1, I> to;
    walk<RX, 1, I> from;
    I n;
};
template <int E, int RY, int RX, class I>
MGX_DEVICE void reshape_elements(char* y, const char* x, const reshape_params<RY, RX, I>& p) {
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I to[1], from[1];
        p.to.offsets(i, to);
        p.from.offsets(i, from);
        *(element<E>*)(y + (i64)to[0] * E) = *(const element<E>*)(x + (i64)from[0] * E);
    }
}

// One input of a join, and where in the result it goes (an offset in accesses).
template <int R, class I>
struct part_params {
    walk<R, 2, I> at;
    I n;
    I to;
};
template <int N, int R, class I>
struct join_params {
    part_params<R, I> parts[N];
};
template <int B, int E, int R, class I>
MGX_DEVICE void copy_part(char* y, const char* x, const part_params<R, I>& p) {
    y += (i64)p.to * B;
    if (x == y) // the input was written to its place already
        return;
    const bool aligned = aligned_to<B>(y) && aligned_to<B>(x);
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[2];
        p.at.offsets(i, at);
        store_elements<B, E>(y + (i64)at[0] * B, load_elements<B, E>(x + (i64)at[1] * B, aligned),
                             aligned);
    }
}

template <int R, class I>
struct fill_params {
    u32 element[4]; // repeated
    walk<R, 1, I> at;
    I n;
};
template <int B, int E, int R, class I>
MGX_DEVICE void fill_elements(char* y, const fill_params<R, I>& p) {
    const bool aligned = aligned_to<B>(y);
    const elements<B, E> v = part_of<B, E>(p.element);
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[1];
        p.at.offsets(i, at);
        store_elements<B, E>(y + (i64)at[0] * B, v, aligned);
    }
}

// Position c along axis d comes from offset c * from[d], or, where bit d of Looked is set, from
// table[start[d] + c]; an entry of `nowhere` stands for the filling element.
template <int R, class I>
struct map_params {
    u32 filling[4];
    walk<R, 1, I> to;
    I from[R];
    I start[R];
    I first; // an offset in the input
    I n;
};
// With the element that a run gives.
template <int E, int R, class I>
MGX_DEVICE map_params<R, I> filled_with(map_params<R, I> p, const char* given) {
    const element<E> x = *reinterpret_cast<const element<E>*>(given);
    element<E> repeated[16 / E];
#pragma unroll
    for (int i = 0; i < 16 / E; i++)
        repeated[i] = x;
    copy_bytes(p.filling, repeated, 16);
    return p;
}
template <int B, int E, int Looked, int R, class I>
MGX_DEVICE void map_elements(char* y, const char* x, const I* table, const map_params<R, I>& p) {
    const I nowhere = (I)1 << (8 * sizeof(I) - 2);
    const bool aligned = aligned_to<B>(y) && aligned_to<B>(x);
    const elements<B, E> filling = part_of<B, E>(p.filling);
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I c[R];
        p.to.coordinates(i, c);
        i64 from = p.first;
        bool found = true;
#pragma unroll
        for (int d = 0; d < R; d++)
            if (Looked >> d & 1) {
                const I at = table[p.start[d] + c[d]];
                found = found && at != nowhere;
                from += at;
            } else
                from += (i64)c[d] * p.from[d];
        const elements<B, E> v = found ? load_elements<B, E>(x + from * B, aligned) : filling;
        store_elements<B, E>(y + (i64)p.to.offset(0, c) * B, v, aligned);
    }
}

} // namespace mgx
