// SPDX-License-Identifier: MIT
// Memory to run a product with, and a stopwatch on the device, for choices among algorithms.
#pragma once

#include "targets/gpu/libraries/gemm.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace migraphx::gpu {

/// Operands of small numbers (never zeros, which run faster than data does). One trial at a time
/// runs in a process: others wait in the constructor.
class trial_buffers {
public:
    trial_buffers(device& on, const gemm_problem& p, std::size_t workspace);
    ~trial_buffers();
    trial_buffers(const trial_buffers&) = delete;
    trial_buffers& operator=(const trial_buffers&) = delete;

    /// False when the device has no memory to spare for it.
    bool ready() const;
    /// Median of a few rounds of runs in a row, after one that is not counted.
    double milliseconds(const std::function<void(const gemm_pointers&)>& run) const;

private:
    struct state;
    std::unique_ptr<state> impl;
};

/// The same for any work that is put on a stream.
double milliseconds_on(device& on, const std::function<void(stream)>& work);

} // namespace migraphx::gpu
