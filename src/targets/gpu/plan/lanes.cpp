// SPDX-License-Identifier: MIT
#include "targets/gpu/plan/lanes.hpp"

#include <migraphx/errors.hpp>

#include "base/rounding.hpp"

#include <algorithm>
#include <utility>

namespace migraphx::gpu {

namespace {

constexpr std::size_t most_free = 16;   // lanes that wait for a run
constexpr std::size_t most_queues = 16; // callers' streams with results of their own

// An eighth more, so that sizes that grow little by little do not allocate each time.
std::size_t with_room(std::size_t old_bytes, std::size_t bytes) {
    return round_up(old_bytes == 0 ? bytes : bytes + bytes / 8, device_alignment);
}

} // namespace

run_lanes::run_lanes(std::shared_ptr<device> on)
    : where(std::move(on)), results([this](std::size_t bytes) { return allocate(bytes, false); }),
      host_results([this](std::size_t bytes) { return allocate(bytes, true); }) {}

std::unique_ptr<lane> run_lanes::take(const stream* queue) {
    {
        const std::lock_guard lock(mutex);
        // Best: what was used last on this queue, then what is idle.
        const auto rank = [&](const lane& l) {
            if (queue != nullptr and l.pending and l.last == *queue)
                return 0;
            return l.pending ? 2 : 1;
        };
        auto best = free.end();
        for (auto it = free.begin(); it != free.end(); ++it)
            if (best == free.end() or rank(**it) <= rank(**best))
                best = it;
        if (best != free.end() and (rank(**best) < 2 or free.size() >= most_free)) {
            auto l = std::move(*best);
            free.erase(best);
            return l;
        }
    }
    auto l = std::make_unique<lane>();
    l->own_stream = where->make_stream();
    l->done = where->make_event();
    l->callers_work = where->make_event();
    const std::lock_guard lock(mutex);
    l->id = made++;
    return l;
}

void run_lanes::give(std::unique_ptr<lane> l) {
    std::unique_ptr<lane> dropped; // after the lock
    const std::lock_guard lock(mutex);
    free.push_back(std::move(l));
    if (free.size() > most_free) {
        dropped = std::move(free.front());
        free.erase(free.begin());
        forget(*dropped);
    }
}

void run_lanes::drop(std::unique_ptr<lane> l) {
    const std::lock_guard lock(mutex);
    forget(*l);
}

void run_lanes::forget(const lane& l) {
    held -= l.work.bytes + l.io.bytes + l.staging.bytes;
}

void run_lanes::grow(lane_block& b, std::size_t bytes, bool pinned) {
    if (b.bytes >= bytes)
        return;
    const auto old = std::exchange(b.bytes, 0);
    b.memory = nullptr;
    {
        const std::lock_guard lock(mutex);
        held -= old;
    }
    const auto size = with_room(old, bytes);
    b.memory = allocate(size, pinned);
    b.bytes = size;
    const std::lock_guard lock(mutex);
    held += size;
}

std::shared_ptr<char> run_lanes::allocate(std::size_t bytes, bool pinned) {
    const auto get = [&] {
        return pinned ? where->allocate_pinned(bytes) : where->allocate(bytes);
    };
    try {
        return get();
    } catch (const exception&) {
        trim();
        where->trim();
        return get();
    }
}

buffer_pool& run_lanes::results_of(const stream* queue) {
    if (queue == nullptr)
        return results;
    auto it = std::find_if(of_queues.begin(), of_queues.end(),
                           [&](const auto& x) { return x.queue == *queue; });
    if (it != of_queues.end())
        of_queues.splice(of_queues.begin(), of_queues, it);
    else {
        of_queues.push_front(
            {*queue, buffer_pool([this](std::size_t bytes) { return allocate(bytes, false); })});
        if (of_queues.size() > most_queues)
            of_queues.pop_back();
    }
    return of_queues.front().pool;
}

std::shared_ptr<char> run_lanes::result(std::size_t bytes, const stream* queue) {
    std::unique_lock lock(mutex);
    auto pool = results_of(queue); // shares its state
    lock.unlock();
    return pool.get(std::max<std::size_t>(bytes, 1));
}

std::shared_ptr<char> run_lanes::host_result(std::size_t bytes) {
    return host_results.get(std::max<std::size_t>(bytes, 1));
}

void run_lanes::trim() {
    std::vector<std::unique_ptr<lane>> dropped;
    std::vector<buffer_pool> pools{results, host_results};
    {
        const std::lock_guard lock(mutex);
        dropped.swap(free);
        for (const auto& l : dropped)
            forget(*l);
        for (const auto& x : of_queues)
            pools.push_back(x.pool);
    }
    for (auto& pool : pools)
        pool.clear();
}

std::size_t run_lanes::held_bytes() const {
    const std::lock_guard lock(mutex);
    auto bytes = held + results.held_bytes() + host_results.held_bytes();
    for (const auto& x : of_queues)
        bytes += x.pool.held_bytes();
    return bytes;
}

} // namespace migraphx::gpu
