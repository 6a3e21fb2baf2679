// SPDX-License-Identifier: MIT
// The gpu target's backend for one device: its passes on concrete programs, and how they are
// lowered.
#pragma once

#include "runtime/backend.hpp"
#include "targets/gpu/device/device.hpp"

#include <memory>
#include <vector>

namespace migraphx::gpu {

std::shared_ptr<const backend> make_backend(std::shared_ptr<device> on);

/// Run once for all sizes, before those of `backend::static_passes`.
std::vector<pass> passes_for_all_sizes(std::shared_ptr<const backend> b,
                                       const compile_options& options);

} // namespace migraphx::gpu
