// SPDX-License-Identifier: MIT
// Gathers and scatters, threaded where order does not matter. Each returns -1, or the position in
// the index list of the first index out of range; then nothing was written.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstdint>

namespace migraphx::cpu {

// `outer` slices of x.
[[nodiscard]] int64_t run_gather(const gather_params& p, int64_t outer,
                                 const kernel_table& table = kernels());

// Rank 1 to 8. The product of lens is idx.count.
[[nodiscard]] int64_t run_gather_elements(const index_walk_params& p,
                                          const kernel_table& table = kernels());

[[nodiscard]] int64_t run_gather_tuples(const index_tuple_params& p,
                                        const kernel_table& table = kernels());

// Applied to p.tensor in place, in the order of the indices.
[[nodiscard]] int64_t run_scatter_elements(const index_walk_params& p, scatter_op op,
                                           const kernel_table& table = kernels());

[[nodiscard]] int64_t run_scatter_tuples(const index_tuple_params& p, scatter_op op,
                                         const kernel_table& table = kernels());

} // namespace migraphx::cpu
