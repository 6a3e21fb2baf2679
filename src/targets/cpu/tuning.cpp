// SPDX-License-Identifier: MIT
#include "targets/cpu/tuning.hpp"

#include <migraphx/generate.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>
#include <migraphx/version.hpp>

#include "base/parallel.hpp"
#include "base/settings.hpp"
#include "base/str.hpp"
#include "runtime/buffer_pool.hpp"
#include "runtime/problem_text.hpp"
#include "runtime/tuning_cache.hpp"
#include "runtime/walked_shape.hpp"
#include "targets/cpu/kernels/kernel_table.hpp"
#include "targets/cpu/lowering.hpp"

#include <dnnl.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <iostream>

namespace migraphx::cpu {

namespace {

const setting<bool> skip_benchmarking{
    "MIGRAPHX_SKIP_BENCHMARKING", false,
    "exhaustive_tune times nothing: known choices, else the first"};

constexpr std::size_t most_candidates = 8;
constexpr int rounds = 3;
constexpr int runs_in_round = 3;
constexpr double round_ms = 4;       // as many runs as fit, at least one
constexpr double needed_gain = 0.97; // noise does not replace the own choice

std::atomic<std::size_t> timed = 0;

std::string processor_model() {
    std::ifstream in("/proc/cpuinfo");
    std::string line;
    while (std::getline(in, line))
        if (line.starts_with("model name"))
            return line.substr(std::min(line.size(), line.find(':') + 2));
    return "unknown";
}

const std::string& machine_text() {
    static const auto text = [] {
        const auto* v = dnnl_version();
        return str(processor_model(), '|', isa_name(), "|migraphx ", MIGRAPHX_VERSION_TEXT,
                   "|oneDNN ", v->major, '.', v->minor, '.', v->patch, ' ', v->hash);
    }();
    return text;
}

struct candidate {
    std::string name; ///< implementation#variant
    std::unique_ptr<kernel> work;
    double ms = 0;
};

std::string candidate_name(const implementation& i, int variant) {
    return str(i.name, '#', variant);
}

std::unique_ptr<kernel> make_candidate(problem p, const implementation& i, int variant) {
    p.variant = variant;
    auto result = i.make(p);
    return result ? std::move(result.k) : nullptr;
}

std::vector<candidate> candidates_of(const problem& p, const std::vector<implementation>& choices) {
    std::vector<candidate> result;
    for (const auto& i : choices)
        for (int variant = 0; variant <= i.variants and result.size() < most_candidates;
             variant++) {
            auto k = make_candidate(p, i, variant);
            // Names tell kernels apart: the same one twice is no choice, nor are last resorts.
            if (k != nullptr and (result.empty() or k->name().find(" ref") == std::string::npos) and
                std::none_of(result.begin(), result.end(),
                             [&](const auto& c) { return c.work->name() == k->name(); }))
                result.push_back({candidate_name(i, variant), std::move(k)});
        }
    return result;
}

bool can_be_made_up(const shape& s) {
    return s.type() == shape::float_type or s.type() == shape::half_type or
           s.type() == shape::bf16_type or s.type() == shape::double_type;
}

// Addresses to run candidates with: constants, random inputs, results, scratch.
class trial_memory {
public:
    // False when an input is not made up of numbers of which any will do.
    bool fill(const problem& p, std::size_t scratch_bytes) {
        for (std::size_t i = 0; i < p.inputs.size(); i++) {
            if (p.is_constant(i))
                held.push_back(p.constants[i]);
            else if (can_be_made_up(p.inputs[i]))
                held.push_back(generate_argument(p.inputs[i], i));
            else
                return false;
            inputs.push_back(held.back().data());
        }
        for (const auto& s : leaves_of(p.output)) {
            held.push_back(argument::uninitialized(s));
            outputs.push_back(held.back().data());
        }
        scratch = allocate_host(scratch_bytes);
        return true;
    }
    kernel_args args() const { return {inputs.data(), outputs.data(), scratch.get()}; }

private:
    std::vector<argument> held;
    std::vector<char*> inputs, outputs;
    std::shared_ptr<char> scratch;
};

double milliseconds_of(const kernel& k, const kernel_args& args) {
    const auto start = std::chrono::steady_clock::now();
    k.run(args);
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
}

// The least time of each, taken in turns.
void time_candidates(std::vector<candidate>& list, const kernel_args& args) {
    for (auto& c : list) {
        c.work->run(args);
        c.ms = milliseconds_of(*c.work, args);
    }
    for (int r = 0; r < rounds; r++)
        for (auto& c : list) {
            double spent = 0;
            for (int i = 0; i < runs_in_round or (spent < round_ms and i < 100); i++) {
                const auto ms = milliseconds_of(*c.work, args);
                c.ms = std::min(c.ms, ms);
                spent += ms;
                if (spent > round_ms)
                    break;
            }
        }
    timed += list.size();
}

} // namespace

std::size_t candidates_timed() {
    return timed;
}

std::string tuning_key(const problem& p) {
    return str(problem_text(p), "\nthreads ", num_threads(), p.fast_math ? "" : ", exact",
               p.many_sizes ? ", many sizes" : "", '\n', machine_text());
}

std::unique_ptr<kernel> tuned_kernel(const problem& p, const std::vector<implementation>& choices,
                                     tuning_cache& cache) {
    if (choices.empty() or not std::all_of(p.inputs.begin(), p.inputs.end(), [](const auto& s) {
            return s.type() != shape::tuple_type and not s.any_of_dynamic();
        }))
        return nullptr;
    const auto key = tuning_key(p);
    if (const auto known = cache.find(key))
        for (const auto& i : choices)
            for (int variant = 0; variant <= i.variants; variant++)
                if (candidate_name(i, variant) == *known)
                    if (auto k = make_candidate(p, i, variant))
                        return k;
    if (skip_benchmarking)
        return nullptr;
    auto list = candidates_of(p, choices);
    if (list.size() < 2)
        return list.empty() ? nullptr : std::move(list.front().work);
    std::size_t scratch = 0;
    for (const auto& c : list)
        scratch = std::max(scratch, c.work->scratch_bytes());
    trial_memory memory;
    if (not memory.fill(p, scratch))
        return nullptr;
    time_candidates(list, memory.args());
    auto best = std::min_element(list.begin(), list.end(),
                                 [](const auto& x, const auto& y) { return x.ms < y.ms; });
    if (best->ms > needed_gain * list.front().ms)
        best = list.begin();
    if (trace_enabled("tuning"))
        for (const auto& c : list)
            std::cerr << str(p.op, " -> ", p.output, ": ", c.name, " {", c.work->name(), "} ", c.ms,
                             "ms", &c == &*best ? " chosen" : "", '\n');
    cache.store(key, best->name);
    return std::move(best->work);
}

} // namespace migraphx::cpu
