// SPDX-License-Identifier: MIT
// Attention of few rows (many: attention_lanes.cpp). Of one block of rows, the queries of all heads
// that share one K and V: a block of keys at a time, scores in a buffer that stays in L2, softmax
// over them with a running maximum, then their product with V added to the block's result. Scores
// are kept times log2(e), so that their exponentials are powers of two. Keys may be cut into parts,
// whose results are joined at the end.
#include "targets/cpu/kernels/attention.hpp"
#include "targets/cpu/kernels/attention_lanes.hpp"
#include "targets/cpu/kernels/attention_places.hpp"
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
    int64_t from = 0, until = 0; // keys of this part
    int64_t limit[max_rows];     // keys that the row sees, of all
    float top[max_rows], total[max_rows];
    score_rows rows;

    attention_block(const attention_params& params, float* scratch)
        : p(params), q(scratch), packed_keys(scratch + p.layout.keys),
          packed_values(scratch + p.layout.values), scores(scratch + p.layout.scores),
          sums(scratch + p.layout.sums), width((p.v_dim + lanes - 1) / lanes * lanes) {}

    void start(const block_place& place, int64_t part) {
        const int64_t batch = place.batch, kv = place.kv;
        from = part * p.split_keys;
        until = part + 1 < p.splits ? from + p.split_keys : p.keys;
        if (const int64_t g = batch * (p.heads / p.heads_per_kv) + kv; g != group) {
            group = g;
            keys_there = values_there = 0;
            k = p.k + batch * p.k_batch + kv * p.k_head;
            v = p.v + batch * p.v_batch + kv * p.v_head;
        }
        rows.count = place.count;
        const float scale = p.softcap > 0 ? p.scale / p.softcap : p.scale * log2_e;
        const bool drains = p.sink != nullptr && part == 0;
        for (int64_t r = 0; r < rows.count; ++r) {
            const row_place row(p, kv, place.first + r);
            const int64_t head = row.head, query = row.query;
            copy_row(p.q + batch * p.q_batch + head * p.q_head + query * p.q_row, q + r * p.q_dim,
                     p.q_dim, scale);
            out[r] = row.out(p, batch);
            rows.mask[r] = batch * p.mask_batch + head * p.mask_head + query * p.mask_row;
            const int64_t seen = query + p.causal_offset + 1;
            limit[r] = !p.causal || seen > until ? until : seen < 0 ? 0 : seen;
            // Of a sink's own weight, 2^(sink - top).
            top[r] = drains ? p.sink[head] * log2_e : -infinity;
            total[r] = drains ? 1 : 0;
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
            // Nothing is seen yet but, maybe, a sink.
            const float factor =
                top[r] == -infinity ? 0.0f : power_of_two(splat(top[r] - shift))[0];
            total[r] = total[r] * factor + power_row(scores + r * stride, n, shift);
            top[r] = new_top;
            if (j > from && factor != 1)
                for (int64_t c = 0; c < width; c += lanes)
                    store(sums + r * width + c, load(sums + r * width + c) * factor);
        }
    }

    void weigh_values(int64_t j, int64_t keys, int64_t stride) {
        for (int64_t i = 0; i < keys; i += value_rows) {
            const int64_t n = keys - i < value_rows ? keys - i : value_rows;
            int64_t step;
            const float* b = values_of(j + i, n, step);
            for (int64_t r = 0; r < rows.count; r += tile_rows) {
                const int64_t seen = seen_by_tile(r, j, keys) - i;
                const int64_t depth = seen < n ? seen : n;
                if (depth > 0)
                    gemm_block({scores + r * stride + i, stride, 1, b, step, sums + r * width,
                                width, depth},
                               rows.count - r < tile_rows ? rows.count - r : tile_rows, p.v_dim,
                               j + i > from);
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

    // As combine() reads it.
    void leave(float* partial) const {
        for (int64_t i = 0; i < rows.count * width; ++i)
            partial[i] = sums[i];
        float* more = partial + p.block * width;
        for (int64_t r = 0; r < rows.count; ++r) {
            more[r] = top[r];
            more[p.block + r] = total[r];
        }
    }

    void run() {
        int64_t last = from;
        for (int64_t r = 0; r < rows.count; ++r)
            last = limit[r] > last ? limit[r] : last;
        for (int64_t r = 0; r < rows.count; r += tile_rows)
            if (seen_by_tile(r, from, until - from) == 0)
                for (int64_t i = r * width; i < (r + tile_rows) * width && i < rows.count * width;
                     ++i)
                    sums[i] = 0;
        const int64_t all = last - from, parts = (all + kv_block - 1) / kv_block;
        const int64_t even = parts == 0 ? 0 : (all + parts - 1) / parts;
        const int64_t step = (even + key_panel - 1) / key_panel * key_panel;
        for (int64_t j = from; j < last; j += step) {
            const int64_t keys = last - j < step ? last - j : step;
            const int64_t stride = (keys + lanes - 1) / lanes * lanes;
            score(j, keys, stride);
            exponentials(j, keys, stride);
            weigh_values(j, keys, stride);
        }
    }
};

void tiles(const attention_params& p, float* scratch, int64_t begin, int64_t end) {
    attention_block block{p, scratch};
    for (int64_t unit = begin; unit < end; ++unit) {
        block.start(block_place(p, unit / p.splits), unit % p.splits);
        block.run();
        if (p.splits == 1)
            block.finish();
        else
            block.leave(p.partials + unit * p.layout.partial);
    }
}

void combine(const attention_params& p, int64_t begin, int64_t end) {
    const int64_t width = (p.v_dim + lanes - 1) / lanes * lanes;
    for (int64_t unit = begin; unit < end; ++unit) {
        const block_place place(p, unit);
        float* parts = p.partials + unit * p.splits * p.layout.partial;
        const float* tops = parts + p.block * width;
        for (int64_t r = 0; r < place.count; ++r) {
            float top = -infinity;
            for (int64_t s = 0; s < p.splits; ++s) {
                const float t = tops[s * p.layout.partial + r];
                top = t > top ? t : top;
            }
            float total = 0;
            float* sum = parts + r * width; // of the first part
            for (int64_t s = 0; s < p.splits; ++s) {
                const float* part = sum + s * p.layout.partial;
                const float t = tops[s * p.layout.partial + r];
                const float factor = t == -infinity ? 0.0f : power_of_two(splat(t - top))[0];
                total += tops[s * p.layout.partial + p.block + r] * factor;
                for (int64_t c = 0; c < width; c += lanes) {
                    const vf x = load(part + c) * factor;
                    store(sum + c, s == 0 ? x : load(sum + c) + x);
                }
            }
            // 0: it saw no key.
            copy_row(sum, row_place(p, place.kv, place.first + r).out(p, place.batch), p.v_dim,
                     total == 0 ? 0.0f : 1.0f / total);
        }
    }
}

} // namespace

void fill_attention(attention_kernels& table) {
    table.pairs = lanes == 16;
    table.lane_tiles = attention_in_lanes;
    table.lane_scratch = attention_in_lanes_scratch;
    table.tiles = tiles;
    table.combine = combine;
}

} // namespace migraphx::cpu::KERNEL_ISA
