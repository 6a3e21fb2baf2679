// SPDX-License-Identifier: MIT
// program::perf_report: times of whole runs, of each step and of the overhead between them.
#include <migraphx/errors.hpp>
#include <migraphx/program.hpp>

#include "base/str.hpp"
#include "runtime/executable.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <numeric>
#include <ostream>

namespace migraphx {

namespace {

template <class F>
double milliseconds(F f) {
    const auto start = std::chrono::steady_clock::now();
    f();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
}

// Mean of the middle half.
double common_average(std::vector<double> v) {
    if (v.empty())
        return 0;
    std::sort(v.begin(), v.end());
    const auto n = v.size() / 4;
    const auto first = v.begin() + std::ptrdiff_t(n), last = v.end() - std::ptrdiff_t(n);
    return std::accumulate(first, last, 0.0) / double(std::distance(first, last));
}

double percentile(const std::vector<double>& sorted, double p) {
    const auto i = std::size_t(std::ceil(p * double(sorted.size()))) - 1;
    return sorted[std::min(i, sorted.size() - 1)];
}

std::string output_key(const step_record& r) {
    std::string key = r.group + "<" + r.output.type_string();
    if (r.output.type() != shape::tuple_type and not r.output.dynamic())
        for (auto l : r.output.lens())
            key += "," + std::to_string(l);
    return key + ">";
}

// What ran in how long: "3.2ms, 1.21 GF, 30.1 MB, 378 GF/s, 9.4 GB/s".
struct work_done {
    double ms = 0;
    cost work;
};

void print_work(std::ostream& os, const std::string& name, const work_done& w) {
    const double seconds = std::max(w.ms, 1e-9) / 1000;
    os << name << ": " << w.ms << "ms, " << w.work.flops / 1e9 << " GF, " << w.work.bytes / 1e6
       << " MB, " << w.work.flops / 1e9 / seconds << " GF/s, " << w.work.bytes / 1e9 / seconds
       << " GB/s\n";
}

} // namespace

void program::perf_report(std::ostream& os, std::size_t n, parameter_map params, std::size_t batch,
                          bool detailed) const {
    const auto& exec = get_executable();
    if (exec == nullptr)
        fail(error_kind::invalid_argument,
             "perf_report: a compiled program was expected, got one that is not");
    n = std::max<std::size_t>(n, 1);
    // The first run prepares what is prepared late, the second records it on targets that do.
    for (int i = 0; i < 2; i++)
        eval(params);
    std::vector<double> total, overhead;
    for (std::size_t i = 0; i < n; i++)
        total.push_back(milliseconds([&] { eval(params); }));
    std::vector<step_record> steps;
    std::vector<std::vector<double>> times;
    for (std::size_t i = 0; i < n; i++) {
        auto now = exec->profile(params);
        if (times.size() != now.size()) {
            times.assign(now.size(), {});
            steps = now;
        }
        for (std::size_t s = 0; s < now.size(); s++)
            times[s].push_back(now[s].milliseconds);
    }
    for (std::size_t i = 0; i < n; i++)
        overhead.push_back(milliseconds([&] { dry_run(params); }));

    double step_total = 0;
    std::vector<double> averages;
    for (const auto& t : times) {
        averages.push_back(common_average(t));
        step_total += averages.back();
    }
    struct group {
        double sum = 0;
        std::size_t count = 0;
    };
    std::map<std::string, group> groups;
    std::map<std::string, work_done> work; // by operator and kernel
    work_done all_work;
    auto percent = [&](double ms) {
        return int(std::ceil(100 * ms / std::max(step_total, 1e-12)));
    };
    for (std::size_t i = 0; i < steps.size(); i++) {
        const auto& s = steps[i];
        os << s.instruction << " -> " << s.output << " {" << s.kernel << "}: " << averages[i]
           << "ms, " << percent(averages[i]) << "%\n";
        auto& g = groups[detailed ? output_key(s) : s.group];
        g.sum += averages[i];
        g.count++;
        auto& w = work[s.group + " {" + s.kernel + "}"];
        for (auto* x : {&w, &all_work}) {
            x->ms += averages[i];
            x->work += s.work;
        }
    }
    std::vector<std::pair<std::string, group>> sorted(groups.begin(), groups.end());
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& a, const auto& b) { return a.second.sum > b.second.sum; });
    os << "\nSummary:\n";
    for (const auto& [name, g] : sorted)
        os << name << ": " << g.sum << "ms / " << g.count << " = " << g.sum / double(g.count)
           << "ms, " << percent(g.sum) << "%\n";
    // Flops and bytes follow from shapes: a kernel that computes less (Winograd's) or keeps more in
    // caches shows more than the machine's peak.
    os << "\nWork:\n";
    for (const auto& [name, w] : work)
        print_work(os, name, w);
    print_work(os, "All steps", all_work);
    std::sort(total.begin(), total.end());
    const auto average = common_average(total);
    const auto mean = std::accumulate(total.begin(), total.end(), 0.0) / double(total.size());
    const auto median = total[total.size() / 2];
    const auto idle = common_average(overhead);
    os << "\nBatch size: " << batch << "\nRate: " << 1000 / average * double(batch)
       << " inferences/sec"
       << "\nTotal time: " << average << "ms (Min: " << total.front() << "ms, Max: " << total.back()
       << "ms, Mean: " << mean << "ms, Median: " << median << "ms)"
       << "\nPercentiles (90%, 95%, 99%): (" << percentile(total, 0.9) << "ms, "
       << percentile(total, 0.95) << "ms, " << percentile(total, 0.99) << "ms)"
       << "\nTotal instructions time: " << step_total << "ms"
       << "\nOverhead time: " << idle << "ms, " << average - step_total << "ms"
       << "\nOverhead: " << std::round(100 * idle / average) << "%, "
       << std::round(100 * (average - step_total) / average) << "%\n";
}

} // namespace migraphx
