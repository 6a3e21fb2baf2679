// SPDX-License-Identifier: MIT
#include "targets/gpu/tuning.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/version.hpp>

#include "base/settings.hpp"
#include "base/str.hpp"
#include "runtime/implementation_table.hpp"
#include "runtime/problem_text.hpp"
#include "runtime/tuning_cache.hpp"
#include "runtime/walked_shape.hpp"
#include "targets/gpu/libraries/trial.hpp"

#include <algorithm>
#include <iostream>
#include <limits>
#include <optional>
#include <utility>

namespace migraphx::gpu {

namespace {

constexpr double needed_gain = 0.97; // noise does not replace the first

struct candidate {
    std::string name;
    std::unique_ptr<kernel> work;
    double ms = 0;
};

std::string key_of(const device_problem& p) {
    const auto& facts = p.on->properties();
    return str("gpu|", facts.name, '|', facts.architecture, "|driver ", facts.driver, "|migraphx ",
               MIGRAPHX_VERSION_TEXT, p.tf32 ? "|tf32" : "", p.image ? "|image" : "",
               p.in_parts ? "|parts" : "", '|', problem_text(p));
}

// False where there is no memory to run them in, or one of them cannot be timed.
bool time_all(const device_problem& p, std::vector<candidate>& list) {
    std::size_t scratch = 0;
    for (const auto& c : list) {
        if (runs_on_host(*c.work))
            return false;
        scratch = std::max(scratch, c.work->scratch_bytes());
    }
    std::vector<std::shared_ptr<char>> memory;
    std::vector<char*> in, out;
    const auto queue = p.on->make_stream();
    bool ready = true;
    const auto block = [&](std::size_t bytes) {
        memory.push_back(trial_memory(*p.on, bytes, queue.get()));
        ready = ready and memory.back() != nullptr;
        return memory.back().get();
    };
    for (const auto& s : leaves_of(p.inputs))
        in.push_back(block(span_bytes(s)));
    for (const auto& s : leaves_of(p.output))
        out.push_back(block(span_bytes(s)));
    auto* const scratch_memory = block(scratch);
    p.on->synchronize(queue.get());
    if (not ready)
        return false;
    bool any = false;
    for (auto& c : list)
        try {
            c.ms = milliseconds_on(*p.on, [&](stream s) {
                c.work->run({in.data(), out.data(), scratch_memory, s});
            });
            any = true;
        } catch (const exception&) {
            c.ms = std::numeric_limits<double>::infinity(); // a library that fails is not chosen
        }
    return any;
}

std::unique_ptr<kernel> known(const device_problem& p, const std::string& key,
                              const std::vector<implementation>& candidates) {
    const auto name = tuning_cache::instance().find(key);
    if (name)
        for (const auto& c : candidates)
            if (c.name == *name)
                return std::move(c.make(p).k);
    return nullptr;
}

} // namespace

bool may_be_timed(const device_problem& p) {
    return p.on->properties().kind != platform::host and (p.tune or not p.many_sizes);
}

lowered fastest(const device_problem& p, const std::vector<implementation>& candidates) {
    if (not may_be_timed(p))
        return first_that_takes(p, candidates);
    const auto key = key_of(p);
    if (auto k = known(p, key, candidates))
        return k;
    std::vector<candidate> list;
    std::string reasons;
    // Compiled before anybody waits for the device.
    for (const auto& c : candidates) {
        auto k = c.make(p);
        if (k)
            list.push_back({c.name, std::move(k.k)});
        else
            reasons += str(reasons.empty() ? "" : "; ", c.name, ": ", k.reason);
    }
    if (list.empty())
        return lowered::refuse(std::move(reasons));
    if (list.size() == 1)
        return std::move(list.front().work);
    const auto alone = alone_on_device();
    if (auto k = known(p, key, candidates))
        return k;
    if (not time_all(p, list))
        return std::move(list.front().work);
    auto best = std::min_element(list.begin(), list.end(),
                                 [](const auto& x, const auto& y) { return x.ms < y.ms; });
    if (best->ms > needed_gain * list.front().ms)
        best = list.begin();
    if (trace_enabled("tuning"))
        for (const auto& c : list)
            std::cerr << str(p.op, " -> ", p.output, ": ", c.name, " {", c.work->name(), "} ",
                             c.ms * 1000, " us", &c == &*best ? " chosen" : "", '\n');
    tuning_cache::instance().store(key, best->name);
    return std::move(best->work);
}

} // namespace migraphx::gpu
