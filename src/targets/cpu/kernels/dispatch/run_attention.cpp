// SPDX-License-Identifier: MIT
// Blocks of queries for the attention kernel: as large as the kernel takes, equal, and enough for
// all threads; where few queries see many keys, parts of the keys instead.
#include "targets/cpu/kernels/dispatch/run_attention.hpp"

#include "base/parallel.hpp"
#include "base/rounding.hpp"

#include <algorithm>

namespace migraphx::cpu {

namespace {

constexpr int64_t line = 16, panel = 64; // floats, keys: multiples of those of every level
constexpr int64_t worth_threads = 2 * 1000 * 1000; // multiplications

int64_t groups_of(const attention_params& p) {
    return std::max<int64_t>(1, p.batches * (p.heads / p.heads_per_kv));
}

// Parts of the keys of each of `groups` heads of K and V that all threads get as much of as they
// can: the fewest that keep nine threads of ten busy, or those that keep the most.
int64_t key_splits(const attention_params& p, int64_t groups, int64_t threads) {
    constexpr int64_t fewest_keys = 256;
    const int64_t rows = p.heads_per_kv * p.queries;
    const int64_t most = std::min(p.keys / fewest_keys, threads);
    if (most < 2 or groups >= 8 * threads or rows > attention_params::max_block or
        groups * rows * p.keys * (p.q_dim + p.v_dim) < worth_threads / 8)
        return 1;
    int64_t best = 1;
    double busy = 0;
    for (int64_t n = 1; n <= most and busy < 0.9; n++) {
        const int64_t turns = ceil_div(groups * n, threads);
        const double b = double(groups * n) / double(turns * threads);
        if (b > busy) {
            busy = b;
            best = n;
        }
    }
    return best;
}

constexpr int64_t fewest_in_lanes = 9; // queries: with fewer most lanes would be empty

// As many rows to a block as share its keys while they are near, and enough blocks for all threads.
attention_params planned_in_lanes(attention_params p, int64_t rows, int64_t groups, int64_t threads,
                                  const kernel_table& table) {
    constexpr int64_t lanes = 32, usual = 128, most = 256;
    const bool whole = rows <= most and groups >= 4 * threads;
    const int64_t wanted = std::min(ceil_div(4 * threads, groups), ceil_div(rows, lanes));
    const int64_t parts = whole ? 1 : std::max(ceil_div(rows, usual), wanted);
    // Packing costs more than the products save where few rows meet few keys.
    constexpr int64_t fewest = 96;
    p.pairs = p.pairs and table.attention.pairs and rows >= fewest and p.keys >= fewest and
              (p.k_dim == 1 or p.k_row == 1);
    p.in_lanes = true;
    p.block = parts == 1 ? rows : std::min(round_up(ceil_div(rows, parts), lanes), rows);
    p.blocks = ceil_div(rows, p.block);
    p.split_keys = p.keys;
    p.layout = {};
    p.layout.total = table.attention.lane_scratch(p);
    return p;
}

} // namespace

const char* attention_refusal(const attention_params& p) {
    if (p.q_dim > attention_params::max_head or p.v_dim > attention_params::max_head)
        return "head dimension above 256";
    if ((p.mask != nullptr or p.hides != nullptr) and p.mask_key != 0 and p.mask_key != 1)
        return "mask is not contiguous along the keys";
    if (p.heads_per_kv < 1 or p.heads % p.heads_per_kv != 0)
        return "heads are not a multiple of key and value heads";
    return nullptr;
}

attention_params planned_attention(attention_params p, int64_t threads, const kernel_table& table) {
    constexpr int64_t tile_rows = 6; // rows of the register block
    constexpr int64_t most = attention_params::max_block;
    const int64_t kv_heads = groups_of(p);
    const int64_t rows = std::max<int64_t>(1, p.heads_per_kv * p.queries);
    p.splits = key_splits(p, kv_heads, threads);
    if (p.splits == 1 and rows >= fewest_in_lanes)
        return planned_in_lanes(p, rows, kv_heads, threads, table);
    const int64_t wanted = p.splits > 1 ? 1 : ceil_div(threads, kv_heads);
    const int64_t parts =
        std::max(ceil_div(rows, most), std::min(wanted, ceil_div(rows, tile_rows)));
    p.block = std::min(round_up(ceil_div(rows, parts), tile_rows), most);
    p.blocks = ceil_div(rows, p.block);
    p.split_keys = round_up(ceil_div(p.keys, p.splits), panel);
    p.splits = std::max<int64_t>(1, ceil_div(p.keys, std::max<int64_t>(1, p.split_keys)));
    auto& l = p.layout;
    l.keeps = p.blocks > 1;
    const int64_t width = round_up(p.v_dim, line);
    l.keys = round_up(p.block * p.q_dim, line);
    l.values = l.keys + (l.keeps ? round_up(p.keys, panel) : panel) * p.q_dim;
    l.scores = l.values + (l.keeps ? p.keys : attention_params::value_rows) * width;
    l.sums = l.scores + p.block * attention_params::kv_block;
    l.total = l.sums + p.block * width;
    l.partial = round_up(p.block * (width + 2), line);
    return p;
}

int64_t attention_scratch(const attention_params& p, int64_t threads) {
    const int64_t partials = p.splits > 1 ? groups_of(p) * p.blocks * p.splits : 0;
    return p.layout.total * threads + p.layout.partial * partials;
}

void run_attention(const attention_params& given, float* scratch, int64_t threads,
                   const kernel_table& table) {
    auto p = given;
    p.partials = scratch + p.layout.total * threads;
    const int64_t blocks = p.batches * (p.heads / p.heads_per_kv) * p.blocks;
    const int64_t units = blocks * p.splits;
    if (units <= 0 or p.queries <= 0 or p.v_dim <= 0)
        return;
    const int64_t work = blocks * p.block * p.keys * (p.q_dim + p.v_dim);
    const int64_t parts = work < worth_threads ? 1 : std::min(units, threads);
    const auto tiles = p.in_lanes ? table.attention.lane_tiles : table.attention.tiles;
    const auto run = [&](int64_t part, int64_t begin, int64_t end) {
        tiles(p, scratch + part * p.layout.total, begin, end);
    };
    if (not p.causal)
        parallel_shares(units, parts, run);
    else // units are not alike
        parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
            for (auto i = begin; i < end; i++)
                run(i, units * i / parts, units * (i + 1) / parts);
        });
    if (p.splits > 1)
        parallel_for(blocks, std::max<int64_t>(1, 64 * 1024 / (p.layout.partial * p.splits)),
                     [&](int64_t begin, int64_t end) { table.attention.combine(p, begin, end); });
}

} // namespace migraphx::cpu
