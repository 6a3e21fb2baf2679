// SPDX-License-Identifier: MIT
// The library of device code, as text: what generated kernels may include.
#pragma once

#include <map>
#include <string>

namespace migraphx::gpu {

/// By file name (`dialect.cuh`, …).
const std::map<std::string, std::string>& device_headers();

} // namespace migraphx::gpu
