// SPDX-License-Identifier: MIT
// Windows of images as rows (im2col), rows added up to images (col2im), maxima put back where they
// were found, sums of squares over neighbouring channels.
#pragma once
#include "walk.cuh"

namespace mgx {

// Position `place` of a window, tap `tap`: place * stride + tap * dilation - before, in [0, len).
template <class I>
struct window_axis {
    I stride, dilation, before, len;
    I step; // of the tensor with the images
};

// Tensors: rows, images (without the spatial axes), then the place and the tap along each axis.
template <int R, int S, class I>
struct im2col_params {
    walk<R, 2 + 2 * S, I> at;
    window_axis<I> axes[S];
    I n;
};
template <class E, int R, int S, class I>
MGX_DEVICE void im2col_elements(E* y, const E* x, const im2col_params<R, S, I>& p) {
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[2 + 2 * S];
        p.at.offsets(i, at);
        i64 from = at[1];
        bool inside = true;
#pragma unroll
        for (int d = 0; d < S; d++) {
            const auto& a = p.axes[d];
            const I position = at[2 + d] * a.stride + at[2 + S + d] * a.dilation - a.before;
            inside = inside && position >= 0 && position < a.len;
            from += (i64)position * a.step;
        }
        E v{};
        if (inside)
            v = x[from];
        y[at[0]] = v;
    }
}

// Tensors: images, rows (without taps and places), then the position along each axis.
template <int R, int S, class I>
struct col2im_params {
    walk<R, 2 + S, I> at;
    window_axis<I> axes[S]; // len: places
    I taps[S], tap_step[S], place_step[S];
    I n;
};
template <int D, class N, class T, int R, int S, class I>
MGX_DEVICE void add_places(N& sum, const T* x, i64 from, const I (&at)[2 + S],
                           const col2im_params<R, S, I>& p) {
    if constexpr (D == S) {
        sum += convert<N>(x[from]);
    } else {
        const auto& a = p.axes[D];
        for (I tap = 0; tap < p.taps[D]; tap++) {
            const I start = at[2 + D] + a.before - tap * a.dilation;
            if (start >= 0 && start % a.stride == 0 && start / a.stride < a.len)
                add_places<D + 1>(sum, x,
                                  from + (i64)tap * p.tap_step[D] +
                                      (i64)(start / a.stride) * p.place_step[D],
                                  at, p);
        }
    }
}
template <class T, int R, int S, class I>
MGX_DEVICE void col2im_elements(T* y, const T* x, const col2im_params<R, S, I>& p) {
    using number = typename choose<is_float<T>, compute<T>, u64>::type;
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[2 + S];
        p.at.offsets(i, at);
        number sum = 0;
        add_places<0>(sum, x, (i64)at[1], at, p);
        y[at[0]] = convert<T>(sum);
    }
}

// Tensors: data, indices, the number of the element. An index counts elements of a tensor of
// dimensions `lens`, whose positions lie `steps` apart in the result. Where several elements name
// one position the last wins: `winner` has its number, plus one.
template <int R, int D, class I>
struct unpool_params {
    walk<R, 3, I> at;
    index_divider<I> lens[D];
    I to[D], steps[D];
    I count; // elements that an index may name
    I n;
};
template <class T, int R, int D, class I>
MGX_DEVICE void note_last(const T* index, u32* winner, const unpool_params<R, D, I>& p) {
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[3];
        p.at.offsets(i, at);
        const i64 where = static_cast<i64>(index[at[1]]);
        if (where >= 0 && where < p.count)
            atomic_max(winner + where, static_cast<u32>(at[2]) + 1);
    }
}
template <class E, class T, int R, int D, class I>
MGX_DEVICE void unpool_elements(E* y, const E* x, const T* index, const u32* winner,
                                const unpool_params<R, D, I>& p) {
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[3];
        p.at.offsets(i, at);
        const i64 where = static_cast<i64>(index[at[1]]);
        if (where < 0 || where >= p.count || winner[where] != static_cast<u32>(at[2]) + 1)
            continue;
        I rest = static_cast<I>(where);
        i64 to = 0;
        bool inside = true;
#pragma unroll
        for (int d = D - 1; d >= 0; d--) {
            const I q = p.lens[d].quotient(rest), position = rest - q * p.lens[d].size();
            inside = inside && position < p.to[d];
            to += (i64)position * p.steps[d];
            rest = q;
        }
        if (inside)
            y[to] = x[at[0]];
    }
}

// y = x * (bias + scale * sum of squares)^-beta over channels [c - below, c + above]. Tensors:
// output, input, the channel.
template <int R, class I>
struct lrn_params {
    walk<R, 3, I> at;
    I channels, step, below, above;
    I n;
    f32 bias, scale, beta;
};
template <class T, int R, class I>
MGX_DEVICE void lrn_elements(T* y, const T* x, const lrn_params<R, I>& p) {
    using number = compute<T>;
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[3];
        p.at.offsets(i, at);
        const I c = at[2];
        const I first = c < p.below ? -c : -p.below;
        const I last = c + p.above < p.channels ? p.above : p.channels - 1 - c;
        number sum = 0;
        for (I k = first; k <= last; k++) {
            const number v = to_compute(x[at[1] + (i64)k * p.step]);
            sum += v * v;
        }
        const number base = static_cast<number>(p.bias) + static_cast<number>(p.scale) * sum;
        y[at[0]] = convert<T>(
            static_cast<number>(to_compute(x[at[1]]) * pow(base, -static_cast<number>(p.beta))));
    }
}

} // namespace mgx
