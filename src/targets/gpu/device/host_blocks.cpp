// SPDX-License-Identifier: MIT
#include "targets/gpu/device/host_blocks.hpp"

#include <migraphx/errors.hpp>

#include "base/parallel.hpp"
#include "base/str.hpp"
#include "targets/gpu/device/fiber.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <vector>

namespace migraphx::gpu {

namespace {

constexpr unsigned warp_size = mgx::host_warp_size;
constexpr std::size_t slot_bytes = mgx::host_slot_bytes;

struct strand; // a fiber, and the thread of the block that is on it

// The lanes of a warp meet often; two sets of slots, used in turn, so that nobody writes what
// another still reads.
struct warp {
    unsigned live = 0; // lanes that have not ended
    unsigned here = 0; // lanes that wait
    unsigned met = 0;  // those that met last
    alignas(16) unsigned char slots[2][warp_size * slot_bytes];
};

class block_runner;

struct strand {
    fiber body;
    mgx::host_index index = {};
    unsigned rank = 0;

    explicit strand(block_runner* owner);
};

class block_runner : mgx::host_thread {
public:
    void run(const host_kernel& k, extent3 grid, extent3 block, std::size_t bytes, void** args,
             std::size_t first, std::size_t last);

private:
    friend struct strand;

    const host_kernel* kernel = nullptr;
    void** arguments = nullptr;
    unsigned threads = 0, started = 0, live = 0, here = 0;
    bool stuck = false;

    std::vector<warp> warps;
    std::vector<unsigned char> turn; // by rank: which slots its next exchange uses
    std::vector<std::unique_ptr<strand>> strands;
    std::vector<strand*> idle, ready, at_barrier;
    std::vector<strand*> in_warp; // by rank: who waits for its warp
    strand* current = nullptr;
    fiber outside;
    std::exception_ptr failure; // of a place where it cannot be thrown
    std::shared_ptr<unsigned char> memory;
    std::size_t memory_bytes = 0;

    // The calls of a kernel come back with what it was given.
    static block_runner& of(mgx::host_thread* t) { return *static_cast<block_runner*>(t); }

    void run_block() {
        started = here = 0;
        live = threads;
        stuck = false;
        failure = nullptr;
        std::fill(turn.begin(), turn.end(), 0);
        for (std::size_t i = 0; i < warps.size(); i++) {
            const auto lanes = std::min<std::size_t>(warp_size, threads - i * warp_size);
            warps[i].live = lanes == 32 ? ~0u : (1u << lanes) - 1;
            warps[i].here = 0;
        }
        go_on(outside);
        if (stuck) {
            ready.clear();
            at_barrier.clear();
            idle.clear();
            for (auto& s : strands) {
                s->body.restart();
                idle.push_back(s.get());
            }
            if (failure)
                std::rethrow_exception(failure);
            fail(error_kind::internal,
                 str("host device: kernel ", kernel->name, ", block (", block_index.x, ",",
                     block_index.y, ",", block_index.z,
                     "): some threads wait at a barrier that the others do not reach"));
        }
    }

    // Leaves the running stack for whatever can go on: a thread that was set free, else one that
    // has not begun, else, with the block, the caller of run_block.
    void go_on(fiber& from) {
        strand* next = nullptr;
        if (not ready.empty()) {
            next = ready.back();
            ready.pop_back();
            resume(next);
        } else if (started < threads) {
            if (idle.empty() and not add_strand()) {
                stuck = true;
                fiber::change(from, outside);
                return;
            }
            next = idle.back();
            idle.pop_back();
            current = next;
        } else {
            stuck = live > 0;
            fiber::change(from, outside);
            return;
        }
        if (&next->body != &from)
            fiber::change(from, next->body);
    }

    bool add_strand() {
        try {
            strands.push_back(std::make_unique<strand>(this));
            idle.push_back(strands.back().get());
            return true;
        } catch (...) {
            failure = std::current_exception();
            return false;
        }
    }

    void resume(strand* s) {
        current = s;
        thread_index = s->index;
        rank = s->rank;
    }

    // A strand's life: it runs threads from their beginning as long as nobody was set free.
    [[noreturn]] void work(strand& s) {
        for (;;) {
            while (started < threads and ready.empty()) {
                const unsigned t = started++;
                s.rank = t;
                s.index = {t % block_size.x, t / block_size.x % block_size.y,
                           t / block_size.x / block_size.y};
                resume(&s);
                kernel->run(this, arguments);
                end_thread();
            }
            idle.push_back(&s);
            go_on(s.body);
        }
    }

    void end_thread() {
        auto& w = warps[rank / warp_size];
        w.live &= ~(1u << rank % warp_size);
        live--;
        if (w.here != 0 and w.here == w.live)
            release(w, rank / warp_size * warp_size);
        if (here > 0 and here == live)
            release_block();
    }

    void release(warp& w, unsigned first) {
        for (unsigned i = warp_size; i-- > 0;) // the first lane is taken first
            if ((w.here >> i & 1u) != 0)
                ready.push_back(in_warp[first + i]);
        w.met = w.here;
        w.here = 0;
    }

    void release_block() {
        ready.insert(ready.end(), at_barrier.rbegin(), at_barrier.rend());
        at_barrier.clear();
        here = 0;
    }

    static unsigned char* give_slots(mgx::host_thread* t) {
        auto& r = of(t);
        auto& which = r.turn[t->rank];
        which ^= 1;
        return r.warps[t->rank / warp_size].slots[which];
    }

    static unsigned wait_for_warp(mgx::host_thread* t) {
        auto& r = of(t);
        auto& w = r.warps[t->rank / warp_size];
        w.here |= 1u << t->rank % warp_size;
        if (w.here == w.live) {
            // The last to come goes on at once.
            w.here &= ~(1u << t->rank % warp_size);
            const unsigned all = w.live;
            r.release(w, t->rank / warp_size * warp_size);
            w.met = all;
            return all;
        }
        auto* const me = r.current;
        r.in_warp[t->rank] = me;
        r.go_on(me->body);
        return w.met;
    }

    static void wait_for_block(mgx::host_thread* t) {
        auto& r = of(t);
        r.here++;
        if (r.here == r.live) {
            r.release_block();
            return;
        }
        auto* const me = r.current;
        r.at_barrier.push_back(me);
        r.go_on(me->body);
    }
};

strand::strand(block_runner* owner)
    : body(
          [](void* p) {
              auto& r = *static_cast<block_runner*>(p);
              r.work(*r.current);
          },
          owner) {}

void block_runner::run(const host_kernel& k, extent3 grid, extent3 block, std::size_t bytes,
                       void** args, std::size_t first, std::size_t last) {
    kernel = &k;
    arguments = args;
    threads = block.x * block.y * block.z;
    const auto warp_count = (threads + warp_size - 1) / warp_size;
    warps.resize(warp_count);
    turn.assign(warp_count * warp_size, 0);
    in_warp.resize(warp_count * warp_size);
    if (memory_bytes < bytes) {
        constexpr auto line = std::align_val_t{1024};
        memory = {static_cast<unsigned char*>(::operator new(bytes, line)),
                  [](unsigned char* p) { ::operator delete(p, line); }};
        memory_bytes = bytes;
    }
    block_size = {block.x, block.y, block.z};
    grid_size = {grid.x, grid.y, grid.z};
    shared = memory.get();
    slots = give_slots;
    warp_barrier = wait_for_warp;
    block_barrier = wait_for_block;
    for (std::size_t b = first; b < last; b++) {
        block_index = {static_cast<unsigned>(b % grid.x),
                       static_cast<unsigned>(b / grid.x % grid.y),
                       static_cast<unsigned>(b / grid.x / grid.y)};
        // Nothing may count on what shared memory holds at the start: all bytes set are NaNs.
        if (bytes > 0)
            std::memset(shared, 0xff, bytes);
        run_block();
    }
}

} // namespace

void run_blocks(const host_kernel& k, extent3 grid, extent3 block, std::size_t shared,
                void** args) {
    const auto blocks = std::size_t{grid.x} * grid.y * grid.z;
    const std::size_t threads = std::size_t{block.x} * block.y * block.z;
    // A few thousand threads of blocks are worth a thread of the system.
    constexpr std::size_t worth = 2048;
    const auto grain = static_cast<std::int64_t>(std::max<std::size_t>(1, worth / threads));
    parallel_for(static_cast<std::int64_t>(blocks), grain,
                 [&](std::int64_t begin, std::int64_t end) {
                     thread_local block_runner runner;
                     runner.run(k, grid, block, shared, args, static_cast<std::size_t>(begin),
                                static_cast<std::size_t>(end));
                 });
}

} // namespace migraphx::gpu
