// SPDX-License-Identifier: MIT
// Thread counts and the loop over threads.
#include "base/parallel.hpp"

#include "base/cpu_limits.hpp"
#include "base/fetch_ahead.hpp"
#include "base/thread_pool.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>

namespace migraphx {
namespace {

std::atomic<void (*)(int)> follower = nullptr;

void tell_follower(int n) {
    if (auto* set = follower.load(std::memory_order_relaxed))
        set(n);
}

// The first number of OMP_NUM_THREADS ("4" or "4,2"), or 0.
int threads_asked_for() {
    const char* text = std::getenv("OMP_NUM_THREADS");
    std::size_t n = 0;
    if (text != nullptr)
        std::from_chars(text, text + std::strlen(text), n);
    return thread_count(n);
}

} // namespace

int available_processors() {
    static const int count = [] {
        const double quota = cgroup_cpu_quota();
        const int procs = processors_in_set();
        // A part of a processor still needs a thread.
        return quota < procs ? std::max(1, static_cast<int>(quota + 0.999)) : procs;
    }();
    return count;
}

int num_threads() {
    if (const int forced = thread_pool::forced_threads())
        return forced;
    static const int by_default = [] {
        const int asked = threads_asked_for();
        return asked > 0 ? asked : available_processors();
    }();
    return by_default;
}

thread_count_guard::thread_count_guard(int n) : old_forced(thread_pool::forced_threads()) {
    if (n <= 0)
        return;
    thread_pool::force_threads(n);
    tell_follower(n);
}

thread_count_guard::~thread_count_guard() {
    if (old_forced == thread_pool::forced_threads())
        return;
    thread_pool::force_threads(old_forced);
    tell_follower(num_threads());
}

void follow_thread_count(void (*set)(int)) {
    follower = set;
    tell_follower(num_threads());
}

namespace parallel_detail {

bool inside_parallel() {
    return thread_pool::inside_region();
}

namespace {

// One loop, shared by its threads.
struct parallel_job {
    std::int64_t n;
    int parts;
    body f;
    void* context;
    ahead_list ahead;
    std::mutex guard;
    std::exception_ptr error;
};

void run_part(void* shared, int part) {
    auto& job = *static_cast<parallel_job*>(shared);
    const std::int64_t base = job.n / job.parts;
    const std::int64_t extra = job.n % job.parts;
    const std::int64_t begin = part * base + std::min<std::int64_t>(part, extra);
    const fetch_ahead_part fetches(job.ahead, part, job.parts);
    try {
        job.f(job.context, begin, begin + base + (part < extra ? 1 : 0));
    } catch (...) {
        const std::lock_guard<std::mutex> lock(job.guard);
        if (job.error == nullptr)
            job.error = std::current_exception();
    }
}

} // namespace

void run(std::int64_t n, int threads, body f, void* context) {
    parallel_job job{n, threads, f, context, fetch_ahead_guard::current(), {}, nullptr};
    {
        const thread_pool::region all(run_part, &job, threads, thread_pool::order::any);
        run_part(&job, 0);
    }
    if (job.error != nullptr)
        std::rethrow_exception(job.error);
}

} // namespace parallel_detail
} // namespace migraphx
