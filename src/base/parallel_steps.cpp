// SPDX-License-Identifier: MIT
// Loops of many short steps. Nobody hands a step out: each thread tells in a word of its own which
// steps it has done, and all look at the words of the others. Helpers join when they are there; the
// caller decides that, a step ahead, so that all count the same parts.
#include "base/parallel.hpp"
#include "base/pause.hpp"
#include "base/thread_pool.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <sched.h>

namespace migraphx::parallel_detail {
namespace {

using clock = std::chrono::steady_clock;

// Whoever waits for longer lets other threads have the processor …
constexpr std::chrono::microseconds patience{20};
// … and after this long the processors have too much to do for short steps.
constexpr std::chrono::microseconds crowded{100};

constexpr int most_parts = 16;

// How long it took until `done` held.
template <class Done>
clock::duration wait_for(Done done) {
    for (int i = 0; i < 64; ++i) {
        if (done())
            return {};
        pause();
    }
    const auto start = clock::now();
    while (not done()) {
        pause();
        if (clock::now() - start > patience)
            sched_yield();
    }
    return clock::now() - start;
}

// What a part tells the others; each has a line of memory.
struct alignas(64) part_state {
    std::atomic<std::int64_t> done = 0;   // steps
    std::atomic<int> counts[2] = {1, 1};  // of the caller: parts of step s in place s % 2
    std::atomic<bool> is_there = false;   // waits to be let in
    std::atomic<std::int64_t> first = -1; // step from which on it takes part; none: never
    int before = 1;                       // parts of the step before `first`
};

constexpr std::int64_t none = -2;

struct step_job {
    std::int64_t steps;
    int most;
    step_body f;
    void* context;
    std::array<part_state, most_parts> parts;

    bool did(int part, std::int64_t steps_done) const {
        return parts[std::size_t(part)].done.load(std::memory_order_acquire) >= steps_done;
    }
};

void lead(step_job& job) {
    auto& own = job.parts[0];
    bool open = true;
    int now = 1, admitted = 1;
    for (std::int64_t s = 0; s < job.steps; ++s) {
        job.f(job.context, s, 0, now);
        int next = open ? now : 1;
        const bool last = s + 1 == job.steps;
        while (open and not last and next < job.most and
               job.parts[std::size_t(next)].is_there.load(std::memory_order_relaxed)) {
            auto& guest = job.parts[std::size_t(next++)];
            guest.before = now;
            guest.first.store(s + 1, std::memory_order_release);
            admitted = next;
        }
        own.counts[(s + 1) % 2].store(last ? 0 : next, std::memory_order_relaxed);
        own.done.store(s + 1, std::memory_order_release);
        clock::duration waited{};
        for (int i = 1; i < now; ++i)
            waited = std::max(waited, wait_for([&] { return job.did(i, s + 1); }));
        open = open and waited < crowded;
        now = next;
        if (not open or last)
            for (; admitted < job.most; ++admitted)
                job.parts[std::size_t(admitted)].first.store(none, std::memory_order_release);
    }
}

void follow(void* shared, int number) {
    auto& job = *static_cast<step_job*>(shared);
    auto& own = job.parts[std::size_t(number)];
    const auto& caller = job.parts[0];
    own.is_there.store(true, std::memory_order_relaxed);
    std::int64_t s = -1;
    wait_for([&] { return (s = own.first.load(std::memory_order_acquire)) != -1; });
    if (s == none)
        return;
    int before = own.before;
    for (;; ++s) {
        wait_for([&] { return job.did(0, s); });
        // Of step s, or of a later one where this part is no longer asked for.
        const int now = caller.counts[s % 2].load(std::memory_order_relaxed);
        if (now <= number)
            return;
        for (int i = 1; i < before; ++i)
            wait_for([&] { return job.did(i, s); });
        job.f(job.context, s, number, now);
        own.done.store(s + 1, std::memory_order_release);
        before = now;
    }
}

} // namespace

void run_steps(std::int64_t steps, int most, step_body f, void* context) {
    step_job job{steps, std::min(most, most_parts), f, context, {}};
    const thread_pool::region all(follow, &job, job.most, thread_pool::order::any);
    lead(job);
}

} // namespace migraphx::parallel_detail
