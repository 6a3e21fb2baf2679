// SPDX-License-Identifier: MIT
// How a recurrent layer is laid out on blocks, and its activations (device_code/recurrent.cuh).
#pragma once

#include <migraphx/operation.hpp>

#include "targets/gpu/device/device.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace migraphx::gpu {

struct recurrent_sizes {
    int64_t hidden = 0, gates = 0, batch = 0, directions = 1;
    std::size_t sum = 4;     ///< bytes of what sums are kept in
    bool two_phases = false; ///< the gru whose reset gate acts on the state
};

/// One launch for all steps: template arguments of `recurrent_layer`, and its launch.
struct recurrent_layout {
    int cluster = 1, units = 0, parts = 0, weights = 0;
    int64_t rows = 0; ///< of the batch, for each cluster
    int threads = 0;
    std::size_t shared = 0; ///< bytes of a block

    std::string text() const;
};

/// The one that a step takes the least time with; none when the weights do not fit the registers of
/// a cluster. `largest_cluster`: 1 where blocks cannot share memory.
std::optional<recurrent_layout>
choose_recurrent_layout(const recurrent_sizes& s, const device_properties& on, int largest_cluster);

/// An activation as the body of a function of x, in the type A; empty for one that is not known.
std::string activation_text(const operation& op);

} // namespace migraphx::gpu
