// SPDX-License-Identifier: MIT
// Exponentials of the scores of a strip of keys against a panel of queries, and sums of V weighted
// by them. Queries are lanes, so maxima and totals are plain operations on vectors. For kernel
// files only.
//
// A query's exponentials are 2^(score - shift), where the shift is no maximum: it is near the
// largest score of the first keys, and is raised when a score exceeds it by more than `bound`. So
// almost always scores are turned to exponentials before they leave their registers. The shift is
// an integer: the addition that rounds a score to its power of two subtracts it as well.
#pragma once

#include "targets/cpu/kernels/attention_scores.hpp"
#include "targets/cpu/kernels/paired_tile.hpp"
#include "targets/cpu/kernels/strip_tile.hpp"

namespace migraphx::cpu::KERNEL_ISA {

constexpr int64_t query_panel = 2 * lanes;
constexpr int64_t value_step = lanes == 16 ? 16 : 8; // of strip_rows channels of V, from key to key

// The queries of a panel.
struct panel_state {
    static constexpr float usual_bound = 16; // 2^16 times the first maximum loses nothing
    float pairs[query_panel];                // of products in pairs
    float shift[query_panel];                // minus the shift; 0 while no key was seen
    float bound[query_panel];                // of score - shift; -infinity while no key was seen
    float total[query_panel];                // of exponentials
    int32_t limit[query_panel];              // keys that the query sees
    int64_t count, least_limit, most_limit;
    bool begun; // there are sums
    bool
        quick; // every query has seen a key, and shifts are no larger than quick_exponentials takes
};

// A float of 1.5 * 2^23 and more has its integer in its lowest bits.
constexpr float rounding = 12582912.0f;

struct lane_scores {
    const float* k;    // strip of keys
    const float* q;    // (d, query) at q[d * query_panel + query], scaled
    int64_t depth;     // of a head
    float* to;         // (key, query) at to[key * query_panel + query]
    const float* mask; // beside `to`, in natural units; null: none
    int64_t key;       // the first
    float softcap;     // times log2(e); 0: none
    // To be scaled when a shift is raised:
    const float* first; // exponentials since the sums were made, up to `to`
    float* sums;        // (channel, query)
    int64_t channels;
};

__attribute__((noinline)) static void bound_scores(float* x, int64_t keys, int64_t vectors,
                                                   float softcap) {
    for (int64_t r = 0; r < keys; ++r)
        for (int64_t v = 0; v < vectors; ++v) {
            float* at = x + r * query_panel + v * lanes;
            store(at, tanh(load(at)) * softcap);
        }
}

// Raises the shift of queries whose score - shift, at most top, exceeds the bound.
__attribute__((noinline)) static void raise_shift(const lane_scores& t, panel_state& s,
                                                  int64_t keys, int64_t vectors, const vf* top) {
    for (int64_t v = 0; v < vectors; ++v) {
        const vf bound = load(s.bound + v * lanes);
        const vi over = top[v] > bound;
        const vf more = over ? nearest(top[v]) : vf{};
        const vf factor = bound > -infinity ? power_of_two(-more) : splat(1.0f);
        store(s.shift + v * lanes, load(s.shift + v * lanes) - more);
        store(s.bound + v * lanes, over ? splat(panel_state::usual_bound) : bound);
        store(s.total + v * lanes, load(s.total + v * lanes) * factor);
        for (const float* e = t.first + v * lanes; e < t.to; e += query_panel)
            store(const_cast<float*>(e), load(e) * factor);
        if (s.begun)
            for (int64_t c = 0; c < t.channels; ++c) {
                float* sum = t.sums + c * query_panel + v * lanes;
                store(sum, load(sum) * factor);
            }
        for (int64_t r = 0; r < keys; ++r) {
            float* x = t.to + r * query_panel + v * lanes;
            store(x, load(x) - more);
        }
    }
}

template <int R, int V>
inline void store_scores(const vf (&acc)[R][V], float* to) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v)
            store(to + r * query_panel + v * lanes, acc[r][v]);
}

template <int R, int V>
inline void load_scores(vf (&acc)[R][V], const float* from) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v)
            acc[r][v] = load(from + r * query_panel + v * lanes);
}

// acc = scores of a strip.
template <int R, int V, bool Paired>
MIGRAPHX_VEC_INLINE void multiply_keys(vf (&acc)[R][V], const lane_scores& t,
                                       const panel_state& s) {
    if constexpr (Paired)
        multiply_pairs<R, V>(acc, t.k, t.q, query_panel, s.pairs, t.depth);
    else
        multiply_strip<R, V>(acc, t.k, t.q, query_panel, t.depth, [] {});
}

// Not inlined: accumulators of several tiles in one function would leave their registers.
template <int R, int V, bool Paired>
__attribute__((noinline)) static void score_with_care(const lane_scores& t, panel_state& s) {
    vf acc[R][V] = {};
    multiply_keys<R, V, Paired>(acc, t, s);
    if (t.softcap != 0) {
        store_scores<R, V>(acc, t.to);
        bound_scores(t.to, R, V, t.softcap);
        load_scores<R, V>(acc, t.to);
    }
    // Not where sums begin: all their steps would round like the shift.
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
        const vf shift = load(s.shift + v * lanes);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r)
            acc[r][v] += shift;
    }
    if (t.mask != nullptr)
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v)
                acc[r][v] =
                    fma(load(t.mask + r * query_panel + v * lanes), splat(log2_e), acc[r][v]);
    if (s.least_limit < t.key + R)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
            vi limit;
            __builtin_memcpy(&limit, s.limit + v * lanes, sizeof(limit));
#pragma GCC unroll 16
            for (int r = 0; r < R; ++r)
                acc[r][v] = limit > int32_t(t.key + r) ? acc[r][v] : splat(-infinity);
        }
    vf top[V];
    bool over = false;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
        vf odd = splat(-infinity);
        top[v] = splat(-infinity);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r)
            (r % 2 == 0 ? top[v] : odd) = raw_max(acc[r][v], r % 2 == 0 ? top[v] : odd);
        top[v] = raw_max(top[v], odd);
        over = any(top[v] > load(s.bound + v * lanes)) || over;
    }
    if (__builtin_expect(over, 0)) {
        store_scores<R, V>(acc, t.to);
        raise_shift(t, s, R, V, top);
        load_scores<R, V>(acc, t.to);
        s.quick = true;
        for (int v = 0; v < V; ++v)
            s.quick = s.quick && !any(!(load(s.bound + v * lanes) > -infinity)) &&
                      !any(!(abs(load(s.shift + v * lanes)) < 1048576.0f));
    }
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
        vf sum[2] = {load(s.total + v * lanes), vf{}};
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
            const vf e = power_of_two(acc[r][v]);
            store(t.to + r * query_panel + v * lanes, e);
            sum[r % 2] += e;
        }
        store(s.total + v * lanes, sum[0] + sum[1]);
    }
}

// Of N rows from `first` on, step by step: the processor looks ahead at few instructions, so those
// that do not wait for each other are neighbours.
template <int R, int V, int N>
MIGRAPHX_VEC_INLINE void exponentials_of_rows(const vf (&acc)[R][V], float* to, int first, int v,
                                              vf base, vf low, vi& top, vf (&sum)[2]) {
    vf n[N + 1], f[N + 1], p[N + 1];
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i)
        f[i] = raw_max(acc[first + i][v], low);
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i)
        n[i] = f[i] + base;
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i)
        f[i] -= n[i] - base;
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i)
        p[i] = fma(splat(power_terms[0]), f[i], splat(power_terms[1]));
#pragma GCC unroll 4
    for (int k = 2; k < 6; ++k)
#pragma GCC unroll 4
        for (int i = 0; i < N; ++i)
            p[i] = fma(p[i], f[i], splat(power_terms[k]));
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
        top = bits(n[i]) > top ? bits(n[i]) : top;
        const vf e = from_bits(bits(p[i]) + (bits(n[i]) << 23));
        store(to + (first + i) * query_panel + v * lanes, e);
        sum[i % 2] += e;
    }
}

// Exponentials, stored, and their totals, which stay in s where this returns false: a score exceeds
// its shift by more than the bound. Those below 2^-100 are 2^-100.
template <int R, int V>
MIGRAPHX_VEC_INLINE bool quick_exponentials(const vf (&acc)[R][V], const lane_scores& t,
                                            panel_state& s) {
    constexpr int at_once = 4;
    constexpr float lowest = -100;
    bool over = false;
    vf totals[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
        const vf shift = load(s.shift + v * lanes);
        const vf base = shift + rounding, low = lowest - shift;
        vi top = bits(splat(rounding));
        vf sum[2] = {load(s.total + v * lanes), vf{}};
#pragma GCC unroll 16
        for (int r = 0; r < R / at_once * at_once; r += at_once)
            exponentials_of_rows<R, V, at_once>(acc, t.to, r, v, base, low, top, sum);
        exponentials_of_rows<R, V, R % at_once>(acc, t.to, R - R % at_once, v, base, low, top, sum);
        totals[v] = sum[0] + sum[1];
        over = any(top > bits(splat(rounding + panel_state::usual_bound))) || over;
    }
    if (__builtin_expect(over, 0))
        return false;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v)
        store(s.total + v * lanes, totals[v]);
    return true;
}

template <int R, int V, bool Paired>
__attribute__((noinline)) static void score_strip(const lane_scores& t, panel_state& s) {
    if (s.quick && t.mask == nullptr && t.softcap == 0 && s.least_limit >= t.key + R) {
        vf acc[R][V] = {};
        multiply_keys<R, V, Paired>(acc, t, s);
        if (quick_exponentials<R, V>(acc, t, s))
            return;
    }
    score_with_care<R, V, Paired>(t, s);
}

// Sums over `keys` of R channels of V, (key, channel) at strip[key * value_step + channel], times
// exponentials.
template <int R, int V>
__attribute__((noinline)) static void weigh_strip(const float* strip, const float* exponentials,
                                                  int64_t keys, float* sums, bool begun) {
    vf acc[R][V] = {};
    if (begun)
        load_scores<R, V>(acc, sums);
    multiply_columns<R, V>(acc, strip, value_step, exponentials, query_panel, keys);
    store_scores<R, V>(acc, sums);
}

} // namespace migraphx::cpu::KERNEL_ISA
