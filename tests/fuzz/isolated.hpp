// SPDX-License-Identifier: MIT
// Work in a process of its own, so that a crash or a hang is a result like any other. The process
// that forks never runs a graph itself: locks that its other threads hold would stay locked.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace fuzz {

struct outcome {
    std::string text;  ///< what the function returned
    std::string fault; ///< "signal 11", "took more than 60 s"; empty when it returned
};

/// Runs f in a child.
outcome isolated(const std::function<std::string()>& f, double seconds = 60);

/// Runs f(seed) for `count` seeds in `jobs` children, which are started again after a crash.
/// Calls failed(seed, message) in this process for every seed whose message is not empty.
void for_each_seed(std::uint64_t first, std::uint64_t count, unsigned jobs,
                   const std::function<std::string(std::uint64_t)>& f,
                   const std::function<void(std::uint64_t, const std::string&)>& failed,
                   double seconds = 60);

} // namespace fuzz
