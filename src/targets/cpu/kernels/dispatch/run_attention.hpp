// SPDX-License-Identifier: MIT
// Tiled attention, threaded over batches, heads and blocks of queries.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

namespace migraphx::cpu {

// Why run_attention cannot take the problem (a head dimension above attention_params::max_head, a
// mask whose step along the keys is neither 0 nor 1), or null when it can.
const char* attention_refusal(const attention_params& p);

// Chooses block and blocks itself. A query that sees no key gives 0.
void run_attention(attention_params p, const kernel_table& table = kernels());

} // namespace migraphx::cpu
