// SPDX-License-Identifier: MIT
// The target `gpu`: there when a driver and a device answer.
#include <migraphx/register_target.hpp>

#include "targets/gpu/device_target.hpp"
#include "targets/gpu/plan/opened_devices.hpp"

#include <string>

namespace migraphx::gpu {

namespace {

struct gpu_target : device_target {
    gpu_target() : device_target("gpu", use_device) {}
};

const bool registered = [] {
    if (device_count() > 0)
        register_target<gpu_target>();
    return device_count() > 0;
}();

} // namespace

} // namespace migraphx::gpu

/// Asked by make_target (runtime/register_target.cpp) when loading this library gave no such
/// target.
extern "C" const char* migraphx_missing_target(const char* target) {
    static const auto why = migraphx::gpu::missing_device();
    return std::string(target) == "gpu" and not migraphx::gpu::registered ? why.c_str() : "";
}
