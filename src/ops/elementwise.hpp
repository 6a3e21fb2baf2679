// SPDX-License-Identifier: MIT
// Loops over elements in parts small enough for the cache, on several threads.
#pragma once

#include "base/parallel.hpp"

#include <migraphx/argument.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace migraphx {

constexpr std::size_t elementwise_part = 2048;

/// Calls f(first, count) for consecutive parts of n elements.
template <class F>
void for_each_part(std::size_t n, F f) {
    const auto parts = (n + elementwise_part - 1) / elementwise_part;
    parallel_for(static_cast<std::int64_t>(parts), 4, [&](std::int64_t begin, std::int64_t end) {
        for (auto p = static_cast<std::size_t>(begin); p < static_cast<std::size_t>(end); ++p) {
            const auto first = p * elementwise_part;
            f(first, std::min(elementwise_part, n - first));
        }
    });
}

/// Elements to compute for `out`: those in memory when it is one value for all of them.
inline std::size_t elements_to_store(const argument& out) {
    const auto& s = out.get_shape();
    return s.scalar() ? std::min<std::size_t>(s.elements(), 1) : s.elements();
}

} // namespace migraphx
