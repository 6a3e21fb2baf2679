// SPDX-License-Identifier: MIT
// Scores of a tile of rows against a panel of keys with mask and limits applied, the maximum of
// each row kept lane by lane, and powers of two over a row. For kernel files only.
#pragma once

#include "targets/cpu/kernels/attention.hpp"
#include "targets/cpu/kernels/micro_gemm.hpp"
#include "targets/cpu/kernels/vec_math.hpp"

namespace migraphx::cpu::KERNEL_ISA {

constexpr int64_t key_panel = tile_vectors * lanes; // keys whose transposed block is packed at once
constexpr float log2_e = 1.44269504f;

// The rows of a block as the scores see them.
struct score_rows {
    int64_t count;
    int64_t mask[attention_params::max_block]; // where the row's mask begins
    int64_t seen[attention_params::max_block]; // keys that the row sees, of the block of keys
    alignas(64) float tops[attention_params::max_block * lanes];
};

// 2^f for f in [-1/2, 1/2], from the highest power down.
constexpr float power_terms[] = {0.001326472731307149f, 0.009671512991189957f, 0.05550733581185341f,
                                 0.24022242426872253f,  0.6931470036506653f,   1.0f};

// 2^x for x up to 126, 0 where that is no normal number: processors take long over others. NaN
// stays.
MIGRAPHX_VEC_INLINE vf power_of_two(vf x) {
    // With AVX-512 lanes that vanish need no bound.
    const vf bounded = MIGRAPHX_VEC_BYTES == 64 ? x : raw_max(splat(-126.0f), x);
    const vf n = nearest(bounded), f = bounded - n;
    vf p = splat(power_terms[0]);
#pragma GCC unroll 5
    for (int i = 1; i < 6; ++i)
        p = fma(p, f, splat(power_terms[i]));
#if MIGRAPHX_VEC_BYTES == 64
    const auto stays = _mm512_cmp_ps_mask(__m512(x), __m512(splat(-126.0f)), _CMP_NLT_UQ);
    return vf(_mm512_maskz_scalef_ps(stays, __m512(p), __m512(n)));
#else
    return x < -126.0f ? vf{} : scale_by_power(p, n);
#endif
}

// n scores become 2^(x - shift); the gap to a whole vector becomes 0. Returns their sum.
inline float power_row(float* s, int64_t n, float shift) {
    vf sum[4] = {};
    int64_t i = 0;
    for (; i + 4 * lanes <= n; i += 4 * lanes)
#pragma GCC unroll 4
        for (int k = 0; k < 4; ++k) {
            const vf e = power_of_two(load(s + i + k * lanes) - shift);
            store(s + i + k * lanes, e);
            sum[k] += e;
        }
    for (; i < n; i += lanes) {
        const vf e = power_of_two(load(s + i) - shift);
        const vf kept = n - i < lanes ? (iota() < int32_t(n - i) ? e : vf{}) : e;
        store(s + i, kept);
        sum[0] += kept;
    }
    return sum_of((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

// One dot product after the other, without packing.
inline void score_by_dots(const float* q, const float* k, int64_t k_row, int64_t dim, int64_t keys,
                          float* scores) {
    const int64_t full = dim / lanes * lanes;
    const int64_t rest = dim - full;
    for (int64_t j = 0; j < keys; ++j) {
        const float* b = k + j * k_row;
        vf sum{};
        for (int64_t d = 0; d < full; d += lanes)
            sum = fma(load(q + d), load(b + d), sum);
        if (rest > 0)
            sum = fma(load_first(q + full, rest), load_first(b + full, rest), sum);
        scores[j] = sum_of(sum);
    }
}

// The first n of a mask's lanes, times log2(e).
MIGRAPHX_VEC_INLINE vf mask_lanes(const attention_params& p, int64_t at, int64_t n) {
    if (p.hides != nullptr) {
        if (p.mask_key == 0)
            return splat(p.hides[at] != 0 ? 0.0f : -infinity);
        return load_first_bytes(p.hides + at, n) != 0 ? vf{} : splat(-infinity);
    }
    return (p.mask_key == 0 ? splat(p.mask[at]) : load_first(p.mask + at, n)) * log2_e;
}

// Stored scores of `count` rows and n keys from key j + i on: bound, mask, limits, maximum. Lanes
// up to the next whole vector become -infinity.
inline void finish_scores(const attention_params& p, score_rows& rows, int64_t first, int64_t count,
                          float* scores, int64_t stride, int64_t j, int64_t i, int64_t n) {
    const bool masked = p.mask != nullptr || p.hides != nullptr;
    for (int64_t r = first; r < first + count; ++r) {
        float* s = scores + r * stride + i;
        const int64_t seen = rows.seen[r] - i < n ? rows.seen[r] - i : n;
        vf top = load(rows.tops + r * lanes);
        for (int64_t c = 0; c < n; c += lanes) {
            vf x = load(s + c);
            if (p.softcap > 0)
                x = tanh(x) * (p.softcap * log2_e);
            if (masked && seen > c)
                x += mask_lanes(p, rows.mask[r] + (j + i + c) * p.mask_key,
                                seen - c < lanes ? seen - c : lanes);
            if (seen - c < lanes)
                x = iota() < int32_t(seen - c) ? x : splat(-infinity);
            store(s + c, x);
            top = raw_max(x, top);
        }
        store(rows.tops + r * lanes, top);
    }
}

enum class score_mask { none, added, hidden };

// Rows r .. r + R of a whole panel that all of them see.
template <int R, score_mask Mask>
inline void score_full_tile(const attention_params& p, score_rows& rows, int64_t r,
                            const gemm_operands& g, int64_t key) {
    vf acc[R][tile_vectors] = {};
    accumulate_tile<R, tile_vectors>(g, acc);
#pragma GCC unroll 8
    for (int k = 0; k < R; ++k) {
        vf top = load(rows.tops + (r + k) * lanes);
        [[maybe_unused]] const int64_t at = rows.mask[r + k] + key;
#pragma GCC unroll 8
        for (int v = 0; v < tile_vectors; ++v) {
            vf x = acc[k][v];
            if constexpr (Mask == score_mask::added)
                x = fma(load(p.mask + at + v * lanes), splat(log2_e), x);
            if constexpr (Mask == score_mask::hidden)
                x = load_bytes(p.hides + at + v * lanes) != 0 ? x : splat(-infinity);
            store(g.c + k * g.c_row + v * lanes, x);
            top = raw_max(x, top);
        }
        store(rows.tops + (r + k) * lanes, top);
    }
}

template <int R>
inline void score_rows_of(const attention_params& p, score_rows& rows, int64_t r,
                          const gemm_operands& g, int64_t key) {
    if (p.hides != nullptr)
        score_full_tile<R, score_mask::hidden>(p, rows, r, g, key);
    else if (p.mask != nullptr)
        score_full_tile<R, score_mask::added>(p, rows, r, g, key);
    else
        score_full_tile<R, score_mask::none>(p, rows, r, g, key);
}

// The tile from row r on against n keys from key j + i on, whose panel g describes.
inline void score_tile(const attention_params& p, score_rows& rows, int64_t r,
                       const gemm_operands& g, float* scores, int64_t j, int64_t i, int64_t n) {
    const int64_t count = rows.count - r < tile_rows ? rows.count - r : tile_rows;
    bool full = n == key_panel && !(p.softcap > 0) &&
                ((p.mask == nullptr && p.hides == nullptr) || p.mask_key == 1);
    for (int64_t k = r; k < r + count; ++k)
        full = full && rows.seen[k] >= i + n;
    if (!full) {
        gemm_block(g, count, (n + lanes - 1) / lanes * lanes, false);
        finish_scores(p, rows, r, count, scores, g.c_row, j, i, n);
        return;
    }
    switch (count) {
    case 1:
        score_rows_of<1>(p, rows, r, g, j + i);
        break;
    case 2:
        score_rows_of<2>(p, rows, r, g, j + i);
        break;
    case 3:
        score_rows_of<3>(p, rows, r, g, j + i);
        break;
    case 4:
        score_rows_of<4>(p, rows, r, g, j + i);
        break;
    case 5:
        score_rows_of<5>(p, rows, r, g, j + i);
        break;
    default:
        score_rows_of<tile_rows>(p, rows, r, g, j + i);
        break;
    }
}

} // namespace migraphx::cpu::KERNEL_ISA
