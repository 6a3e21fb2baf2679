// SPDX-License-Identifier: MIT
// Memory of the GPU (CUDA or HIP). The target's library is loaded at the first call, so that
// programs which include this link and start everywhere; without a driver or device the call throws
// with what is missing.
#ifndef MIGRAPHX_GPU_HIP_HPP
#define MIGRAPHX_GPU_HIP_HPP

#include <cstddef>
#include <migraphx/argument.hpp>
#include <migraphx/context.hpp>

namespace migraphx {
namespace gpu {

/// Memory of the current device, not initialised; with `host`: of the host, page-locked, which
/// copies to and from the device reach without a detour.
argument allocate_gpu(const shape& s, bool host = false);
/// A page-locked copy in host memory.
argument register_on_gpu(const argument& arg);
/// A copy on the current device (with `host`: in page-locked memory) in the same layout. What lies
/// there already is shared.
argument to_gpu(const argument& arg, bool host = false);
/// A copy in host memory, once all work of the device is done.
argument from_gpu(const argument& arg);

/// The device that this thread's further calls and compilations with `device_id` 0 use; 0 at first.
void set_device(std::size_t id);
/// Waits for all work of the current device, or for that of a program's context.
void gpu_sync();
void gpu_sync(const context& ctx);

/// Copies between arguments of one shape, put on the context's queue: between memory of the device,
/// to it from the host, from it to the host.
void gpu_copy(context& ctx, const argument& src, const argument& dst);
void copy_to_gpu(context& ctx, const argument& src, const argument& dst);
void copy_from_gpu(context& ctx, const argument& src, const argument& dst);
/// Sets every byte, on the context's queue.
void gpu_fill(context& ctx, const argument& dst, int value = 0);

} // namespace gpu
} // namespace migraphx
#endif
