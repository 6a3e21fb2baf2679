// SPDX-License-Identifier: MIT
// The target `null`: the gpu pipeline with the host as its device.
#include <migraphx/register_target.hpp>

#include "targets/gpu/device_target.hpp"
#include "targets/gpu/plan/opened_devices.hpp"

namespace migraphx::gpu {

namespace {

struct null_target : device_target {
    null_target() : device_target("null", use_host) {}
};

MIGRAPHX_REGISTER_TARGET(null_target)

} // namespace

} // namespace migraphx::gpu
