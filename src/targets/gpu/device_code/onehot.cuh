// SPDX-License-Identifier: MIT
// values[1] where the position along an axis is the index, else values[0].
#pragma once
#include "elements.cuh"
#include "walk.cuh"

namespace mgx {

template <int R, class I>
struct onehot_params {
    walk<R, 3, I> at; // output, indices, the position along the axis
    I depth;
    I second; // offset of values[1]
    I n;
};
template <int E, class T, int R, class I>
MGX_DEVICE void onehot_elements(char* y, const T* index, const char* values,
                                const onehot_params<R, I>& p) {
    const auto* both = reinterpret_cast<const element<E>*>(values);
    const element<E> off = both[0], on = both[p.second];
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[3];
        p.at.offsets(i, at);
        const i64 v = static_cast<i64>(index[at[1]]);
        reinterpret_cast<element<E>*>(y)[at[0]] = (v < 0 ? v + p.depth : v) == at[2] ? on : off;
    }
}

} // namespace mgx
