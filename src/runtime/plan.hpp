// SPDX-License-Identifier: MIT
// An immutable list of steps with concrete shapes: kernels, where their arguments lie, one arena.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/compile_options.hpp>
#include <migraphx/execution_environment.hpp>
#include <migraphx/program.hpp>

#include "ir/artifacts.hpp"
#include "runtime/backend.hpp"
#include "runtime/buffer_pool.hpp"
#include "runtime/executable.hpp"
#include "runtime/kernel.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace migraphx {

/// Where a value lies: a base address and an offset from it.
struct slot_ref {
    uint32_t base = 0;      ///< index into the frame's base addresses
    std::size_t offset = 0; ///< bytes
};

struct plan_step {
    std::unique_ptr<kernel> work;
    uint32_t first_input = 0, inputs = 0; ///< range of `plan::refs`
    uint32_t first_output = 0, outputs = 0;
    instruction_ref ins;
    shape layout;                     ///< of the output, where the instruction's is another
    std::vector<uint32_t> needed_for; ///< results (positions) that depend on this step
};

/// How a result leaves the plan.
struct plan_result {
    slot_ref where;
    shape layout;
    bool fresh = false; ///< its base is an output buffer of the run; else it is copied
    std::vector<plan_result> tuple = {};
};

/// What one run writes to; pooled by the plan, but for its memory.
struct frame {
    arena_pool::block memory; ///< the arena, then the scratch
    char* scratch = nullptr;
    std::vector<char*> bases;
    std::vector<char*> args;
    std::vector<std::shared_ptr<char>> owners; ///< of the output buffers, by position
    std::vector<argument> held;                ///< parameters copied to the declared layout
};

class plan_cache;

/// What the parts of a program (sub-modules, what follows a size that only a run gives) share with
/// it.
struct part_context {
    std::shared_ptr<run_memory> memory;
    std::weak_ptr<plan_cache> plans; ///< of all parts; the program's executable owns it
    bool many_sizes = false;         ///< as in `problem`
    std::shared_ptr<artifact_store> artifacts = nullptr; ///< of the program
};

/// An executable for a part.
std::shared_ptr<executable> make_part_executable(const program& p, std::shared_ptr<const backend> b,
                                                 const compile_options& options,
                                                 const part_context& parts);

class plan {
public:
    /// `p`'s main module has only static shapes. Keeps the program, for names and traces.
    plan(program p, std::shared_ptr<const backend> b, const compile_options& options,
         part_context parts);
    ~plan();
    plan(const plan&) = delete;
    plan& operator=(const plan&) = delete;

    /// Parameters in declaration order. Results in the order of the return.
    std::vector<argument> run(const std::vector<argument>& params, const execution_environment& env,
                              const std::vector<std::size_t>* wanted = nullptr) const;
    void dry_run(const std::vector<argument>& params) const;
    std::vector<step_record> profile(const std::vector<argument>& params,
                                     std::vector<argument>* results = nullptr) const;
    /// Constants that the steps read, and packed forms.
    void add_constants(held_constants& held) const;
    const std::vector<std::string>& parameter_names() const { return names; }

private:
    friend class plan_builder;
    std::unique_ptr<frame> acquire() const;
    void release(std::unique_ptr<frame> f) const;
    void bind(frame& f, const std::vector<argument>& params) const;
    void run_step(const plan_step& s, frame& f) const;
    std::vector<argument> collect(frame& f, const std::vector<std::size_t>* wanted) const;

    program source;
    std::vector<std::string> names;
    std::vector<plan_step> steps;
    std::vector<slot_ref> refs;
    std::vector<plan_result> results;
    std::vector<argument> constants; ///< kept alive; their bases come first
    std::vector<uint32_t> constant_bases;
    std::vector<uint32_t> param_bases;
    std::vector<shape> param_shapes;
    std::vector<std::pair<uint32_t, std::size_t>> output_buffers; ///< base, bytes
    uint32_t arena_base = 0;
    uint32_t base_count = 0;
    std::size_t arena_bytes = 0;
    std::size_t scratch_bytes = 0;
    std::size_t max_args = 0;
    int threads = 1;                                ///< for which the kernels were made
    mutable std::atomic<bool> uses_helpers = false; ///< a run has; the next ones call them early

    std::shared_ptr<run_memory> memory;
    mutable std::mutex frame_mutex;
    mutable std::vector<std::unique_ptr<frame>> frames;
};

/// For steps with sub-modules: the modules as executables of their own, whose parameters are the
/// module's plus what it uses of the modules around it.
struct lifted_module {
    std::shared_ptr<executable> exec;
    std::vector<std::string> captured_names;
    std::vector<instruction_ref> captured; ///< instructions of the outer modules
};
lifted_module lift_module(module_ref m, std::shared_ptr<const backend> b,
                          const compile_options& options, const part_context& parts);

/// Copies `from`'s body to the end of `into`, a module of `to`, and the modules under it into `to`;
/// operands found in `map` are replaced, copies are added to it.
void copy_module_body(program& to, module& into, const module& from, module::instruction_map& map);

/// Copies `m` and the modules under it into `to`; operands found in `map` are replaced.
module_ref clone_sub_module(program& to, module_ref m, module::instruction_map& map);

} // namespace migraphx
