// SPDX-License-Identifier: MIT
#include "base/thread_pool.hpp"

#include "base/parallel.hpp"
#include "base/pause.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdint>
#include <linux/futex.h>
#include <mutex>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace migraphx::thread_pool {
namespace {

using clock = std::chrono::steady_clock;
using std::chrono::microseconds;

// A helper spins for this long after it has worked or was given back, and for so long between the
// regions of a session. Waking one from sleep takes 5 to 50 microseconds.
constexpr microseconds idle_spin{50};
constexpr microseconds session_spin{1000};
// Whoever spins for longer lets other threads have the processor in between …
constexpr microseconds spin_alone{10};
// … and sleeps when they took it for so long.
constexpr microseconds crowded{500};
// The caller waits so long awake for the parts that helpers are running.
constexpr microseconds join_spin{1000};

using futex_word = std::atomic<uint32_t>;

void futex_wait(futex_word& word, uint32_t while_value) {
    syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, while_value, nullptr, nullptr, 0);
}

void futex_wake(futex_word& word) {
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

// Polls `done` until it holds or the time is over.
template <class Done, class Limit>
bool spin(Done done, Limit limit) {
    const auto start = clock::now();
    auto last = start;
    for (;;) {
        for (int i = 0; i < 16; ++i) {
            if (done())
                return true;
            pause();
        }
        const auto now = clock::now();
        if (now - start > limit() or now - last > crowded)
            return done();
        last = now;
        if (now - start > spin_alone)
            sched_yield();
    }
}

} // namespace

// What a helper and its caller share. Helpers are never freed.
struct helper {
    // The region whose part `part` the helper shall run. Helper and caller both take it by
    // exchange, so that exactly one of them runs the part.
    alignas(64) std::atomic<const region*> mail = nullptr;
    int part = 0;
    pid_t thread = 0;
    std::atomic<int> processor = -1; // it was last seen on; set after `thread`
    futex_word asleep = 0;
    std::atomic<bool> leased = false;
    // Of the part taken last: is_running, is_done, or is_awaited by a caller that sleeps.
    alignas(64) futex_word state = is_done;

    static constexpr uint32_t is_running = 0, is_done = 1, is_awaited = 2;

    [[noreturn]] void serve();

    // A helper that was last seen on the processor of its caller goes elsewhere: the system leaves
    // a thread that sleeps for moments where it is, and both would take turns while others are
    // idle.
    void leave_processor_of_caller() {
        const int here = sched_getcpu();
        cpu_set_t all, others;
        if (here < 0 or here >= CPU_SETSIZE or processor.load(std::memory_order_acquire) != here or
            sched_getaffinity(thread, sizeof(all), &all) != 0)
            return;
        others = all;
        CPU_CLR(here, &others);
        if (CPU_COUNT(&others) == 0)
            return;
        sched_setaffinity(thread, sizeof(others), &others); // moves it at once
        sched_setaffinity(thread, sizeof(all), &all);
        processor.store(-1, std::memory_order_relaxed);
    }

    void post(const region& r, int number) {
        leave_processor_of_caller();
        part = number;
        state.store(is_running, std::memory_order_relaxed);
        mail.store(&r, std::memory_order_seq_cst);
        wake();
    }

    void wake() {
        if (asleep.load(std::memory_order_seq_cst) != 0 and asleep.exchange(0) != 0)
            futex_wake(asleep);
    }

    // The region, if nobody has begun it.
    const region* take() {
        return mail.load(std::memory_order_relaxed) == nullptr
                   ? nullptr
                   : mail.exchange(nullptr, std::memory_order_acq_rel);
    }

    void wait_until_done() {
        const auto done = [&] { return state.load(std::memory_order_acquire) == is_done; };
        if (done() or spin(done, [] { return join_spin; }))
            return;
        uint32_t expected = is_running;
        if (state.compare_exchange_strong(expected, is_awaited, std::memory_order_acq_rel))
            expected = is_awaited;
        while (expected != is_done) {
            futex_wait(state, is_awaited);
            expected = state.load(std::memory_order_acquire);
        }
    }
};

namespace {

// What one thread has of the pool.
struct member {
    std::vector<helper*> crew; // leased to this thread
    int sessions = 0;          // open ones, regions among them
    int forced = 0;
    bool in_region = false;
    bool used = false; // a region since the outermost session began
};

thread_local member self;

class pool {
public:
    // Brings the crew to the size that the region may have: one helper for each part beyond the
    // first, fewer where others need the processors.
    void staff(int wanted, order when) {
        auto& crew = self.crew;
        const int mine = static_cast<int>(crew.size());
        const int others = callers.load(std::memory_order_relaxed) - 1 +
                           leased.load(std::memory_order_relaxed) - mine;
        int most = wanted;
        if (others > 0 and when == order::any)
            most = std::clamp(available_processors() - 1 - others, 0, wanted);
        if (mine < most)
            lease(most - mine);
        else if (others > 0 and mine > most)
            give_back(static_cast<std::size_t>(most));
    }

    void enter() {
        if (self.sessions++ == 0) {
            self.used = false;
            callers.fetch_add(1, std::memory_order_relaxed);
        }
    }

    void leave() {
        if (--self.sessions != 0)
            return;
        if (not self.crew.empty())
            give_back(0);
        callers.fetch_sub(1, std::memory_order_relaxed);
    }

    int size() {
        const std::lock_guard lock(mutex);
        return static_cast<int>(all.size());
    }

    // In a child process after fork: helpers do not survive it.
    void forget_helpers() {
        idle.clear();
        all.clear();
        leased = 0;
        callers = self.sessions > 0 ? 1 : 0;
        self.crew.clear();
    }

    std::mutex mutex;

private:
    void lease(int count) {
        const std::lock_guard lock(mutex);
        for (; count > 0; --count) {
            if (idle.empty() and not start_helper())
                return;
            auto* h = idle.back();
            idle.pop_back();
            h->leased.store(true, std::memory_order_relaxed);
            self.crew.push_back(h);
            leased.fetch_add(1, std::memory_order_relaxed);
        }
    }

    // In an order in which the next lease gets the same helpers for the same parts.
    void give_back(std::size_t keep) {
        const std::lock_guard lock(mutex);
        auto& crew = self.crew;
        while (crew.size() > keep) {
            crew.back()->leased.store(false, std::memory_order_relaxed);
            idle.push_back(crew.back());
            crew.pop_back();
            leased.fetch_sub(1, std::memory_order_relaxed);
        }
    }

    bool start_helper() {
        auto* h = new helper;
        // Signals are for the threads of the program.
        sigset_t every, before;
        sigfillset(&every);
        pthread_sigmask(SIG_SETMASK, &every, &before);
        bool started = true;
        try {
            std::thread t([h] { h->serve(); });
            pthread_setname_np(t.native_handle(),
                               ("migraphx-" + std::to_string(all.size() + 1)).c_str());
            t.detach();
        } catch (const std::system_error&) {
            delete h;
            started = false;
        }
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        if (started) {
            all.push_back(h);
            idle.push_back(h);
        }
        return started;
    }

    std::vector<helper*> idle, all;
    std::atomic<int> callers = 0; // threads with a session open
    std::atomic<int> leased = 0;
};

// Never destroyed: helpers run until the process ends.
pool& the_pool() {
    static pool* const p = [] {
        static pool* made = new pool;
        pthread_atfork([] { made->mutex.lock(); }, [] { made->mutex.unlock(); },
                       [] {
                           made->forget_helpers();
                           made->mutex.unlock();
                       });
        return made;
    }();
    return *p;
}

} // namespace

void helper::serve() {
    thread = static_cast<pid_t>(syscall(SYS_gettid));
    for (;;) {
        processor.store(sched_getcpu(), std::memory_order_release);
        const region* job = nullptr;
        const auto got_mail = [&] { return (job = take()) != nullptr; };
        const auto limit = [&] {
            return leased.load(std::memory_order_relaxed) ? session_spin : idle_spin;
        };
        if (not spin(got_mail, limit)) {
            asleep.store(1, std::memory_order_seq_cst);
            while (mail.load(std::memory_order_seq_cst) == nullptr and
                   asleep.load(std::memory_order_relaxed) != 0)
                futex_wait(asleep, 1);
            asleep.store(0, std::memory_order_relaxed);
            continue;
        }
        job->run(part);
        if (state.exchange(is_done, std::memory_order_acq_rel) == is_awaited)
            futex_wake(state);
    }
}

region::region(function f, void* context, int parts, order when)
    : work(f), shared(context), count(parts), threads(num_threads()) {
    auto& p = the_pool();
    p.enter();
    self.used = true;
    self.in_region = true;
    p.staff(parts - 1, when);
    posted = std::min(parts - 1, static_cast<int>(self.crew.size()));
    for (int i = 0; i < posted; ++i)
        self.crew[std::size_t(i)]->post(*this, i + 1);
}

region::~region() {
    for (int part = posted + 1; part < count; ++part)
        run(part);
    for (int i = 0; i < posted; ++i)
        if (auto& h = *self.crew[std::size_t(i)]; h.take() != nullptr) {
            run(i + 1);
            h.state.store(helper::is_done, std::memory_order_relaxed);
        }
    for (int i = 0; i < posted; ++i)
        self.crew[std::size_t(i)]->wait_until_done();
    self.in_region = false;
    the_pool().leave();
}

void region::run(int part) const {
    const auto before = self.forced;
    const bool was_inside = self.in_region;
    self.forced = threads;
    self.in_region = true;
    work(shared, part);
    self.forced = before;
    self.in_region = was_inside;
}

bool inside_region() {
    return self.in_region;
}

session::session(bool soon) {
    auto& p = the_pool();
    p.enter();
    if (soon and not self.in_region and num_threads() > 1) {
        p.staff(num_threads() - 1, order::any);
        for (auto* h : self.crew)
            h->wake();
    }
}

session::~session() {
    the_pool().leave();
}

bool session::used() const {
    return self.used;
}

int forced_threads() {
    return self.forced;
}

void force_threads(int n) {
    self.forced = n;
}

int helper_count() {
    return the_pool().size();
}

} // namespace migraphx::thread_pool
