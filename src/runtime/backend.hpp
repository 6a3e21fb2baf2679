// SPDX-License-Identifier: MIT
// What a target gives to the planned executable.
#pragma once

#include <migraphx/compile_options.hpp>
#include <migraphx/pass.hpp>

#include "runtime/buffer_pool.hpp"
#include "runtime/kernel.hpp"
#include "runtime/plan_runner.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace migraphx {

struct backend {
    virtual ~backend() = default;
    virtual std::string name() const = 0;
    /// Run on a program all of whose shapes are concrete: fusion, layout, selection.
    virtual std::vector<pass> static_passes(const compile_options& options) const = 0;
    /// Never refuses: the last resort is the reference kernel.
    virtual std::unique_ptr<kernel> lower(const problem& p) const = 0;
    /// Whether a result of the strides that `p` states, a part of a larger buffer, costs no more
    /// than a packed one; then `lower` is asked for it.
    virtual bool writes_strided(const problem&) const { return false; }
    /// The same for input `i`.
    virtual bool reads_strided(const problem&, std::size_t) const { return false; }
    /// The result of an operator whose output size depends on values; none: by its reference
    /// evaluation. Inputs and result may lie in the backend's memory if `parts_stay`.
    virtual std::optional<argument> evaluate(const operation&, const std::vector<argument>&) const {
        return std::nullopt;
    }

    // ---- for targets that run plans in memory of their own
    /// Multiple of the bytes at which buffers of the arena begin.
    virtual std::size_t alignment() const { return 64; }
    /// What the plans of one program share.
    virtual std::shared_ptr<run_memory> make_memory() const;
    /// Runs a plan of this backend; `memory` is what `make_memory` gave, `data` outlives the
    /// runner.
    virtual std::unique_ptr<plan_runner> make_runner(const plan_data& data,
                                                     const compile_options& options,
                                                     std::shared_ptr<run_memory> memory) const;
    /// A kernel that a plan has made itself and that works on host memory (a loop, a branch) as one
    /// of this backend.
    virtual std::unique_ptr<kernel> adopt(const problem&, std::unique_ptr<kernel> k) const {
        return k;
    }
    /// The parts of a program exchange values in the backend's memory, else in the host's.
    virtual bool parts_stay() const { return false; }
    /// Such values, which are complete, in the host's memory.
    virtual std::vector<argument> fetch(std::vector<argument> values) const { return values; }
    /// Between the memory of callers who do not want `offload_copy` and the host's.
    virtual argument to_host(const argument& a) const { return a; }
    virtual argument from_host(const argument& a) const { return a; }
};

/// Executes by plans: one for each set of concrete sizes, kept in a bounded cache.
/// Takes a copy of the program's modules; weights are shared with it.
std::shared_ptr<struct executable> make_planned_executable(const struct program& p,
                                                           std::shared_ptr<const backend> b,
                                                           const compile_options& options);

/// Every operator by its reference evaluation.
std::shared_ptr<const backend> reference_backend();

/// True when every instruction of every module has a static shape and none is boxed.
bool all_static(const struct program& p);

/// The pass that runs a backend's static passes on programs whose shapes are all known already.
pass specialise_static(std::shared_ptr<const backend> b, const compile_options& options);

/// The pass that does once, on programs with shapes that are not known yet, what would be done
/// again for each set of sizes: operands that need no stretching, constants, weights of
/// convolutions.
pass simplify_for_all_sizes();

} // namespace migraphx
