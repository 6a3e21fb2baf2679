// SPDX-License-Identifier: MIT
// Which step brings near what later ones stream from memory (base/fetch_ahead.hpp).
#pragma once

#include "base/fetch_ahead.hpp"
#include "runtime/plan_runner.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace migraphx {

struct fetching_step {
    double flops = 0;               ///< if the step fetches: of its work
    std::size_t constants = 0;      ///< bytes that the step reads
    std::span<const char> streamed; ///< of them, a share on each thread
    std::vector<memory_ahead> ahead = {};
};

/// Sets `ahead` of steps that compute shortly before others stream, nearest first.
void plan_fetches(std::vector<fetching_step>& steps, int threads);
/// For the steps of a plan.
void plan_fetches(plan_data& plan);

} // namespace migraphx
