// SPDX-License-Identifier: MIT
// What runs a compiled program. Immutable to its users: `run` may be called from many threads at
// once.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/execution_environment.hpp>
#include <migraphx/shape.hpp>

#include "ops/cost.hpp"
#include "runtime/kernel.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace migraphx {

/// One executed step, for profiles: what it was made from, which kernel it became, how long it
/// took.
struct step_record {
    std::string instruction; ///< printed instruction
    std::string group;       ///< operator name, the key of summaries
    std::string kernel;      ///< implementation
    shape output;
    cost work; ///< from shapes alone, whatever the kernel does
    double milliseconds = 0;
};

struct executable {
    virtual ~executable() = default;

    /// Results in the model's order; `wanted` (positions among the results): only those, in that
    /// order.
    virtual std::vector<argument> run(const parameter_map& params, const execution_environment& env,
                                      const std::vector<std::size_t>* wanted = nullptr) const = 0;
    /// Everything of a run but the work of the steps.
    virtual void dry_run(const parameter_map& params) const = 0;
    /// Runs once, timing each step.
    virtual std::vector<step_record> profile(const parameter_map& params) const = 0;
    /// Prepares these input shapes, so that the next run with them pays nothing.
    virtual void prepare(const std::unordered_map<std::string, shape>& shapes) const = 0;
    /// Bytes held: constants that steps read, packed forms, memory of runs.
    virtual std::size_t memory_usage() const = 0;
    /// The constants among that.
    virtual void add_constants(held_constants& held) const = 0;
};

} // namespace migraphx
