// SPDX-License-Identifier: MIT
// Checks indices, then runs gathers and scatters.
#include "targets/cpu/kernels/dispatch/run_gather.hpp"

#include "base/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace migraphx::cpu {

namespace {

constexpr int64_t gather_grain_bytes = 128 * 1024;

int64_t check_indices(const kernel_table& table, const index_list& idx, const int64_t* lens,
                      int64_t depth) {
    std::atomic<int64_t> first{INT64_MAX};
    parallel_for(idx.count, 128 * 1024, [&](int64_t begin, int64_t end) {
        const int64_t bad = table.gather.check(idx, lens, depth, begin, end);
        if (bad < 0)
            return;
        int64_t seen = first.load();
        while (bad < seen and not first.compare_exchange_weak(seen, bad)) {
        }
    });
    return first.load() == INT64_MAX ? -1 : first.load();
}

int64_t gather_grain(int64_t unit_bytes) {
    return std::max<int64_t>(1, gather_grain_bytes / std::max<int64_t>(unit_bytes, 8));
}

} // namespace

int64_t run_gather(const gather_params& p, int64_t outer, const kernel_table& table) {
    const int64_t bad = check_indices(table, p.idx, &p.axis_len, 1);
    if (bad >= 0)
        return bad;
    if (p.run > 0)
        parallel_for(outer * p.idx.count, gather_grain(p.run * p.elem),
                     [&](int64_t begin, int64_t end) { table.gather.gather(p, begin, end); });
    return -1;
}

int64_t run_gather_elements(const index_walk_params& p, const kernel_table& table) {
    const int64_t bad = check_indices(table, p.idx, &p.axis_len, 1);
    if (bad >= 0)
        return bad;
    const int64_t n = p.lens[p.rank - 1];
    if (p.idx.count > 0)
        parallel_for(p.idx.count / n, gather_grain(n * 16), [&](int64_t begin, int64_t end) {
            table.gather.gather_elements(p, begin, end);
        });
    return -1;
}

int64_t run_gather_tuples(const index_tuple_params& p, const kernel_table& table) {
    const int64_t bad = check_indices(table, p.idx, p.lens, p.depth);
    if (bad >= 0)
        return bad;
    if (p.run > 0)
        parallel_for(
            p.batches * p.tuples, gather_grain(p.run * elem_size(p.type)),
            [&](int64_t begin, int64_t end) { table.gather.gather_tuples(p, begin, end); });
    return -1;
}

int64_t run_scatter_elements(const index_walk_params& p, scatter_op op, const kernel_table& table) {
    if (not p.skip_outside) {
        const int64_t bad = check_indices(table, p.idx, &p.axis_len, 1);
        if (bad >= 0)
            return bad;
    }
    if (p.idx.count <= 0)
        return -1;
    if (p.axis == 0 or p.rank == 1)
        table.gather.scatter_elements(p, op, 0, 1);
    else
        parallel_for(
            p.lens[0], gather_grain(p.idx.count / p.lens[0] * 16),
            [&](int64_t begin, int64_t end) { table.gather.scatter_elements(p, op, begin, end); });
    return -1;
}

int64_t run_scatter_tuples(const index_tuple_params& p, scatter_op op, const kernel_table& table) {
    const int64_t bad = check_indices(table, p.idx, p.lens, p.depth);
    if (bad < 0 and p.run > 0)
        table.gather.scatter_tuples(p, op);
    return bad;
}

} // namespace migraphx::cpu
