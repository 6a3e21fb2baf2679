// SPDX-License-Identifier: MIT
// The executable of host targets: a plan for each set of concrete sizes, in a bounded cache; programs
// whose sizes depend on values run part by part.
#include <migraphx/builtin.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/pass_manager.hpp>

#include "base/settings.hpp"
#include "base/str.hpp"
#include "runtime/backend.hpp"
#include "runtime/module_kernel.hpp"
#include "runtime/parameters.hpp"
#include "runtime/plan.hpp"
#include "runtime/specialise.hpp"

#include <algorithm>
#include <future>
#include <list>
#include <map>

namespace migraphx {

namespace {

const setting<int> shape_cache_size{
    "MIGRAPHX_SHAPE_CACHE", 64, "how many sets of input sizes a dynamic program keeps plans for"};

// Everything prepared for one set of input sizes.
struct prepared {
    std::unique_ptr<plan> first;
    std::vector<stage_transition> transitions;
    std::vector<std::vector<lifted_module>> lifted;
    std::shared_ptr<executable> rest;
    std::shared_ptr<program> rest_program;
    std::vector<stage_value> rest_inputs;
    std::vector<specialisation::result> results;
    bool in_order = true; ///< the first part's results are the program's, in their order
    bool simple() const { return rest == nullptr and transitions.empty() and in_order; }
};

class planned_executable : public executable, public std::enable_shared_from_this<planned_executable> {
public:
    planned_executable(const program& p, std::shared_ptr<const backend> b, const compile_options& o)
        : source(p), back(std::move(b)), options(o), fixed(all_static(source))
    {
        parameters = declared_parameters(*source.get_main_module());
        bool known = true;
        for(const auto& d : parameters)
            known = known and not d.type.any_of_dynamic();
        if(known)
        {
            std::unordered_map<std::string, shape> shapes;
            for(const auto& d : parameters)
                shapes[d.name] = d.type;
            only = build(shapes);
        }
    }

    std::vector<argument> run(const parameter_map& params,
                              const execution_environment& env,
                              const std::vector<std::size_t>* wanted) const override
    {
        const auto args = bind_parameters(parameters, params);
        const auto e    = find(args);
        if(e->simple())
            return e->first->run(args, env, wanted);
        auto results = run_parts(*e, args, env);
        if(wanted == nullptr)
            return results;
        std::vector<argument> chosen;
        for(auto i : *wanted)
            chosen.push_back(results.at(i));
        return chosen;
    }

    void dry_run(const parameter_map& params) const override
    {
        const auto args = bind_parameters(parameters, params);
        find(args)->first->dry_run(args);
    }

    std::vector<step_record> profile(const parameter_map& params) const override
    {
        const auto args = bind_parameters(parameters, params);
        const auto e    = find(args);
        std::vector<argument> stage;
        auto records = e->first->profile(args, &stage);
        if(e->simple())
            return records;
        const auto transitions = run_transitions(*e, args, stage);
        if(e->rest != nullptr)
        {
            auto more = e->rest->profile(rest_parameters(*e, args, stage, transitions));
            records.insert(records.end(), more.begin(), more.end());
        }
        return records;
    }

    void prepare(const std::unordered_map<std::string, shape>& shapes) const override
    {
        std::unordered_map<std::string, shape> all;
        for(const auto& d : parameters)
        {
            auto it = shapes.find(d.name);
            all[d.name] = it == shapes.end() ? d.type : it->second;
            check_parameter(d, all[d.name]);
        }
        find(all);
    }

    std::size_t memory_usage() const override
    {
        std::size_t bytes = only == nullptr ? 0 : usage(*only);
        std::lock_guard lock(mutex);
        for(const auto& item : cache)
            if(item.entry.wait_for(std::chrono::seconds(0)) == std::future_status::ready)
                bytes += usage(*item.entry.get());
        return bytes;
    }

private:
    using entry_ptr = std::shared_ptr<const prepared>;
    struct cached {
        std::vector<std::size_t> key;
        std::shared_future<entry_ptr> entry;
    };

    static std::size_t usage(const prepared& e)
    {
        return e.first->memory_usage() + (e.rest == nullptr ? 0 : e.rest->memory_usage());
    }

    entry_ptr find(const std::vector<argument>& args) const
    {
        if(only != nullptr)
            return only;
        std::unordered_map<std::string, shape> shapes;
        for(std::size_t i = 0; i < args.size(); i++)
            shapes[parameters[i].name] = standard_form(args[i].get_shape());
        return find(shapes);
    }

    static shape standard_form(const shape& s)
    {
        if(s.type() == shape::tuple_type)
        {
            std::vector<shape> subs;
            for(const auto& sub : s.sub_shapes())
                subs.push_back(standard_form(sub));
            return shape{subs};
        }
        return s.scalar() or s.standard() ? s : shape{s.type(), s.lens()};
    }

    static void append_key(const shape& s, std::vector<std::size_t>& key)
    {
        if(s.type() == shape::tuple_type)
        {
            for(const auto& sub : s.sub_shapes())
                append_key(sub, key);
            return;
        }
        key.push_back(s.scalar() ? 1 : 0);
        key.insert(key.end(), s.lens().begin(), s.lens().end());
    }

    entry_ptr find(const std::unordered_map<std::string, shape>& shapes) const
    {
        if(only != nullptr)
            return only;
        std::vector<std::size_t> key;
        for(const auto& d : parameters)
            append_key(shapes.at(d.name), key);
        std::promise<entry_ptr> promise;
        std::shared_future<entry_ptr> found;
        {
            std::lock_guard lock(mutex);
            auto it = std::find_if(cache.begin(), cache.end(), [&](const auto& c) { return c.key == key; });
            if(it != cache.end())
            {
                cache.splice(cache.begin(), cache, it);
                found = it->entry;
            }
            else
            {
                cache.push_front({key, promise.get_future().share()});
                while(cache.size() > std::size_t(std::max<int>(1, shape_cache_size)))
                    cache.pop_back();
            }
        }
        if(found.valid())
            return found.get();
        try
        {
            auto e = build(shapes);
            promise.set_value(e);
            return e;
        }
        catch(...)
        {
            promise.set_exception(std::current_exception());
            std::lock_guard lock(mutex);
            cache.remove_if([&](const auto& c) { return c.key == key; });
            throw;
        }
    }

    entry_ptr build(const std::unordered_map<std::string, shape>& shapes) const
    {
        auto e = std::make_shared<prepared>();
        if(fixed)
        {
            e->first = std::make_unique<plan>(source, back, options);
            return e;
        }
        auto s = specialise(source, shapes);
        run_passes(s.first, back->static_passes(options), {});
        e->first       = std::make_unique<plan>(std::move(s.first), back, options);
        e->transitions = std::move(s.transitions);
        for(const auto& t : e->transitions)
        {
            e->lifted.emplace_back();
            for(auto* m : t.modules)
                e->lifted.back().push_back(lift_module(m, back, options));
        }
        e->rest_inputs = std::move(s.rest_inputs);
        e->results     = std::move(s.results);
        if(s.rest != nullptr)
        {
            e->rest_program = s.rest;
            e->rest         = make_planned_executable(*s.rest, back, options);
        }
        e->in_order = in_order(e->results);
        return e;
    }

    static bool in_order(const std::vector<specialisation::result>& results)
    {
        for(std::size_t i = 0; i < results.size(); i++)
            if(results[i].from_rest or results[i].index != i)
                return false;
        return true;
    }

    static argument value_of(const stage_value& v,
                             const std::vector<argument>& args,
                             const std::vector<argument>& stage,
                             const std::vector<argument>& transitions)
    {
        switch(v.from)
        {
        case stage_value::source::parameter: return args.at(v.index);
        case stage_value::source::stage: return stage.at(v.index);
        case stage_value::source::transition: break;
        }
        const auto& t = transitions.at(v.index);
        return v.part < 0 ? t : t.get_sub_objects().at(std::size_t(v.part));
    }

    std::vector<argument>
    run_transitions(const prepared& e, const std::vector<argument>& args, const std::vector<argument>& stage) const
    {
        std::vector<argument> results;
        for(std::size_t i = 0; i < e.transitions.size(); i++)
        {
            const auto& t = e.transitions[i];
            std::vector<argument> in;
            for(const auto& v : t.inputs)
                in.push_back(value_of(v, args, stage, results));
            if(t.modules.empty())
            {
                const auto fast = back->evaluate(t.op, in);
                results.push_back(fast ? *fast : t.op.compute(t.output, in));
                continue;
            }
            std::vector<std::vector<argument>> captured;
            for(const auto& list : t.captured)
            {
                captured.emplace_back();
                for(const auto& v : list)
                    captured.back().push_back(value_of(v, args, stage, results));
            }
            results.push_back(evaluate_with_modules(t.op, t.output, in, t.modules, e.lifted[i], captured));
        }
        return results;
    }

    static parameter_map rest_parameters(const prepared& e,
                                         const std::vector<argument>& args,
                                         const std::vector<argument>& stage,
                                         const std::vector<argument>& transitions)
    {
        parameter_map params;
        for(std::size_t i = 0; i < e.rest_inputs.size(); i++)
            params["s" + std::to_string(i)] = value_of(e.rest_inputs[i], args, stage, transitions);
        return params;
    }

    std::vector<argument>
    run_parts(const prepared& e, const std::vector<argument>& args, const execution_environment& env) const
    {
        const auto stage       = e.first->run(args, env);
        const auto transitions = run_transitions(e, args, stage);
        std::vector<argument> rest;
        if(e.rest != nullptr)
            rest = e.rest->run(rest_parameters(e, args, stage, transitions), env);
        std::vector<argument> results;
        for(const auto& r : e.results)
            results.push_back(r.from_rest ? rest.at(r.index) : stage.at(r.index));
        return results;
    }

    program source;
    std::shared_ptr<const backend> back;
    compile_options options;
    bool fixed;
    std::vector<declared_parameter> parameters;
    entry_ptr only;
    mutable std::mutex mutex;
    mutable std::list<cached> cache;
};

} // namespace

bool all_static(const program& p)
{
    for(const auto* m : p.get_modules())
        for(auto ins = m->begin(); ins != m->end(); ++ins)
            if(ins->get_shape().any_of_dynamic())
                return false;
    return true;
}

std::shared_ptr<executable>
make_planned_executable(const program& p, std::shared_ptr<const backend> b, const compile_options& options)
{
    return std::make_shared<planned_executable>(p, std::move(b), options);
}

lifted_module lift_module(module_ref m, std::shared_ptr<const backend> b, const compile_options& options)
{
    lifted_module result;
    result.captured = captured_by(m);
    program p;
    auto* main = p.get_main_module();
    module::instruction_map map;
    for(auto ins : result.captured)
    {
        auto name = ">" + std::to_string(result.captured_names.size());
        map[ins]  = main->insert_parameter(main->end(), name, ins->get_shape());
        result.captured_names.push_back(name);
        // Constants stay constants, so that they are folded and packed.
        if(ins->name() == "@literal")
            map[ins] = main->insert_literal(main->end(), ins->get_literal());
    }
    copy_module_body(p, *main, *m, map);
    if(all_static(p))
        run_passes(p, b->static_passes(options), {});
    result.exec = make_planned_executable(p, std::move(b), options);
    return result;
}

namespace {

struct specialise_static_pass {
    std::shared_ptr<const backend> back;
    compile_options options;
    std::string name() const { return "specialise_static"; }
    void apply(program& p) const
    {
        if(all_static(p))
            run_passes(p, back->static_passes(options), {});
    }
};

} // namespace

pass specialise_static(std::shared_ptr<const backend> b, const compile_options& options)
{
    return specialise_static_pass{std::move(b), options};
}

} // namespace migraphx
