// SPDX-License-Identifier: MIT
// Runs passes: each on every module that is not bypassed, those that others use before their users
// and main last, then on the program. After each pass dead code goes, and in tests the program is
// validated.
#include <migraphx/dead_code_elimination.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/filesystem.hpp>
#include <migraphx/generate.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/load_save.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>
#include <migraphx/pass_manager.hpp>
#include <migraphx/program.hpp>
#include <migraphx/stringutils.hpp>

#include "base/phase_times.hpp"
#include "base/settings.hpp"
#include "base/str.hpp"
#include "ir/rank_zero.hpp"
#include "ir/text.hpp"
#include "passes/pass_registry.hpp"

#include <algorithm>
#include <atomic>
#include <iostream>
#include <unistd.h>
#include <unordered_set>

namespace migraphx {

namespace {

const setting<bool> validate_passes{"MIGRAPHX_VALIDATE_PASSES", false,
                                    "check the program after each pass"};
const setting<std::string> disabled_passes{"MIGRAPHX_DISABLE_PASSES", "",
                                           "comma list of passes to leave out"};
std::atomic<bool> validation_asked = false;

// Larger literals of a program that a pass failed on are saved with random values.
constexpr std::size_t replay_literal_bytes = 4096;

bool is_disabled(const pass& p) {
    static const auto names = split_string(disabled_passes.get(), ',');
    return std::any_of(names.begin(), names.end(),
                       [&](const auto& n) { return trim(n) == p.name(); });
}

bool wants_validation() {
    return validation_asked or validate_passes.get();
}

[[noreturn]] void fail_invalid(const module& m, instruction_ref bad, const std::string& pass_name) {
    fail(error_kind::internal,
         str("pass ", pass_name, ": expected a valid module, got one with an invalid instruction: ",
             to_text(bad, name_instructions(m, ""))));
}

void validate_module(const module& m, const std::string& pass_name) {
    const auto bad = m.validate();
    if (bad != m.end())
        fail_invalid(m, bad, pass_name);
}

void validate_program(const program& p, const std::string& pass_name) {
    for (const auto* m : p.get_modules())
        validate_module(*m, pass_name);
}

struct module_manager final : module_pass_manager {
    module_manager(module& m, program* p, module* r) : mod(&m), prog(p), root(r) {}

    module& get_module() override { return *mod; }
    module* create_module(const std::string& name) override {
        return whole_program().create_module(name);
    }
    module* create_module(const std::string& name, module m) override {
        return whole_program().create_module(name, std::move(m));
    }
    void rename_module(const std::string& old_name, const std::string& new_name) override {
        whole_program().rename_module(old_name, new_name);
    }
    // The one module that uses this one; null for a root and for several users.
    module* get_common_parent() override {
        if (prog == nullptr)
            return nullptr;
        module* parent = nullptr;
        const auto tree = prog->get_module_tree();
        auto [first, last] = tree.equal_range(mod);
        for (; first != last; ++first) {
            if (parent != nullptr and parent != first->second)
                return nullptr;
            parent = first->second;
        }
        return parent;
    }
    module* get_root_module() override { return root; }
    void run_pass(const pass& p) override {
        if (is_disabled(p))
            return;
        p.apply(*this);
        dead_code_elimination{}.apply(*mod);
        if (wants_validation())
            validate_module(*mod, p.name());
    }

private:
    program& whole_program() const {
        if (prog == nullptr)
            fail(error_kind::invalid_argument,
                 "run_passes: expected a program for a pass that makes modules, got a module");
        return *prog;
    }
    module* mod;
    program* prog;
    module* root;
};

void trace_after(const pass& p, const tracer& trace, const std::string& text) {
    trace("Pass: ", p.name(), "\n", text);
    if (trace_enabled("passes", p.name()))
        std::cerr << "Pass: " << p.name() << '\n' << text << std::endl;
}

bool is_traced(const pass& p, const tracer& trace) {
    return trace.enabled() or trace_enabled("passes", p.name());
}

std::size_t instructions(const program& p) {
    return p.total_instructions();
}
std::size_t instructions(const module& m) {
    return m.size();
}

// Runs the pass as a row of the table of times.
template <class Program, class Apply>
void apply_timed(const Program& on, const pass& p, Apply apply) {
    timed_phase row(p.name());
    if (row.wanted())
        row.before = instructions(on);
    apply();
    if (row.wanted())
        row.after = instructions(on);
}

// Bodies of elementwise operators: they stand for single elements, whatever shapes they show.
std::unordered_set<const module*> elementwise_bodies(const std::vector<module*>& modules) {
    std::unordered_set<const module*> result;
    if (modules.size() < 2)
        return result;
    for (const auto* m : modules)
        for (auto i = m->begin(); i != m->end(); ++i)
            if (i->name() == "pointwise" or i->name() == "fused_concat")
                result.insert(i->module_inputs().begin(), i->module_inputs().end());
    return result;
}

// A pass on the modules of `root`, or on the whole program when root is its main module.
void apply_to_program(program& prog, module_ref root, const pass& p) {
    const bool whole = root == prog.get_main_module();
    std::vector<module*> modules{root};
    for (auto* m : root->get_sub_modules())
        modules.push_back(m);
    std::reverse(modules.begin(), modules.end());
    const auto bodies = elementwise_bodies(modules);
    for (auto* m : modules) {
        if (m->bypass() or bodies.contains(m))
            continue;
        module_manager mpm{*m, &prog, root};
        with_context([&] { p.apply(mpm); }, [&] { return "in module " + m->name(); });
    }
    if (whole)
        p.apply(prog);
    dead_code_elimination{}.apply(prog);
    if (wants_validation())
        validate_program(prog, p.name());
}

// The start of a run, to find out what came before a pass that throws. Larger literals are dropped,
// so that it keeps no weights alive, and get random values when it is needed.
program without_weights(const program& p) {
    program copy = p;
    for (auto* m : copy.get_modules())
        for (auto i = m->begin(); i != m->end(); ++i)
            if (i->name() == "@literal" and i->get_shape().bytes() > replay_literal_bytes)
                i->lit = literal::adopt(argument{i->get_shape(), nullptr});
    return copy;
}

void fill_weights(program& p) {
    unsigned long seed = 0;
    for (auto* m : p.get_modules())
        for (auto i = m->begin(); i != m->end(); ++i)
            if (i->name() == "@literal" and i->lit.empty() and i->get_shape().bytes() > 0)
                i->lit = generate_literal(i->get_shape(), seed++);
}

// Adds to the exception where the program before the pass is and how to run the pass on it again.
// The passes are deterministic, so those before it are run again on the start.
template <class Apply>
void add_replay(exception& e, program start, const std::vector<pass>& passes, std::size_t failed,
                Apply apply) {
    const auto name = passes[failed].name();
    e.add_context("in pass " + name);
    try {
        fill_weights(start);
        for (std::size_t i = 0; i < failed; ++i)
            apply(start, passes[i]);
        const auto file = fs::temp_directory_path() /
                          str("migraphx-", getpid(), "-before-", to_c_id(name), ".mxr");
        save(start, file.string());
        e.add_context("replay: migraphx-driver read -p " + name + " " + file.string());
    } catch (const std::exception& other) {
        e.add_context(str("the program before the pass could not be saved: ", other.what()));
    }
}

template <class Apply>
void run_each(program& prog, const std::vector<pass>& passes, const tracer& trace, Apply apply) {
    const program start = without_weights(prog);
    for (std::size_t i = 0; i < passes.size(); ++i) {
        const auto& p = passes[i];
        if (p.empty() or is_disabled(p))
            continue;
        try {
            apply_timed(prog, p, [&] { apply(prog, p); });
        } catch (exception& e) {
            add_replay(e, start, passes, i, apply);
            throw;
        }
        if (is_traced(p, trace))
            trace_after(p, trace, to_text(prog));
    }
}

std::vector<bool> rank_zero_results(const module& m) {
    std::vector<bool> result;
    for (auto ins : m.get_returns())
        result.push_back(is_rank_zero(ins->get_shape()));
    return result;
}

// Passes compute with one element of rank one where a tensor without dimensions is asked for, and
// the reverse; its users are told the rank that the model states.
void restore_rank_zero(module& m, const std::vector<bool>& wanted) {
    auto results = m.get_returns();
    if (results.size() != wanted.size() or rank_zero_results(m) == wanted)
        return;
    for (std::size_t i = 0; i < results.size(); ++i) {
        const auto& s = results[i]->get_shape();
        if (is_rank_zero(s) == wanted[i] or s.dynamic() or s.ndim() != 1)
            continue;
        const auto* view = wanted[i] ? "squeeze" : "unsqueeze";
        results[i] = m.insert_instruction(m.insert_end(), make_op(view, {{"axes", {0}}}),
                                          std::vector<instruction_ref>{results[i]});
    }
    m.replace_return(results);
}

} // namespace

void validate_after_passes(bool on) {
    validation_asked = on;
}

void run_passes(program& prog, const std::vector<pass>& passes, tracer trace) {
    run_passes(prog, prog.get_main_module(), passes, trace);
}

void run_passes(program& prog, module_ref root, const std::vector<pass>& passes, tracer trace) {
    const auto name = root->name();
    const auto scalars = rank_zero_results(*root);
    run_each(prog, passes, trace, [&](program& p, const pass& x) {
        if (is_disabled(x))
            return;
        auto* r = p.get_module(name);
        if (r == nullptr)
            fail(error_kind::invalid_argument,
                 "run_passes: expected a module of the program as the root, got '" + name + "'");
        apply_to_program(p, r, x);
    });
    if (auto* r = prog.get_module(name); r != nullptr)
        restore_rank_zero(*r, scalars);
}

void run_passes(module& mod, const std::vector<pass>& passes, tracer trace) {
    for (const auto& p : passes) {
        if (p.empty() or is_disabled(p))
            continue;
        with_context(
            [&] {
                apply_timed(mod, p, [&] {
                    module_manager mpm{mod, nullptr, &mod};
                    p.apply(mpm);
                    dead_code_elimination{}.apply(mod);
                });
                if (wants_validation())
                    validate_module(mod, p.name());
            },
            [&] { return "in pass " + p.name(); });
        if (is_traced(p, trace))
            trace_after(p, trace, to_text(mod));
    }
}

} // namespace migraphx
