// SPDX-License-Identifier: MIT
// Splits products over rows and panels of columns.
#include "targets/cpu/kernels/dispatch/run_gemm.hpp"

#include "base/parallel.hpp"
#include "base/rounding.hpp"

#include <algorithm>

namespace migraphx::cpu {

namespace {

int64_t panels_of(int64_t n, const kernel_table& table) {
    return ceil_div(n, table.gemm.panel);
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

// A part of A, packed, is to stay in the second cache beside two parts of panels, one of them on
// its way. Measured on 2 MiB: parts of a depth of 768 and blocks of 64 to 128 rows lose nothing.
// Parts are summed on their own, which keeps errors below twice those of the library. Threads that
// share a block pack it each, so there are as many blocks for each thread where that makes none
// small.
void block_gemm(gemm_params& p, int64_t threads, const kernel_table&) {
    constexpr int64_t depth = 768, floats = 96 * 1024, fewest = 64, most = 128;
    const int64_t parts = std::max<int64_t>(1, ceil_div(p.k, depth));
    p.block_depth = std::max<int64_t>(1, ceil_div(p.k, parts));
    const int64_t fitting = std::clamp(floats / p.block_depth, fewest, most);
    const int64_t blocks = std::max<int64_t>(1, ceil_div(p.m, fitting));
    const int64_t even = round_up(blocks, threads);
    p.block_rows = std::max<int64_t>(1, ceil_div(p.m, p.m >= fewest * even ? even : blocks));
}

int64_t gemm_scratch(const gemm_params& p, int64_t threads, const kernel_table& table) {
    return threads * table.gemm.scratch(p);
}

void run_gemm(const gemm_params& p, float* scratch, int64_t threads, const kernel_table& table) {
    constexpr int64_t least = 200 * 1000; // multiplications of a part
    const int64_t units = table.gemm.units(p);
    if (units == 0)
        return;
    const int64_t parts = std::clamp<int64_t>(p.m * p.n * p.k / least, 1, std::min(units, threads));
    const int64_t own = table.gemm.scratch(p);
    parallel_shares(units, parts, [&](int part, int64_t begin, int64_t end) {
        table.gemm.run(p, scratch + part * own, begin, end);
    });
}

} // namespace migraphx::cpu
