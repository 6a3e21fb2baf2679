// SPDX-License-Identifier: MIT
// Constants in device memory: uploaded once per process and device, shared by all programs that
// hold them, freed with their last user.
#pragma once

#include "runtime/weight_store.hpp"
#include "targets/gpu/device/device.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace migraphx::gpu {

/// What a kernel keeps: `data` is device memory, aligned to 256 bytes.
using device_weight = std::shared_ptr<const packed_weight>;

/// `constant` (host memory) as it lies there: its elements at the strides of its shape.
device_weight device_constant(device& on, const argument& constant);
/// The same for many, several at once.
std::vector<device_weight> device_constants(device& on, const std::vector<argument>& constants);

/// The form of `constant` that `layout` names (library, kernel, layout, what it depends on besides
/// the constant). `make` writes all `bytes` bytes of it to host memory; it is called when nobody in
/// the process holds this form on this device. Thread-safe; not to be called while recording.
device_weight device_constant(device& on, const argument& constant, const std::string& layout,
                              std::size_t bytes, const std::function<void(char* to)>& make);

/// Numbers as sums of two of a shorter type; what is beyond its range has 0 as the second.
std::pair<argument, argument> as_sum(const std::vector<double>& numbers, shape::type_t type);

} // namespace migraphx::gpu
