// SPDX-License-Identifier: MIT
#include "runtime/fetch_plan.hpp"

#include "ops/cost.hpp"

#include <algorithm>
#include <utility>

namespace migraphx {

// Measured on two cores of a Zen 4 that shares its third cache with strangers: memory gives them 35
// GB/s, the third cache 100 of what was fetched shortly before. What is fetched sooner is gone when
// it is wanted. A byte for 14 flops (17 GB/s) is what tiles fetch while they multiply.
void plan_fetches(std::vector<fetching_step>& steps, int threads) {
    constexpr std::int64_t second_cache = 1 << 20; // of a thread
    constexpr std::int64_t kept = 8 << 20;         // bytes that are read between fetch and use
    constexpr std::size_t least = 64 << 10;        // what is less takes no time
    constexpr std::int64_t line = 64;
    constexpr double flops_of_byte = 14;
    constexpr int threads_of_memory = 4; // that it serves so fast
    std::int64_t constants = 0;
    for (const auto& s : steps)
        constants += std::int64_t(s.constants);
    if (threads < 1 or constants <= second_cache * threads)
        return;
    std::vector<std::int64_t> room; // bytes of a share
    for (const auto& s : steps)
        room.push_back(std::int64_t(s.flops / flops_of_byte *
                                    std::min(1.0, double(threads_of_memory) / threads) / threads) /
                       line * line);
    for (std::size_t i = 0; i < steps.size(); i++) {
        const auto& memory = steps[i].streamed;
        if (memory.size() < std::max(least, std::size_t(threads * line)))
            continue;
        const auto share = std::int64_t(memory.size()) / threads / line * line;
        auto wanted = std::min(share, kept / threads / line * line);
        std::int64_t between = 0;
        for (auto j = i; j-- > 0 and wanted > 0 and between < kept;) {
            between += std::int64_t(steps[j].constants);
            const auto n = std::min(wanted, room[j]);
            if (n == 0)
                continue;
            wanted -= n;
            room[j] -= n;
            between += n * threads;
            steps[j].ahead.push_back({memory.data() + wanted, share, n});
        }
    }
}

void plan_fetches(plan_data& plan) {
    std::vector<fetching_step> steps;
    for (const auto& s : plan.steps) {
        held_constants held;
        s.work->add_constants(held);
        fetching_step f{s.work->fetches_ahead() ? cost_of(s.ins).flops : 0, 0, s.work->streamed()};
        for (const auto& [memory, bytes] : held)
            f.constants += bytes;
        steps.push_back(std::move(f));
    }
    plan_fetches(steps, plan.threads);
    for (std::size_t i = 0; i < steps.size(); i++)
        plan.steps[i].ahead = std::move(steps[i].ahead);
}

} // namespace migraphx
