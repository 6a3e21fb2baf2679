// SPDX-License-Identifier: MIT
// The executable of targets with a backend: a plan for each set of concrete sizes, in a bounded
// cache; programs whose sizes depend on values run part by part.
#include <migraphx/builtin.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/pass_manager.hpp>

#include "base/phase_times.hpp"
#include "base/settings.hpp"
#include "base/str.hpp"
#include "ir/program_impl.hpp"
#include "passes/pass_registry.hpp"
#include "runtime/backend.hpp"
#include "runtime/module_kernel.hpp"
#include "runtime/parameters.hpp"
#include "runtime/plan.hpp"
#include "runtime/plan_cache.hpp"
#include "runtime/specialise.hpp"
#include "runtime/trace_eval.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>

namespace migraphx {

// Everything prepared for one set of input sizes.
struct prepared {
    std::unique_ptr<plan> first;
    std::vector<stage_transition> transitions;
    std::vector<std::vector<lifted_module>> lifted;
    std::shared_ptr<executable> rest;
    std::vector<stage_value> rest_inputs;
    std::vector<argument> constants;
    std::vector<stage_value> results;
    bool simple = true; ///< the first part is all, its results are the program's in their order
    void add_constants(held_constants& held) const {
        first->add_constants(held);
        for (const auto& modules : lifted)
            for (const auto& m : modules)
                m.exec->add_constants(held);
        if (rest != nullptr)
            rest->add_constants(held);
    }
};

namespace {

const setting<int> shape_cache_size{
    "MIGRAPHX_SHAPE_CACHE", 64, "how many sets of input sizes a dynamic program keeps plans for"};

const setting<int> shape_cache_mib{"MIGRAPHX_SHAPE_CACHE_MIB", 512,
                                   "MiB of constants that these plans hold beside those that the "
                                   "newest one needs, too"};

// The parts of a program together keep more, since one run may need several.
constexpr std::size_t plans_of_parts = 4;

// Members of sequences and the like may be the caller's own tensors, or constants of the program:
// results that share such memory are copied.
argument detached(const backend& back, const argument& a, const std::vector<argument>& given) {
    if (a.get_shape().type() == shape::tuple_type) {
        std::vector<argument> subs;
        for (const auto& sub : a.get_sub_objects())
            subs.push_back(detached(back, sub, given));
        return {subs};
    }
    const bool foreign =
        is_constant_memory(a) or std::any_of(given.begin(), given.end(), [&](const argument& g) {
            return a.data() != nullptr and g.data() <= a.data() and
                   a.data() < g.data() + g.get_shape().bytes();
        });
    if (not foreign)
        return a;
    const auto there = back.to_host(a);
    return there.data() == a.data() ? a.copy() : there;
}

class planned_executable : public executable,
                           public std::enable_shared_from_this<planned_executable> {
public:
    /// `parts`: of the program that this one is a part of.
    planned_executable(const program& p, std::shared_ptr<const backend> b, const compile_options& o,
                       const part_context* parts)
        : source(p), back(std::move(b)), options(o), inputs(source, o.is_dynamic),
          fixed(inputs.fixed() and all_static(source)),
          shared(parts == nullptr ? part_context{back->make_memory(), {}} : *parts) {
        options.is_dynamic = false; // the parts have the sizes they are made for
        if (parts == nullptr) {
            shared.artifacts = program_access::impl(source).artifacts;
            const auto most = std::size_t(std::max<int>(1, shape_cache_size));
            const auto most_bytes = std::size_t(std::max<int>(0, shape_cache_mib)) << 20;
            const auto constants = [](const prepared& e) {
                held_constants held;
                e.add_constants(held);
                return held;
            };
            own_plans = std::make_unique<plan_cache>(most, most_bytes, constants);
            plans_of_all =
                std::make_shared<plan_cache>(plans_of_parts * most, most_bytes, constants);
            shared.plans = plans_of_all;
        }
        if (inputs.fixed())
            only = build(inputs.bind(std::unordered_map<std::string, shape>{}));
    }

    ~planned_executable() override {
        if (own_plans == nullptr)
            if (auto plans = shared.plans.lock())
                plans->drop(this);
    }

    std::vector<argument> run(const parameter_map& params, const execution_environment& env,
                              const std::vector<std::size_t>* wanted) const override {
        const auto args = inputs.bind(params);
        const auto e = find(args);
        if (e->simple)
            return e->first->run(args, env, wanted);
        auto results = run_parts(*e, for_parts(args), env);
        if (options.offload_copy)
            results = back->fetch(std::move(results));
        else
            for (auto& r : results)
                r = back->from_host(r);
        if (wanted == nullptr)
            return results;
        std::vector<argument> chosen;
        for (auto i : *wanted)
            chosen.push_back(results.at(i));
        return chosen;
    }

    void dry_run(const parameter_map& params) const override {
        const auto args = inputs.bind(params);
        const auto e = find(args);
        e->first->dry_run(e->simple ? args : for_parts(args));
    }

    std::vector<step_record> profile(const parameter_map& params) const override {
        auto args = inputs.bind(params);
        const auto e = find(args);
        if (not e->simple)
            args = for_parts(std::move(args));
        std::vector<argument> stage;
        auto records = e->first->profile(args, &stage);
        if (e->simple)
            return records;
        run_values values{*e, args, stage};
        const auto between = profile_transitions(values);
        records.insert(records.end(), between.begin(), between.end());
        if (e->rest != nullptr) {
            auto more = e->rest->profile(rest_parameters(values));
            records.insert(records.end(), more.begin(), more.end());
        }
        return records;
    }

    void prepare(const std::unordered_map<std::string, shape>& shapes) const override {
        find(inputs.bind(shapes));
    }

    std::size_t memory_usage() const override {
        held_constants held;
        add_constants(held);
        if (const auto parts = shared.plans.lock())
            for (const auto& e : parts->all())
                e->add_constants(held);
        std::size_t bytes = shared.memory->held_bytes();
        for (const auto& item : held)
            bytes += item.second;
        return bytes;
    }

    void add_constants(held_constants& held) const override {
        if (only != nullptr)
            only->add_constants(held);
        if (own_plans != nullptr)
            for (const auto& e : own_plans->all())
                e->add_constants(held);
    }

private:
    using entry_ptr = plan_cache::entry;

    // Parameters where the parts take them.
    std::vector<argument> for_parts(std::vector<argument> args) const {
        if (not options.offload_copy and not back->parts_stay())
            for (auto& a : args)
                a = back->to_host(a);
        return args;
    }

    entry_ptr find(const std::vector<argument>& args) const {
        if (only != nullptr)
            return only;
        std::vector<shape> shapes;
        shapes.reserve(args.size());
        for (std::size_t i = 0; i < args.size(); i++) {
            const auto& declared = inputs.parameters()[i].type;
            shapes.push_back(is_open(declared) ? declared : standard_form(args[i].get_shape()));
        }
        return find(shapes);
    }

    static shape standard_form(const shape& s) {
        if (s.type() == shape::tuple_type) {
            std::vector<shape> subs;
            for (const auto& sub : s.sub_shapes())
                subs.push_back(standard_form(sub));
            return shape{subs};
        }
        return s.scalar() or s.standard() ? s : shape{s.type(), s.lens()};
    }

    static void append_key(const shape& s, std::vector<std::size_t>& key) {
        if (is_open(s))
            return;
        if (s.type() == shape::tuple_type) {
            for (const auto& sub : s.sub_shapes())
                append_key(sub, key);
            return;
        }
        key.push_back(s.scalar() ? 1 : 0);
        key.insert(key.end(), s.lens().begin(), s.lens().end());
    }

    /// `shapes`: of the parameters, in declaration order.
    entry_ptr find(const std::vector<shape>& shapes) const {
        if (only != nullptr)
            return only;
        std::vector<std::size_t> key;
        for (const auto& s : shapes)
            append_key(s, key);
        const auto make = [&] { return build(shapes); };
        if (own_plans != nullptr)
            return own_plans->get(this, key, make);
        const auto plans = shared.plans.lock();
        return plans == nullptr ? make() : plans->get(this, key, make);
    }

    entry_ptr build(const std::vector<shape>& shapes) const {
        const phase_report report("a set of input sizes");
        auto e = std::make_shared<prepared>();
        if (fixed) {
            e->first = std::make_unique<plan>(source, back, options, shared);
            return e;
        }
        std::unordered_map<std::string, shape> by_name;
        for (std::size_t i = 0; i < shapes.size(); i++)
            by_name[inputs.parameters()[i].name] = shapes[i];
        auto s = specialised(by_name);
        e->simple = s.rest == nullptr and s.transitions.empty() and in_order(s.results);
        auto for_parts = options;
        for_parts.offload_copy = not back->parts_stay();
        auto parts = shared;
        parts.many_sizes |= sets_built++ >= std::size_t(std::max<int>(1, shape_cache_size));
        run_passes(s.first, back->static_passes(options), {});
        e->first = std::make_unique<plan>(std::move(s.first), back, e->simple ? options : for_parts,
                                          parts);
        e->transitions = std::move(s.transitions);
        for (const auto& t : e->transitions) {
            e->lifted.emplace_back();
            for (auto* m : t.modules)
                e->lifted.back().push_back(lift_module(m, back, options, parts));
        }
        e->rest_inputs = std::move(s.rest_inputs);
        e->results = std::move(s.results);
        e->constants = std::move(s.constants);
        if (s.rest != nullptr)
            e->rest = make_part_executable(*s.rest, back, for_parts, parts);
        return e;
    }

    specialisation specialised(const std::unordered_map<std::string, shape>& sizes) const {
        timed_phase row("specialise");
        auto s = specialise(source, sizes);
        row.before = source.total_instructions();
        row.after = s.first.total_instructions();
        return s;
    }

    static bool in_order(const std::vector<stage_value>& results) {
        for (std::size_t i = 0; i < results.size(); i++)
            if (results[i].from != stage_value::source::stage or results[i].index != i)
                return false;
        return true;
    }

    // What a run has computed so far, for the values of its later parts.
    struct run_values {
        const prepared& e;
        const std::vector<argument>& args;
        const std::vector<argument>& stage;
        std::vector<argument> transitions = {};
        std::vector<argument> rest = {};

        argument at(const stage_value& v) const {
            const auto& whole = list(v.from).at(v.index);
            return v.part < 0 ? whole : whole.get_sub_objects().at(std::size_t(v.part));
        }
        const std::vector<argument>& list(stage_value::source from) const {
            switch (from) {
            case stage_value::source::parameter:
                return args;
            case stage_value::source::stage:
                return stage;
            case stage_value::source::constant:
                return e.constants;
            case stage_value::source::rest:
                return rest;
            case stage_value::source::transition:
                break;
            }
            return transitions;
        }
        std::vector<argument> at(const std::vector<stage_value>& list) const {
            std::vector<argument> result;
            for (const auto& v : list)
                result.push_back(at(v));
            return result;
        }
    };

    void run_transitions(run_values& values, const execution_environment& env) const {
        const bool traced = env.trace != nullptr or trace_eval_level() > 0;
        for (std::size_t i = 0; i < values.e.transitions.size(); i++) {
            const auto ins = values.e.transitions[i].ins;
            const auto work = [&] { values.transitions.push_back(evaluate(i, values)); };
            with_context(
                [&] {
                    if (traced)
                        traced_step(ins, env, [&] {
                            work();
                            return back->fetch({values.transitions.back()}).front();
                        });
                    else
                        work();
                },
                [&] { return describe(ins); });
        }
    }

    std::vector<step_record> profile_transitions(run_values& values) const {
        std::vector<step_record> records;
        for (std::size_t i = 0; i < values.e.transitions.size(); i++) {
            const auto ins = values.e.transitions[i].ins;
            const auto start = std::chrono::steady_clock::now();
            values.transitions.push_back(evaluate(i, values));
            const std::chrono::duration<double, std::milli> ms =
                std::chrono::steady_clock::now() - start;
            records.push_back({str(ins->get_operator()), ins->name(), "between plans",
                               ins->get_shape(), ms.count()});
        }
        return records;
    }

    argument evaluate(std::size_t number, const run_values& values) const {
        const auto& t = values.e.transitions[number];
        auto in = values.at(t.inputs);
        if (t.modules.empty() and not t.output.is_boxed())
            if (auto fast = back->evaluate(t.op, in))
                return *fast;
        in = back->fetch(std::move(in));
        if (t.modules.empty())
            return t.op.compute(t.output, in);
        std::vector<std::vector<argument>> captured;
        for (const auto& list : t.captured)
            captured.push_back(back->fetch(values.at(list)));
        return evaluate_with_modules(t.op, t.output, in, t.modules, values.e.lifted[number],
                                     captured);
    }

    static parameter_map rest_parameters(const run_values& values) {
        parameter_map params;
        for (std::size_t i = 0; i < values.e.rest_inputs.size(); i++)
            params["s" + std::to_string(i)] = values.at(values.e.rest_inputs[i]);
        return params;
    }

    std::vector<argument> run_parts(const prepared& e, const std::vector<argument>& args,
                                    const execution_environment& env) const {
        // What is between the parts, and what takes results to the host, reads complete values.
        auto complete = env;
        complete.async = false;
        const auto stage = e.first->run(args, complete);
        run_values values{e, args, stage};
        run_transitions(values, env);
        if (e.rest != nullptr)
            values.rest =
                e.rest->run(rest_parameters(values), options.offload_copy ? complete : env);
        auto results = values.at(e.results);
        if (own_plans != nullptr) // the whole program: the results are the caller's
        {
            const auto given = flatten(args);
            for (auto& r : results)
                r = detached(*back, r, given);
        }
        return results;
    }

    program source;
    std::shared_ptr<const backend> back;
    compile_options options;
    signature inputs;
    bool fixed; ///< every shape of the program is known
    entry_ptr only;
    part_context shared;
    mutable std::atomic<std::size_t> sets_built = 0;
    // Only of the whole program's executable.
    std::unique_ptr<plan_cache> own_plans;
    std::shared_ptr<plan_cache> plans_of_all;
};

} // namespace

bool all_static(const program& p) {
    for (const auto* m : p.get_modules())
        for (auto ins = m->begin(); ins != m->end(); ++ins)
            if (ins->get_shape().any_of_dynamic() or ins->get_shape().is_boxed())
                return false;
    return true;
}

std::shared_ptr<executable> make_planned_executable(const program& p,
                                                    std::shared_ptr<const backend> b,
                                                    const compile_options& options) {
    return std::make_shared<planned_executable>(p, std::move(b), options, nullptr);
}

std::shared_ptr<executable> make_part_executable(const program& p, std::shared_ptr<const backend> b,
                                                 const compile_options& options,
                                                 const part_context& parts) {
    return std::make_shared<planned_executable>(p, std::move(b), options, &parts);
}

lifted_module lift_module(module_ref m, std::shared_ptr<const backend> b,
                          const compile_options& options, const part_context& parts) {
    lifted_module result;
    result.captured = captured_by(m);
    program p;
    auto* main = p.get_main_module();
    module::instruction_map map;
    for (auto ins : result.captured) {
        auto name = ">" + std::to_string(result.captured_names.size());
        map[ins] = main->insert_parameter(main->end(), name, ins->get_shape());
        result.captured_names.push_back(name);
        // Constants stay constants, so that they are folded and packed.
        if (ins->name() == "@literal")
            map[ins] = main->insert_literal(main->end(), ins->get_literal());
    }
    copy_module_body(p, *main, *m, map);
    if (all_static(p))
        run_passes(p, b->static_passes(options), {});
    auto of_host = options; // operators with modules work on values of the host
    of_host.offload_copy = true;
    result.exec = make_part_executable(p, std::move(b), of_host, parts);
    return result;
}

namespace {

struct specialise_static_pass {
    std::shared_ptr<const backend> back;
    compile_options options;
    std::string name() const { return "specialise_static"; }
    void apply(program& p) const {
        if (all_static(p))
            run_passes(p, back->static_passes(options), {});
    }
};

struct simplify_for_all_sizes_pass {
    std::string name() const { return "simplify_for_all_sizes"; }
    void apply(program& p) const {
        if (all_static(p))
            return;
        std::vector<pass> passes;
        for (const auto* x : {"drop_broadcasts", "fold_convolution", "drop_broadcasts",
                              "simplify_algebra", "fold_convolution", "simplify_algebra",
                              "drop_broadcasts", "eliminate_common_subexpression"})
            passes.push_back(make_pass(x));
        run_passes(p, passes, {});
    }
};

} // namespace

pass simplify_for_all_sizes() {
    return simplify_for_all_sizes_pass{};
}

pass specialise_static(std::shared_ptr<const backend> b, const compile_options& options) {
    return specialise_static_pass{std::move(b), options};
}

} // namespace migraphx
