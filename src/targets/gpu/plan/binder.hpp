// SPDX-License-Identifier: MIT
// Runs of a plan and callers' memory: where parameters and results lie in a run, and the copies to
// and from there.
#pragma once

#include <migraphx/compile_options.hpp>
#include <migraphx/execution_environment.hpp>

#include "targets/gpu/plan/binding.hpp"
#include "targets/gpu/plan/lanes.hpp"
#include "targets/gpu/plan/upload.hpp"
#include "targets/gpu/weights.hpp"

#include <memory>
#include <vector>

namespace migraphx::gpu {

/// Positions of results; null: all.
using wanted_results = const std::vector<std::size_t>*;

/// What one run uses and where everything lies in it. Gives its lane back at its end, or drops it
/// when an exception ends the run.
struct site {
    site(run_lanes& from, const execution_environment& env);
    site(const site&) = delete;
    site& operator=(const site&) = delete;
    ~site();

    run_lanes& lanes;
    std::unique_ptr<lane> l;
    stream queue = nullptr;
    bool callers = false; ///< the queue is
    bool async = false;
    bool staging_in_use = false; ///< by a run that was not waited for
    std::vector<char*> bases;    ///< of `plan_data`
    char* scratch = nullptr;
    std::vector<argument> leaves; ///< the tensors of the results; empty where not wanted

private:
    int exceptions;
};

class binder {
public:
    binder(const plan_data& data, const compile_options& options, std::shared_ptr<run_lanes> l);

    /// Fills `bases`, `scratch` and `leaves`. Callers' memory is used where it is as far as kernels
    /// can, and results get memory that may be kept.
    void place(site& s, const std::vector<argument>& params, wanted_results wanted) const;
    /// With `offload_copy` `place` gives the same addresses in each run of a lane.
    bool is_fixed() const { return offload; }
    /// The same without: everything is copied.
    void use_fixed_memory(site& s) const { use_own_memory(s, true); }
    std::size_t copied_bytes() const { return where.io_bytes; }

    /// Puts the copies of parameters that are not used where they are on the queue.
    void send(site& s, const std::vector<argument>& params) const;
    /// The copies of results, and, unless the run is asynchronous, waits for all of it.
    std::vector<argument> receive(site& s, wanted_results wanted) const;

    void add_constants(held_constants& held) const;
    device& on() const { return lanes->on(); }
    const std::shared_ptr<run_lanes>& memory() const { return lanes; }

private:
    void wait_for_others(site& s) const;
    void place_parameters(site& s, const std::vector<argument>& params) const;
    void place_given_results(site& s, const std::vector<argument>& params) const;
    void place_results(site& s, wanted_results wanted) const;
    void use_own_memory(site& s, bool for_all) const;
    char* staging(site& s) const;

    const plan_data& p;
    plan_binding where;
    std::shared_ptr<run_lanes> lanes;
    bool offload;
    std::vector<device_weight> constants;
    mutable layout_copier copier;
};

} // namespace migraphx::gpu
