// SPDX-License-Identifier: MIT
// Memory of runs on a device. A lane is what one run needs for its time: a stream, an arena, a
// place for copies of parameters and results, pinned memory beside it. The plans of a program share
// its lanes; there are as many as runs at once.
#pragma once

#include "runtime/buffer_pool.hpp"
#include "targets/gpu/device/device.hpp"

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

namespace migraphx::gpu {

/// Grows to what the largest run needed.
struct lane_block {
    std::shared_ptr<char> memory;
    std::size_t bytes = 0;
};

struct lane {
    std::size_t id = 0; ///< no two lanes of a program have one
    std::shared_ptr<void> own_stream;
    lane_block work;    ///< the arena, then the scratch
    lane_block io;      ///< copies of parameters, results
    lane_block staging; ///< pinned: what goes to `io`, then what comes back
    std::vector<char*> args;
    /// Recorded behind a run that was not waited for; then `pending`, on the stream `last`.
    std::unique_ptr<event> done;
    bool pending = false;
    stream last = nullptr;
    std::unique_ptr<event> callers_work; ///< behind what callers may have put on the default stream

    stream own() const { return own_stream.get(); }
};

class run_lanes : public run_memory {
public:
    explicit run_lanes(std::shared_ptr<device> on);

    /// A lane for a run on `queue` or, when that is null, on the lane's own stream: one that nobody
    /// uses, or that runs on the same queue have used before and which hence is free in time.
    std::unique_ptr<lane> take(const stream* queue);
    void give(std::unique_ptr<lane> l);
    /// For a lane whose run has failed: nobody gets it again.
    void drop(std::unique_ptr<lane> l);

    /// Makes a lane's block at least this large. What was in it is lost.
    void reserve(lane_block& b, std::size_t bytes) { grow(b, bytes, false); }
    /// Pinned memory; nobody uses it any more.
    void reserve_pinned(lane_block& b, std::size_t bytes) { grow(b, bytes, true); }

    /// Memory for a result; returns to a pool with its last user. `queue`: of the caller, who may
    /// drop a result while work on it is still queued; so only runs on this queue get it again.
    std::shared_ptr<char> result(std::size_t bytes, const stream* queue);
    /// The same in pinned host memory.
    std::shared_ptr<char> host_result(std::size_t bytes);

    /// Gives back what no run uses; for when memory has run out.
    void trim();
    std::size_t held_bytes() const override;

    device& on() const { return *where; }
    const std::shared_ptr<device>& shared_device() const { return where; }

private:
    void forget(const lane& l); ///< called with the mutex held
    void grow(lane_block& b, std::size_t bytes, bool pinned);
    std::shared_ptr<char> allocate(std::size_t bytes, bool pinned);
    buffer_pool& results_of(const stream* queue);

    std::shared_ptr<device> where;
    mutable std::mutex mutex;
    std::vector<std::unique_ptr<lane>> free;
    std::size_t made = 0;
    std::size_t held = 0;
    struct queue_results {
        stream queue;
        buffer_pool pool;
    };
    std::list<queue_results> of_queues; ///< the one used last is the first
    buffer_pool results, host_results;
};

} // namespace migraphx::gpu
