// SPDX-License-Identifier: MIT
// Splits thin products over columns and batches over items.
#include "targets/cpu/kernels/dispatch/run_small_gemm.hpp"

#include "base/parallel.hpp"

#include <algorithm>

namespace migraphx::cpu {

namespace {

constexpr int64_t gemm_grain = 200 * 1000; // multiplications of a unit of parallel work

int64_t gemm_units(int64_t n, int64_t block) {
    return (n + block - 1) / block;
}

int64_t gemm_units_at_once(int64_t per_unit) {
    return std::max<int64_t>(1, gemm_grain / std::max<int64_t>(1, per_unit));
}

} // namespace

int64_t packed_gemm_size(const small_gemm_params& p, const kernel_table& table) {
    const int64_t panel = table.small_gemm.panel(p.m);
    return gemm_units(p.n, panel) * panel * p.k;
}

void pack_gemm(const small_gemm_params& p, float* to, const kernel_table& table) {
    const int64_t panel = table.small_gemm.panel(p.m);
    parallel_for(gemm_units(p.n, panel), gemm_units_at_once(panel * p.k),
                 [&](int64_t begin, int64_t end) { table.small_gemm.pack(p, to, begin, end); });
}

void run_packed_gemm(const small_gemm_params& p, const kernel_table& table) {
    const int64_t panel = table.small_gemm.panel(p.m);
    if (p.m > 0)
        parallel_for(gemm_units(p.n, panel), gemm_units_at_once(panel * p.k * p.m),
                     [&](int64_t begin, int64_t end) { table.small_gemm.packed(p, begin, end); });
}

bool run_thin_gemm(const small_gemm_params& p, const kernel_table& table) {
    const bool rows = p.b_n == 1;
    if (not rows and (p.b_k != 1 or p.a_k != 1))
        return false;
    if (p.m <= 0)
        return true;
    const int64_t block = rows ? small_gemm_kernels::row_block : small_gemm_kernels::dot_block;
    auto f = rows ? table.small_gemm.rows : table.small_gemm.dots;
    parallel_for(gemm_units(p.n, block), gemm_units_at_once(block * p.k * p.m),
                 [&](int64_t begin, int64_t end) { f(p, begin, end); });
    return true;
}

bool run_batched_gemm(const small_gemm_params& p, const kernel_table& table) {
    if (p.b_n != 1 and p.k > small_gemm_params::tiny)
        return false;
    int64_t items = 1;
    for (int i = 0; i < p.rank; ++i)
        items *= p.lens[i];
    if (p.m > 0 and p.n > 0)
        parallel_for(items, gemm_units_at_once(p.m * p.n * p.k),
                     [&](int64_t begin, int64_t end) { table.small_gemm.batched(p, begin, end); });
    return true;
}

} // namespace migraphx::cpu
