// SPDX-License-Identifier: MIT
#include "targets/gpu/plan/binder.hpp"

#include "targets/gpu/plan/device_arguments.hpp"

#include <migraphx/errors.hpp>

#include "base/str.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>

namespace migraphx::gpu {

namespace {

bool is_wanted(wanted_results wanted, std::size_t result) {
    return wanted == nullptr or std::find(wanted->begin(), wanted->end(), result) != wanted->end();
}

bool overlap(const argument& x, const argument& y) {
    return x.data() < y.data() + y.get_shape().bytes() and
           y.data() < x.data() + x.get_shape().bytes();
}

} // namespace

site::site(run_lanes& from, const execution_environment& env)
    : lanes(from), queue(env.queue.unsafe_get()), callers(env.async or queue != nullptr),
      async(env.async), exceptions(std::uncaught_exceptions()) {
    lanes.on().make_current();
    l = lanes.take(callers ? &queue : nullptr);
    if (not callers)
        queue = l->own();
}

site::~site() {
    if (exceptions == std::uncaught_exceptions()) {
        lanes.give(std::move(l));
        return;
    }
    try {
        lanes.on().synchronize(queue);
    } catch (const std::exception&) {
        // The run's own error is the one to be told.
    }
    lanes.drop(std::move(l));
}

binder::binder(const plan_data& data, const compile_options& options, std::shared_ptr<run_lanes> l)
    : p(data), where(data), lanes(std::move(l)), offload(options.offload_copy),
      constants(device_constants(lanes->on(), data.constants)), copier(lanes->shared_device()) {}

void binder::add_constants(held_constants& held) const {
    for (const auto& c : constants)
        c->add_to(held);
}

// ---- where things lie

void binder::place(site& s, const std::vector<argument>& params, wanted_results wanted) const {
    auto& l = *s.l;
    lanes->reserve(l.work, p.arena_bytes + p.scratch_bytes);
    wait_for_others(s);
    s.bases.assign(p.base_count, nullptr);
    s.bases[p.arena_base] = l.work.memory.get();
    s.scratch = l.work.memory.get() + p.arena_bytes;
    for (std::size_t i = 0; i < constants.size(); i++)
        s.bases[p.constant_bases[i]] = constants[i]->data.get();
    s.leaves.assign(where.results.size(), {});
    if (not offload)
        place_parameters(s, params);
    place_given_results(s, params);
    place_results(s, wanted);
    use_own_memory(s, false);
}

// For what the lane was used for before, and for what may still write the caller's memory.
void binder::wait_for_others(site& s) const {
    auto& l = *s.l;
    if (l.pending and (not s.callers or l.last != s.queue))
        l.done->wait_for(s.queue);
    s.staging_in_use = std::exchange(l.pending, false);
    if (not s.callers and not offload) {
        l.callers_work->record(nullptr);
        l.callers_work->wait_for(s.queue);
    }
}

void binder::place_parameters(site& s, const std::vector<argument>& params) const {
    for (std::size_t i = 0; i < params.size(); i++) {
        const auto& b = where.parameters[i];
        if (not b.read)
            continue;
        const auto& a = params[i];
        if (is_aligned(a.data()) and (a.get_shape() == b.layout or b.layout.elements() <= 1) and
            on().owns(a.data()))
            s.bases[b.base] = a.data();
    }
}

void binder::place_given_results(site& s, const std::vector<argument>& params) const {
    for (std::size_t i = 0; i < params.size(); i++) {
        const auto& b = where.parameters[i];
        const auto& given = params[i];
        if (not b.leaf or given.data() == nullptr)
            continue;
        const auto& r = where.results[*b.leaf];
        if (given.get_shape() != r.layout and r.layout.elements() > 1)
            fail(error_kind::invalid_argument,
                 str("parameter ", p.names[i], ": memory of the layout ", r.layout,
                     " was expected, got ", given.get_shape()));
        s.leaves[*b.leaf] = given;
        // Steps would read what others have written already.
        const bool is_input = std::any_of(params.begin(), params.end(), [&](const auto& other) {
            return &other != &given and not other.empty() and overlap(other, given);
        });
        if (r.own_base and is_aligned(given.data()) and not is_input and on().owns(given.data()))
            s.bases[*r.own_base] = given.data();
    }
}

void binder::place_results(site& s, wanted_results wanted) const {
    for (std::size_t n = 0; n < where.results.size(); n++) {
        const auto& r = where.results[n];
        auto& leaf = s.leaves[n];
        if (not is_wanted(wanted, r.result) or leaf.data() != nullptr)
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

void binder::use_own_memory(site& s, bool for_all) const {
    const auto missing = [&](uint32_t base) { return for_all or s.bases[base] == nullptr; };
    const bool needed = std::any_of(where.parameters.begin(), where.parameters.end(),
                                    [&](const auto& b) { return b.read and missing(b.base); }) or
                        std::any_of(where.buffers.begin(), where.buffers.end(),
                                    [&](const auto& b) { return missing(b.first); });
    if (not needed)
        return;
    lanes->reserve(s.l->io, where.io_bytes);
    char* io = s.l->io.memory.get();
    for (const auto& b : where.parameters)
        if (b.read and missing(b.base))
            s.bases[b.base] = io + b.io;
    for (const auto& [base, offset] : where.buffers)
        if (missing(base))
            s.bases[base] = io + offset;
}

// Pinned memory, which the host may write once the run before is done.
char* binder::staging(site& s) const {
    if (std::exchange(s.staging_in_use, false))
        s.l->done->synchronize();
    lanes->reserve_pinned(s.l->staging, where.staging_bytes);
    return s.l->staging.memory.get();
}

// ---- copies

void binder::send(site& s, const std::vector<argument>& params) const {
    char* io = s.l->io.memory.get();
    std::optional<uploader> up;
    for (std::size_t i = 0; i < params.size(); i++) {
        const auto& b = where.parameters[i];
        if (not b.read or b.bytes == 0 or s.bases[b.base] != io + b.io)
            continue;
        const auto a = nearby(on(), params[i], s.queue);
        if (not on().owns(a.data())) {
            if (not up)
                up.emplace(on(), io, staging(s), s.queue);
            up->add(b.io, a, b.layout, b.bytes);
        } else if (a.get_shape() == b.layout or b.layout.elements() <= 1)
            on().copy(io + b.io, a.data(), b.bytes, copy_kind::on_device, s.queue);
        else
            copier.copy(io + b.io, b.layout, a, s.queue);
    }
    if (up)
        up->finish();
}

std::vector<argument> binder::receive(site& s, wanted_results wanted) const {
    struct staged_result {
        char* to;
        const char* from;
        std::size_t bytes;
    };
    std::vector<staged_result> staged;
    for (std::size_t n = 0; n < where.results.size(); n++) {
        const auto& r = where.results[n];
        const auto& leaf = s.leaves[n];
        const char* from = s.bases[r.where.base] + r.where.offset;
        if (leaf.data() == from or r.bytes == 0 or not is_wanted(wanted, r.result))
            continue;
        const auto at = offload ? std::nullopt : on().device_of(leaf.data());
        if (at)
            on().copy(leaf.data(), from, r.bytes,
                      *at == on().properties().id ? copy_kind::on_device
                                                  : copy_kind::between_devices,
                      s.queue);
        else if (r.bytes > small_result or s.async)
            on().copy(leaf.data(), from, r.bytes, copy_kind::to_host, s.queue);
        else {
            char* pinned = staging(s) + r.staging;
            on().copy(pinned, from, r.bytes, copy_kind::to_host, s.queue);
            staged.push_back({leaf.data(), pinned, r.bytes});
        }
    }
    if (s.async) {
        s.l->done->record(s.queue);
        s.l->pending = true;
        s.l->last = s.queue;
    } else {
        with_context([&] { on().synchronize(s.queue); },
                     [] {
                         return "while waiting for a program's steps; MIGRAPHX_TRACE_EVAL=1 runs "
                                "them one by one";
                     });
        for (const auto& r : staged)
            std::memcpy(r.to, r.from, r.bytes);
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

} // namespace migraphx::gpu
