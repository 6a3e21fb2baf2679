// SPDX-License-Identifier: MIT
// What a program compiled for a device hands out: a queue to put work on, and a way to wait.
#pragma once

#include <migraphx/any_ptr.hpp>

#include "targets/gpu/device/device.hpp"

#include <cstddef>
#include <memory>
#include <mutex>

namespace migraphx::gpu {

/// Copies share the queue.
class device_context {
public:
    using opener = std::shared_ptr<device> (*)(std::size_t id);
    explicit device_context(opener open) : state(std::make_shared<shared>()) { state->open = open; }

    /// Before the device is used.
    void choose(std::size_t id) { state->id = id; }
    /// Opens the device and makes the queue when it is asked for first.
    any_ptr get_queue();
    const std::shared_ptr<device>& on();
    /// Waits for all work of the device, which was never opened if there is none.
    void finish() const;

private:
    struct shared {
        opener open = nullptr;
        std::size_t id = 0;
        std::mutex mutex;
        std::shared_ptr<device> on;
        std::shared_ptr<void> queue;
    };
    std::shared_ptr<shared> state;
};

} // namespace migraphx::gpu
