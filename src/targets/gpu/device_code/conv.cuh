// SPDX-License-Identifier: MIT
// Convolutions as products without a matrix of windows ("implicit GEMM"): rows are positions of all
// images, columns the outputs of a group, the sum runs over k = tap * channels + channel. Images
// have any steps; packed weights are [group][output][k], each row padded with zeros to k_step.
//
//   conv_tile_fma   multiply-adds, any type      conv_mma.cuh   matrix units, half, bf16 and bytes
//
// R: spatial axes. Transposed: a position reads where its multiple of the stride falls. An epilogue
// is a struct with
//   template <int N, class A> vec<..., N> apply(const A (&v)[N], int count, const conv_place&,
//                                               const conv_params&) const
// which turns `count` sums of neighbouring channels at one position into what is to be stored.
#pragma once

#include "dialect.cuh"

#include "conv_params.cuh"
#include "pointwise.cuh"

namespace mgx {

struct conv_place {
    i32 image, at[conv_most_axes];
    i32 channel; // of all groups

    template <int R>
    MGX_DEVICE i64 offset(const conv_steps& s) const {
        i64 o = image * s.image + channel * s.channel;
#pragma unroll
        for (int d = 0; d < R; d++)
            o += at[d] * s.axis[d];
        return o;
    }
};

template <int R>
MGX_DEVICE conv_place conv_place_of(u32 position, i32 channel, const conv_params& p) {
    conv_place r;
#pragma unroll
    for (int d = R - 1; d >= 0; d--)
        r.at[d] = static_cast<i32>(p.axis[d].by_out.split(position));
    r.image = static_cast<i32>(position);
    r.channel = channel;
    return r;
}

// An operand's values for neighbouring channels, as H. Step: between channels, 0 or 1; else -1, and
// it is `steps.channel`.
template <class H, int R, int Step, int N, class T>
MGX_DEVICE vec<H, N> conv_operand(const T* from, int count, const conv_place& place,
                                  const conv_steps& steps) {
    const T* p = from + place.offset<R>(steps);
    vec<H, N> r;
    if constexpr (Step == 0) {
        const H x = convert<H>(*p);
#pragma unroll
        for (int i = 0; i < N; i++)
            r[i] = x;
    } else if (Step == 1 && count == N && is_aligned<N>(p)) {
        r = convert_all<H>(load<N>(p));
    } else {
#pragma unroll
        for (int i = 0; i < N; i++)
            r[i] = i < count ? convert<H>(p[i * (Step == 1 ? 1 : steps.channel)]) : H(0);
    }
    return r;
}

// What is stored are the sums.
struct conv_no_epilogue {
    template <int N, class A>
    MGX_DEVICE vec<A, N> apply(const A (&v)[N], int, const conv_place&, const conv_params&) const {
        vec<A, N> r;
#pragma unroll
        for (int i = 0; i < N; i++)
            r[i] = v[i];
        return r;
    }
};

// Where along k a thread reads.
template <int R>
struct conv_walk {
    i32 channel, tap[R];

    MGX_DEVICE void start(i32 k, const conv_params& p) {
        channel = k % p.channels;
        i32 rest = k / p.channels;
#pragma unroll
        for (int d = R - 1; d > 0; d--) {
            tap[d] = rest % p.axis[d].kernel;
            rest /= p.axis[d].kernel;
        }
        tap[0] = rest;
    }
    MGX_DEVICE void advance(i32 by, const conv_params& p) {
        channel += by;
        while (channel >= p.channels) {
            channel -= p.channels;
            tap[R - 1]++;
#pragma unroll
            for (int d = R - 1; d > 0; d--)
                if (tap[d] == p.axis[d].kernel) {
                    tap[d] = 0;
                    tap[d - 1]++;
                }
        }
    }
    MGX_DEVICE bool inside(const conv_params& p) const {
        return tap[0] < p.axis[0].kernel;
    }
};

// A position: its image, and what tap 0 reads of it.
template <class T, int R, bool Transposed>
struct conv_row {
    const T* image; // null: there is no such position
    i32 at[R];

    MGX_DEVICE void start(const T* x, u32 position, i32 group, const conv_params& p) {
        image = nullptr;
        if (position >= p.positions)
            return;
#pragma unroll
        for (int d = R - 1; d >= 0; d--) {
            const conv_axis& a = p.axis[d];
            const i32 o = static_cast<i32>(a.by_out.split(position));
            at[d] = Transposed ? o + a.before : o * a.stride - a.before;
        }
        image = x + position * p.x.image + static_cast<i64>(group) * p.channels * p.x.channel;
    }
    // Null: zero.
    MGX_DEVICE const T* source(const conv_walk<R>& w, const conv_params& p) const {
        bool good = image != nullptr && w.inside(p);
        i64 offset = w.channel * p.x.channel;
#pragma unroll
        for (int d = 0; d < R; d++) {
            const conv_axis& a = p.axis[d];
            i32 i;
            if constexpr (Transposed) {
                i = at[d] - w.tap[d] * a.dilation;
                const u32 n = static_cast<u32>(i < 0 ? 0 : i), q = a.by_stride.div(n);
                good = good && i >= 0 && q * a.stride == n;
                i = static_cast<i32>(q);
            } else
                i = at[d] + w.tap[d] * a.dilation;
            good = good && static_cast<u32>(i) < static_cast<u32>(a.in);
            offset += i * p.x.axis[d];
        }
        return good ? image + offset : nullptr;
    }
};

// N elements along k. Neighbours: they are N neighbouring channels of one tap.
template <int N, bool Neighbours, class T, int R, bool Transposed>
MGX_DEVICE vec<T, N> conv_gather(const conv_row<T, R, Transposed>& row, conv_walk<R> w,
                                 const conv_params& p) {
    vec<T, N> r;
    if constexpr (Neighbours) {
        const T* from = row.source(w, p);
        if (from != nullptr && is_aligned<N>(from))
            return load<N>(from);
#pragma unroll
        for (int i = 0; i < N; i++)
            r[i] = from != nullptr ? from[i] : T{};
    } else {
#pragma unroll
        for (int i = 0; i < N; i++) {
            const T* from = row.source(w, p);
            r[i] = from != nullptr ? *from : T{};
            w.advance(1, p);
        }
    }
    return r;
}

template <class A>
MGX_DEVICE A* conv_partial(A* partial, i32 split, i32 group, u32 position, i32 output,
                           const conv_params& p) {
    const i64 row = (static_cast<i64>(split) * p.groups + group) * p.positions + position;
    return partial + row * p.outputs + output;
}

// Channels that are written at a time.
template <class Out>
constexpr int conv_run = 16 / sizeof(Out) < 8 ? 16 / sizeof(Out) : 8;

// Values of neighbouring channels, through the epilogue to y. Last: y's channels are neighbours.
template <int R, bool Last, int N, class A, class Out, class Epilogue>
MGX_DEVICE void conv_finish_run(const A (&v)[N], int count, const conv_place& place, Out* y,
                                const conv_params& p, const Epilogue& e) {
    const vec<Out, N> r = convert_all<Out>(e.template apply<N>(v, count, place, p));
    Out* to = y + place.offset<R>(p.y);
    if (Last && count == N && is_aligned<N>(to)) {
        store<N>(to, r);
        return;
    }
#pragma unroll
    for (int i = 0; i < N; i++)
        if (i < count)
            to[i * (Last ? 1 : p.y.channel)] = r[i];
}

// What a block does: a tile of rows and columns of a group, for a part of k.
struct conv_block {
    i32 group, split;
    u32 first_row;
    i32 first_column, first_tile, tiles; // the last two: of Depth along k
};
template <int Rows, int Columns, int Depth>
MGX_DEVICE conv_block conv_block_of(const conv_params& p) {
    conv_block b;
    b.group = blockIdx.z % p.groups;
    b.split = blockIdx.z / p.groups;
    b.first_row = blockIdx.x * Rows;
    b.first_column = blockIdx.y * Columns;
    const i32 all_tiles = div_up(p.k, Depth);
    b.first_tile = b.split * p.tiles_in_split;
    b.tiles =
        all_tiles - b.first_tile < p.tiles_in_split ? all_tiles - b.first_tile : p.tiles_in_split;
    return b;
}

// The block's tile of sums, in shared memory with rows `step` apart, to y; or, when k is split, to
// `partial`.
template <int R, bool Last, bool Split, int Rows, int Columns, int Threads, class A, class Out,
          class Epilogue>
MGX_DEVICE void conv_write(const A* tile, int step, const conv_block& here, Out* y, A* partial,
                           const conv_params& p, const Epilogue& e) {
    constexpr int N = Last || Split ? conv_run<Out> : 1, runs = Columns / N;
    for (int i = threadIdx.x; i < Rows * runs; i += Threads) {
        // Neighbouring threads write neighbouring memory.
        const int row = N > 1 ? i / runs : i % Rows, column = N > 1 ? i % runs * N : i / Rows;
        const u32 position = here.first_row + row;
        const i32 output = here.first_column + column;
        if (position >= p.positions || output >= p.outputs)
            continue;
        const int count = p.outputs - output < N ? p.outputs - output : N;
        A v[N];
#pragma unroll
        for (int j = 0; j < N; j++)
            v[j] = tile[row * step + column + j];
        if constexpr (Split) {
            A* to = conv_partial(partial, here.split, here.group, position, output, p);
#pragma unroll
            for (int j = 0; j < N; j++)
                if (j < count)
                    to[j] = v[j];
        } else
            conv_finish_run<R, Last>(
                v, count, conv_place_of<R>(position, here.group * p.outputs + output, p), y, p, e);
    }
}

// The sums of all parts of k, then the epilogue: one run of channels a thread.
template <int R, bool Last, class A, class Out, class Epilogue>
MGX_DEVICE void conv_join(const A* partial, Out* y, const conv_params& p, const Epilogue& e) {
    constexpr int N = Last ? conv_run<Out> : 1;
    const u32 runs = div_up(p.outputs, N);
    const u64 all = static_cast<u64>(p.groups) * p.positions * runs;
    for (u64 i = global_thread<u64>(); i < all; i += global_threads<u64>()) {
        // Neighbouring threads write neighbouring memory.
        const u64 rows = i / runs;
        const i32 output = static_cast<i32>(N > 1 ? i % runs * N : i / p.positions % runs);
        const u32 position = static_cast<u32>((N > 1 ? rows : i) % p.positions);
        const i32 group = static_cast<i32>(rows / p.positions);
        const int count = p.outputs - output < N ? p.outputs - output : N;
        A v[N] = {};
        for (i32 s = 0; s < p.splits; s++) {
            const A* from = conv_partial(partial, s, group, position, output, p);
#pragma unroll
            for (int j = 0; j < N; j++)
                if (j < count)
                    v[j] += from[j];
        }
        conv_finish_run<R, Last>(
            v, count, conv_place_of<R>(position, group * p.outputs + output, p), y, p, e);
    }
}

// Rows x Columns sums by a block of (Rows / RowsEach) * (Columns / ColumnsEach) threads. Blocks: x
// over the rows, y over the columns, z over groups and parts of k.
template <class T, class Out, int R, bool Transposed, bool Neighbours, bool Last, bool Split,
          int Rows, int Columns, int RowsEach, int ColumnsEach, class Epilogue>
MGX_DEVICE void conv_tile_fma(const T* x, const T* packed, Out* y, accumulate<T>* partial,
                              const conv_params& p, const Epilogue& e) {
    using A = accumulate<T>;
    constexpr int Depth = 16, Chunk = 4;
    constexpr int threads_across = Columns / ColumnsEach;
    constexpr int Threads = Rows / RowsEach * threads_across;
    constexpr int parts = Depth / Chunk;
    constexpr int loads_a = Rows * parts / Threads, loads_b = Columns * parts / Threads;
    static_assert(loads_a * Threads == Rows * parts && loads_b * Threads == Columns * parts,
                  "threads share out the loads evenly");
    constexpr int step_a = Rows + 4, step_b = Columns + 4;
    MGX_DYNAMIC_SHARED(unsigned char, memory);
    A* const a_tile = reinterpret_cast<A*>(memory); // two of [Depth][step_a]
    A* const b_tile = a_tile + 2 * Depth * step_a;  // two of [Depth][step_b]

    const auto here = conv_block_of<Rows, Columns, Depth>(p);
    // Of one tap: neighbouring threads read along k; else along the positions.
    const int thread = threadIdx.x;
    conv_row<T, R, Transposed> row[loads_a];
    conv_walk<R> walk[loads_a];
    int at_row[loads_a], at_k[loads_a];
#pragma unroll
    for (int i = 0; i < loads_a; i++) {
        const int id = thread + i * Threads;
        at_row[i] = Neighbours ? id / parts : id % Rows;
        at_k[i] = (Neighbours ? id % parts : id / Rows) * Chunk;
        row[i].start(x, here.first_row + at_row[i], here.group, p);
        walk[i].start(here.first_tile * Depth + at_k[i], p);
    }
    const T* const weights = packed + static_cast<i64>(here.group) * p.outputs * p.k_step;
    vec<T, Chunk> next_a[loads_a], next_b[loads_b];
    const auto fetch = [&](i32 tile) {
#pragma unroll
        for (int i = 0; i < loads_a; i++) {
            next_a[i] = conv_gather<Chunk, Neighbours>(row[i], walk[i], p);
            walk[i].advance(Depth, p);
        }
#pragma unroll
        for (int i = 0; i < loads_b; i++) {
            const int id = thread + i * Threads;
            const i32 column = here.first_column + id / parts;
            next_b[i] = vec<T, Chunk>{};
            if (column < p.outputs)
                next_b[i] = load<Chunk>(weights + static_cast<i64>(column) * p.k_step +
                                        tile * Depth + id % parts * Chunk);
        }
    };
    const auto keep = [&](int half_of) {
#pragma unroll
        for (int i = 0; i < loads_a; i++)
#pragma unroll
            for (int j = 0; j < Chunk; j++)
                a_tile[(half_of * Depth + at_k[i] + j) * step_a + at_row[i]] =
                    convert<A>(next_a[i][j]);
#pragma unroll
        for (int i = 0; i < loads_b; i++) {
            const int id = thread + i * Threads;
#pragma unroll
            for (int j = 0; j < Chunk; j++)
                b_tile[(half_of * Depth + id % parts * Chunk + j) * step_b + id / parts] =
                    convert<A>(next_b[i][j]);
        }
    };

    const int mine_row = thread / threads_across * RowsEach;
    const int mine_column = thread % threads_across * ColumnsEach;
    A sum[RowsEach][ColumnsEach] = {};
    if (here.tiles > 0)
        fetch(here.first_tile);
    for (i32 t = 0; t < here.tiles; t++) {
        keep(t & 1);
        __syncthreads();
        if (t + 1 < here.tiles)
            fetch(here.first_tile + t + 1);
        const A* const a = a_tile + (t & 1) * Depth * step_a + mine_row;
        const A* const b = b_tile + (t & 1) * Depth * step_b + mine_column;
#pragma unroll
        for (int k = 0; k < Depth; k++) {
            const vec<A, RowsEach> va = load<RowsEach>(a + k * step_a);
            const vec<A, ColumnsEach> vb = load<ColumnsEach>(b + k * step_b);
#pragma unroll
            for (int i = 0; i < RowsEach; i++)
#pragma unroll
                for (int j = 0; j < ColumnsEach; j++)
                    sum[i][j] += va[i] * vb[j];
        }
    }
    __syncthreads();
    constexpr int step = Columns + 1;
    A* const tile = reinterpret_cast<A*>(memory);
#pragma unroll
    for (int i = 0; i < RowsEach; i++)
#pragma unroll
        for (int j = 0; j < ColumnsEach; j++)
            tile[(mine_row + i) * step + mine_column + j] = sum[i][j];
    __syncthreads();
    conv_write<R, Last, Split, Rows, Columns, Threads>(tile, step, here, y, partial, p, e);
}

// Weights in the order that the tiles read, for those that are not constant.
template <class T>
MGX_DEVICE void conv_pack(const T* w, T* to, const conv_pack_params& q) {
    for (u64 i = global_thread<u64>(); i < q.count; i += global_threads<u64>()) {
        const u64 row = i / q.k_step;
        const i32 k = static_cast<i32>(i % q.k_step);
        i32 tap = k / q.channels;
        T v{};
        if (k < q.k) {
            i64 from =
                row / q.outputs * q.group + row % q.outputs * q.output + k % q.channels * q.channel;
#pragma unroll
            for (int d = conv_most_axes - 1; d >= 0; d--) {
                from += tap % q.kernel[d] * q.tap[d];
                tap /= q.kernel[d];
            }
            v = w[from];
        }
        to[i] = v;
    }
}

} // namespace mgx
