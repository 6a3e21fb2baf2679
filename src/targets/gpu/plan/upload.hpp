// SPDX-License-Identifier: MIT
// Parameters on their way to the device.
#pragma once

#include <migraphx/argument.hpp>

#include "runtime/kernel.hpp"
#include "targets/gpu/device/device.hpp"

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>

namespace migraphx::gpu {

/// Through pinned memory: small neighbours in one copy, large tensors piece by piece, so that the
/// host fills the next one meanwhile.
class uploader {
public:
    /// `io` on the device and `staging` (pinned) have the same layout.
    uploader(device& d, char* device_io, char* pinned, stream s)
        : on(d), io(device_io), staging(pinned), queue(s) {}

    /// `given` (host memory) in the layout `declared` at this offset; offsets ascend.
    void add(std::size_t at, const argument& given, const shape& declared, std::size_t bytes);
    /// What is left goes.
    void finish();

private:
    void filled(std::size_t end);

    device& on;
    char* io;
    char* staging;
    stream queue;
    std::size_t begin = 0, end = 0; ///< filled, not on its way yet
};

/// Copies between layouts on the device, by kernels that are made when they are needed first.
class layout_copier {
public:
    explicit layout_copier(std::shared_ptr<device> on) : where(std::move(on)) {}
    ~layout_copier();

    /// From `given` (device memory) to `to` in the layout `declared`, on `s`.
    void copy(char* to, const shape& declared, const argument& given, stream s);

private:
    struct made;
    std::shared_ptr<device> where;
    std::mutex mutex;
    std::list<std::shared_ptr<made>> kernels; ///< the one used last is the first
};

} // namespace migraphx::gpu
