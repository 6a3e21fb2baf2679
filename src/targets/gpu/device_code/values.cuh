// SPDX-License-Identifier: MIT
// Elements that are computed from a few others: ranges, samples of a distribution, values by keys.
#pragma once
#include "walk.cuh"

namespace mgx {

template <class I>
struct range_params {
    I n, step; // of the output
};
template <class T, class I>
MGX_DEVICE void range_elements(T* y, const T* start, const T* delta, const range_params<I>& p) {
    using number = typename choose<is_float<T>, f64, u64>::type;
    const number first = convert<number>(*start), by = convert<number>(*delta);
    for (I i = first_position<I>(); i < p.n; i += position_step<I>())
        y[(i64)i * p.step] = convert<T>(first + static_cast<number>(i) * by);
}

// Tensors: output, uniform numbers, the distribution's rows.
template <int R, class I>
struct multinomial_params {
    walk<R, 3, I> at;
    I classes, step;
    I n;
};
// The first class whose cumulative weight is above the number's part of all.
template <class Y, class C, class U, int R, class I>
MGX_DEVICE void multinomial_elements(Y* y, const C* cumulative, const U* uniform,
                                     const multinomial_params<R, I>& p) {
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[3];
        p.at.offsets(i, at);
        const C* row = cumulative + at[2];
        const f64 all = convert<f64>(row[(i64)(p.classes - 1) * p.step]);
        const f64 wanted = convert<f64>(uniform[at[1]]) * all;
        I low = 0, high = p.classes;
        while (low < high) {
            const I middle = (low + high) / 2;
            if (wanted < convert<f64>(row[(i64)middle * p.step]))
                high = middle;
            else
                low = middle + 1;
        }
        y[at[0]] = convert<Y>((i64)(low < p.classes ? low : p.classes - 1));
    }
}

// Tensors: output, elements. The last of equal keys counts; NaN equals NaN.
template <int R, class I>
struct lookup_params {
    walk<R, 2, I> at;
    I keys, key_step, value_step;
    I n;
};
template <class E, class K, int R, class I>
MGX_DEVICE void lookup_elements(E* y, const K* x, const K* keys, const E* values, const E* fallback,
                                const lookup_params<R, I>& p) {
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[2];
        p.at.offsets(i, at);
        const auto v = to_compute(x[at[1]]);
        I k = p.keys - 1;
        for (; k >= 0; k--) {
            const auto key = to_compute(keys[(i64)k * p.key_step]);
            if (key == v || (key != key && v != v))
                break;
        }
        y[at[0]] = k < 0 ? *fallback : values[(i64)k * p.value_step];
    }
}

} // namespace mgx
