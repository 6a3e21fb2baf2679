// SPDX-License-Identifier: MIT
// Splits normalisations over threads by rows or groups.
#include "targets/cpu/kernels/dispatch/run_norm.hpp"

#include "base/parallel.hpp"

#include <algorithm>

namespace migraphx::cpu {

namespace {
constexpr int64_t norm_grain = 32 * 1024; // elements of a unit of parallel work
}

void run_norm_rows(const norm_params& p, int64_t rows, const kernel_table& table) {
    if (p.n <= 0)
        return;
    parallel_for(rows, std::max<int64_t>(1, norm_grain / p.n),
                 [&](int64_t begin, int64_t end) { table.norm.rows(p, begin, end); });
}

void run_norm_groups(norm_params p, int64_t images, int64_t groups, int64_t channels, int64_t inner,
                     const kernel_table& table) {
    p.channels = channels;
    p.units_per_image = groups;
    p.n = inner;
    if (channels * inner <= 0)
        return;
    parallel_for(images * groups, std::max<int64_t>(1, norm_grain / (channels * inner)),
                 [&](int64_t begin, int64_t end) { table.norm.groups(p, begin, end); });
}

} // namespace migraphx::cpu
