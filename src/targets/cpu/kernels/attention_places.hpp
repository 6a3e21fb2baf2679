// SPDX-License-Identifier: MIT
// Which queries are a unit of attention's work. For kernel files only.
#pragma once

#include "targets/cpu/kernels/attention.hpp"

namespace migraphx::cpu::KERNEL_ISA {

// A row of the flattened (head in group, query) space of heads that share one K and V.
struct row_place {
    int64_t head, query;
    row_place(const attention_params& p, int64_t kv, int64_t row)
        : head(kv * p.heads_per_kv + row / p.queries), query(row % p.queries) {}
    float* out(const attention_params& p, int64_t batch) const {
        return p.out + batch * p.out_batch + head * p.out_head + query * p.out_row;
    }
};

// Where unit u's rows are, parts of the keys aside.
struct block_place {
    int64_t batch, kv, first, count;
    block_place(const attention_params& p, int64_t u) {
        const int64_t kv_heads = p.heads / p.heads_per_kv, all = p.heads_per_kv * p.queries;
        batch = u / p.blocks / kv_heads;
        kv = u / p.blocks % kv_heads;
        first = u % p.blocks * p.block;
        count = all - first < p.block ? all - first : p.block;
    }
};

} // namespace migraphx::cpu::KERNEL_ISA
