// SPDX-License-Identifier: MIT
// Elements as bytes: what is moved without looking at its value. An access moves B bytes, which are
// B / E elements of E bytes.
#pragma once
#include "dialect.cuh"

namespace mgx {

template <int E>
using element = typename raw<E>::type;
template <int B, int E>
using elements = vec<element<E>, B / E>;

template <int B>
MGX_DEVICE bool aligned_to(const void* p) {
    return (reinterpret_cast<u64>(p) & (B - 1)) == 0;
}

// What starts at any element (a part of a larger buffer) goes element by element.
template <int B, int E>
MGX_DEVICE elements<B, E> load_elements(const char* p, bool aligned) {
    const auto* from = reinterpret_cast<const element<E>*>(p);
    if constexpr (B > E)
        if (!aligned) {
            elements<B, E> x;
#pragma unroll
            for (int k = 0; k < B / E; k++)
                x.v[k] = from[k];
            return x;
        }
    return load<B / E>(from);
}
template <int B, int E>
MGX_DEVICE void store_elements(char* p, const elements<B, E>& x, bool aligned) {
    auto* to = reinterpret_cast<element<E>*>(p);
    if constexpr (B > E)
        if (!aligned) {
#pragma unroll
            for (int k = 0; k < B / E; k++)
                to[k] = x.v[k];
            return;
        }
    store<B / E>(to, x);
}
template <int B, int E>
MGX_DEVICE elements<B, E> repeated(element<E> x) {
    elements<B, E> r;
#pragma unroll
    for (int k = 0; k < B / E; k++)
        r.v[k] = x;
    return r;
}
// The first B of 16 bytes that repeat an element.
template <int B, int E>
MGX_DEVICE elements<B, E> part_of(const u32 (&words)[4]) {
    elements<B, E> r;
    copy_bytes(&r, words, B);
    return r;
}

} // namespace mgx
