// SPDX-License-Identifier: MIT
// The threads that help the callers of parallel loops. A caller leases idle helpers, as many as the
// processors leave room for, and keeps them awake until its session ends; a helper without work
// spins for a moment, then sleeps. What no helper has begun when the caller is done with its own
// part, the caller does itself: nobody waits for a thread that is not running.
#ifndef MIGRAPHX_GUARD_BASE_THREAD_POOL_HPP
#define MIGRAPHX_GUARD_BASE_THREAD_POOL_HPP

namespace migraphx::thread_pool {

using function = void (*)(void* context, int part); // throws nothing

enum class order {
    any,      // parts may run one after another
    together, // they may wait for one another: each gets a thread
};

// The parts of one job, each run once, by any thread. The constructor hands parts 1 and up to
// helpers, the caller runs part 0, the destructor returns when all parts have ended. Not inside
// another region: see inside_region().
class region {
public:
    region(function f, void* context, int parts, order when);
    region(const region&) = delete;
    region& operator=(const region&) = delete;
    ~region();

private:
    friend struct helper;
    void run(int part) const;

    function work;
    void* shared;
    int count;
    int posted;  // parts 1 … posted went to helpers
    int threads; // num_threads() in all parts
};

// Does the calling thread run a part?
bool inside_region();

// While it lives, the helpers of this thread's regions stay with it and spin for longer between
// them. `soon`: wake them now.
class session {
public:
    explicit session(bool soon);
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session();
    // Has there been a region in the outermost session?
    bool used() const;
};

// What a thread_count_guard set for this thread; 0: nothing.
int forced_threads();
void force_threads(int n);

// Helpers that exist, asleep or not.
int helper_count();

} // namespace migraphx::thread_pool
#endif
