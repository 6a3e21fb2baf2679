// SPDX-License-Identifier: MIT
// Memory to run a product with, and a stopwatch on the device, for choices among algorithms.
#pragma once

#include "targets/gpu/libraries/gemm.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace migraphx::gpu {

/// One trial at a time runs in a process, and what it finds out is looked up by those that waited:
/// hold this from before the look-up to after the answer is kept. A thread may hold it twice.
std::unique_lock<std::recursive_mutex> alone_on_device();

/// Memory of small numbers, never zeros, which run faster than data does; null when the device has
/// little left.
std::shared_ptr<char> trial_memory(device& on, std::size_t bytes, stream s);

/// Operands for a product.
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

/// The same for any work that is put on a stream; recorded in a graph where it can be, so that what
/// launches cost the host does not count.
double milliseconds_on(device& on, const std::function<void(stream)>& work);

} // namespace migraphx::gpu
