// SPDX-License-Identifier: MIT
// Memory of a device that is given out again without the driver, whose own allocation takes up to a
// millisecond and whose release waits for all work. A block that was let go is given out again once
// the work that was queued at that time is done.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>

namespace migraphx::gpu {

/// A mark behind work that was queued. Thread-safe use is the pool's matter.
struct work_mark {
    virtual ~work_mark() = default;
    virtual bool passed() = 0;
};

/// Where a pool's memory comes from.
struct memory_source {
    virtual ~memory_source() = default;
    /// Null when the device has no such amount left; other failures throw.
    virtual char* take(std::size_t bytes) = 0;
    virtual void give_back(char* p) noexcept = 0;
    /// Behind everything that is queued now.
    virtual std::unique_ptr<work_mark> mark() noexcept = 0;
    /// Waits for all work; false when that is impossible for now.
    virtual bool wait() noexcept = 0;
    /// Throws the error of a device that is full.
    [[noreturn]] virtual void full(std::size_t bytes) = 0;
};

/// Thread-safe. It must outlive what it gave.
class memory_pool {
public:
    /// `keep`: bytes that it may hold without a user; what is more goes back to the source.
    memory_pool(memory_source& s, std::size_t keep) : source(s), limit(keep) {}
    ~memory_pool();

    std::shared_ptr<char> allocate(std::size_t bytes);
    /// Gives all that has no user back to the source.
    void trim();
    std::size_t unused() const; ///< bytes held without a user

private:
    struct block {
        char* p;
        std::size_t bytes;
        std::unique_ptr<work_mark> mark; ///< null: passed
    };

    char* reuse(std::size_t bytes, std::size_t& size);
    void release(char* p, std::size_t bytes) noexcept;
    void shrink(std::size_t to) noexcept;

    memory_source& source;
    const std::size_t limit;
    mutable std::mutex mutex;
    std::list<block> free; ///< the oldest first
    std::size_t free_bytes = 0;
};

} // namespace migraphx::gpu
