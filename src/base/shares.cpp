// SPDX-License-Identifier: MIT
// Loops whose parts are as large as the processors that run them were fast lately.
#include "base/fetch_ahead.hpp"
#include "base/parallel.hpp"
#include "base/thread_pool.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <numeric>
#include <sched.h>
#include <vector>

namespace migraphx::parallel_detail {
namespace {

using clock = std::chrono::steady_clock;

constexpr int most_processors = 1024; // others count as usual

// How fast each processor was, relative to those that it worked with; 0: not known, usual (1).
std::array<std::atomic<float>, most_processors> speeds;

float speed_of(int processor) {
    if (processor < 0 or processor >= most_processors)
        return 1;
    const float s = speeds[std::size_t(processor)].load(std::memory_order_relaxed);
    return s > 0 ? s : 1;
}

void set_speed(int processor, float speed) {
    if (processor >= 0 and processor < most_processors)
        speeds[std::size_t(processor)].store(speed, std::memory_order_relaxed);
}

// Where the parts of this thread's last loops ran.
thread_local std::vector<int> last_processors;

struct share {
    std::int64_t begin, end;
    int processor;
    clock::duration took;
};

struct share_job {
    std::vector<share> shares;
    share_body f;
    void* context;
    ahead_list ahead;
    std::mutex guard;
    std::exception_ptr error;
};

void run_share(void* shared, int part) {
    auto& job = *static_cast<share_job*>(shared);
    auto& s = job.shares[std::size_t(part)];
    const fetch_ahead_part fetches(job.ahead, part, static_cast<int>(job.shares.size()));
    const auto start = clock::now();
    try {
        if (s.begin < s.end)
            job.f(job.context, part, s.begin, s.end);
    } catch (...) {
        const std::lock_guard<std::mutex> lock(job.guard);
        if (job.error == nullptr)
            job.error = std::current_exception();
    }
    s.took = clock::now() - start;
    s.processor = sched_getcpu();
}

// [0, n) in parts that shall take the same time.
void divide(std::int64_t n, std::vector<share>& shares) {
    constexpr double alike = 1.04; // less is noise
    last_processors.resize(std::max(last_processors.size(), shares.size()), -1);
    last_processors[0] = sched_getcpu();
    std::vector<double> weights;
    for (std::size_t i = 0; i < shares.size(); i++)
        weights.push_back(double(speed_of(last_processors[i])));
    const auto [least, most] = std::minmax_element(weights.begin(), weights.end());
    if (*most < *least * alike)
        weights.assign(shares.size(), 1);
    const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
    double sum = 0;
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < shares.size(); i++) {
        sum += weights[i];
        const auto end =
            i + 1 < shares.size() ? static_cast<std::int64_t>(double(n) * (sum / all) + 0.5) : n;
        shares[i] = {begin, end, -1, {}};
        begin = end;
    }
}

// From what the parts took. Of what was too short to tell, or done by a thread after its own part,
// nothing is learned.
void learn(const std::vector<share>& shares) {
    constexpr std::chrono::microseconds least{20};
    constexpr std::int64_t fewest = 8; // units: fewer differ by their number
    constexpr float most = 1.5f;       // times faster or slower than known, in one loop
    constexpr float weight = 0.2f;     // of the last loop
    constexpr float slowest = 0.4f, fastest = 2.5f;
    for (std::size_t i = 0; i < shares.size(); i++) {
        last_processors[i] = shares[i].processor;
        if (shares[i].took < least or shares[i].end - shares[i].begin < fewest or
            shares[i].processor < 0)
            return;
        for (std::size_t j = 0; j < i; j++)
            if (shares[j].processor == shares[i].processor)
                return;
    }
    double rates = 0, known = 0;
    const auto rate = [](const share& s) {
        return double(s.end - s.begin) / double(s.took.count());
    };
    for (const auto& s : shares) {
        rates += rate(s);
        known += speed_of(s.processor);
    }
    for (const auto& s : shares) {
        const float old = speed_of(s.processor);
        const float now =
            std::clamp(static_cast<float>(rate(s) / rates * known), old / most, old * most);
        set_speed(s.processor, std::clamp(old + weight * (now - old), slowest, fastest));
    }
}

} // namespace

void run_shares(std::int64_t n, int threads, share_body f, void* context) {
    share_job job{std::vector<share>(std::size_t(threads)),
                  f,
                  context,
                  fetch_ahead_guard::current(),
                  {},
                  nullptr};
    divide(n, job.shares);
    {
        const thread_pool::region all(run_share, &job, threads, thread_pool::order::any);
        run_share(&job, 0);
    }
    if (job.error != nullptr)
        std::rethrow_exception(job.error);
    learn(job.shares);
}

} // namespace migraphx::parallel_detail
