// SPDX-License-Identifier: MIT
// The members of program that compile and run it.
#include <migraphx/errors.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/marker.hpp>
#include <migraphx/pass_manager.hpp>
#include <migraphx/program.hpp>

#include "base/parallel.hpp"
#include "base/phase_times.hpp"
#include "base/str.hpp"
#include "ir/program_impl.hpp"
#include "runtime/backend.hpp"
#include "runtime/executable.hpp"

#include <algorithm>
#include <iostream>

namespace migraphx {

namespace {

void make_executable(program& p) {
    auto& impl = program_access::impl(p);
    impl.exec = impl.targets.front().make_executable(p, impl.options);
    if (impl.exec == nullptr)
        impl.exec = make_planned_executable(p, reference_backend(), impl.options);
}

// ir/ reads compiled programs from files; what runs them is made here.
const bool restore_registered = [] {
    restore_executable = make_executable;
    return true;
}();

const executable& running(const program& p) {
    if (p.get_executable() == nullptr)
        fail(error_kind::invalid_argument,
             "eval: a compiled program was expected, got one that is not; call compile first");
    return *p.get_executable();
}

} // namespace

void program::compile(const target& t, compile_options options) {
    if (is_compiled())
        fail(error_kind::invalid_argument,
             "compile: a program that is not compiled yet was expected");
    if (t.empty())
        fail(error_kind::invalid_argument, "compile: a target was expected, got an empty one");
    const thread_count_guard threads(thread_count(options.num_threads));
    const phase_report report("compile");
    auto bad = validate();
    if (bad != get_main_module()->end())
        fail(error_kind::invalid_argument,
             str("compile: a valid program was expected, got one whose instruction ",
                 bad->get_operator(), " -> ", bad->get_shape(), " is not"));
    if (options.is_dynamic and impl->read_with_ranges != nullptr)
        if (auto ranging = impl->read_with_ranges(*this)) {
            ranging->set_output_names(get_output_names());
            *this = std::move(*ranging);
        }
    impl->read_with_ranges = nullptr; // it holds the model
    if (options.device_id == 0)
        options.device_id = impl->options.device_id; // set_device_id
    auto ctx = t.get_context();
    const auto passes = t.get_passes(ctx, options);
    run_passes(*this, passes, options.trace);
    impl->targets = {t};
    impl->contexts = {ctx};
    impl->options = options;
    impl->artifacts = std::make_shared<artifact_store>();
    make_executable(*this);
}

void program::compile(const std::vector<target>& targets, std::vector<compile_options> options) {
    if (targets.size() != 1)
        fail(error_kind::unsupported,
             str("compile: one target was expected, got ", targets.size(),
                 "; programs that span several targets are not supported"));
    compile(targets.front(), options.empty() ? compile_options{} : options.front());
}

std::vector<argument> program::eval(const parameter_map& params,
                                    execution_environment exec_env) const {
    return running(*this).run(params, exec_env);
}

std::vector<argument> program::eval(const parameter_map& params,
                                    const std::vector<std::string>& output_names) const {
    if (output_names.empty())
        return eval(params);
    const auto names = get_output_names();
    std::vector<std::size_t> wanted;
    for (const auto& n : output_names) {
        auto it = std::find(names.begin(), names.end(), n);
        if (it == names.end())
            fail(error_kind::invalid_argument,
                 str("eval: one of the outputs ", names, " was expected, got '", n, "'"));
        wanted.push_back(std::size_t(it - names.begin()));
    }
    return running(*this).run(params, {}, &wanted);
}

std::vector<argument> program::eval_with_context(std::vector<context>&,
                                                 const parameter_map& params) const {
    return eval(params);
}

void program::dry_run(const parameter_map& params) const {
    running(*this).dry_run(params);
}

void program::mark(const parameter_map& params, marker m) {
    m.mark_start(*this);
    execution_environment env;
    // The callback comes after each instruction; the next one's start follows it at once.
    env.trace = [&](instruction_ref ins, const argument&) {
        m.mark_start(ins);
        m.mark_stop(ins);
    };
    eval(params, env);
    m.mark_stop(*this);
}

int program::reshape(const std::unordered_map<std::string, std::vector<std::size_t>>& inputs,
                     bool print_info) {
    std::unordered_map<std::string, shape> shapes;
    const auto declared = get_parameter_shapes();
    for (const auto& item : inputs) {
        auto it = declared.find(item.first);
        if (it == declared.end())
            fail(error_kind::invalid_argument,
                 "reshape: an input of the program was expected, got '" + item.first + "'");
        shapes[item.first] = shape{it->second.type(), item.second};
    }
    running(*this).prepare(shapes);
    if (print_info)
        for (const auto& item : shapes)
            std::cout << "reshape " << item.first << ": " << item.second << std::endl;
    return 0;
}

std::size_t program::get_memory_usage() const {
    return running(*this).memory_usage();
}

void program::finalize() {
    for (auto* m : get_modules())
        m->finalize(impl->contexts);
}

} // namespace migraphx
