// SPDX-License-Identifier: MIT
// Attention of one block of queries: scores of up to 512 keys at a time in a buffer that stays in
// L2, softmax over them with a running maximum, then their product with V added to the block's
// result.
#include "targets/cpu/kernels/attention.hpp"
#include "targets/cpu/kernels/micro_gemm.hpp"
#include "targets/cpu/kernels/transpose_tile.hpp"
#include "targets/cpu/kernels/vec_math.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

constexpr int64_t max_rows = attention_params::max_block;
constexpr int64_t max_dim = attention_params::max_head;
constexpr int64_t kv_block = attention_params::kv_block;
constexpr int64_t key_panel = tile_vectors * lanes; // keys whose transposed block is packed at once
constexpr int64_t value_rows = 96;                  // rows of V used by all rows of a block in turn

struct attention_head {
    const float* q;
    const float* k;
    const float* v;
    const float* mask;
    const float* sink;
    float* out;
};

// K block (keys <= key_panel) as dim rows of key_panel; missing keys are 0.
void pack_keys(const attention_params& p, const float* k, int64_t keys, float* to) {
    if (keys < key_panel)
        for (int64_t i = 0; i < p.q_dim * key_panel; ++i)
            to[i] = 0;
    if (p.k_dim == 1) {
        transpose_floats(k, p.k_row, to, key_panel, p.q_dim, keys);
        return;
    }
    for (int64_t d = 0; d < p.q_dim; ++d)
        for (int64_t j = 0; j < keys; ++j)
            to[d * key_panel + j] = k[j * p.k_row + d * p.k_dim];
}

// Scores of few rows without packing: one dot product after the other.
void score_by_dots(const attention_params& p, const float* q, const float* k, int64_t rows,
                   int64_t keys, float* scores, int64_t stride) {
    const int64_t full = p.q_dim / lanes * lanes;
    const int64_t rest = p.q_dim - full;
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t j = 0; j < keys; ++j) {
            const float* a = q + r * p.q_row;
            const float* b = k + j * p.k_row;
            vf sum{};
            for (int64_t d = 0; d < full; d += lanes)
                sum = fma(load(a + d), load(b + d), sum);
            if (rest > 0)
                sum = fma(load_first(a + full, rest), load_first(b + full, rest), sum);
            scores[r * stride + j] = sum_of(sum);
        }
}

void score_block(const attention_params& p, const float* q, const float* k, int64_t rows,
                 int64_t keys, float* scores, int64_t stride, float* packed) {
    if (p.k_dim == 1 && rows <= 2) {
        score_by_dots(p, q, k, rows, keys, scores, stride);
        return;
    }
    for (int64_t j = 0; j < keys; j += key_panel) {
        const int64_t n = keys - j < key_panel ? keys - j : key_panel;
        const float* b = k + j * p.k_row;
        gemm_operands g{q, p.q_row, 1, b, p.k_dim, scores + j, stride, p.q_dim};
        if (p.k_row == 1 && n == key_panel) { // K is transposed already
            gemm_panel<tile_vectors, false>(g, rows, false, lanes);
            continue;
        }
        pack_keys(p, b, n, packed);
        g.b = packed;
        g.b_row = key_panel;
        gemm_block(g, rows, (n + lanes - 1) / lanes * lanes, false);
    }
}

// Rows of scores, not yet scaled, into bounded ones.
void bound_scores(float* s, int64_t n, float scale, float cap) {
    for (int64_t i = 0; i < n; i += lanes)
        store(s + i, tanh(load(s + i) * (scale / cap)) * cap);
}

// One row of scores into probabilities not yet divided by their sum. Returns the factor for earlier
// results.
float softmax_step(float* s, int64_t n, int64_t seen, const float* mask, int64_t mask_key,
                   float scale, float& top, float& total) {
    // Keys from `seen` on are hidden.
    vf m = splat(-infinity);
    int64_t i = 0;
    for (; i + lanes <= seen; i += lanes) {
        vf x = load(s + i) * scale;
        if (mask != nullptr)
            x += mask_key != 0 ? load(mask + i) : splat(*mask);
        store(s + i, x);
        m = raw_max(x, m);
    }
    for (; i < n; i += lanes) {
        const int64_t left = seen - i < 0 ? 0 : seen - i;
        vf x = load(s + i) * scale;
        if (mask != nullptr)
            x += mask_key != 0 ? load_first(mask + i, left) : splat(*mask);
        x = iota() < int32_t(left) ? x : splat(-infinity);
        store(s + i, x);
        m = raw_max(x, m);
    }
    const float largest = largest_of(m);
    const float new_top = largest > top ? largest : top;
    const float shift = new_top == -infinity ? 0.0f : new_top; // nothing seen yet
    vf sum[2] = {};
    for (i = 0; i + 2 * lanes <= n; i += 2 * lanes)
        for (int k = 0; k < 2; ++k) {
            const vf e = exp(load(s + i + k * lanes) - shift);
            store(s + i + k * lanes, e);
            sum[k] += e;
        }
    for (; i < n; i += lanes) {
        const vf e = exp(load(s + i) - shift);
        store(s + i, e);
        sum[0] += e;
    }
    const float factor = exp(splat(top - shift))[0];
    total = total * factor + sum_of(sum[0] + sum[1]);
    top = new_top;
    return factor;
}

void attend_block(const attention_params& p, const attention_head& h, int64_t first, int64_t rows) {
    alignas(64) float scores[max_rows * kv_block];
    alignas(64) float packed[max_dim * key_panel];
    alignas(64) float sums[max_rows * max_dim];
    float top[max_rows], total[max_rows];
    const int64_t width = (p.v_dim + lanes - 1) / lanes * lanes;
    for (int64_t r = 0; r < rows; ++r) {
        // Of a sink's own weight, exp(sink - top).
        top[r] = h.sink == nullptr ? -infinity : *h.sink;
        total[r] = h.sink == nullptr ? 0 : 1;
    }
    int64_t last = p.keys;
    if (p.causal && first + rows + p.causal_offset < last)
        last = first + rows + p.causal_offset;
    if (last <= 0)
        for (int64_t i = 0; i < rows * width; ++i)
            sums[i] = 0;
    const float* q = h.q + first * p.q_row;
    const float scale = p.softcap > 0 ? 1 : p.scale;
    for (int64_t j = 0; j < last; j += kv_block) {
        const int64_t keys = last - j < kv_block ? last - j : kv_block;
        const int64_t stride = (keys + lanes - 1) / lanes * lanes;
        score_block(p, q, h.k + j * p.k_row, rows, keys, scores, stride, packed);
        if (p.softcap > 0)
            bound_scores(scores, rows * stride, p.scale, p.softcap);
        for (int64_t r = 0; r < rows; ++r) {
            int64_t seen = keys;
            if (p.causal) {
                seen = first + r + p.causal_offset + 1 - j;
                seen = seen < 0 ? 0 : seen > keys ? keys : seen;
            }
            const float* mask =
                h.mask == nullptr ? nullptr : h.mask + (first + r) * p.mask_row + j * p.mask_key;
            const float factor = softmax_step(scores + r * stride, stride, seen, mask, p.mask_key,
                                              scale, top[r], total[r]);
            if (j > 0)
                for (int64_t c = 0; c < width; c += lanes)
                    store(sums + r * width + c, load(sums + r * width + c) * factor);
        }
        // A piece of V at a time stays in L1 while all rows pass over it.
        for (int64_t i = 0; i < keys; i += value_rows)
            gemm_block({scores + i, stride, 1, h.v + (j + i) * p.v_row, p.v_row, sums, width,
                        keys - i < value_rows ? keys - i : value_rows},
                       rows, p.v_dim, j + i > 0);
    }
    for (int64_t r = 0; r < rows; ++r) {
        float* to = h.out + (first + r) * p.out_row;
        const float factor = total[r] > 0 ? 1.0f / total[r] : 0.0f; // 0: it saw no key
        int64_t c = 0;
        for (; c + lanes <= p.v_dim; c += lanes)
            store(to + c, load(sums + r * width + c) * factor);
        if (c < p.v_dim)
            store_first(to + c, load_first(sums + r * width + c, p.v_dim - c) * factor,
                        p.v_dim - c);
    }
}

void tiles(const attention_params& p, int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t first = unit % p.blocks * p.block;
        const int64_t head = unit / p.blocks % p.heads;
        const int64_t batch = unit / p.blocks / p.heads;
        const int64_t kv = head / p.heads_per_kv;
        const attention_head h{
            p.q + batch * p.q_batch + head * p.q_head,
            p.k + batch * p.k_batch + kv * p.k_head,
            p.v + batch * p.v_batch + kv * p.v_head,
            p.mask == nullptr ? nullptr : p.mask + batch * p.mask_batch + head * p.mask_head,
            p.sink == nullptr ? nullptr : p.sink + head,
            p.out + batch * p.out_batch + head * p.out_head};
        attend_block(p, h, first, p.queries - first < p.block ? p.queries - first : p.block);
    }
}

} // namespace

void fill_attention(attention_kernels& table) {
    table.tiles = tiles;
}

} // namespace migraphx::cpu::KERNEL_ISA
