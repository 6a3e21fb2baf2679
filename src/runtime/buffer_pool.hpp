// SPDX-License-Identifier: MIT
// Memory that is used again: buffers for the results of runs, arenas for what happens within them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace migraphx {

/// 64-byte aligned host memory, unspecified content. Throws when there is none.
std::shared_ptr<char> allocate_host(std::size_t bytes);

/// Gets memory of some kind; throws when there is none.
using allocator = std::function<std::shared_ptr<char>(std::size_t bytes)>;

/// Buffers that return to a free list when their last user lets go. As many are kept as were in use
/// at once, 16 at most; those returned last. Thread-safe; buffers outlive the pool if they are
/// still in use.
class buffer_pool {
public:
    explicit buffer_pool(allocator from = allocate_host);
    /// At least `bytes` bytes.
    std::shared_ptr<char> get(std::size_t bytes);
    std::size_t held_bytes() const;
    /// Lets go of what nobody uses.
    void clear();

private:
    struct state;
    std::shared_ptr<state> shared;
};

/// Blocks that are taken for the time of one run: as many as there were runs at once, each growing
/// to what the largest run needed. Thread-safe.
class arena_pool {
public:
    struct block {
        std::shared_ptr<char> memory;
        std::size_t bytes = 0;
    };
    block take(std::size_t bytes);
    void give(block b);
    std::size_t held_bytes() const;

private:
    mutable std::mutex mutex;
    std::vector<block> free;
    std::size_t held = 0;
};

/// What the plans of a program, for all its sets of sizes and its parts, share.
struct run_memory {
    virtual ~run_memory() = default;
    virtual std::size_t held_bytes() const = 0;
};

struct host_memory : run_memory {
    arena_pool arenas;
    buffer_pool results;
    std::size_t held_bytes() const override { return arenas.held_bytes() + results.held_bytes(); }
};

} // namespace migraphx
