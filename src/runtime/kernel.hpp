// SPDX-License-Identifier: MIT
// One step's work. A target turns each instruction (its `problem`) into a kernel; a plan runs them.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/execution_environment.hpp>
#include <migraphx/instruction_ref.hpp>
#include <migraphx/operation.hpp>
#include <migraphx/shape.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace migraphx {

class artifact_store;
struct weight_store;

/// Bytes of constants by their address: what several kernels share counts once.
using held_constants = std::unordered_map<const void*, std::size_t>;

/// Addresses for one run. A tuple result has one output per leaf.
struct kernel_args {
    char* const* inputs;
    char* const* outputs;
    char* scratch;         ///< `scratch_bytes()` bytes, aligned as `backend::alignment()`
    void* queue = nullptr; ///< of the device (its stream), for kernels that only put work on it
};

/// Immutable after creation; run from many threads at once with different addresses.
struct kernel {
    virtual ~kernel() = default;
    virtual void run(const kernel_args& args) const = 0;
    virtual std::size_t scratch_bytes() const { return 0; }
    /// Implementation name for profiles and traces.
    virtual std::string name() const = 0;
    /// False for a constant input whose values the kernel has packed for itself.
    virtual bool reads_input(std::size_t) const { return true; }
    /// The packed constants that it keeps.
    virtual void add_constants(held_constants&) const {}
    /// Packed constants that take the time of a run: each thread reads a share from end to end and
    /// does little else.
    virtual std::span<const char> streamed() const { return {}; }
    /// Whether its threads fetch this_thread_ahead() while they compute.
    virtual bool fetches_ahead() const { return false; }
    /// Input whose memory the output may reuse (same bytes, read before written); npos: none.
    virtual bool can_write_over(std::size_t) const { return false; }
};

/// An instruction with concrete shapes, to be lowered.
struct problem {
    instruction_ref ins;
    operation op; ///< attributes in canonical form
    std::vector<shape> inputs;
    shape output;
    std::vector<argument> constants; ///< values of constant inputs; empty arguments for others
    std::vector<module_ref> modules;
    std::size_t num_threads = 0;
    bool fast_math = true;
    bool tf32 = false; ///< products of float may round their operands to TF32
    bool many_sizes =
        false; ///< the program has met many sets of sizes: what is made for one is to go with it
    weight_store* weights = nullptr;
    /// What the program keeps beside itself; null where there is no such program.
    artifact_store* artifacts = nullptr;
    bool tune = false; ///< candidates may be timed
    int variant = 0; ///< asked of an implementation that has several, by tuning; 0: its own choice

    bool is_constant(std::size_t i) const {
        return i < constants.size() and constants[i].data() != nullptr;
    }
};

/// A kernel, or the reason why an implementation declines.
struct lowered {
    std::unique_ptr<kernel> k;
    std::string reason;

    template <class T, class = std::enable_if_t<std::is_base_of_v<kernel, T>>>
    lowered(std::unique_ptr<T> x) : k(std::move(x)) {}
    explicit operator bool() const { return k != nullptr; }

    static lowered refuse(std::string why) {
        lowered l{std::unique_ptr<kernel>{}};
        l.reason = std::move(why);
        return l;
    }
};

/// Evaluates the operator's reference and copies the result to the output; any operator without
/// sub-modules. For those with, `plan` supplies the executables.
std::unique_ptr<kernel> make_reference_kernel(const problem& p);

} // namespace migraphx
