// SPDX-License-Identifier: MIT
// Convolutions of each channel by itself, channels last: a thread sums a row of `Width` positions
// of N neighbouring channels in registers, so that what windows share is read once. Packed weights
// are [tap][channel].
#pragma once

#include "conv.cuh"

namespace mgx {

// Zeros unless `good`. Whole: by one instruction.
template <int N, class T>
MGX_DEVICE vec<T, N> depthwise_load(const T* from, bool good, bool whole) {
    vec<T, N> r{};
    if (whole) {
        if (good)
            r = load<N>(from);
    } else if (good) {
#pragma unroll
        for (int i = 0; i < N; i++)
            r[i] = from[i];
    }
    return r;
}

// Whether any of the positions has a tap on column c.
template <int Kernel, int Stride, int Dilation, int Width>
MGX_DEVICE constexpr bool depthwise_reads(int c) {
    for (int o = 0; o < Width; o++)
        if (c >= o * Stride && (c - o * Stride) % Dilation == 0 &&
            (c - o * Stride) / Dilation < Kernel)
            return true;
    return false;
}

// R: 1 or 2 spatial axes; with one, KernelRows is 1. Stride and Dilation are those of the innermost
// axis. Channels are a multiple of N, and so are the steps of x.
template <class T, class Out, int R, int KernelRows, int Kernel, int Stride, int Dilation,
          int Width, int N, class Epilogue>
MGX_DEVICE void conv_depthwise(const T* x, Out* y, const depthwise_params& q, const Epilogue& e) {
    using A = accumulate<T>;
    const conv_params& p = q.conv;
    u32 rest = global_thread();
    if (rest >= q.threads)
        return;
    const i32 channel = static_cast<i32>(q.by_runs.split(rest)) * N;
    const i32 first = static_cast<i32>(q.by_tiles.split(rest)) * Width;
    i32 line = 0;
    if constexpr (R == 2)
        line = static_cast<i32>(p.axis[0].by_out.split(rest));
    const conv_axis& across = p.axis[R - 1];
    const T* const image = x + rest * p.x.image + channel;
    const T* const weights = static_cast<const T*>(p.weights) + channel;
    const bool whole = is_aligned<N>(x);
    const i32 before = first * Stride - across.before;

    A sum[Width][N] = {};
#pragma unroll
    for (int r = 0; r < KernelRows; r++) {
        const T* from = image;
        bool inside = true;
        if constexpr (R == 2) {
            const i32 at = line * p.axis[0].stride - p.axis[0].before + r * p.axis[0].dilation;
            inside = static_cast<u32>(at) < static_cast<u32>(p.axis[0].in);
            from += at * p.x.axis[0];
        }
        // All of a line is asked for before any of it is used.
        constexpr int columns = (Width - 1) * Stride + (Kernel - 1) * Dilation + 1;
        vec<T, N> v[columns];
#pragma unroll
        for (int c = 0; c < columns; c++) {
            const i32 at = before + c;
            if (depthwise_reads<Kernel, Stride, Dilation, Width>(c))
                v[c] = depthwise_load<N>(
                    from + at * p.x.axis[R - 1],
                    inside && static_cast<u32>(at) < static_cast<u32>(across.in), whole);
        }
        vec<A, N> w[Kernel];
#pragma unroll
        for (int t = 0; t < Kernel; t++)
            w[t] = convert_all<A>(load<N>(weights + (r * Kernel + t) * p.groups));
#pragma unroll
        for (int c = 0; c < columns; c++) {
            if (!depthwise_reads<Kernel, Stride, Dilation, Width>(c))
                continue;
            const vec<A, N> u = convert_all<A>(v[c]);
#pragma unroll
            for (int o = 0; o < Width; o++) {
                const int t = c - o * Stride;
                if (t >= 0 && t % Dilation == 0 && t / Dilation < Kernel)
#pragma unroll
                    for (int i = 0; i < N; i++)
                        sum[o][i] += u[i] * w[t / Dilation][i];
            }
        }
    }
#pragma unroll
    for (int o = 0; o < Width; o++) {
        if (first + o >= across.out)
            continue;
        conv_place place;
        place.image = static_cast<i32>(rest);
        place.channel = channel;
        place.at[0] = R == 2 ? line : first + o;
        if constexpr (R == 2)
            place.at[1] = first + o;
        conv_finish_run<R, true>(sum[o], N, place, y, p, e);
    }
}

} // namespace mgx
