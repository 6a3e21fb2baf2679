// SPDX-License-Identifier: MIT
// Attention of tiles of queries, with the softmax of one pass over the keys (Milakov and Gimelshein,
// "Online normalizer calculation for softmax", 2018; Dao, "FlashAttention-2", 2023).
//
// The queries of all heads that share keys and values are the rows of one matrix. A block takes a
// tile of 16 rows for each of its QueryWarps; its KeyWarps share the keys of each tile among them,
// each with a running maximum, sum and result of its own, which are joined at the end. Blocks may
// share a row's keys as well (`splits`): then each leaves its part in scratch memory for
// attention_combine. Scores are kept in units of log 2, so that weights are powers of 2.
#pragma once
#include "attention_params.cuh"
#include "attention_warps.cuh"

namespace mgx {

// How the scores are changed; types of the mask (void: none) and of the sinks (void: none).
template <class Mask, bool SameForRows, class Sink, bool Capped>
struct attention_form {
    using mask = Mask;
    using sink = Sink;
    static constexpr bool masked = !same<Mask, void>, same_for_rows = SameForRows,
                          drains = !same<Sink, void>, capped = Capped;
};

template <class A>
MGX_DEVICE constexpr A lowest() {
    return same<A, f64> ? static_cast<A>(-1.7976931348623157e308) : static_cast<A>(-3.402823466e38);
}
template <class A>
MGX_DEVICE constexpr A log2_of_e() {
    return static_cast<A>(1.4426950408889634);
}

// What a mask's element adds to a score. One that is finite stays so: a row of lowest numbers
// weighs all its keys alike.
template <class A, class M>
MGX_DEVICE A mask_value(M x) {
    if constexpr (same<M, bool>)
        return x ? A(0) : -infinity<A>();
    else {
        const A m = static_cast<A>(to_compute(x));
        return m >= lowest<A>() ? greatest(m * log2_of_e<A>(), lowest<A>()) : m;
    }
}

// Rows of a matrix in device memory.
struct row_range {
    i64 stride, dim;
    bool vectors; // rows begin at multiples of 16 bytes and are contiguous
};

template <class T>
MGX_DEVICE row_range rows_of(const T* p, i64 batch, i64 head, i64 row, i64 dim) {
    constexpr i64 unit = 16 / sizeof(T);
    const bool aligned = (reinterpret_cast<u64>(p) & 15u) == 0 && dim == 1 &&
                         ((batch | head | row) & (unit - 1)) == 0;
    return {row, dim, aligned};
}

// Count rows of Columns elements to shared memory, Stride elements apart; `at(i)` is row i, null
// where there is none. What lies behind `size` columns is 0.
template <int Threads, int Count, int Columns, int Stride, class T, class At>
MGX_DEVICE void load_rows(T* to, const row_range& from, int first_column, int size, At at) {
    constexpr int unit = 16 / sizeof(T), chunks = Columns / unit;
    static_assert(Columns % unit == 0, "rows of whole vectors");
    const int rank = thread_rank();
    if (from.vectors) {
#pragma unroll 4
        for (int i = rank; i < Count * chunks; i += Threads) {
            const int row = i / chunks, column = i % chunks * unit;
            const T* const p = at(row);
            const int left = (size - column) * static_cast<int>(sizeof(T));
            const int bytes = p == nullptr || left < 0 ? 0 : left < 16 ? left : 16;
            // The address is one of the tensor even where nothing is read.
            copy_16_async(to + row * Stride + column, bytes == 0 ? at.base : p + first_column + column,
                          bytes);
        }
    } else {
        for (int i = rank; i < Count * Columns; i += Threads) {
            const int row = i / Columns, column = i % Columns;
            const T* const p = at(row);
            to[row * Stride + column] =
                p != nullptr && column < size ? p[(first_column + column) * from.dim] : T{};
        }
    }
}

// Rows of keys or values.
template <class T>
struct key_rows {
    const T* base;
    i64 stride;
    int first, end;
    MGX_DEVICE const T* operator()(int i) const {
        return first + i < end ? base + (first + i) * stride : nullptr;
    }
};
// Rows of queries: those of the heads of a group after each other.
template <class T>
struct query_rows {
    const T* base;
    i64 head, stride;
    const fast_div& by_queries;
    int first, end;
    MGX_DEVICE const T* operator()(int i) const {
        if (first + i >= end)
            return nullptr;
        u32 g = static_cast<u32>(first + i);
        const u32 s = by_queries.split(g);
        return base + g * head + s * stride;
    }
};

// What a block works on.
struct attention_place {
    int first_row, batch, kv_head, split, slice;
    int key_begin, key_end;

    template <int Rows>
    static MGX_DEVICE attention_place of(const attention_params& p) {
        attention_place a;
        // The last tiles see most keys under a causal mask, so they begin first.
        u32 n = static_cast<u32>(p.blocks - 1) - blockIdx.x;
        a.first_row = static_cast<int>(p.by_tiles.split(n)) * Rows;
        a.kv_head = static_cast<int>(p.by_kv_heads.split(n));
        a.batch = static_cast<int>(n);
        a.slice = static_cast<int>(blockIdx.y);
        a.split = static_cast<int>(blockIdx.z);
        a.key_begin = a.split * p.split_keys;
        a.key_end = least(a.key_begin + p.split_keys, p.keys);
        if (p.causal != 0) {
            const int last_row = least(a.first_row + Rows, p.rows) - 1;
            const int head = static_cast<int>(p.by_queries.div(static_cast<u32>(a.first_row)));
            const bool several =
                static_cast<int>(p.by_queries.div(static_cast<u32>(last_row))) != head;
            const int last = several ? p.queries - 1 : last_row - head * p.queries;
            a.key_end = least(a.key_end, last + p.keys - p.queries + 1);
        }
        return a;
    }
};

// Parts in scratch memory: for each split and row of all, Columns results that are not yet divided,
// then, behind all of them, the row's maximum and sum.
template <class A>
struct attention_parts {
    A* results;
    A* states;

    MGX_DEVICE attention_parts(void* scratch, const attention_params& p, i64 rows)
        : results(static_cast<A*>(scratch)),
          states(results + static_cast<i64>(p.splits) * rows * p.v_size) {}
};

// The weight with which a part of maximum `own` counts among those of maximum `top`.
template <class A>
MGX_DEVICE A part_weight(A own, A top) {
    return own == -infinity<A>() ? A(0) : power_of_2(own - top);
}

template <class W, class Form, int QueryWarps, int KeyWarps, int Stages>
struct attention_tile {
    using T = typename W::element;
    using A = typename W::sum;
    static constexpr int rows = 16 * QueryWarps, keys = W::keys * KeyWarps,
                         threads = 32 * QueryWarps * KeyWarps;
    static constexpr int outs = W::outs, out_stride = outs + 4; // of A
    static constexpr int q_bytes = rows * W::k_stride * sizeof(T),
                         k_bytes = keys * W::k_stride * sizeof(T),
                         v_bytes = keys * W::v_stride * sizeof(T),
                         own_bytes = W::own_bytes * QueryWarps * KeyWarps;
    static constexpr int tile_bytes = q_bytes + Stages * (k_bytes + v_bytes) + own_bytes;
    static constexpr int join_bytes = KeyWarps * rows * (out_stride + 2) * sizeof(A);
    static constexpr int shared_bytes = tile_bytes > join_bytes ? tile_bytes : join_bytes;

    const attention_params& p;
    const attention_place place;
    unsigned char* const memory;

    MGX_DEVICE T* q_tile() const { return reinterpret_cast<T*>(memory); }
    MGX_DEVICE T* k_tile(int stage) const {
        return reinterpret_cast<T*>(memory + q_bytes + stage * (k_bytes + v_bytes));
    }
    MGX_DEVICE T* v_tile(int stage) const {
        return reinterpret_cast<T*>(memory + q_bytes + stage * (k_bytes + v_bytes) + k_bytes);
    }

    template <class M, class S>
    MGX_DEVICE void run(const T* q, const T* k, const T* v, const M* mask, const S* sink, T* out,
                        void* scratch) const {
        const int warp = thread_rank() / 32, query_warp = warp % QueryWarps,
                  key_warp = warp / QueryWarps;
        const int kv = place.kv_head;
        q += place.batch * p.q_batch + kv * p.group * p.q_head;
        k += place.batch * p.k_batch + kv * p.k_head;
        v += place.batch * p.v_batch + kv * p.v_head;
        const row_range q_rows = rows_of(q, 0, p.q_head, p.q_row, p.q_dim);
        const row_range k_rows = rows_of(k, 0, 0, p.k_row, p.k_dim);
        const row_range v_rows =
            rows_of(v + place.slice * outs * p.v_dim, 0, 0, p.v_row, p.v_dim);

        load_rows<threads, rows, W::size, W::k_stride>(
            q_tile(), q_rows, 0, p.q_size,
            query_rows<T>{q, p.q_head, p.q_row, p.by_queries, place.first_row, p.rows});
        const auto fetch = [&](int first, int stage) {
            load_rows<threads, keys, W::size, W::k_stride>(
                k_tile(stage), k_rows, 0, p.q_size, key_rows<T>{k, p.k_row, first, place.key_end});
            load_rows<threads, keys, outs, W::v_stride>(
                v_tile(stage), v_rows, place.slice * outs, p.v_size - place.slice * outs,
                key_rows<T>{v, p.v_row, first, place.key_end});
        };
        if (place.key_begin < place.key_end)
            fetch(place.key_begin, 0);
        commit_copies();

        W w(q_tile() + query_warp * 16 * W::k_stride,
            memory + q_bytes + Stages * (k_bytes + v_bytes) + warp * W::own_bytes);
        state s;
        s.begin(*this, query_warp, mask);
        int stage = 0;
        for (int first = place.key_begin; first < place.key_end; first += keys) {
            if constexpr (Stages == 2) {
                if (first + keys < place.key_end)
                    fetch(first + keys, 1 - stage);
                commit_copies();
            } else {
                if (first > place.key_begin) {
                    fetch(first, 0);
                    commit_copies();
                }
            }
            const int own = key_warp * W::keys;
            s.load_mask(p, first + own, place.key_end);
            wait_for_copies<Stages - 1>();
            __syncthreads();
            if (first == place.key_begin)
                w.load_queries();
            if (first + own < place.key_end)
                s.step(*this, w, first + own, k_tile(stage) + own * W::k_stride,
                       v_tile(stage) + own * W::v_stride);
            __syncthreads();
            if constexpr (Stages == 2)
                stage = 1 - stage;
        }
        wait_for_copies<0>();
        __syncthreads();
        s.leave(*this, w, query_warp, key_warp);
        __syncthreads();
        if (p.splits > 1)
            write_part(attention_parts<A>(scratch, p, all_rows()));
        else
            write(out, sink);
    }

    // A warp's 16 rows: the running maximum and sum of the rows of each lane, and their results.
    struct state {
        A top[W::lane_rows], total[W::lane_rows], result[W::lane_results];
        using mask_element = typename choose<Form::masked, typename Form::mask, u8>::type;
        static constexpr int mask_rows = Form::same_for_rows ? 1 : W::lane_rows;
        const mask_element* mask[W::lane_rows];
        mask_element of_tile[Form::masked ? mask_rows * W::lane_columns : 1];
        int last_key[W::lane_rows]; // the last that a row sees under a causal mask

        template <class M>
        MGX_DEVICE void begin(const attention_tile& t, int query_warp, const M* m) {
            const attention_params& p = t.p;
#pragma unroll
            for (int i = 0; i < W::lane_results; i++)
                result[i] = 0;
#pragma unroll
            for (int i = 0; i < W::lane_rows; i++) {
                top[i] = -infinity<A>();
                total[i] = 0;
                u32 head = static_cast<u32>(
                    least(t.place.first_row + query_warp * 16 + W::row(i), p.rows - 1));
                const u32 query = p.by_queries.split(head);
                last_key[i] = p.causal != 0 ? static_cast<int>(query) + p.keys - p.queries : p.keys;
                if constexpr (Form::masked)
                    mask[i] = m + t.place.batch * p.mask_batch +
                              (t.place.kv_head * p.group + static_cast<int>(head)) * p.mask_head +
                              query * p.mask_row;
            }
        }

        // The warp's keys from `first` on.
        MGX_DEVICE void step(const attention_tile& t, W& w, int first, const T* k, const T* v) {
            const attention_params& p = t.p;
            A x[W::lane_scores];
            w.scores(k, x);
            if constexpr (Form::capped) {
#pragma unroll
                for (int i = 0; i < W::lane_scores; i++)
                    x[i] = static_cast<A>(p.cap) * tanh(x[i] * static_cast<A>(p.of_cap));
            } else {
                const A scale = static_cast<A>(p.scale);
#pragma unroll
                for (int i = 0; i < W::lane_scores; i++)
                    x[i] *= scale;
            }
            if constexpr (Form::masked)
                add_mask(x);
            if (first + W::keys > t.place.key_end || p.causal != 0) {
#pragma unroll
                for (int j = 0; j < W::lane_columns; j++) {
                    const int key = first + W::column(j);
#pragma unroll
                    for (int i = 0; i < W::lane_rows; i++)
                        if (key >= t.place.key_end || key > last_key[i])
                            x[W::score(i, j)] = -infinity<A>();
                }
            }
#pragma unroll
            for (int i = 0; i < W::lane_rows; i++) {
                A m = top[i];
#pragma unroll
                for (int j = 0; j < W::lane_columns; j++)
                    m = greatest(m, x[W::score(i, j)]);
                m = W::over_row(m, [](A a, A b) { return greatest(a, b); });
                const A base = m == -infinity<A>() ? A(0) : m;
                const A shrink = power_of_2(top[i] - base);
                top[i] = m;
                A sum = 0;
#pragma unroll
                for (int j = 0; j < W::lane_columns; j++) {
                    A& e = x[W::score(i, j)];
                    e = power_of_2(e - base);
                    sum += e;
                }
                total[i] = total[i] * shrink + sum;
#pragma unroll
                for (int j = 0; j < W::lane_outs; j++)
                    result[W::out(i, j)] *= shrink;
            }
            w.add_values(x, v, result);
        }

        // What the mask says of the warp's keys from `first` on; read while the keys are still on
        // their way.
        MGX_DEVICE void load_mask(const attention_params& p, int first, int end) {
            if constexpr (Form::masked) {
#pragma unroll
                for (int j = 0; j < W::lane_columns; j++) {
                    const i64 key = least(first + W::column(j), end - 1);
#pragma unroll
                    for (int i = 0; i < mask_rows; i++)
                        of_tile[i * W::lane_columns + j] = mask[i][key * p.mask_key];
                }
            }
        }
        MGX_DEVICE void add_mask(A* x) const {
#pragma unroll
            for (int j = 0; j < W::lane_columns; j++)
#pragma unroll
                for (int i = 0; i < W::lane_rows; i++)
                    x[W::score(i, j)] += mask_value<A>(
                        of_tile[(Form::same_for_rows ? 0 : i) * W::lane_columns + j]);
        }

        // To shared memory, where the parts of the key warps meet.
        MGX_DEVICE void leave(const attention_tile& t, W&, int query_warp, int key_warp) const {
            A* const results = reinterpret_cast<A*>(t.memory);
            A* const states = results + KeyWarps * rows * out_stride;
#pragma unroll
            for (int i = 0; i < W::lane_rows; i++) {
                const int row = key_warp * rows + query_warp * 16 + W::row(i);
                const A sum = W::over_row(total[i], [](A a, A b) { return a + b; });
                states[2 * row] = top[i];
                states[2 * row + 1] = sum;
#pragma unroll
                for (int j = 0; j < W::lane_outs; j++)
                    results[row * out_stride + W::out_column(j)] = result[W::out(i, j)];
            }
        }
    };

    MGX_DEVICE i64 all_rows() const { return static_cast<i64>(gridDim.x) * rows; }

    // A row of the tile, joined: its maximum, its sum, and `weigh(sum of columns c ..)`.
    struct joined_row {
        A top, total, weight[KeyWarps];
        MGX_DEVICE joined_row(const unsigned char* memory, int row) {
            const A* const states =
                reinterpret_cast<const A*>(memory) + KeyWarps * rows * out_stride + 2 * row;
            top = states[0];
#pragma unroll
            for (int w = 1; w < KeyWarps; w++)
                top = greatest(top, states[2 * w * rows]);
            total = 0;
#pragma unroll
            for (int w = 0; w < KeyWarps; w++) {
                weight[w] = part_weight(states[2 * w * rows], top);
                total += weight[w] * states[2 * w * rows + 1];
            }
        }
        MGX_DEVICE A result(const unsigned char* memory, int row, int column) const {
            const A* const results = reinterpret_cast<const A*>(memory) + row * out_stride + column;
            A sum = 0;
#pragma unroll
            for (int w = 0; w < KeyWarps; w++)
                sum += weight[w] * results[w * rows * out_stride];
            return sum;
        }
    };

    template <class S>
    MGX_DEVICE void write(T* out, const S* sink) const {
        constexpr int unit = 16 / sizeof(T), chunks = outs / unit;
        out += place.batch * p.out_batch;
        const int first_column = place.slice * outs;
        const row_range to = rows_of(out, 0, p.out_head, p.out_row, p.out_dim);
        for (int i = thread_rank(); i < rows * chunks; i += threads) {
            const int row = i / chunks, column = first_column + i % chunks * unit;
            if (place.first_row + row >= p.rows || column >= p.v_size)
                continue;
            u32 head = static_cast<u32>(place.first_row + row);
            const u32 query = p.by_queries.split(head);
            const i64 h = place.kv_head * p.group + static_cast<int>(head);
            joined_row r(memory, row);
            A factor;
            if constexpr (Form::drains)
                factor = share_of(r.top, r.total,
                                  static_cast<A>(to_compute(sink[h * p.sink_head])));
            else
                factor = r.top == -infinity<A>() ? A(0) : A(1) / r.total;
            T* const y = out + h * p.out_head + query * p.out_row + column * p.out_dim;
            vec<T, unit> values;
#pragma unroll
            for (int c = 0; c < unit; c++)
                values[c] = convert<T>(r.result(memory, row, column - first_column + c) * factor);
            if (to.vectors && column + unit <= p.v_size)
                store(y, values);
            else
                for (int c = 0; c < unit; c++)
                    if (column + c < p.v_size)
                        y[c * p.out_dim] = values[c];
        }
    }

    MGX_DEVICE void write_part(const attention_parts<A>& parts) const {
        const i64 first = (static_cast<i64>(place.split) * gridDim.x + blockIdx.x) * rows;
        for (int i = thread_rank(); i < rows * outs; i += threads) {
            const int row = i / outs, column = i % outs, all = place.slice * outs + column;
            if (all >= p.v_size)
                continue;
            const joined_row r(memory, row);
            parts.results[(first + row) * p.v_size + all] = r.result(memory, row, column);
            if (all == 0) {
                parts.states[2 * (first + row)] = r.top;
                parts.states[2 * (first + row) + 1] = r.total;
            }
        }
    }

    // 1 / sum, with the sink as one more score.
    static MGX_DEVICE A share_of(A top, A total, A sink) {
        const A s = sink * log2_of_e<A>();
        if (top == -infinity<A>())
            return 0;
        const A m = greatest(top, s);
        const A weight = part_weight(top, m);
        return weight / (total * weight + part_weight(s, m));
    }
};

// A block for each tile of rows, slice of columns and split of the keys.
template <class Tile, class T, class M, class S>
MGX_DEVICE void attention(const T* q, const T* k, const T* v, const M* mask, const S* sink, T* out,
                          void* scratch, const attention_params& p) {
    MGX_DYNAMIC_SHARED(unsigned char, memory);
    const Tile tile{p, attention_place::of<Tile::rows>(p), memory};
    tile.run(q, k, v, mask, sink, out, scratch);
}

// Joins the splits: a warp for each row; the grid is that of the tiles times their rows.
template <class Tile, class Form, class T, class S>
MGX_DEVICE void attention_combine(const S* sink, T* out, void* scratch,
                                  const attention_params& p) {
    using A = typename Tile::A;
    const i64 all = static_cast<i64>(p.blocks) * Tile::rows;
    const i64 row = static_cast<i64>(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32;
    const int lane = static_cast<int>(threadIdx.x % 32);
    if (row >= all)
        return;
    u32 n = static_cast<u32>(p.blocks - 1) - static_cast<u32>(row / Tile::rows);
    u32 head = p.by_tiles.split(n) * Tile::rows + static_cast<u32>(row % Tile::rows);
    const int kv_head = static_cast<int>(p.by_kv_heads.split(n));
    if (head >= static_cast<u32>(p.rows))
        return;
    const u32 query = p.by_queries.split(head);
    const i64 h = kv_head * p.group + static_cast<int>(head);
    const attention_parts<A> parts(scratch, p, all);
    A top = -infinity<A>(), total = 0;
    for (int s = 0; s < p.splits; s++)
        top = greatest(top, parts.states[2 * (s * all + row)]);
    for (int s = 0; s < p.splits; s++) {
        const A* const state = parts.states + 2 * (s * all + row);
        total += part_weight(state[0], top) * state[1];
    }
    A factor;
    if constexpr (Form::drains)
        factor = Tile::share_of(top, total, static_cast<A>(to_compute(sink[h * p.sink_head])));
    else
        factor = top == -infinity<A>() ? A(0) : A(1) / total;
    out += n * p.out_batch + h * p.out_head + query * p.out_row;
    for (int c = lane; c < p.v_size; c += 32) {
        A sum = 0;
        for (int s = 0; s < p.splits; s++) {
            const i64 at = s * all + row;
            sum += part_weight(parts.states[2 * at], top) * parts.results[at * p.v_size + c];
        }
        out[c * p.out_dim] = convert<T>(sum * factor);
    }
}

} // namespace mgx
