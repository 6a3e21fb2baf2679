// SPDX-License-Identifier: MIT
// Where the parameters and results of a plan lie in a run: what of that is known beforehand.
#pragma once

#include "runtime/plan_runner.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace migraphx::gpu {

struct bound_parameter {
    uint32_t base = 0;
    shape layout;
    bool read = false;               ///< by a step, or it is a result
    std::size_t io = 0;              ///< offset of its copy in the lane's `io`
    std::size_t bytes = 0;           ///< that it spans
    std::optional<std::size_t> leaf; ///< memory for this leaf of the results
};

/// A tensor among the results.
struct bound_result {
    std::size_t result = 0; ///< position among the plan's results
    slot_ref where;
    shape layout; ///< row-major
    std::size_t bytes = 0;
    /// The output buffer that is this tensor and nothing else: it may lie in the caller's memory.
    std::optional<uint32_t> own_base;
    std::size_t staging = 0; ///< offset in pinned memory, for small ones
};

struct plan_binding {
    explicit plan_binding(const plan_data& p);

    std::vector<bound_parameter> parameters;
    std::vector<bound_result> results;   ///< leaves of the results, in order
    std::vector<std::size_t> first_leaf; ///< of each result, and their number at the end
    std::vector<std::pair<uint32_t, std::size_t>> buffers; ///< output buffers: base, offset in `io`
    std::size_t parameter_bytes = 0;                       ///< the first part of `io`
    std::size_t io_bytes = 0;
    std::size_t staging_bytes = 0; ///< parameters as in `io`, then small results
};

/// Results up to this size come back through the lane's pinned memory and are copied from there;
/// larger ones lie in pinned memory of their own.
constexpr std::size_t small_result = std::size_t{64} << 10;

/// Callers' memory that kernels may use where it is; else it is copied.
inline bool is_aligned(const void* p) {
    constexpr std::uintptr_t vector_bytes = 16;
    return reinterpret_cast<std::uintptr_t>(p) % vector_bytes == 0;
}

} // namespace migraphx::gpu
