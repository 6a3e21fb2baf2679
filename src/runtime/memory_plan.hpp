// SPDX-License-Identifier: MIT
// Offsets of buffers in one arena: buffers whose lifetimes overlap never overlap in memory.
#pragma once

#include <cstddef>
#include <vector>

namespace migraphx {

struct lifetime {
    std::size_t bytes = 0;
    std::size_t first = 0; ///< step that writes it
    std::size_t last = 0;  ///< last step that reads it
};

struct memory_layout {
    std::vector<std::size_t> offsets; ///< multiples of `alignment`
    std::size_t bytes = 0;
};

/// Largest first, each at the smallest gap that fits (best fit).
memory_layout plan_memory(const std::vector<lifetime>& buffers, std::size_t alignment = 64);

} // namespace migraphx
