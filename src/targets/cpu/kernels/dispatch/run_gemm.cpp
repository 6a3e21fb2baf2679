// SPDX-License-Identifier: MIT
// Splits products over rows and panels of columns.
#include "targets/cpu/kernels/dispatch/run_gemm.hpp"

#include "base/parallel.hpp"

#include <algorithm>

namespace migraphx::cpu {

namespace {

int64_t panels_of(int64_t n, const kernel_table& table) {
    return (n + table.gemm.panel - 1) / table.gemm.panel;
}

} // namespace

int64_t packed_weights_size(int64_t k, int64_t n, const kernel_table& table) {
    return panels_of(n, table) * table.gemm.panel * k;
}

void pack_gemm_weights(const gemm_weights& w, float* to, const kernel_table& table) {
    constexpr int64_t floats_at_once = 64 * 1024;
    parallel_for(
        panels_of(w.n, table),
        std::max<int64_t>(1, floats_at_once / (table.gemm.panel * std::max<int64_t>(1, w.k))),
        [&](int64_t begin, int64_t end) { table.gemm.pack(w, to, begin, end); });
}

// A part of A is to stay in the second cache beside two parts of panels, one of them on its way.
// Measured on 2 MiB: parts of a depth of 768 and blocks of 64 to 128 rows lose nothing. Parts are
// summed on their own, which keeps errors below twice those of the library.
void block_gemm(gemm_params& p, const kernel_table&) {
    constexpr int64_t depth = 768, floats = 64 * 1024;
    const int64_t parts = std::max<int64_t>(1, (p.k + depth - 1) / depth);
    p.block_depth = std::max<int64_t>(1, (p.k + parts - 1) / parts);
    p.block_rows = std::clamp<int64_t>(floats / p.block_depth, 64, 128);
}

void run_gemm(const gemm_params& p, const kernel_table& table) {
    constexpr int64_t grain = 200 * 1000; // multiplications of a unit of parallel work
    const int64_t units = table.gemm.units(p);
    if (units == 0)
        return;
    const int64_t per_unit = std::max<int64_t>(1, p.m * p.n * p.k / units);
    parallel_for(units, std::max<int64_t>(1, grain / per_unit),
                 [&](int64_t begin, int64_t end) { table.gemm.run(p, begin, end); });
}

} // namespace migraphx::cpu
