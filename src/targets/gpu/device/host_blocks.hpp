// SPDX-License-Identifier: MIT
// Runs the blocks of a kernel on the host: one after another on each of a few threads, the threads
// of a block in turn. A thread of a block runs to its end where it can; only one that waits at a
// barrier, or for the other lanes of its warp, leaves its stack standing and another goes on.
#pragma once

#include "targets/gpu/device/device.hpp"
#include "targets/gpu/device_code/host_abi.cuh"

#include <cstddef>
#include <string>

namespace migraphx::gpu {

struct host_kernel {
    std::string name; ///< for errors
    mgx::host_entry run = nullptr;
};

/// Throws when threads of a block wait for each other in vain (some at a barrier of the block, the
/// others at one of their warp); all else is the kernel's own affair.
void run_blocks(const host_kernel& k, extent3 grid, extent3 block, std::size_t shared, void** args);

} // namespace migraphx::gpu
