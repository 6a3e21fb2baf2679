// SPDX-License-Identifier: MIT
// The streams of a device: which are ours, which record, and marks behind all that is queued.
#pragma once

#include "targets/gpu/device/current_device.hpp"
#include "targets/gpu/device/memory_pool.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

namespace migraphx::gpu {

/// Thread-safe. The device is current when a function of it is called.
class driver_streams {
public:
    explicit driver_streams(const current_device& d) : of(d) {}

    /// Streams that do not wait for the legacy default stream.
    std::shared_ptr<void> make();
    /// Work is put on `s`. Others' streams may be gone when a mark is wanted, so work there is only
    /// known to be done once the whole device was waited for.
    void used(stream s) {
        if (not is_own(s))
            ++foreign_uses;
    }
    /// Behind everything that is queued now on any stream.
    std::unique_ptr<work_mark> mark() noexcept;
    /// Waits for all work; while a stream records, which forbids that, for the other own streams.
    int synchronize_device() noexcept;

    void begin_recording(stream s);
    /// The recorded graph. However it ends, the stream runs work again.
    void* end_recording(stream s);

private:
    struct own_stream {
        void* handle;
        bool recording;
    };
    struct stream_mark;

    bool is_own(stream s) const;
    void remove(void* handle) noexcept;
    void set_recording(stream s, bool on);

    const current_device& of;
    mutable std::shared_mutex mutex; ///< for `own`
    std::vector<own_stream> own;
    std::shared_mutex gate; ///< shared: waits for the device; alone: a recording begins or ends
    int recordings = 0;
    // Waits for the device, in the order in which they began; those up to `waits_done` are over.
    std::atomic<std::size_t> waits_begun = 0, waits_done = 0;
    // Uses of others' streams; the device was waited for after the first `foreign_done` of them.
    std::atomic<std::size_t> foreign_uses = 0, foreign_done = 0;
};

} // namespace migraphx::gpu
