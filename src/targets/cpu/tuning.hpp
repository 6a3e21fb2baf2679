// SPDX-License-Identifier: MIT
// Bounded tuning (compile option exhaustive_tune): the implementations that take a problem are
// timed, once for each distinct problem on this kind of machine, and the fastest is remembered.
#pragma once

#include "runtime/kernel.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace migraphx {
class tuning_cache;
} // namespace migraphx

namespace migraphx::cpu {

struct implementation;

/// All that the choice depends on: operator, shapes, which inputs are constant, what follows,
/// threads, machine and versions.
std::string tuning_key(const problem& p);

/// Of a problem that `choices` can do in at least two ways: the kernel that the cache names, or
/// else the fastest. None where there is nothing to choose, or nothing to time with.
std::unique_ptr<kernel> tuned_kernel(const problem& p, const std::vector<implementation>& choices,
                                     tuning_cache& cache);

/// How many candidates this process has timed.
std::size_t candidates_timed();

} // namespace migraphx::cpu
