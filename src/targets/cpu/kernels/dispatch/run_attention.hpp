// SPDX-License-Identifier: MIT
// Tiled attention, threaded over batches, heads and blocks of queries, or parts of the keys.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

namespace migraphx::cpu {

// Why run_attention cannot take the problem (a head dimension above attention_params::max_head, a
// mask whose step along the keys is neither 0 nor 1), or null when it can.
const char* attention_refusal(const attention_params& p);

// The problem with blocks and scratch memory for so many threads; addresses may come later. `table`
// is that of the run. `pairs`, where set, stays so if the kernel can and it pays.
attention_params planned_attention(attention_params p, int64_t threads,
                                   const kernel_table& table = kernels());

// Floats of scratch memory that run_attention wants for a planned problem.
int64_t attention_scratch(const attention_params& p, int64_t threads);

// A query that sees no key gives 0. `threads` as planned for.
void run_attention(const attention_params& p, float* scratch, int64_t threads,
                   const kernel_table& table = kernels());

} // namespace migraphx::cpu
