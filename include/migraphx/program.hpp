// SPDX-License-Identifier: MIT
// A model: a main module, its sub-modules and, once compiled, what runs it.
#ifndef MIGRAPHX_PROGRAM_HPP
#define MIGRAPHX_PROGRAM_HPP

#include <functional>
#include <iosfwd>
#include <memory>
#include <migraphx/argument.hpp>
#include <migraphx/compile_options.hpp>
#include <migraphx/context.hpp>
#include <migraphx/execution_environment.hpp>
#include <migraphx/instruction_ref.hpp>
#include <migraphx/module.hpp>
#include <migraphx/target.hpp>
#include <string>
#include <unordered_map>
#include <vector>

namespace migraphx {

struct program_impl;
struct marker;
struct executable;
struct program_access;

/// Copies are deep; a compiled program's executable is immutable and shared by its copies.
/// `eval` may be called from many threads at once.
struct program {
    program();
    explicit program(module m);
    program(program&&) noexcept;
    program(const program&);
    program& operator=(program);
    ~program() noexcept;

    // ---- parameters and results of the main module
    std::vector<std::string> get_parameter_names() const;
    shape get_parameter_shape(std::string name) const;
    instruction_ref get_parameter(std::string name) const;
    std::unordered_map<std::string, shape> get_parameter_shapes() const;
    std::vector<shape> get_output_shapes() const;
    /// Names in the model's order; "output_N" where the model gave none.
    std::vector<std::string> get_output_names() const;
    void set_output_names(std::vector<std::string> names);
    /// Inputs and outputs by the model's names, with their shapes.
    std::unordered_map<std::string, shape> get_inputs() const;
    std::unordered_map<std::string, shape> get_outputs() const;

    // ---- compiling and running (defined in runtime/)
    /// Runs the target's passes and prepares execution. At most once for each copy.
    void compile(const target& t, compile_options options = compile_options{});
    void compile(const std::vector<target>& targets, std::vector<compile_options> options = {});
    bool is_compiled() const;
    /// Results in the model's order. Throws for a parameter that is missing or has another shape
    /// than declared (for a dynamic one: a size outside its bounds).
    std::vector<argument> eval(const parameter_map& params,
                               execution_environment exec_env = execution_environment{}) const;
    /// The named outputs, in that order; what only other outputs need is not computed.
    std::vector<argument> eval(const parameter_map& params,
                               const std::vector<std::string>& output_names) const;
    std::vector<argument> eval_with_context(std::vector<context>& ctx,
                                            const parameter_map& params) const;
    /// Waits for asynchronous work.
    void finish() const;
    /// Everything of a run but the work itself: what is left is overhead.
    void dry_run(const parameter_map& params) const;
    void mark(const parameter_map& params, marker m);
    void perf_report(std::ostream& os, std::size_t n, parameter_map params, std::size_t batch = 1,
                     bool detailed = false) const;
    /// Prepares a dynamic program for these input sizes, so that the next eval pays nothing; 0:
    /// done.
    int reshape(const std::unordered_map<std::string, std::vector<std::size_t>>& inputs,
                bool print_info = true);
    /// Bytes that the compiled program holds: weights, packed forms, arenas.
    std::size_t get_memory_usage() const;
    bool get_offload_copy() const;
    void set_device_id(std::size_t id);
    context& get_context() const;
    void clear_context();
    void finalize();
    std::vector<target> get_targets() const;
    const compile_options& get_compile_options() const;

    // ---- modules
    const module* get_module(const std::string& name) const;
    module* get_module(const std::string& name);
    module* create_module(const std::string& name);
    module* create_module(const std::string& name, module m);
    module* get_main_module();
    const module* get_main_module() const;
    std::vector<const module*> get_modules() const;
    std::vector<module*> get_modules();
    /// Sub-module → the modules that use it.
    std::unordered_multimap<module_ref, module_ref> get_module_tree();
    void remove_module(const std::string& name);
    void rename_module(const std::string& old_name, const std::string& new_name);
    void remove_unused_modules();
    program& sort();
    std::size_t size() const;
    std::size_t total_instructions() const;
    instruction_ref validate() const;

    // ---- saving and text
    value to_value() const;
    void from_value(const value& v);
    int get_program_file_version() const;
    int get_mxr_version() const { return get_program_file_version(); }
    void debug_print() const;
    void debug_print(instruction_ref ins) const;
    void print(std::ostream& os) const;
    void print(print_names& names,
               const std::function<void(instruction_ref, print_names)>& print_func) const;
    void print_graph(std::ostream& os, bool brief = false) const;
    void print_py(std::ostream& os) const;
    void print_cpp(std::ostream& os) const;
    void annotate(std::ostream& os, const std::function<void(instruction_ref)>& a) const;

    friend std::ostream& operator<<(std::ostream& os, const program& p);
    friend bool operator==(const program& x, const program& y);
    friend bool operator!=(const program& x, const program& y) { return not(x == y); }

    /// What runs a compiled program; null before compile. For tools of this library.
    const std::shared_ptr<executable>& get_executable() const;

private:
    friend struct program_access;
    std::unique_ptr<program_impl> impl;
};

void migraphx_to_value(value& v, const program& p);
void migraphx_from_value(const value& v, program& p);

} // namespace migraphx
#endif
