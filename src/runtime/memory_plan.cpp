// SPDX-License-Identifier: MIT
#include "runtime/memory_plan.hpp"

#include <algorithm>
#include <numeric>

namespace migraphx {

memory_layout plan_memory(const std::vector<lifetime>& buffers, std::size_t alignment) {
    memory_layout result;
    result.offsets.assign(buffers.size(), 0);
    std::vector<std::size_t> order(buffers.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](auto a, auto b) { return buffers[a].bytes > buffers[b].bytes; });
    auto rounded = [&](std::size_t n) { return (n + alignment - 1) / alignment * alignment; };

    // Placed buffers by offset; those that live at another time are skipped.
    std::vector<std::size_t> placed;
    for (auto b : order) {
        const auto size = rounded(buffers[b].bytes);
        if (size == 0)
            continue;
        std::size_t best = std::size_t(-1), best_gap = std::size_t(-1), end = 0;
        for (auto p : placed) {
            if (buffers[p].last < buffers[b].first or buffers[b].last < buffers[p].first)
                continue;
            if (result.offsets[p] > end) {
                const auto gap = result.offsets[p] - end;
                if (gap >= size and gap < best_gap) {
                    best = end;
                    best_gap = gap;
                }
            }
            end = std::max(end, result.offsets[p] + rounded(buffers[p].bytes));
        }
        result.offsets[b] = best == std::size_t(-1) ? end : best;
        result.bytes = std::max(result.bytes, result.offsets[b] + size);
        placed.insert(
            std::upper_bound(placed.begin(), placed.end(), b,
                             [&](auto x, auto y) { return result.offsets[x] < result.offsets[y]; }),
            b);
    }
    return result;
}

} // namespace migraphx
