// SPDX-License-Identifier: MIT
// Buffers that return to a free list when their last user lets go: results of runs, arenas of frames.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace migraphx {

/// 64-byte aligned host memory, unspecified content. Throws when there is none.
std::shared_ptr<char> allocate_host(std::size_t bytes);

/// Thread-safe. Buffers outlive the pool if they are still in use.
class buffer_pool {
public:
    explicit buffer_pool(std::size_t most_kept = 16);
    /// At least `bytes` bytes.
    std::shared_ptr<char> get(std::size_t bytes);
    std::size_t held_bytes() const;

private:
    struct state;
    std::shared_ptr<state> shared;
};

} // namespace migraphx
