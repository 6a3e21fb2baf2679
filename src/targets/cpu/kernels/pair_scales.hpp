// SPDX-License-Identifier: MIT
// What makes queries and keys about as large, for scores by products in pairs. For kernel files
// only.
#pragma once

#include "targets/cpu/kernels/attention_places.hpp"
#include "targets/cpu/kernels/attention_scores.hpp"
#include "targets/cpu/kernels/paired_tile.hpp"

namespace migraphx::cpu::KERNEL_ISA {

inline float score_scale(const attention_params& p) {
    return p.softcap > 0 ? p.scale / p.softcap : p.scale * log2_e;
}

// The largest magnitude as bits, above those of infinity if there is a NaN, of `rows` rows.
inline int32_t largest_bits(const float* from, int64_t row, int64_t rows, int64_t n) {
    vi most{};
    for (int64_t r = 0; r < rows; ++r, from += row)
        for (int64_t i = 0; i < n; i += lanes) {
            const vi x = bits(abs(n - i < lanes ? load_first(from + i, n - i) : load(from + i)));
            most = x > most ? x : most;
        }
    int32_t largest = 0;
    for (int i = 0; i < lanes; ++i)
        largest = most[i] > largest ? most[i] : largest;
    return largest;
}

// Powers of two that make scaled queries and keys of the heads that share a K about as large.
struct pair_scales {
    bool paired; // both are finite, and so are products of their sums
    float queries, keys;
};

inline pair_scales pair_factors(const attention_params& p, const block_place& at) {
    int32_t q = 0;
    for (int64_t h = at.kv * p.heads_per_kv; h < (at.kv + 1) * p.heads_per_kv; ++h) {
        const int32_t x =
            largest_bits(p.q + at.batch * p.q_batch + h * p.q_head, p.q_row, p.queries, p.q_dim);
        q = x > q ? x : q;
    }
    const float* keys = p.k + at.batch * p.k_batch + at.kv * p.k_head;
    const int32_t k = p.k_dim == 1 ? largest_bits(keys, p.k_row, p.keys, p.q_dim)
                                   : largest_bits(keys, p.k_dim, p.q_dim, p.keys);
    const float scale = score_scale(p);
    int32_t s;
    __builtin_memcpy(&s, &scale, sizeof(s));
    const auto exponent = [](int32_t x) { return ((x & 0x7fffffff) >> 23) - 127; };
    const int of_queries = exponent(q) + exponent(s), of_keys = exponent(k);
    if (of_queries > most_exponent || of_keys > most_exponent || of_queries < -most_exponent ||
        of_keys < -most_exponent)
        return {false, 1, 1};
    const int n = (of_keys - of_queries) / 2;
    return {true, power_of_two(n), power_of_two(-n)};
}

} // namespace migraphx::cpu::KERNEL_ISA
