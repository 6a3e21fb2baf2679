// SPDX-License-Identifier: MIT
#include "targets/gpu/plan/device_runner.hpp"

#include <migraphx/errors.hpp>

#include "base/parallel.hpp"
#include "base/settings.hpp"
#include "runtime/specialise.hpp"
#include "runtime/trace_eval.hpp"
#include "targets/gpu/lowering.hpp"
#include "targets/gpu/plan/binder.hpp"
#include "targets/gpu/plan/recordings.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <iostream>
#include <mutex>
#include <utility>

namespace migraphx::gpu {

namespace {

const setting<bool> use_graphs{"MIGRAPHX_GPU_GRAPHS", true,
                               "record the steps of a plan as graphs and replay them"};

constexpr std::size_t most_recordings = 8;  // of one plan
constexpr std::size_t steps_of_a_graph = 2; // from here on a graph is launched sooner

// Up to this many bytes of parameters and results, callers who give other pointers each time are
// served by copies to and from fixed memory and a graph; above, step by step.
constexpr std::size_t copied_for_graph = std::size_t{64} << 20;

class device_runner : public plan_runner {
public:
    device_runner(const plan_data& data, const compile_options& options,
                  std::shared_ptr<run_lanes> lanes)
        : p(data), bound(data, options, std::move(lanes)), on(bound.on()),
          recorded(most_recordings) {}

    std::vector<argument> run(const std::vector<argument>& params, const execution_environment& env,
                              wanted_results wanted) const override {
        const thread_count_guard guard_count(p.threads);
        site s(*bound.memory(), env);
        bound.place(s, params, wanted);
        if (env.trace != nullptr or trace_eval_level() > 0) {
            bound.send(s, params);
            for (const auto& step : p.steps)
                if (step.is_needed(wanted))
                    traced_step(step.ins, env, [&] { return traced_result(step, s, env); });
            return bound.receive(s, wanted);
        }
        const auto key = replayed(s, wanted);
        bound.send(s, params);
        execute(s, key, wanted);
        return bound.receive(s, wanted);
    }

    void dry_run(const std::vector<argument>& params) const override {
        site s(*bound.memory(), {});
        bound.place(s, params, nullptr);
        replayed(s, nullptr);
        bound.send(s, params);
        bound.receive(s, nullptr);
    }

    std::vector<step_record> profile(const std::vector<argument>& params,
                                     std::vector<argument>* results) const override;

    void add_constants(held_constants& held) const override { bound.add_constants(held); }

private:
    std::optional<recording_key> replayed(site& s, wanted_results wanted) const;
    void run_step(const plan_step& step, site& s, stream queue) const;
    void execute(site& s, const std::optional<recording_key>& key, wanted_results wanted) const;
    // Puts a step on a queue, which may be recording.
    using put_step = std::function<void(std::size_t step, stream queue, bool recorded)>;
    put_step put_plainly(site& s) const {
        return [this, &s](std::size_t i, stream queue, bool) { run_step(p.steps[i], s, queue); };
    }
    std::shared_ptr<recording> recorded_now(site& s, wanted_results wanted) const;
    std::shared_ptr<recording> record(site& s, wanted_results wanted, const put_step& put) const;
    std::unique_ptr<recorded_graph> record_steps(site& s, const std::vector<std::size_t>& steps,
                                                 const put_step& put) const;
    void replay(const recording& r, site& s, const put_step& put) const;
    argument traced_result(const plan_step& step, site& s, const execution_environment& env) const;
    bool is_warm(wanted_results wanted) const;
    void set_warm(wanted_results wanted) const;

    const plan_data& p;
    binder bound;
    device& on;
    mutable recordings recorded;
    mutable std::atomic<bool> recordable = true;
    mutable std::mutex warm_mutex;
    mutable std::vector<std::optional<std::vector<std::size_t>>> warm;
};

// The recording that the run is to replay, or make first; none: step by step. Libraries and kernels
// prepare themselves when they run first, which cannot be recorded.
std::optional<recording_key> device_runner::replayed(site& s, wanted_results wanted) const {
    if (not use_graphs or not recordable)
        return {};
    const auto key = [&] {
        recording_key k{s.l->id, s.bases, s.scratch, std::nullopt};
        if (wanted != nullptr)
            k.wanted = *wanted;
        return k;
    };
    auto direct = key();
    const bool again = recorded.find(direct) != nullptr or recorded.seen(direct);
    if (not is_warm(wanted))
        return {};
    if (bound.is_fixed() or again)
        return direct;
    if (bound.copied_bytes() > copied_for_graph)
        return {};
    bound.use_fixed_memory(s);
    return key();
}

void device_runner::run_step(const plan_step& step, site& s, stream queue) const {
    auto& args = s.l->args;
    args.resize(p.max_args);
    p.place_arguments(step, s.bases.data(), args.data());
    with_context(
        [&] {
            step.work->run({args.data(), args.data() + step.inputs, s.scratch, queue});
        },
        [&] { return describe(step.ins); });
}

bool device_runner::is_warm(wanted_results wanted) const {
    const std::lock_guard lock(warm_mutex);
    return std::any_of(warm.begin(), warm.end(), [&](const auto& w) {
        return not w.has_value() or (wanted != nullptr and *w == *wanted);
    });
}

void device_runner::set_warm(wanted_results wanted) const {
    constexpr std::size_t most = 16;
    const std::lock_guard lock(warm_mutex);
    if (warm.size() == most)
        warm.erase(warm.begin());
    if (wanted == nullptr)
        warm.emplace_back(std::nullopt);
    else
        warm.emplace_back(*wanted);
}

void device_runner::execute(site& s, const std::optional<recording_key>& key,
                            wanted_results wanted) const {
    std::shared_ptr<recording> r;
    if (key) {
        r = recorded.find(*key);
        if (r == nullptr) {
            r = recorded_now(s, wanted);
            if (r != nullptr)
                recorded.add(*key, r);
        }
    }
    if (r != nullptr) {
        replay(*r, s, put_plainly(s));
        return;
    }
    const bool first = not is_warm(wanted);
    for (const auto& step : p.steps)
        if (step.is_needed(wanted))
            run_step(step, s, s.queue);
    if (first)
        set_warm(wanted);
}

void device_runner::replay(const recording& r, site& s, const put_step& put) const {
    for (const auto& part : r.parts)
        if (part.graph != nullptr)
            part.graph->launch(s.queue);
        else
            for (auto i : part.steps)
                put(i, s.queue, false);
}

// Null when the steps cannot be recorded; then none of this plan's will be.
std::shared_ptr<recording> device_runner::recorded_now(site& s, wanted_results wanted) const {
    const bool traced = trace_enabled("graphs");
    try {
        auto r = record(s, wanted, put_plainly(s));
        if (traced)
            std::cerr << "recorded " << p.steps.size() << " steps as " << r->parts.size()
                      << " parts\n";
        return r;
    } catch (const exception& e) {
        recordable = false;
        if (traced)
            std::cerr << "not recorded: " << e.what() << '\n';
        return nullptr;
    }
}

std::shared_ptr<recording> device_runner::record(site& s, wanted_results wanted,
                                                 const put_step& put) const {
    auto result = std::make_shared<recording>();
    std::vector<std::size_t> run;
    const auto close = [&] {
        if (run.empty())
            return;
        recording::part part;
        if (run.size() >= steps_of_a_graph)
            part.graph = record_steps(s, run, put);
        if (part.graph == nullptr)
            part.steps = run;
        result->parts.push_back(std::move(part));
        run.clear();
    };
    for (std::size_t i = 0; i < p.steps.size(); i++) {
        if (not p.steps[i].is_needed(wanted))
            continue;
        if (runs_on_host(*p.steps[i].work)) {
            close();
            result->parts.push_back({nullptr, {i}});
        } else
            run.push_back(i);
    }
    close();
    return result;
}

// On the lane's own stream: the caller's may be the default one, which records nothing.
std::unique_ptr<recorded_graph> device_runner::record_steps(site& s,
                                                            const std::vector<std::size_t>& steps,
                                                            const put_step& put) const {
    const auto queue = s.l->own();
    on.begin_recording(queue);
    try {
        for (auto i : steps)
            put(i, queue, true);
    } catch (const std::exception&) {
        try {
            on.end_recording(queue);
        } catch (const std::exception&) {
            // A recording that has failed has no end either.
        }
        throw;
    }
    return on.end_recording(queue);
}

argument device_runner::traced_result(const plan_step& step, site& s,
                                      const execution_environment& env) const {
    run_step(step, s, s.queue);
    with_context([&] { on.synchronize(s.queue); }, [&] { return describe(step.ins); });
    const bool looked_at = env.trace != nullptr or trace_eval_level() > 1;
    if (not looked_at or step.outputs != 1 or step.layout.type() == shape::tuple_type)
        return {};
    const auto& r = p.refs[step.first_output];
    auto result = argument::uninitialized(step.layout);
    if (step.layout.elements() > 0)
        on.copy(result.data(), s.bases[r.base] + r.offset, step.layout.bytes(), copy_kind::to_host,
                s.queue);
    on.synchronize(s.queue);
    return result;
}

std::vector<step_record> device_runner::profile(const std::vector<argument>& params,
                                                std::vector<argument>* results) const {
    const thread_count_guard guard_count(p.threads);
    site s(*bound.memory(), {});
    bound.place(s, params, nullptr);
    bound.send(s, params);
    struct span {
        std::unique_ptr<event> begin, end;
    };
    std::vector<span> times;
    for (std::size_t i = 0; i < p.steps.size(); i++)
        times.push_back({on.make_event(), on.make_event()});
    const auto take = [](event& e, stream queue, bool recorded) {
        if (not recorded)
            e.record(queue);
        else if (not e.record_in_graph(queue))
            fail(error_kind::unsupported, "a driver that takes times in graphs was expected");
    };
    const put_step put = [&](std::size_t i, stream queue, bool recorded) {
        take(*times[i].begin, queue, recorded);
        run_step(p.steps[i], s, queue);
        take(*times[i].end, queue, recorded);
    };
    // In a graph, where the next step does not wait for the host to put it there.
    std::shared_ptr<recording> graphs;
    if (use_graphs and recordable and is_warm(nullptr))
        try {
            graphs = record(s, nullptr, put);
        } catch (const exception&) {
            graphs = nullptr; // one by one, then
        }
    if (graphs != nullptr)
        replay(*graphs, s, put);
    else
        for (std::size_t i = 0; i < p.steps.size(); i++)
            put(i, s.queue, false);
    auto all = bound.receive(s, nullptr);
    if (results != nullptr)
        *results = std::move(all);
    std::vector<step_record> records;
    for (std::size_t i = 0; i < p.steps.size(); i++)
        records.push_back(record_of(p.steps[i], times[i].end->since(*times[i].begin)));
    return records;
}

} // namespace

std::unique_ptr<plan_runner> make_device_runner(const plan_data& data,
                                                const compile_options& options,
                                                std::shared_ptr<run_lanes> lanes) {
    return std::make_unique<device_runner>(data, options, std::move(lanes));
}

} // namespace migraphx::gpu
