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
    if (p.mask != nullptr and p.mask_key != 0 and p.mask_key != 1)
        return "mask is not contiguous along the keys";
    if (p.heads_per_kv < 1 or p.heads % p.heads_per_kv != 0)
        return "heads are not a multiple of key and value heads";
    return nullptr;
}

void run_attention(attention_params p, const kernel_table& table) {
    constexpr int64_t tile_rows = 6; // rows of the register block
    const int64_t heads = p.batches * p.heads;
    if (heads <= 0 or p.queries <= 0 or p.v_dim <= 0)
        return;
    const int64_t wanted = (num_threads() + heads - 1) / heads;
    const int64_t parts =
        std::max((p.queries + attention_params::max_block - 1) / attention_params::max_block,
                 std::min(wanted, (p.queries + tile_rows - 1) / tile_rows));
    const int64_t even = (p.queries + parts - 1) / parts;
    p.block = std::min((even + tile_rows - 1) / tile_rows * tile_rows, attention_params::max_block);
    p.blocks = (p.queries + p.block - 1) / p.block;
    const int64_t work = std::max<int64_t>(1, p.block * p.keys * (p.q_dim + p.v_dim));
    parallel_for(heads * p.blocks, std::max<int64_t>(1, 400 * 1000 / work),
                 [&](int64_t begin, int64_t end) { table.attention.tiles(p, begin, end); });
}

} // namespace migraphx::cpu
