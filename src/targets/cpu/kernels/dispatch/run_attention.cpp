// SPDX-License-Identifier: MIT
// Blocks of queries for the attention kernel: as large as the kernel takes, equal, and enough for
// all threads.
#include "targets/cpu/kernels/dispatch/run_attention.hpp"

#include "base/parallel.hpp"

#include <algorithm>

namespace migraphx::cpu {

const char* attention_refusal(const attention_params& p) {
    if (p.q_dim > attention_params::max_head or p.v_dim > attention_params::max_head)
        return "head dimension above 256";
    if ((p.mask != nullptr or p.hides != nullptr) and p.mask_key != 0 and p.mask_key != 1)
        return "mask is not contiguous along the keys";
    if (p.heads_per_kv < 1 or p.heads % p.heads_per_kv != 0)
        return "heads are not a multiple of key and value heads";
    return nullptr;
}

attention_params planned_attention(attention_params p, int64_t threads) {
    constexpr int64_t tile_rows = 6; // rows of the register block
    constexpr int64_t most = attention_params::max_block;
    const int64_t kv_heads = std::max<int64_t>(1, p.batches * (p.heads / p.heads_per_kv));
    const int64_t rows = std::max<int64_t>(1, p.heads_per_kv * p.queries);
    const auto up = [](int64_t n, int64_t step) { return (n + step - 1) / step * step; };
    const int64_t wanted = (threads + kv_heads - 1) / kv_heads;
    const int64_t parts =
        std::max((rows + most - 1) / most, std::min(wanted, (rows + tile_rows - 1) / tile_rows));
    p.block = std::min(up((rows + parts - 1) / parts, tile_rows), most);
    p.blocks = (rows + p.block - 1) / p.block;
    constexpr int64_t line = 16, panel = 64; // floats, keys: multiples of those of every level
    auto& l = p.layout;
    l.keeps = p.blocks > 1;
    const int64_t width = up(p.v_dim, line);
    l.keys = up(p.block * p.q_dim, line);
    l.values = l.keys + (l.keeps ? up(p.keys, panel) : panel) * p.q_dim;
    l.scores = l.values + (l.keeps ? p.keys : attention_params::value_rows) * width;
    l.sums = l.scores + p.block * attention_params::kv_block;
    l.total = l.sums + p.block * width;
    return p;
}

void run_attention(const attention_params& p, float* scratch, int64_t threads,
                   const kernel_table& table) {
    const int64_t units = p.batches * (p.heads / p.heads_per_kv) * p.blocks;
    if (units <= 0 or p.queries <= 0 or p.v_dim <= 0)
        return;
    const int64_t work = units * p.block * p.keys * (p.q_dim + p.v_dim);
    const int64_t parts = work < 2 * 1000 * 1000 ? 1 : std::min(units, threads);
    parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
        for (auto i = begin; i < end; i++)
            table.attention.tiles(p, scratch + i * p.layout.total, units * i / parts,
                                  units * (i + 1) / parts);
    });
}

} // namespace migraphx::cpu
