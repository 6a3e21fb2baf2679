// SPDX-License-Identifier: MIT
// The devices that this process uses, and which of them a thread means when it names none.
#pragma once

#include "targets/gpu/device/device.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace migraphx::gpu {

/// The GPU `id`; 0: the calling thread's current one. With MIGRAPHX_HOST_DEVICE the host in its
/// place, as for the target null. Throws when there is none.
std::shared_ptr<device> use_device(std::size_t id);
/// The GPU of this very number.
std::shared_ptr<device> use_numbered_device(std::size_t id);
/// The host in the place of a device.
std::shared_ptr<device> use_host(std::size_t id);

std::size_t current_device();
/// Opens it.
void set_current_device(std::size_t id);

/// Those of `use_device` and `use_host` so far, each once.
std::vector<std::shared_ptr<device>> opened_devices();
/// The device whose memory `p` points to, opened if need be; null for the host's.
std::shared_ptr<device> device_holding(const void* p);

} // namespace migraphx::gpu
