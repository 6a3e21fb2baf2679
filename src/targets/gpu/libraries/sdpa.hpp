// SPDX-License-Identifier: MIT
// Attention by the device's library: softmax(q . k' * scale) . v for every head, all heads of a
// batch at once. cuDNN on CUDA; on the host plain loops, which test the descriptor.
#pragma once

#include <migraphx/shape.hpp>

#include "targets/gpu/device/device.hpp"
#include "targets/gpu/libraries/cudnn.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace migraphx::gpu {

/// q (B, H, S, D), k (B, K, T, D), v (B, K, T, E), y (B, H, S, E) of one type, half or bf16, whose
/// last axes are contiguous; K divides H.
struct sdpa_desc {
    shape q, k, v, y;
    float scale = 1;
};

struct sdpa_pointers {
    const void *q, *k, *v;
    void* y;
    void* workspace;
};

/// Immutable; may be run from several threads with different memory.
struct prepared_sdpa {
    virtual ~prepared_sdpa() = default;
    virtual std::string name() const = 0;
    virtual std::size_t workspace() const = 0; ///< bytes
    /// Addresses are multiples of 16. Puts its work on the stream.
    virtual void run(const sdpa_pointers& p, stream s) const = 0;
};

/// Null, with the reason, where the device has no library or that does not take the problem.
std::shared_ptr<const prepared_sdpa> prepare_sdpa(device& on, const sdpa_desc& d,
                                                  std::string& reason);

/// The problem as a graph of cuDNN's operations, for plans.
struct sdpa_graph {
    std::vector<cudnn::descriptor> operations;
    std::vector<int64_t> ids; ///< of q, k, v, y and the scale
};
/// Throws cudnn::refused.
sdpa_graph make_sdpa_graph(const cudnn::functions& f, const sdpa_desc& d);

} // namespace migraphx::gpu
