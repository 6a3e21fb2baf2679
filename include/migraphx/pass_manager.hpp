// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_PASS_MANAGER_HPP
#define MIGRAPHX_PASS_MANAGER_HPP

#include <migraphx/module_ref.hpp>
#include <migraphx/pass.hpp>
#include <migraphx/tracer.hpp>
#include <string>
#include <vector>

namespace migraphx {

/// What a pass that works on one module may do to the program around it.
struct module_pass_manager {
    virtual module& get_module() = 0;
    virtual module* create_module(const std::string& name) = 0;
    virtual module* create_module(const std::string& name, module m) = 0;
    virtual void rename_module(const std::string& old_name, const std::string& new_name) = 0;
    virtual module* get_common_parent() = 0;
    virtual module* get_root_module() = 0;
    virtual void run_pass(const pass& p) = 0;

protected:
    virtual ~module_pass_manager() = default;
};

/// Runs each pass on every module (or the program), then removes dead code and validates.
void run_passes(program& prog, const std::vector<pass>& passes, tracer trace = tracer{});
void run_passes(program& prog, module_ref root, const std::vector<pass>& passes,
                tracer trace = tracer{});
void run_passes(module& mod, const std::vector<pass>& passes, tracer trace = tracer{});

} // namespace migraphx
#endif
