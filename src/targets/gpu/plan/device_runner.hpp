// SPDX-License-Identifier: MIT
// Plans run by a device: constants uploaded once, a static arena, the steps between those of the
// host recorded as graphs and replayed.
#pragma once

#include <migraphx/compile_options.hpp>

#include "runtime/plan_runner.hpp"
#include "targets/gpu/plan/lanes.hpp"

#include <memory>

namespace migraphx::gpu {

/// With `offload_copy` parameters and results are host memory. Without, they are the device's:
/// results are allocated, or written to the parameters `main:#output_N` that the caller gives; what
/// lies on the host nevertheless is copied.
///
/// A run is done when it returns, unless its environment says `async`: then it is put on the
/// caller's queue, and so is what it reads and writes. `data` outlives the runner.
std::unique_ptr<plan_runner> make_device_runner(const plan_data& data,
                                                const compile_options& options,
                                                std::shared_ptr<run_lanes> lanes);

} // namespace migraphx::gpu
