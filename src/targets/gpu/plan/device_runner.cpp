// SPDX-License-Identifier: MIT
#include "targets/gpu/plan/device_runner.hpp"

#include <migraphx/errors.hpp>

#include "base/parallel.hpp"
#include "base/settings.hpp"
#include "base/str.hpp"
#include "base/thread_pool.hpp"
#include "runtime/specialise.hpp"
#include "runtime/trace_eval.hpp"
#include "targets/gpu/lowering.hpp"
#include "targets/gpu/plan/binding.hpp"
#include "targets/gpu/plan/recordings.hpp"
#include "targets/gpu/plan/upload.hpp"
#include "targets/gpu/weights.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
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

using wanted_results = const std::vector<std::size_t>*;

/// A copy that a run makes after its steps.
struct result_copy {
    char* to;
    const char* from;
    std::size_t bytes;
    copy_kind kind;
};

/// A result in pinned memory of the lane, to be taken out once the run is done.
struct staged_result {
    argument to;
    const char* from;
};

// What one run uses and where everything lies in it.
struct site {
    std::unique_ptr<lane> l;
    stream queue = nullptr;
    bool callers = false; ///< the queue is
    bool async = false;
    std::vector<char*> bases;
    char* scratch = nullptr;
    std::vector<argument> leaves; ///< of the results; empty where not wanted
    std::vector<result_copy> copies;
    std::vector<staged_result> staged;
};

bool overlap(const argument& x, const argument& y) {
    return x.data() < y.data() + y.get_shape().bytes() and
           y.data() < x.data() + x.get_shape().bytes();
}

class device_runner : public plan_runner {
public:
    device_runner(const plan_data& data, const compile_options& options,
                  std::shared_ptr<run_lanes> l)
        : p(data), where(data), lanes(std::move(l)), on(lanes->on()), offload(options.offload_copy),
          copier(lanes->shared_device()), recorded(most_recordings) {
        on.make_current();
        constants.resize(p.constants.size());
        for (std::size_t i = 0; i < constants.size(); i++)
            constants[i] = device_constant(on, p.constants[i]);
    }

    std::vector<argument> run(const std::vector<argument>& params, const execution_environment& env,
                              wanted_results wanted) const override {
        const thread_count_guard guard_count(p.threads);
        const leased lease(*this, env);
        auto& s = lease.s;
        if (env.trace != nullptr or trace_eval_level() > 0) {
            bind(s, params, wanted, false);
            for (const auto& step : p.steps)
                if (step.is_needed(wanted))
                    traced_step(step.ins, env, [&] { return traced_result(step, s, env); });
        } else
            execute(s, bind(s, params, wanted, use_graphs), wanted);
        return finished(s, wanted);
    }

    void dry_run(const std::vector<argument>& params) const override {
        const leased lease(*this, {});
        bind(lease.s, params, nullptr, use_graphs);
        finished(lease.s, nullptr);
    }

    std::vector<step_record> profile(const std::vector<argument>& params,
                                     std::vector<argument>* results) const override;

    void add_constants(held_constants& held) const override {
        for (const auto& c : constants)
            c->add_to(held);
    }

private:
    // A lane for the time of one run.
    struct leased {
        leased(const device_runner& r, const execution_environment& env) : owner(r) {
            owner.on.make_current();
            s.queue = env.queue.unsafe_get();
            s.async = env.async;
            s.callers = env.async or s.queue != nullptr;
            s.l = owner.lanes->take(s.callers ? &s.queue : nullptr);
            if (not s.callers)
                s.queue = s.l->own();
        }
        leased(const leased&) = delete;
        leased& operator=(const leased&) = delete;
        ~leased() {
            if (s.l == nullptr)
                return;
            if (failed == std::uncaught_exceptions()) {
                owner.lanes->give(std::move(s.l));
                return;
            }
            try {
                owner.on.synchronize(s.queue);
            } catch (const std::exception&) {
                // The run's own error is the one to be told.
            }
            owner.lanes->drop(std::move(s.l));
        }
        const device_runner& owner;
        int failed = std::uncaught_exceptions();
        mutable site s;
    };

    std::optional<recording_key> bind(site& s, const std::vector<argument>& params,
                                      wanted_results wanted, bool graphs) const;
    void begin_run(site& s) const;
    void place_parameters(site& s, const std::vector<argument>& params) const;
    void place_results(site& s, const std::vector<argument>& params, wanted_results wanted) const;
    void use_fixed_memory(site& s) const;
    void fetch(site& s, wanted_results wanted) const;
    bool needs_copy(const site& s, const bound_parameter& b) const {
        return b.read and s.bases[b.base] == s.l->io.memory.get() + b.io;
    }
    void copy_parameters(site& s, const std::vector<argument>& params) const;
    std::vector<argument> finished(site& s, wanted_results wanted) const;

    void run_step(const plan_step& step, site& s, stream queue) const {
        auto& args = s.l->args;
        args.resize(p.max_args);
        p.place_arguments(step, s.bases.data(), args.data());
        with_context(
            [&] {
                step.work->run({args.data(), args.data() + step.inputs, s.scratch, queue});
            },
            [&] { return describe(step.ins); });
    }
    void execute(site& s, const std::optional<recording_key>& key, wanted_results wanted) const;
    std::shared_ptr<recording> record(site& s, wanted_results wanted) const;
    std::unique_ptr<recorded_graph> record_steps(site& s,
                                                 const std::vector<std::size_t>& steps) const;
    argument traced_result(const plan_step& step, site& s, const execution_environment& env) const;
    bool is_warm(wanted_results wanted) const;
    void set_warm(wanted_results wanted) const;

    const plan_data& p;
    plan_binding where;
    std::shared_ptr<run_lanes> lanes;
    device& on;
    bool offload;
    std::vector<device_weight> constants;
    mutable layout_copier copier;
    mutable recordings recorded;
    mutable std::atomic<bool> recordable = true;
    mutable std::mutex warm_mutex;
    mutable std::vector<std::optional<std::vector<std::size_t>>> warm;
};

// ---- where things lie

// Waits for what the lane was used for before.
void device_runner::begin_run(site& s) const {
    auto& l = *s.l;
    if (l.pending) {
        if (not s.callers or l.last != s.queue)
            l.done->wait_for(s.queue);
        l.pending = false;
    }
    // Callers' memory may still be written by work on the default stream.
    if (not s.callers and not offload) {
        l.done->record(nullptr);
        l.done->wait_for(s.queue);
    }
}

std::optional<recording_key> device_runner::bind(site& s, const std::vector<argument>& params,
                                                 wanted_results wanted, bool graphs) const {
    auto& l = *s.l;
    const bool busy = l.pending;
    lanes->reserve(l, p.arena_bytes + p.scratch_bytes, where.io_bytes, where.staging_bytes);
    if (busy) // the host writes the pinned memory itself
        l.done->synchronize();
    begin_run(s);
    s.bases.assign(p.base_count, nullptr);
    s.bases[p.arena_base] = l.work.memory.get();
    s.scratch = l.work.memory.get() + p.arena_bytes;
    for (std::size_t i = 0; i < constants.size(); i++)
        s.bases[p.constant_bases[i]] = constants[i]->data.get();
    place_parameters(s, params);
    place_results(s, params, wanted);

    const auto key = [&] {
        recording_key k{l.id, s.bases, s.scratch, std::nullopt};
        if (wanted != nullptr)
            k.wanted = *wanted;
        return k;
    };
    std::optional<recording_key> replayed;
    if (graphs and recordable and is_warm(wanted)) {
        auto direct = key();
        if (offload or recorded.find(direct) != nullptr or recorded.seen(direct))
            replayed = std::move(direct);
        else if (where.io_bytes <= copied_for_graph) {
            use_fixed_memory(s);
            replayed = key();
        }
    }
    copy_parameters(s, params);
    fetch(s, wanted);
    return replayed;
}

void device_runner::place_parameters(site& s, const std::vector<argument>& params) const {
    char* io = s.l->io.memory.get();
    for (std::size_t i = 0; i < params.size(); i++) {
        const auto& b = where.parameters[i];
        if (not b.read)
            continue;
        const auto& a = params[i];
        const bool usable = not offload and is_aligned(a.data()) and
                            (a.get_shape() == b.layout or b.layout.elements() <= 1) and
                            on.owns(a.data());
        s.bases[b.base] = usable ? a.data() : io + b.io;
    }
}

// The memory of the results: the caller's, or that which is given to the caller.
void device_runner::place_results(site& s, const std::vector<argument>& params,
                                  wanted_results wanted) const {
    char* io = s.l->io.memory.get();
    for (const auto& [base, offset] : where.buffers)
        s.bases[base] = io + offset;
    s.leaves.assign(where.results.size(), {});
    const auto is_wanted = [&](std::size_t result) {
        return wanted == nullptr or
               std::find(wanted->begin(), wanted->end(), result) != wanted->end();
    };
    for (std::size_t i = 0; i < params.size(); i++) {
        const auto& b = where.parameters[i];
        if (not b.leaf or params[i].data() == nullptr)
            continue;
        const auto& r = where.results[*b.leaf];
        if (params[i].get_shape() != r.layout and r.layout.elements() > 1)
            fail(error_kind::invalid_argument,
                 str("parameter ", p.names[i], ": memory of the layout ", r.layout,
                     " was expected, got ", params[i].get_shape()));
        s.leaves[*b.leaf] = params[i];
        const bool is_input = std::any_of(params.begin(), params.end(), [&](const auto& other) {
            return &other != &params[i] and not other.empty() and overlap(other, params[i]);
        });
        if (r.own_base and is_aligned(params[i].data()) and not is_input and
            on.owns(params[i].data()))
            s.bases[*r.own_base] = params[i].data();
    }
    for (std::size_t n = 0; n < where.results.size(); n++) {
        const auto& r = where.results[n];
        auto& leaf = s.leaves[n];
        if (not is_wanted(r.result) or leaf.data() != nullptr)
            continue;
        if (not offload) {
            leaf = {r.layout, lanes->result(r.bytes, s.callers ? &s.queue : nullptr)};
            if (r.own_base)
                s.bases[*r.own_base] = leaf.data();
        } else if (r.bytes > small_result or s.async)
            leaf = {r.layout, lanes->host_result(r.bytes)};
        else
            leaf = argument::uninitialized(r.layout);
    }
}

// The same addresses in every run of the lane.
void device_runner::use_fixed_memory(site& s) const {
    char* io = s.l->io.memory.get();
    for (const auto& b : where.parameters)
        if (b.read)
            s.bases[b.base] = io + b.io;
    for (const auto& [base, offset] : where.buffers)
        s.bases[base] = io + offset;
}

void device_runner::copy_parameters(site& s, const std::vector<argument>& params) const {
    auto& l = *s.l;
    uploader up(on, l.io.memory.get(), l.staging.memory.get(), s.queue);
    for (std::size_t i = 0; i < params.size(); i++) {
        const auto& b = where.parameters[i];
        if (not needs_copy(s, b) or b.bytes == 0)
            continue;
        const auto& a = params[i];
        if (not on.owns(a.data()))
            up.add(b.io, a, b.layout, b.bytes);
        else if (a.get_shape() == b.layout or b.layout.elements() <= 1)
            on.copy(s.bases[b.base], a.data(), b.bytes, copy_kind::on_device, s.queue);
        else
            copier.copy(s.bases[b.base], b.layout, a, s.queue);
    }
    up.finish();
}

// The copies that bring results to where they are wanted.
void device_runner::fetch(site& s, wanted_results wanted) const {
    char* staging = s.l->staging.memory.get();
    for (std::size_t n = 0; n < where.results.size(); n++) {
        const auto& r = where.results[n];
        const auto& leaf = s.leaves[n];
        const char* from = s.bases[r.where.base] + r.where.offset;
        if (leaf.data() == nullptr or leaf.data() == from or r.bytes == 0)
            continue;
        if (wanted != nullptr and
            std::find(wanted->begin(), wanted->end(), r.result) == wanted->end())
            continue;
        if (not offload and on.owns(leaf.data()))
            s.copies.push_back({leaf.data(), from, r.bytes, copy_kind::on_device});
        else if (r.bytes > small_result or s.async)
            s.copies.push_back({leaf.data(), from, r.bytes, copy_kind::to_host});
        else {
            s.copies.push_back({staging + r.staging, from, r.bytes, copy_kind::to_host});
            s.staged.push_back({leaf, staging + r.staging});
        }
    }
}

std::vector<argument> device_runner::finished(site& s, wanted_results wanted) const {
    for (const auto& c : s.copies)
        on.copy(c.to, c.from, c.bytes, c.kind, s.queue);
    if (s.async) {
        s.l->done->record(s.queue);
        s.l->pending = true;
        s.l->last = s.queue;
    } else {
        with_context([&] { on.synchronize(s.queue); },
                     [] {
                         return "while waiting for a program's steps; MIGRAPHX_TRACE_EVAL=1 runs "
                                "them one by one";
                     });
        for (const auto& r : s.staged)
            std::memcpy(r.to.data(), r.from, r.to.get_shape().bytes());
    }
    std::vector<argument> all;
    const auto add = [&](std::size_t result) {
        auto next = where.first_leaf.at(result);
        auto leaf = [&](const plan_result&) { return s.leaves[next++]; };
        all.push_back(assemble(p.results[result], leaf));
    };
    if (wanted != nullptr)
        for (auto i : *wanted)
            add(i);
    else
        for (std::size_t i = 0; i < p.results.size(); i++)
            add(i);
    return all;
}

// ---- steps

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

// Libraries and kernels prepare themselves when they run first, which cannot be recorded.
void device_runner::execute(site& s, const std::optional<recording_key>& key,
                            wanted_results wanted) const {
    std::shared_ptr<recording> r;
    if (key) {
        r = recorded.find(*key);
        if (r == nullptr) {
            r = record(s, wanted);
            if (r != nullptr)
                recorded.add(*key, r);
        }
    }
    if (r == nullptr) {
        const bool first = not is_warm(wanted);
        for (const auto& step : p.steps)
            if (step.is_needed(wanted))
                run_step(step, s, s.queue);
        if (first)
            set_warm(wanted);
        return;
    }
    for (const auto& part : r->parts)
        if (part.graph != nullptr)
            part.graph->launch(s.queue);
        else
            for (auto i : part.steps)
                run_step(p.steps[i], s, s.queue);
}

// Null when the steps cannot be recorded; then none of this plan's will be.
std::shared_ptr<recording> device_runner::record(site& s, wanted_results wanted) const {
    auto result = std::make_shared<recording>();
    std::vector<std::size_t> run;
    const auto close = [&] {
        if (run.empty())
            return;
        recording::part part;
        if (run.size() >= steps_of_a_graph)
            part.graph = record_steps(s, run);
        if (part.graph == nullptr)
            part.steps = run;
        result->parts.push_back(std::move(part));
        run.clear();
    };
    try {
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
    } catch (const exception& e) {
        recordable = false;
        if (trace_enabled("graphs"))
            std::cerr << "not recorded: " << e.what() << '\n';
        return nullptr;
    }
    if (trace_enabled("graphs"))
        std::cerr << "recorded " << p.steps.size() << " steps as " << result->parts.size()
                  << " parts\n";
    return result;
}

// On the lane's own stream: the caller's may be the default one, which records nothing.
std::unique_ptr<recorded_graph>
device_runner::record_steps(site& s, const std::vector<std::size_t>& steps) const {
    const auto queue = s.l->own();
    on.begin_recording(queue);
    try {
        for (auto i : steps)
            run_step(p.steps[i], s, queue);
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
    const leased lease(*this, {});
    auto& s = lease.s;
    std::vector<std::unique_ptr<event>> times;
    const auto mark = [&] {
        times.push_back(on.make_event());
        times.back()->record(s.queue);
    };
    mark();
    bind(s, params, nullptr, false);
    mark();
    for (const auto& step : p.steps) {
        run_step(step, s, s.queue);
        mark();
    }
    auto all = finished(s, nullptr);
    if (results != nullptr)
        *results = std::move(all);
    std::vector<step_record> records;
    for (std::size_t i = 0; i < p.steps.size(); i++)
        records.push_back(record_of(p.steps[i], times[i + 2]->since(*times[i + 1])));
    return records;
}

} // namespace

std::unique_ptr<plan_runner> make_device_runner(const plan_data& data,
                                                const compile_options& options,
                                                std::shared_ptr<run_lanes> lanes) {
    return std::make_unique<device_runner>(data, options, std::move(lanes));
}

} // namespace migraphx::gpu
