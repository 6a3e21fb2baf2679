// SPDX-License-Identifier: MIT
// Loops over several threads, those of the pool (base/thread_pool.hpp), and how many they are.
#ifndef MIGRAPHX_GUARD_BASE_PARALLEL_HPP
#define MIGRAPHX_GUARD_BASE_PARALLEL_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace migraphx {

// How many threads a loop started by this thread uses: a thread_count_guard in force (within a
// part of a loop that of the loop), else OMP_NUM_THREADS, else available_processors().
int num_threads();

// A number that a user asked for, as far as it makes sense; 0: none.
inline int thread_count(std::size_t asked) {
    return asked < 1024 ? static_cast<int>(asked) : 1024;
}

// The processors that this process may use (cpuset and cgroup quota), whatever was asked for.
int available_processors();

// Sets num_threads() of the calling thread while it lives. n <= 0 changes nothing.
class thread_count_guard {
public:
    explicit thread_count_guard(int n);
    thread_count_guard(const thread_count_guard&) = delete;
    thread_count_guard& operator=(const thread_count_guard&) = delete;
    ~thread_count_guard();

private:
    int old_forced;
};

// A library with threads of its own follows thread_count_guard: `set` is called with the number
// that the calling thread shall use.
void follow_thread_count(void (*set)(int));

namespace parallel_detail {

using body = void (*)(void* context, std::int64_t begin, std::int64_t end);

bool inside_parallel();
void run(std::int64_t n, int threads, body f, void* context);

using share_body = void (*)(void* context, int part, std::int64_t begin, std::int64_t end);

void run_shares(std::int64_t n, int threads, share_body f, void* context);

using step_body = void (*)(void* context, std::int64_t step, int part, int parts);

void run_steps(std::int64_t steps, int most, step_body f, void* context);

} // namespace parallel_detail

// Calls f(begin, end) for consecutive parts of [0, n), each of at least `grain` iterations, at most
// num_threads() of them. How many there are does not depend on which threads are free to run them.
// Runs f(0, n) on the calling thread when n <= grain, inside another parallel loop, or when only
// one thread may run. Choose a grain of 20 microseconds or more. The first exception of a part is
// thrown again after all parts ended.
template <class F>
void parallel_for(std::int64_t n, std::int64_t grain, F&& f) {
    if (n <= 0)
        return;
    if (grain < 1)
        grain = 1;
    if (n > grain and not parallel_detail::inside_parallel()) {
        const std::int64_t parts = (n + grain - 1) / grain;
        const std::int64_t most = num_threads();
        const int threads = static_cast<int>(parts < most ? parts : most);
        if (threads > 1) {
            using function = std::remove_reference_t<F>;
            parallel_detail::run(
                n, threads,
                [](void* context, std::int64_t begin, std::int64_t end) {
                    (*static_cast<function*>(context))(begin, end);
                },
                const_cast<void*>(static_cast<const void*>(std::addressof(f))));
            return;
        }
    }
    f(std::int64_t{0}, n);
}

// Calls f(part, begin, end) for `parts` consecutive shares of n units that take about the same time
// each, one for a thread: shares are as large as the processors were fast in such loops before. (A
// core whose other hyperthread is busy is slower by a third, for as long as that lasts.) Some may
// be empty, which are not called. What a unit gives must not depend on the share it is in. parts
// is at most num_threads(); inside another parallel loop there is one.
template <class F>
void parallel_shares(std::int64_t n, std::int64_t parts, F&& f) {
    if (n <= 0)
        return;
    if (parts <= 1 or parallel_detail::inside_parallel()) {
        f(0, std::int64_t{0}, n);
        return;
    }
    using function = std::remove_reference_t<F>;
    parallel_detail::run_shares(
        n, static_cast<int>(parts),
        [](void* context, int part, std::int64_t begin, std::int64_t end) {
            (*static_cast<function*>(context))(part, begin, end);
        },
        const_cast<void*>(static_cast<const void*>(std::addressof(f))));
}

// Calls f(step, part, parts) for all steps in their order: a step begins when all parts of the one
// before have ended. Steps may be short, a few microseconds: passing from one to the next takes a
// few tenths of one. A step has up to `most` parts, fewer while threads are busy elsewhere, so what
// is computed must not depend on `parts`. f throws nothing.
template <class F>
void parallel_steps(std::int64_t steps, std::int64_t most, F&& f) {
    if (most > num_threads())
        most = num_threads();
    if (steps <= 1 or most <= 1 or parallel_detail::inside_parallel()) {
        for (std::int64_t s = 0; s < steps; ++s)
            f(s, 0, 1);
        return;
    }
    using function = std::remove_reference_t<F>;
    parallel_detail::run_steps(
        steps, static_cast<int>(most),
        [](void* context, std::int64_t step, int part, int parts) {
            (*static_cast<function*>(context))(step, part, parts);
        },
        const_cast<void*>(static_cast<const void*>(std::addressof(f))));
}

} // namespace migraphx
#endif
