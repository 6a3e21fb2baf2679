// SPDX-License-Identifier: MIT
// A strip of packed rows times a part of a panel of weights, and what comes near meanwhile. For
// kernel files only.
#pragma once

#include "base/fetch_ahead.hpp"
#include "targets/cpu/kernels/row_gemm.hpp"
#include "targets/cpu/kernels/strip_tile.hpp"

namespace migraphx::cpu::KERNEL_ISA {

// Memory that is wanted soon and comes near while a tile is summed.
struct tile_fetch {
    // `bytes` from `next` on in equal shares, to the second cache.
    const char* next = nullptr;
    int64_t bytes = 0;
    // And a pair of lines at each of `count` places `step` bytes apart, list after list.
    struct places {
        const char* at;
        int64_t step, count;
    };
    places lists[4] = {}; // the last one is empty
};

// What of it comes near each time that four k are summed: of `next` whole lines, each once, until
// all of it is on its way; and of what later steps read.
class tile_approach {
public:
    MIGRAPHX_VEC_INLINE tile_approach(const tile_fetch& fetch, int64_t depth)
        : next(fetch.next), last(fetch.next + fetch.bytes), place(fetch.lists->at),
          share((fetch.bytes / (depth / 4 + 1) / line + 1) * line), list(fetch.lists),
          step(list->step), places(list->count), ahead(this_thread_ahead()) {
        const int64_t wanted = list[0].count + list[1].count + list[2].count;
        at_once = wanted * 4 / (depth + 1) + 1;
    }
    MIGRAPHX_VEC_INLINE void operator()() {
        if (next < last) {
            for (int64_t i = 0; i < share; i += line)
                __builtin_prefetch(next + i, 0, 2); // to the second level
            next += share;
        }
        for (int64_t i = 0; places > 0 && i < at_once; ++i) {
            __builtin_prefetch(place);
            __builtin_prefetch(place + 64);
            place += step;
            if (--places == 0) {
                ++list;
                place = list->at;
                step = list->step;
                places = list->count;
            }
        }
        if (const char* from = ahead.next; from < ahead.end) {
#pragma GCC unroll 4
            for (int64_t i = 0; i < ahead_lines; ++i)
                __builtin_prefetch(from + i * line, 0, 2);
            ahead.next = from + ahead_lines * line;
        }
    }

private:
    static constexpr int64_t line = 64, ahead_lines = 4;
    const char *next, *last, *place;
    int64_t share;
    const tile_fetch::places* list;
    int64_t step, places, at_once;
    ahead_cursor& ahead;
};

inline const char* bytes(const float* p) {
    return reinterpret_cast<const char*>(p);
}

// The step of the epilogue that adds another value to each of a row, or null.
inline const row_step* added_rows(const row_epilogue& e) {
    for (int i = 0; i < e.count; ++i)
        if (e.steps[i].op >= row_op::add && e.steps[i].channel == 1 && e.steps[i].row != 0)
            return &e.steps[i];
    return nullptr;
}

struct strip_product {
    const float* strip;
    const float* panel; // (k, c) at panel[k * row_panel + c], padded with zeros
    const float* bias;  // row_panel values
    int64_t depth;
    // In parts of the depth, which add to what the result holds and finish with the last.
    bool add, finish;
    const tile_fetch* fetch;
};

template <int R, int V>
MIGRAPHX_VEC_INLINE void add_sums(vf (&acc)[R][V], const tile_place& at) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
            const float* from = at.y + r * at.y_row + v * lanes;
            const int64_t left = at.channels - v * lanes;
            if (left > 0)
                acc[r][v] += left >= lanes ? load(from) : load_first(from, left);
        }
}

template <int R, int V>
MIGRAPHX_VEC_INLINE void store_sums(const vf (&acc)[R][V], const tile_place& at) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
            float* to = at.y + r * at.y_row + v * lanes;
            const int64_t left = at.channels - v * lanes;
            if (left >= lanes)
                store(to, acc[r][v]);
            else if (left > 0)
                store_first(to, acc[r][v], left);
        }
}

template <int R, int V, bool Half>
inline void strip_tile(const strip_product& p, const row_epilogue& e, const tile_place& at) {
    vf acc[R][V];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v)
            acc[r][v] = load(p.bias + v * lanes);
    tile_approach come_near(*p.fetch, p.depth);
    multiply_strip<R, V, Half>(acc, p.strip, p.panel, row_panel, p.depth, come_near);
    if (p.add) // last, so that no sum is longer than a part
        add_sums<R, V>(acc, at);
    if (p.finish)
        finish_tile<R, V>(acc, e, at);
    else
        store_sums<R, V>(acc, at);
}

template <int R>
inline void strip_tile_of(const strip_product& p, const row_epilogue& e, const tile_place& at) {
    with_columns(at.channels, [&](auto v, auto half) {
        strip_tile<R, decltype(v)::value, decltype(half)::value != 0>(p, e, at);
    });
}

// `rows` is at most strip_rows.
inline void multiply_tile(const strip_product& p, const row_epilogue& e, const tile_place& at,
                          int64_t rows) {
    with_rows<strip_rows>(rows, [&](auto r) { strip_tile_of<decltype(r)::value>(p, e, at); });
}

} // namespace migraphx::cpu::KERNEL_ISA
