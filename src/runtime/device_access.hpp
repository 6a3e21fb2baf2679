// SPDX-License-Identifier: MIT
// What the library of the gpu target offers to code that does not link it: memory of devices. It is
// loaded when it is needed, so that programs which use <migraphx/gpu/hip.hpp> start everywhere.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/context.hpp>

#include <cstddef>
#include <optional>

namespace migraphx {

/// All of the calling thread's device; what fails throws with the driver's words.
struct device_access {
    /// As DLPack counts: 1 the host, 2 CUDA, 10 ROCm; and the number of the device.
    struct place {
        int kind = 1;
        int id = 0;
    };

    virtual ~device_access() = default;
    virtual argument allocate(const shape& s, bool pinned) = 0;
    virtual argument to_device(const argument& a, bool pinned) = 0;
    virtual argument to_host(const argument& a) = 0;
    /// Copies between equal layouts, wherever both lie, put on the queue of `ctx`.
    virtual void copy(context& ctx, const argument& from, const argument& to) = 0;
    virtual void fill(context& ctx, const argument& to, int byte) = 0;
    /// Waits for all work of the device.
    virtual void synchronize() = 0;
    /// Memory of this device is about to come from outside.
    virtual void use(std::size_t id) = 0;
    /// Throws when there is no such device.
    virtual void set_device(std::size_t id) = 0;
    /// The device whose memory this is, of those that are in use; none: memory of the host.
    virtual std::optional<place> device_of(const void* p) = 0;
};

/// Throws when the library is not there. Devices are opened by what needs one.
device_access& gpu_access();
/// Null as long as nobody has loaded the library.
device_access* loaded_gpu_access();
/// Called by the library when it is loaded; `a` is never destroyed.
void offer_device_access(device_access* a);

/// Whether the memory is that of a device, which the host cannot read.
bool is_on_device(const argument& a);

} // namespace migraphx
