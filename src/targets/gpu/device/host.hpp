// SPDX-License-Identifier: MIT
// The host device for those that bring work of their own: the host sides of libraries.
#pragma once

#include "targets/gpu/device/device.hpp"

#include <functional>

namespace migraphx::gpu {

/// Runs `work` now, in the order of the stream, or, while this thread records `s`, keeps it for
/// each launch of the graph. What it refers to must live as long.
void host_put(stream s, std::function<void()> work);

} // namespace migraphx::gpu
