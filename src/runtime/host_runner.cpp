// SPDX-License-Identifier: MIT
// Running a plan on the host: frames, binding of parameters, results.
#include "runtime/host_runner.hpp"

#include "base/fetch_ahead.hpp"
#include "base/parallel.hpp"
#include "base/phase_times.hpp"
#include "base/thread_pool.hpp"
#include "ops/tensor.hpp"
#include "runtime/buffer_pool.hpp"
#include "runtime/trace_eval.hpp"

#include <atomic>
#include <mutex>
#include <utility>

namespace migraphx {

namespace {

/// What one run writes to; pooled, but for its memory.
struct frame {
    arena_pool::block memory; ///< the arena, then the scratch
    char* scratch = nullptr;
    std::vector<char*> bases;
    std::vector<char*> args;
    std::vector<std::shared_ptr<char>> owners; ///< of the output buffers, by position
    std::vector<argument> held;                ///< parameters copied to the declared layout
};

class host_runner : public plan_runner {
public:
    host_runner(const plan_data& data, std::shared_ptr<host_memory> m)
        : p(data), memory(std::move(m)) {}

    std::vector<argument> run(const std::vector<argument>& params, const execution_environment& env,
                              const std::vector<std::size_t>* wanted) const override {
        const thread_count_guard guard_count(p.threads);
        const thread_pool::session helpers(uses_helpers.load(std::memory_order_relaxed));
        const leased lease(*this);
        auto& f = *lease.f;
        bind(f, params);
        const bool traced = env.trace != nullptr or trace_eval_level() > 0;
        for (const auto& s : p.steps) {
            if (not s.is_needed(wanted))
                continue;
            if (traced)
                traced_step(s.ins, env, [&] { return traced_result(s, f); });
            else
                run_step(s, f);
        }
        if (helpers.used())
            uses_helpers.store(true, std::memory_order_relaxed);
        return collect(f, wanted);
    }

    void dry_run(const std::vector<argument>& params) const override {
        const leased lease(*this);
        auto& f = *lease.f;
        bind(f, params);
        for (const auto& s : p.steps)
            p.place_arguments(s, f.bases.data(), f.args.data());
        collect(f, nullptr);
    }

    std::vector<step_record> profile(const std::vector<argument>& params,
                                     std::vector<argument>* results) const override {
        const thread_count_guard guard_count(p.threads);
        const thread_pool::session helpers(true);
        const leased lease(*this);
        auto& f = *lease.f;
        bind(f, params);
        std::vector<step_record> records;
        records.reserve(p.steps.size());
        for (const auto& s : p.steps) {
            const stopwatch time;
            run_step(s, f);
            records.push_back(record_of(s, time.milliseconds()));
        }
        auto results_now = collect(f, nullptr);
        if (results != nullptr)
            *results = std::move(results_now);
        return records;
    }

    void add_constants(held_constants& held) const override {
        for (const auto& c : p.constants)
            held[c.data()] = c.get_shape().bytes();
    }

private:
    // A frame for the time of one run, given back also by an exception.
    struct leased {
        explicit leased(const host_runner& r) : owner(r), f(r.acquire()) {}
        leased(const leased&) = delete;
        leased& operator=(const leased&) = delete;
        ~leased() { owner.release(std::move(f)); }
        const host_runner& owner;
        mutable std::unique_ptr<frame> f;
    };

    std::unique_ptr<frame> acquire() const {
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
            f->bases.assign(p.base_count, nullptr);
            f->args.assign(p.max_args, nullptr);
            f->owners.resize(p.output_buffers.size());
            for (std::size_t i = 0; i < p.constants.size(); i++)
                f->bases[p.constant_bases[i]] = p.constants[i].data();
        }
        f->memory = memory->arenas.take(p.arena_bytes + p.scratch_bytes);
        f->bases[p.arena_base] = f->memory.memory.get();
        f->scratch = f->memory.memory.get() + p.arena_bytes;
        return f;
    }

    void release(std::unique_ptr<frame> f) const {
        memory->arenas.give(std::move(f->memory));
        for (auto& o : f->owners)
            o = nullptr;
        f->held.clear();
        std::lock_guard lock(frame_mutex);
        frames.push_back(std::move(f));
    }

    void bind(frame& f, const std::vector<argument>& params) const {
        for (std::size_t i = 0; i < params.size(); i++) {
            const auto& given = params[i];
            const auto& declared = p.param_shapes[i];
            if (given.get_shape() == declared or declared.is_boxed() or
                given.get_shape().type() == shape::tuple_type or
                given.get_shape().elements() <= 1) {
                f.bases[p.param_bases[i]] = given.data();
                continue;
            }
            // The same sizes in another layout (a view of the caller's) are brought to the declared
            // one.
            auto copy = argument::uninitialized(declared);
            copy_elements(copy, given);
            f.bases[p.param_bases[i]] = copy.data();
            f.held.push_back(std::move(copy));
        }
        for (std::size_t i = 0; i < p.output_buffers.size(); i++) {
            f.owners[i] = memory->results.get(p.output_buffers[i].bytes);
            f.bases[p.output_buffers[i].base] = f.owners[i].get();
        }
    }

    void run_step(const plan_step& s, frame& f) const {
        p.place_arguments(s, f.bases.data(), f.args.data());
        const fetch_ahead_guard fetches({s.ahead.data(), s.ahead.size(), p.threads});
        s.work->run({f.args.data(), f.args.data() + s.inputs, f.scratch});
    }

    argument traced_result(const plan_step& s, frame& f) const {
        run_step(s, f);
        if (s.outputs != 1 or s.layout.type() == shape::tuple_type)
            return {};
        const auto& r = p.refs[s.first_output];
        return argument{s.layout, f.bases[r.base] + r.offset}.copy();
    }

    std::vector<argument> collect(frame& f, const std::vector<std::size_t>* wanted) const {
        const auto owner_of = [&](uint32_t base) -> std::shared_ptr<char> {
            for (std::size_t i = 0; i < p.output_buffers.size(); i++)
                if (p.output_buffers[i].base == base)
                    return f.owners[i];
            return nullptr;
        };
        auto leaf = [&](const plan_result& r) -> argument {
            char* at = f.bases[r.where.base] + r.where.offset;
            if (r.fresh)
                return {r.layout, std::shared_ptr<char>(owner_of(r.where.base), at)};
            auto result = argument::uninitialized(result_shape(r));
            if (r.layout.elements() != 0)
                copy_elements(result, argument{r.layout, at});
            return result;
        };
        std::vector<argument> all;
        if (wanted != nullptr)
            for (auto i : *wanted)
                all.push_back(assemble(p.results.at(i), leaf));
        else
            for (const auto& r : p.results)
                all.push_back(assemble(r, leaf));
        return all;
    }

    const plan_data& p;
    std::shared_ptr<host_memory> memory;
    mutable std::atomic<bool> uses_helpers = false; ///< a run has; the next ones call them early
    mutable std::mutex frame_mutex;
    mutable std::vector<std::unique_ptr<frame>> frames;
};

} // namespace

std::unique_ptr<plan_runner> make_host_runner(const plan_data& data,
                                              std::shared_ptr<host_memory> memory) {
    return std::make_unique<host_runner>(data, std::move(memory));
}

} // namespace migraphx
