// SPDX-License-Identifier: MIT
// What a plan consists of once it is built, and the interface of what runs it: the host
// (host_runner.cpp) or a target's own, which a backend makes.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/execution_environment.hpp>
#include <migraphx/program.hpp>

#include "base/fetch_ahead.hpp"
#include "runtime/executable.hpp"
#include "runtime/kernel.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace migraphx {

/// Where a value lies: a base address and an offset from it.
struct slot_ref {
    uint32_t base = 0;      ///< index into a run's base addresses
    std::size_t offset = 0; ///< bytes
};

struct plan_step {
    std::unique_ptr<kernel> work;
    uint32_t first_input = 0, inputs = 0; ///< range of `plan_data::refs`
    uint32_t first_output = 0, outputs = 0;
    instruction_ref ins;
    shape layout;                     ///< of the output, where the instruction's is another
    std::vector<uint32_t> needed_for; ///< results (positions) that depend on this step
    std::vector<memory_ahead> ahead;  ///< what it brings near for later steps

    /// `wanted`: positions of results; null: all.
    bool is_needed(const std::vector<std::size_t>* wanted) const;
};

/// How a result leaves the plan.
struct plan_result {
    slot_ref where;
    shape layout;
    bool fresh = false; ///< its base is an output buffer of the run; else it is copied
    std::vector<plan_result> tuple = {};
};

struct output_buffer {
    uint32_t base = 0;
    std::size_t bytes = 0;
};

/// Immutable while it is run. Base addresses: the arena, constants, parameters, output buffers.
struct plan_data {
    program source; ///< for names and traces
    std::vector<std::string> names;
    std::vector<plan_step> steps;
    std::vector<slot_ref> refs;
    std::vector<plan_result> results;
    std::vector<argument> constants; ///< that steps read, in host memory
    std::vector<uint32_t> constant_bases;
    std::vector<uint32_t> param_bases;
    std::vector<shape> param_shapes;
    std::vector<output_buffer> output_buffers;
    uint32_t arena_base = 0;
    uint32_t base_count = 0;
    std::size_t arena_bytes = 0; ///< a multiple of the backend's alignment
    std::size_t scratch_bytes = 0;
    std::size_t max_args = 0;
    int threads = 1; ///< for which the kernels were made

    /// The addresses of a step's arguments, inputs first; `args` has room for `max_args`.
    void place_arguments(const plan_step& s, char* const* bases, char** args) const;
};

/// Runs one plan; from many threads at once.
struct plan_runner {
    virtual ~plan_runner() = default;
    /// Parameters in declaration order. Results in the order of the return, or the `wanted` ones in
    /// that order.
    virtual std::vector<argument> run(const std::vector<argument>& params,
                                      const execution_environment& env,
                                      const std::vector<std::size_t>* wanted) const = 0;
    virtual void dry_run(const std::vector<argument>& params) const = 0;
    virtual std::vector<step_record> profile(const std::vector<argument>& params,
                                             std::vector<argument>* results) const = 0;
    /// The constants of the plan itself, those of its kernels not included.
    virtual void add_constants(held_constants& held) const = 0;
};

/// A result made of its leaves: `leaf(const plan_result&)` gives the argument of a tensor.
template <class Leaf>
argument assemble(const plan_result& r, Leaf& leaf) {
    if (r.tuple.empty())
        return leaf(r);
    std::vector<argument> subs;
    for (const auto& t : r.tuple)
        subs.push_back(assemble(t, leaf));
    return {subs};
}

/// The row-major shape in which users get a result.
shape result_shape(const plan_result& r);

/// The record of a step that took this long.
step_record record_of(const plan_step& s, double milliseconds);

} // namespace migraphx
