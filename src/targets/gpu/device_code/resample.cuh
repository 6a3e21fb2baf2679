// SPDX-License-Identifier: MIT
// Weighted sums of a few positions along each of Q axes, which a table lists: for each position of
// the result its taps' offsets in the data and their weights. A thread has V neighbours along an
// axis that is not resampled, or one result.
#pragma once
#include "elements.cuh"
#include "walk.cuh"

namespace mgx {

template <class T>
using resample_number = typename choose<is_small_float<T> || same<T, f32>, f32, f64>::type;

template <class I>
struct tap_list {
    I taps;
    I first; // entry of the table
};

// Tensors: output, data, then the position along each resampled axis. The table has all offsets
// and then, from byte `weights` on, as many weights. An offset of `outside` for the first tap: the
// result is `value`.
template <int R, int Q, class I>
struct resample_params {
    walk<R, Q + 2, I> at;
    tap_list<I> axes[Q];
    I n;
    I weights;
    f32 value;
};

template <int D, int V, int Q, class N, class T, class I>
MGX_DEVICE void add_taps(N (&sum)[V], N weight, i64 from, const T* x, const I* offsets,
                         const N* weights, const I (&first)[Q], const tap_list<I> (&axes)[Q],
                         bool aligned) {
    if constexpr (D == Q) {
        const auto v = load_elements<V * sizeof(T), sizeof(T)>(
            reinterpret_cast<const char*>(x) + from * V * sizeof(T), aligned);
#pragma unroll
        for (int k = 0; k < V; k++)
            sum[k] += weight * convert<N>(bits_as<T>(v.v[k]));
    } else {
        for (I t = 0; t < axes[D].taps; t++) {
            const N w = weights[first[D] + t];
            if (w != 0)
                add_taps<D + 1, V>(sum, weight * w, from + offsets[first[D] + t], x, offsets,
                                   weights, first, axes, aligned);
        }
    }
}

template <int V, bool rounded, class T, int R, int Q, class I>
MGX_DEVICE void resample_elements(T* y, const T* x, const char* table,
                                  const resample_params<R, Q, I>& p) {
    using number = resample_number<T>;
    const I outside = (I)1 << (8 * sizeof(I) - 2);
    const I* offsets = reinterpret_cast<const I*>(table);
    const number* weights = reinterpret_cast<const number*>(table + p.weights);
    const bool aligned = aligned_to<V * sizeof(T)>(y) && aligned_to<V * sizeof(T)>(x);
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[Q + 2], first[Q];
        p.at.offsets(i, at);
        bool inside = true;
#pragma unroll
        for (int q = 0; q < Q; q++) {
            first[q] = p.axes[q].first + at[q + 2] * p.axes[q].taps;
            inside = inside && offsets[first[q]] != outside;
        }
        number sum[V];
#pragma unroll
        for (int k = 0; k < V; k++)
            sum[k] = inside ? (number)0 : (number)p.value;
        if (inside)
            add_taps<0, V>(sum, (number)1, (i64)at[1], x, offsets, weights, first, p.axes, aligned);
        elements<V * sizeof(T), sizeof(T)> result;
#pragma unroll
        for (int k = 0; k < V; k++)
            result.v[k] =
                bits_as<element<sizeof(T)>>(convert<T>(rounded ? nearbyint(sum[k]) : sum[k]));
        store_elements<V * sizeof(T), sizeof(T)>(
            reinterpret_cast<char*>(y) + (i64)at[0] * V * sizeof(T), result, aligned);
    }
}

} // namespace mgx
