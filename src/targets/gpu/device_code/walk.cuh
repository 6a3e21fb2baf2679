// SPDX-License-Identifier: MIT
// Positions in a box of R dimensions as offsets into N tensors. lower/walk.hpp fills these structs:
// axes of one element are gone, neighbours that go on in every tensor are merged, the first
// tensor's largest stride comes first. I is i32 where all numbers stay below 2^30, else i64.
#pragma once
#include "dialect.cuh"

namespace mgx {

// How an index is divided.
template <class I>
struct index_divider;
template <>
struct index_divider<i32> {
    fast_div by;
    MGX_DEVICE i32 quotient(i32 x) const { return (i32)by.div((u32)x); }
    MGX_DEVICE i32 size() const { return (i32)by.divisor; }
};
template <>
struct index_divider<i64> {
    fast_div64 by;
    MGX_DEVICE i64 quotient(i64 x) const { return (i64)by.div((u64)x); }
    MGX_DEVICE i64 size() const { return (i64)by.divisor; }
};

template <int R, int N, class I>
struct walk {
    index_divider<I> lens[R];
    I strides[N][R];

    MGX_DEVICE void coordinates(I i, I (&c)[R]) const {
#pragma unroll
        for (int d = R - 1; d > 0; d--) {
            const I q = lens[d].quotient(i);
            c[d] = i - q * lens[d].size();
            i = q;
        }
        c[0] = i;
    }
    MGX_DEVICE I offset(int tensor, const I (&c)[R]) const {
        I at = 0;
#pragma unroll
        for (int d = 0; d < R; d++)
            at += c[d] * strides[tensor][d];
        return at;
    }
    MGX_DEVICE void offsets(I i, I (&at)[N]) const {
        I c[R];
        coordinates(i, c);
#pragma unroll
        for (int k = 0; k < N; k++)
            at[k] = offset(k, c);
    }
};

// The positions of this thread: first, first + step, ...
template <class I>
MGX_DEVICE I first_position() {
    return (I)blockIdx.x * (I)blockDim.x + (I)threadIdx.x;
}
template <class I>
MGX_DEVICE I position_step() {
    return (I)gridDim.x * (I)blockDim.x;
}

} // namespace mgx
