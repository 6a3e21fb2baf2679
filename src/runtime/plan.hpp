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
#include "runtime/plan_runner.hpp"

#include <memory>
#include <string>
#include <vector>

namespace migraphx {

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

    /// As `plan_runner`, which says what they do.
    std::vector<argument> run(const std::vector<argument>& params, const execution_environment& env,
                              const std::vector<std::size_t>* wanted = nullptr) const {
        return runner->run(params, env, wanted);
    }
    void dry_run(const std::vector<argument>& params) const { runner->dry_run(params); }
    std::vector<step_record> profile(const std::vector<argument>& params,
                                     std::vector<argument>* results = nullptr) const {
        return runner->profile(params, results);
    }
    /// Constants that the steps read, and packed forms.
    void add_constants(held_constants& held) const;
    const plan_data& parts() const { return data; }

private:
    plan_data data;
    std::unique_ptr<plan_runner> runner;
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
