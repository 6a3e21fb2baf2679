// SPDX-License-Identifier: MIT
#include "runtime/buffer_pool.hpp"

#include <migraphx/errors.hpp>

#include "runtime/mapping.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

namespace migraphx {

namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t least_mapping = std::size_t{1} << 20;

} // namespace

std::shared_ptr<char> allocate_host(std::size_t bytes) {
    if (bytes >= least_mapping) {
        auto m = std::make_shared<mapping>(bytes);
        return {m, m->data()};
    }
    const std::size_t size =
        (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
    void* p = std::aligned_alloc(alignment, size);
    if (p == nullptr)
        fail(error_kind::io, "memory: " + std::to_string(bytes) + " bytes were expected, got none");
    return {static_cast<char*>(p), [](char* q) { std::free(q); }};
}

struct buffer_pool::state {
    struct item {
        std::size_t bytes;
        std::shared_ptr<char> memory;
    };
    static constexpr std::size_t most_kept = 16;

    std::mutex mutex;
    std::vector<item> free; // the one returned last is the last
    std::size_t in_use = 0, most_in_use = 0;
    std::size_t held = 0;
    allocator from;

    // Called with the mutex held; what it returns is to be dropped without.
    item keep(item returned) {
        in_use--;
        free.push_back(std::move(returned));
        if (free.size() <= std::min(most_in_use, most_kept))
            return {0, nullptr};
        auto oldest = std::move(free.front());
        free.erase(free.begin());
        held -= oldest.bytes;
        return oldest;
    }
};

buffer_pool::buffer_pool(allocator from) : shared(std::make_shared<state>()) {
    shared->from = std::move(from);
}

std::shared_ptr<char> buffer_pool::get(std::size_t bytes) {
    std::shared_ptr<char> memory;
    std::size_t capacity = bytes;
    {
        std::lock_guard lock(shared->mutex);
        shared->most_in_use = std::max(shared->most_in_use, ++shared->in_use);
        auto best = shared->free.end();
        for (auto it = shared->free.begin(); it != shared->free.end(); ++it)
            if (it->bytes >= bytes and it->bytes <= 2 * bytes + 4096 and
                (best == shared->free.end() or it->bytes <= best->bytes))
                best = it;
        if (best != shared->free.end()) {
            capacity = best->bytes;
            memory = std::move(best->memory);
            shared->free.erase(best);
        }
    }
    if (memory == nullptr) {
        try {
            memory = shared->from(bytes);
        } catch (...) {
            std::lock_guard lock(shared->mutex);
            shared->in_use--;
            throw;
        }
        std::lock_guard lock(shared->mutex);
        shared->held += capacity;
    }
    char* p = memory.get();
    return {p, [owner = std::move(memory), pool = std::weak_ptr<state>(shared),
                capacity](char*) mutable {
                auto s = pool.lock();
                if (s == nullptr)
                    return;
                state::item dropped;
                std::lock_guard lock(s->mutex);
                dropped = s->keep({capacity, std::move(owner)});
            }};
}

std::size_t buffer_pool::held_bytes() const {
    std::lock_guard lock(shared->mutex);
    return shared->held;
}

void buffer_pool::clear() {
    std::vector<state::item> dropped; // after the lock
    std::lock_guard lock(shared->mutex);
    dropped.swap(shared->free);
    for (const auto& x : dropped)
        shared->held -= x.bytes;
}

namespace {

// Up to an eighth more, so that sizes that grow little by little do not allocate each time.
std::size_t with_room(std::size_t bytes) {
    std::size_t step = 64;
    while (step <= bytes / 16)
        step *= 2;
    const auto rounded = (bytes + step - 1) / step * step;
    return rounded < bytes ? bytes : rounded;
}

} // namespace

arena_pool::block arena_pool::take(std::size_t bytes) {
    block too_small;
    {
        std::lock_guard lock(mutex);
        auto best = free.end();
        for (auto it = free.begin(); it != free.end(); ++it)
            if (it->bytes >= bytes and (best == free.end() or it->bytes < best->bytes))
                best = it;
        const bool fits = best != free.end();
        if (not fits)
            best = std::max_element(free.begin(), free.end(),
                                    [](const auto& x, const auto& y) { return x.bytes < y.bytes; });
        if (best != free.end()) {
            auto found = std::move(*best);
            *best = std::move(free.back());
            free.pop_back();
            if (fits)
                return found;
            held -= found.bytes;
            too_small = std::move(found);
        }
    }
    too_small = {};
    block b;
    b.bytes = with_room(bytes);
    b.memory = allocate_host(b.bytes);
    std::lock_guard lock(mutex);
    held += b.bytes;
    return b;
}

void arena_pool::give(block b) {
    std::lock_guard lock(mutex);
    free.push_back(std::move(b));
}

std::size_t arena_pool::held_bytes() const {
    std::lock_guard lock(mutex);
    return held;
}

} // namespace migraphx
