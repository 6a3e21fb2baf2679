// SPDX-License-Identifier: MIT
// Attention of one block of rows, the queries of all heads that share one K and V: a block of keys
// at a time, scores in a buffer that stays in L2, softmax over them with a running maximum, then
// their product with V added to the block's result. Scores are kept times log2(e), so that their
// exponentials are powers of two.
#include "targets/cpu/kernels/attention.hpp"
#include "targets/cpu/kernels/attention_scores.hpp"
#include "targets/cpu/kernels/transpose_tile.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

constexpr int64_t max_rows = attention_params::max_block;
constexpr int64_t kv_block = attention_params::kv_block;
constexpr int64_t value_rows = attention_params::value_rows;
constexpr int64_t few_rows = 3;                  // rows for which K is not worth packing
constexpr int64_t worth_packing = 2 * tile_rows; // rows for which V is

// Keys (at most key_panel) as dim rows of key_panel; missing keys are 0.
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

void copy_row(const float* from, float* to, int64_t n, float scale) {
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes)
        store(to + i, load(from + i) * scale);
    if (i < n)
        store_first(to + i, load_first(from + i, n - i) * scale, n - i);
}

struct attention_block {
    const attention_params& p;
    const float* k;
    const float* v;
    float* const q;
    float* const packed_keys;
    float* const packed_values;
    float* const scores;
    float* const sums;
    const int64_t width;
    int64_t keys_there = 0, values_there = 0; // packed already, of what outlives a block
    int64_t group = -1;                       // whose K and V these are
    float* out[max_rows];
    int64_t limit[max_rows]; // keys that the row sees, of all
    float top[max_rows], total[max_rows];
    score_rows rows;

    attention_block(const attention_params& params, float* scratch)
        : p(params), q(scratch), packed_keys(scratch + p.layout.keys),
          packed_values(scratch + p.layout.values), scores(scratch + p.layout.scores),
          sums(scratch + p.layout.sums), width((p.v_dim + lanes - 1) / lanes * lanes) {}

    // Rows first .. first + count of the flattened (head in group, query) space.
    void start(int64_t batch, int64_t kv, int64_t first, int64_t count) {
        if (const int64_t g = batch * (p.heads / p.heads_per_kv) + kv; g != group) {
            group = g;
            keys_there = values_there = 0;
            k = p.k + batch * p.k_batch + kv * p.k_head;
            v = p.v + batch * p.v_batch + kv * p.v_head;
        }
        rows.count = count;
        const float scale = p.softcap > 0 ? p.scale / p.softcap : p.scale * log2_e;
        for (int64_t r = 0; r < count; ++r) {
            const int64_t head = kv * p.heads_per_kv + (first + r) / p.queries;
            const int64_t query = (first + r) % p.queries;
            copy_row(p.q + batch * p.q_batch + head * p.q_head + query * p.q_row, q + r * p.q_dim,
                     p.q_dim, scale);
            out[r] = p.out + batch * p.out_batch + head * p.out_head + query * p.out_row;
            rows.mask[r] = batch * p.mask_batch + head * p.mask_head + query * p.mask_row;
            const int64_t seen = query + p.causal_offset + 1;
            limit[r] = !p.causal || seen > p.keys ? p.keys : seen < 0 ? 0 : seen;
            // Of a sink's own weight, 2^(sink - top).
            top[r] = p.sink == nullptr ? -infinity : p.sink[head] * log2_e;
            total[r] = p.sink == nullptr ? 0 : 1;
        }
    }

    // Keys that some row of the tile from r on sees, of the block from key j on.
    int64_t seen_by_tile(int64_t r, int64_t j, int64_t keys) const {
        int64_t most = 0;
        for (int64_t i = r; i < rows.count && i < r + tile_rows; ++i)
            most = limit[i] - j > most ? limit[i] - j : most;
        return most < keys ? most : keys;
    }

    // The panel of keys from key j on (a multiple of key_panel when panels are kept).
    const float* panel_of(int64_t j, int64_t n) {
        const float* from = k + j * p.k_row;
        if (!p.layout.keeps) {
            pack_keys(p, from, n, packed_keys);
            return packed_keys;
        }
        float* to = packed_keys + j * p.q_dim;
        if (j >= keys_there) {
            // All that there are: a later block of rows may see more of them.
            pack_keys(p, from, p.keys - j < key_panel ? p.keys - j : key_panel, to);
            keys_there = j + key_panel;
        }
        return to;
    }

    // n rows of V from key j on, and their distance.
    const float* values_of(int64_t j, int64_t n, int64_t& step) {
        const float* from = v + j * p.v_row;
        step = p.v_row;
        // Rows that lie far apart meet in the same sets of L1.
        if (p.v_row == p.v_dim || rows.count < worth_packing)
            return from;
        step = width;
        if (!p.layout.keeps) {
            for (int64_t c = 0; c < n; ++c)
                copy_row(from + c * p.v_row, packed_values + c * width, p.v_dim, 1);
            return packed_values;
        }
        for (; values_there < j + n; ++values_there)
            copy_row(v + values_there * p.v_row, packed_values + values_there * width, p.v_dim, 1);
        return packed_values + j * width;
    }

    void score(int64_t j, int64_t keys, int64_t stride) {
        for (int64_t i = 0; i < rows.count * lanes; ++i)
            rows.tops[i] = -infinity;
        for (int64_t r = 0; r < rows.count; ++r)
            rows.seen[r] = limit[r] - j < 0 ? 0 : limit[r] - j > keys ? keys : limit[r] - j;
        if (p.k_dim == 1 && rows.count <= few_rows) {
            for (int64_t r = 0; r < rows.count; ++r)
                score_by_dots(q + r * p.q_dim, k + j * p.k_row, p.k_row, p.q_dim, keys,
                              scores + r * stride);
            for (int64_t i = 0; i < keys; i += key_panel)
                finish_scores(p, rows, 0, rows.count, scores, stride, j, i,
                              keys - i < key_panel ? keys - i : key_panel);
            return;
        }
        for (int64_t i = 0; i < keys; i += key_panel) {
            const int64_t n = keys - i < key_panel ? keys - i : key_panel;
            const bool in_place = p.k_row == 1 && n == key_panel; // K is transposed already
            const gemm_operands g{q,
                                  p.q_dim,
                                  1,
                                  in_place ? k + j + i : panel_of(j + i, n),
                                  in_place ? p.k_dim : key_panel,
                                  scores + i,
                                  stride,
                                  p.q_dim};
            for (int64_t r = 0; r < rows.count; r += tile_rows)
                if (seen_by_tile(r, j, keys) > i) {
                    auto tile = g;
                    tile.a += r * p.q_dim;
                    tile.c += r * stride;
                    score_tile(p, rows, r, tile, scores, j, i, n);
                }
        }
    }

    void exponentials(int64_t j, int64_t keys, int64_t stride) {
        for (int64_t r = 0; r < rows.count; ++r) {
            const int64_t n = seen_by_tile(r / tile_rows * tile_rows, j, keys);
            const float largest = largest_of(load(rows.tops + r * lanes));
            const float new_top = largest > top[r] ? largest : top[r];
            const float shift = new_top == -infinity ? 0.0f : new_top; // nothing seen yet
            const float factor =
                j == 0 && p.sink == nullptr ? 0.0f : power_of_two(splat(top[r] - shift))[0];
            total[r] = total[r] * factor + power_row(scores + r * stride, n, shift);
            top[r] = new_top;
            if (j > 0 && factor != 1)
                for (int64_t c = 0; c < width; c += lanes)
                    store(sums + r * width + c, load(sums + r * width + c) * factor);
        }
    }

    void weigh_values(int64_t j, int64_t keys, int64_t stride) {
        for (int64_t i = 0; i < keys; i += value_rows) {
            const int64_t n = keys - i < value_rows ? keys - i : value_rows;
            int64_t step;
            const float* from = values_of(j + i, n, step);
            for (int64_t r = 0; r < rows.count; r += tile_rows) {
                const int64_t seen = seen_by_tile(r, j, keys) - i;
                const int64_t depth = seen < n ? seen : n;
                if (depth > 0)
                    gemm_block({scores + r * stride + i, stride, 1, from, step, sums + r * width,
                                width, depth},
                               rows.count - r < tile_rows ? rows.count - r : tile_rows, p.v_dim,
                               j + i > 0);
            }
        }
    }

    void finish() {
        for (int64_t r = 0; r < rows.count; ++r) {
            // 0: it saw no key.
            const float factor = total[r] == 0 ? 0.0f : 1.0f / total[r];
            copy_row(sums + r * width, out[r], p.v_dim, factor);
        }
    }

    void run() {
        int64_t last = 0;
        for (int64_t r = 0; r < rows.count; ++r)
            last = limit[r] > last ? limit[r] : last;
        for (int64_t r = 0; r < rows.count; r += tile_rows)
            if (seen_by_tile(r, 0, p.keys) == 0)
                for (int64_t i = r * width; i < (r + tile_rows) * width && i < rows.count * width;
                     ++i)
                    sums[i] = 0;
        const int64_t parts = (last + kv_block - 1) / kv_block;
        const int64_t even = parts == 0 ? 0 : (last + parts - 1) / parts;
        const int64_t step = (even + key_panel - 1) / key_panel * key_panel;
        for (int64_t j = 0; j < last; j += step) {
            const int64_t keys = last - j < step ? last - j : step;
            const int64_t stride = (keys + lanes - 1) / lanes * lanes;
            score(j, keys, stride);
            exponentials(j, keys, stride);
            weigh_values(j, keys, stride);
        }
        finish();
    }
};

void tiles(const attention_params& p, float* scratch, int64_t begin, int64_t end) {
    attention_block block{p, scratch};
    const int64_t kv_heads = p.heads / p.heads_per_kv, all = p.heads_per_kv * p.queries;
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t first = unit % p.blocks * p.block;
        block.start(unit / p.blocks / kv_heads, unit / p.blocks % kv_heads, first,
                    all - first < p.block ? all - first : p.block);
        block.run();
    }
}

} // namespace

void fill_attention(attention_kernels& table) {
    table.tiles = tiles;
}

} // namespace migraphx::cpu::KERNEL_ISA
