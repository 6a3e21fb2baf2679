// SPDX-License-Identifier: MIT
// Running a plan: frames, binding of parameters, results.
#include "runtime/plan.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/generate.hpp>

#include "base/parallel.hpp"
#include "base/settings.hpp"
#include "base/thread_pool.hpp"
#include "ir/rank_zero.hpp"
#include "ops/tensor.hpp"
#include "runtime/trace_eval.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <sstream>

namespace migraphx {

plan::~plan() = default;

std::unique_ptr<frame> plan::acquire() const {
    std::unique_ptr<frame> f;
    {
        std::lock_guard lock(frame_mutex);
        if (not frames.empty()) {
            f = std::move(frames.back());
            frames.pop_back();
        }
    }
    if (f == nullptr) {
        f = std::make_unique<frame>();
        f->bases.assign(base_count, nullptr);
        f->args.assign(max_args, nullptr);
        f->owners.resize(output_buffers.size());
        for (std::size_t i = 0; i < constants.size(); i++)
            f->bases[constant_bases[i]] = constants[i].data();
    }
    f->memory = memory->arenas.take(arena_bytes + scratch_bytes);
    f->bases[arena_base] = f->memory.memory.get();
    f->scratch = f->memory.memory.get() + arena_bytes;
    return f;
}

void plan::release(std::unique_ptr<frame> f) const {
    memory->arenas.give(std::move(f->memory));
    for (auto& o : f->owners)
        o = nullptr;
    f->held.clear();
    std::lock_guard lock(frame_mutex);
    frames.push_back(std::move(f));
}

void plan::bind(frame& f, const std::vector<argument>& params) const {
    for (std::size_t i = 0; i < params.size(); i++) {
        const auto& given = params[i];
        if (given.get_shape() == param_shapes[i] or param_shapes[i].is_boxed() or
            given.get_shape().type() == shape::tuple_type or given.get_shape().elements() <= 1) {
            f.bases[param_bases[i]] = given.data();
            continue;
        }
        // The same sizes in another layout (a view of the caller's) are brought to the declared
        // one.
        auto copy = argument::uninitialized(param_shapes[i]);
        copy_elements(copy, given);
        f.bases[param_bases[i]] = copy.data();
        f.held.push_back(std::move(copy));
    }
    for (std::size_t i = 0; i < output_buffers.size(); i++) {
        f.owners[i] = memory->results.get(output_buffers[i].second);
        f.bases[output_buffers[i].first] = f.owners[i].get();
    }
}

void plan::run_step(const plan_step& s, frame& f) const {
    char** in = f.args.data();
    char** out = in + s.inputs;
    for (uint32_t i = 0; i < s.inputs; i++) {
        const auto& r = refs[s.first_input + i];
        in[i] = f.bases[r.base] + r.offset;
    }
    for (uint32_t i = 0; i < s.outputs; i++) {
        const auto& r = refs[s.first_output + i];
        out[i] = f.bases[r.base] + r.offset;
    }
    s.work->run({in, out, f.scratch});
}

std::vector<argument> plan::collect(frame& f, const std::vector<std::size_t>* wanted) const {
    auto owner_of = [&](uint32_t base) -> std::shared_ptr<char> {
        for (std::size_t i = 0; i < output_buffers.size(); i++)
            if (output_buffers[i].first == base)
                return f.owners[i];
        return nullptr;
    };
    auto make = [&](const plan_result& r, auto& self) -> argument {
        if (not r.tuple.empty()) {
            std::vector<argument> subs;
            for (const auto& t : r.tuple)
                subs.push_back(self(t, self));
            return {subs};
        }
        char* p = f.bases[r.where.base] + r.where.offset;
        if (r.fresh)
            return {r.layout, std::shared_ptr<char>(owner_of(r.where.base), p)};
        argument result = argument::uninitialized(
            is_rank_zero(r.layout) ? r.layout : shape{r.layout.type(), r.layout.lens()});
        if (r.layout.elements() != 0)
            copy_elements(result, argument{r.layout, p});
        return result;
    };
    std::vector<argument> all;
    if (wanted != nullptr)
        for (auto i : *wanted)
            all.push_back(make(results.at(i), make));
    else
        for (const auto& r : results)
            all.push_back(make(r, make));
    return all;
}

namespace {

// Gives the frame back when the run ends, also by an exception.
template <class Release>
struct frame_guard {
    std::unique_ptr<frame> f;
    Release give_back;
    ~frame_guard() { give_back(std::move(f)); }
};

template <class Release>
frame_guard<Release> guarded(std::unique_ptr<frame> f, Release r) {
    return {std::move(f), r};
}

} // namespace

std::vector<argument> plan::run(const std::vector<argument>& params,
                                const execution_environment& env,
                                const std::vector<std::size_t>* wanted) const {
    const thread_count_guard guard_count(threads);
    const thread_pool::session helpers(uses_helpers.load(std::memory_order_relaxed));
    auto guard = guarded(acquire(), [this](std::unique_ptr<frame> f) { release(std::move(f)); });
    auto& f = *guard.f;
    bind(f, params);
    const bool traced = env.trace != nullptr or trace_eval_level() > 0;
    for (const auto& s : steps) {
        if (wanted != nullptr and
            std::none_of(s.needed_for.begin(), s.needed_for.end(), [&](auto r) {
                return std::find(wanted->begin(), wanted->end(), r) != wanted->end();
            }))
            continue;
        if (not traced) {
            run_step(s, f);
            continue;
        }
        traced_step(s.ins, env, [&] {
            run_step(s, f);
            const auto& out = s.layout;
            if (s.outputs == 1 and out.type() != shape::tuple_type) {
                const auto& r = refs[s.first_output];
                return argument{out, f.bases[r.base] + r.offset}.copy();
            }
            return argument{};
        });
    }
    if (helpers.used())
        uses_helpers.store(true, std::memory_order_relaxed);
    return collect(f, wanted);
}

void plan::dry_run(const std::vector<argument>& params) const {
    auto guard = guarded(acquire(), [this](std::unique_ptr<frame> f) { release(std::move(f)); });
    auto& f = *guard.f;
    bind(f, params);
    for (const auto& s : steps) {
        char** in = f.args.data();
        for (uint32_t i = 0; i < s.inputs + s.outputs; i++) {
            const auto& r = refs[s.first_input + i];
            in[i] = f.bases[r.base] + r.offset;
        }
    }
    std::vector<argument> all = collect(f, nullptr);
}

std::vector<step_record> plan::profile(const std::vector<argument>& params,
                                       std::vector<argument>* out) const {
    const thread_count_guard guard_count(threads);
    const thread_pool::session helpers(true);
    auto guard = guarded(acquire(), [this](std::unique_ptr<frame> f) { release(std::move(f)); });
    auto& f = *guard.f;
    bind(f, params);
    std::vector<step_record> records;
    records.reserve(steps.size());
    for (const auto& s : steps) {
        const auto start = std::chrono::steady_clock::now();
        run_step(s, f);
        const std::chrono::duration<double, std::milli> ms =
            std::chrono::steady_clock::now() - start;
        step_record r;
        std::ostringstream text;
        text << s.ins->get_operator();
        r.instruction = text.str();
        r.group = s.ins->name();
        r.kernel = s.work->name();
        r.output = s.ins->get_shape();
        r.work = cost_of(s.ins);
        r.milliseconds = ms.count();
        records.push_back(std::move(r));
    }
    auto results_now = collect(f, nullptr);
    if (out != nullptr)
        *out = std::move(results_now);
    return records;
}

void plan::add_constants(held_constants& held) const {
    for (const auto& c : constants)
        held[c.data()] = c.get_shape().bytes();
    for (const auto& s : steps)
        s.work->add_constants(held);
}

} // namespace migraphx
