// SPDX-License-Identifier: MIT
// Arguments whose memory is a device's, and ways between them and the host's.
#pragma once

#include <migraphx/argument.hpp>

#include "targets/gpu/device/device.hpp"

#include <memory>

namespace migraphx::gpu {

/// Not initialised. `pinned`: host memory that copies reach without a detour.
argument allocate_on(const std::shared_ptr<device>& on, const shape& s, bool pinned = false);
/// What lies in another device's memory, copied to this one's by `queue` once that device's work is
/// done; anything else as it is.
argument nearby(device& on, const argument& a, stream queue);
/// A copy in the device's (or pinned) memory in the same layout; tuples by their members. Done when
/// it returns. What lies on the device already is shared.
argument to_device(const std::shared_ptr<device>& on, const argument& a, bool pinned = false);
/// A copy in the host's memory; what lies there already is shared. Waits for all work of the device
/// that may still write it.
argument to_host(const std::shared_ptr<device>& on, const argument& a);

} // namespace migraphx::gpu
