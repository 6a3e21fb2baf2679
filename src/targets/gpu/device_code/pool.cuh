// SPDX-License-Identifier: MIT
// Average, maximum and Lp norm of windows, and where the maxima are. A thread has V neighbours
// along an axis that is not spatial (channels last: 16 bytes), or one result.
#pragma once
#include "elements.cuh"
#include "walk.cuh"

namespace mgx {

// What a window is computed in: integers as exactly as their reference is.
template <class T>
using pool_number = typename choose<is_small_float<T> || same<T, f32>, f32, f64>::type;

// Taps of position o: o * stride - before + t * dilation, those in [0, len).
template <class I>
struct pool_axis {
    I stride, dilation, before, after, taps, len;
    I step;  // of the data
    I place; // what a position counts in a flat index

    struct range {
        I first;  // the first tap's position
        I count;  // taps in the data
        I padded; // taps in the data or its padding
    };
    MGX_DEVICE I taps_before(I start, I end) const {
        if (start >= end)
            return 0;
        const I n = (end - start - 1) / dilation + 1;
        return n < taps ? n : taps;
    }
    MGX_DEVICE range at(I o) const {
        const I start = o * stride;
        const I skipped = taps_before(start, before);
        return {start + skipped * dilation - before, taps_before(start, before + len) - skipped,
                taps_before(start, before + len + after)};
    }
};

struct pool_average {
    template <class A>
    static MGX_DEVICE A first() {
        return 0;
    }
    template <class A>
    MGX_DEVICE void add(A& sum, A x) const {
        sum += x;
    }
    template <class A>
    MGX_DEVICE A result(A sum, f64 count) const {
        return sum / static_cast<A>(count);
    }
};
struct pool_max {
    template <class A>
    static MGX_DEVICE A first() {
        return -infinity<A>();
    }
    template <class A>
    MGX_DEVICE void add(A& top, A x) const {
        top = max_op{}(top, x);
    }
    template <class A>
    MGX_DEVICE A result(A top, f64) const {
        return top;
    }
};
struct pool_norm {
    f32 order;
    template <class A>
    static MGX_DEVICE A first() {
        return 0;
    }
    template <class A>
    MGX_DEVICE void add(A& sum, A x) const {
        sum += order == 1 ? fabs(x) : order == 2 ? x * x : pow(fabs(x), static_cast<A>(order));
    }
    template <class A>
    MGX_DEVICE A result(A sum, f64) const {
        return order == 0   ? static_cast<A>(1)
               : order == 1 ? sum
               : order == 2 ? sqrt(sum)
                            : pow(sum, static_cast<A>(1) / static_cast<A>(order));
    }
};

// Tensors: output, data, then the position along each spatial axis.
template <int R, int S, class I>
struct pool_params {
    walk<R, S + 2, I> at;
    pool_axis<I> axes[S];
    I n;
};

// f(offset in the data) for every tap in the data, the last axis innermost.
template <int D, int S, class I, class F>
MGX_DEVICE void for_each_tap(const pool_axis<I> (&axes)[S],
                             const typename pool_axis<I>::range (&r)[S], I from, F f) {
    if constexpr (D == S) {
        f(from);
    } else {
        from += r[D].first * axes[D].step;
        for (I t = 0; t < r[D].count; t++, from += axes[D].dilation * axes[D].step)
            for_each_tap<D + 1>(axes, r, from, f);
    }
}

// Windows of few taps, known when the code is made (none: not known): every tap is loaded, those
// outside from the nearest position, before the first is used.
template <int... Taps>
struct pool_window {
    static constexpr int axes = sizeof...(Taps);
    static constexpr int count = (1 * ... * Taps);
    static MGX_DEVICE constexpr int taps(int d) {
        const int all[] = {Taps..., 1};
        return all[d];
    }
    // Of tap k, the last axis innermost, along axis d.
    static MGX_DEVICE constexpr int along(int k, int d) {
        for (int i = axes - 1; i > d; i--)
            k /= taps(i);
        return k % taps(d);
    }
};

template <class Window, int S, class I, class F>
MGX_DEVICE void load_taps(const pool_axis<I> (&axes)[S], const I (&at)[S], I from, F load) {
#pragma unroll
    for (int k = 0; k < Window::count; k++) {
        I where = from;
        bool inside = true;
#pragma unroll
        for (int d = 0; d < S; d++) {
            const auto& a = axes[d];
            const I position = at[d] * a.stride - a.before + Window::along(k, d) * a.dilation;
            inside = inside && position >= 0 && position < a.len;
            const I nearest = position < 0 ? 0 : position < a.len ? position : a.len - 1;
            where += nearest * a.step;
        }
        load(k, where, inside);
    }
}

template <int V, bool count_padding, class Window, class T, class Mode, int R, int S, class I>
MGX_DEVICE void pool_elements(T* y, const T* x, const pool_params<R, S, I>& p, Mode mode) {
    using number = pool_number<T>;
    const bool aligned = aligned_to<V * sizeof(T)>(y) && aligned_to<V * sizeof(T)>(x);
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[S + 2];
        p.at.offsets(i, at);
        typename pool_axis<I>::range r[S];
        f64 count = 1;
#pragma unroll
        for (int d = 0; d < S; d++) {
            r[d] = p.axes[d].at(at[d + 2]);
            count *= count_padding ? r[d].padded : r[d].count;
        }
        number acc[V];
#pragma unroll
        for (int k = 0; k < V; k++)
            acc[k] = Mode::template first<number>();
        const auto data_at = [&](I from) {
            return load_elements<V * sizeof(T), sizeof(T)>(
                reinterpret_cast<const char*>(x) + (i64)from * V * sizeof(T), aligned);
        };
        if constexpr (Window::axes == S) {
            elements<V * sizeof(T), sizeof(T)> taps[Window::count];
            bool inside[Window::count];
            I places[S];
#pragma unroll
            for (int d = 0; d < S; d++)
                places[d] = at[d + 2];
            load_taps<Window>(p.axes, places, at[1], [&](int k, I from, bool is_inside) {
                taps[k] = data_at(from);
                inside[k] = is_inside;
            });
#pragma unroll
            for (int t = 0; t < Window::count; t++)
                if (inside[t])
#pragma unroll
                    for (int k = 0; k < V; k++)
                        mode.add(acc[k], convert<number>(bits_as<T>(taps[t].v[k])));
        } else {
            for_each_tap<0>(p.axes, r, at[1], [&](I from) {
                const auto v = data_at(from);
#pragma unroll
                for (int k = 0; k < V; k++)
                    mode.add(acc[k], convert<number>(bits_as<T>(v.v[k])));
            });
        }
        elements<V * sizeof(T), sizeof(T)> result;
#pragma unroll
        for (int k = 0; k < V; k++)
            result.v[k] = bits_as<element<sizeof(T)>>(convert<T>(mode.result(acc[k], count)));
        store_elements<V * sizeof(T), sizeof(T)>(
            reinterpret_cast<char*>(y) + (i64)at[0] * V * sizeof(T), result, aligned);
    }
}

// The flat index of the first maximum. Tensors: output, data, the images' part of the index, then
// as above.
template <int R, int S, class I>
struct pool_indices_params {
    walk<R, S + 3, I> at;
    pool_axis<I> axes[S];
    I n;
};
template <int D, int S, class I, class F>
MGX_DEVICE void for_each_place(const pool_axis<I> (&axes)[S],
                               const typename pool_axis<I>::range (&r)[S], I from, I place, F f) {
    if constexpr (D == S) {
        f(from, place);
    } else {
        from += r[D].first * axes[D].step;
        place += r[D].first * axes[D].place;
        for (I t = 0; t < r[D].count; t++) {
            for_each_place<D + 1>(axes, r, from, place, f);
            from += axes[D].dilation * axes[D].step;
            place += axes[D].dilation * axes[D].place;
        }
    }
}
template <class T, int R, int S, class I>
MGX_DEVICE void pool_indices(i64* y, const T* x, const pool_indices_params<R, S, I>& p) {
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        I at[S + 3];
        p.at.offsets(i, at);
        typename pool_axis<I>::range r[S];
#pragma unroll
        for (int d = 0; d < S; d++)
            r[d] = p.axes[d].at(at[d + 3]);
        bool found = false;
        compute<T> top = 0;
        i64 best = 0;
        for_each_place<0>(p.axes, r, at[1], (I)0, [&](I from, I place) {
            const auto v = to_compute(x[from]);
            if (!found || v > top) {
                found = true;
                top = v;
                best = place;
            }
        });
        y[at[0]] = at[2] + best;
    }
}

} // namespace mgx
