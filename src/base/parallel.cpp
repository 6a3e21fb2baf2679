// SPDX-License-Identifier: MIT
// Thread counts from OpenMP, cpuset and cgroup quota, and the loop over them.
#include "base/parallel.hpp"

#include "base/str.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <limits>
#include <mutex>
#include <omp.h>
#include <string>
#include <vector>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace migraphx {
namespace {

thread_local int forced_threads = 0;

std::string first_line(const std::string& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return line;
}

double to_positive(const std::string& text) {
    double x = 0;
    std::from_chars(text.data(), text.data() + text.size(), x);
    return x > 0 ? x : 0;
}

// The quota of one control group in processors, or infinity.
double group_quota(const std::string& folder, bool unified) {
    double quota = 0;
    double period = 0;
    if (unified) {
        const auto line = first_line(folder + "/cpu.max");
        const auto space = line.find(' ');
        if (space != std::string::npos) {
            quota = to_positive(line.substr(0, space));
            period = to_positive(line.substr(space + 1));
        }
    } else {
        quota = to_positive(first_line(folder + "/cpu.cfs_quota_us"));
        period = to_positive(first_line(folder + "/cpu.cfs_period_us"));
    }
    return quota > 0 and period > 0 ? quota / period : std::numeric_limits<double>::infinity();
}

// The least quota of the group of this process and of the groups around it.
double cgroup_quota() {
    double least = std::numeric_limits<double>::infinity();
    std::ifstream groups("/proc/self/cgroup");
    std::string line;
    while (std::getline(groups, line)) {
        // "0::/path" (v2) or "4:cpu,cpuacct:/path" (v1)
        const auto a = line.find(':');
        const auto b = a == std::string::npos ? a : line.find(':', a + 1);
        if (b == std::string::npos)
            continue;
        const auto controllers = "," + line.substr(a + 1, b - a - 1) + ",";
        const bool unified = controllers == ",,";
        if (not unified and controllers.find(",cpu,") == std::string::npos)
            continue;
        std::vector<std::string> roots{"/sys/fs/cgroup"};
        if (not unified)
            roots = {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"};
        for (const std::string& root : roots) {
            auto path = line.substr(b + 1);
            for (;;) {
                least = std::min(least, group_quota(root + path, unified));
                const auto slash = path.rfind('/');
                if (slash == std::string::npos or path.empty())
                    break;
                path.resize(slash);
            }
        }
    }
    return least;
}

bool thread_count_given() {
    static const bool given = std::getenv("OMP_NUM_THREADS") != nullptr;
    return given;
}

} // namespace

int available_processors() {
    static const int count = [] {
        const double quota = cgroup_quota();
        const int procs = std::max(1, omp_get_num_procs());
        // A part of a processor still needs a thread.
        return quota < procs ? std::max(1, static_cast<int>(quota + 0.999)) : procs;
    }();
    return count;
}

int num_threads() {
    if (forced_threads > 0)
        return forced_threads;
    const int wanted = std::max(1, omp_get_max_threads());
    return thread_count_given() ? wanted : std::min(wanted, available_processors());
}

thread_count_guard::thread_count_guard(int n)
    : old_forced(forced_threads), old_openmp(omp_get_max_threads()) {
    if (n <= 0)
        return;
    forced_threads = n;
    omp_set_num_threads(n);
}

thread_count_guard::~thread_count_guard() {
    forced_threads = old_forced;
    omp_set_num_threads(old_openmp);
}

namespace parallel_detail {

bool inside_parallel() {
    return omp_in_parallel() != 0;
}

namespace {

// One loop, shared by its threads.
struct parallel_job {
    std::int64_t n;
    body f;
    void* context;
    std::mutex guard;
    std::exception_ptr error;
};

// ThreadSanitizer does not see the synchronisation inside the OpenMP runtime; it is told of it
// here.
#if defined(__SANITIZE_THREAD__)
#define MIGRAPHX_UNSEEN_BY_TSAN __attribute__((no_sanitize_thread))
void happens_before(void* x) {
    __tsan_release(x);
}
void happens_after(void* x) {
    __tsan_acquire(x);
}
#else
#define MIGRAPHX_UNSEEN_BY_TSAN
void happens_before(void*) {}
void happens_after(void*) {}
#endif

__attribute__((noinline)) void run_part(parallel_job& job, std::int64_t me, std::int64_t count) {
    happens_after(&job);
    const std::int64_t base = job.n / count;
    const std::int64_t extra = job.n % count;
    const std::int64_t begin = me * base + std::min(me, extra);
    const std::int64_t end = begin + base + (me < extra ? 1 : 0);
    try {
        if (begin < end)
            job.f(job.context, begin, end);
    } catch (...) {
        const std::lock_guard<std::mutex> lock(job.guard);
        if (job.error == nullptr)
            job.error = std::current_exception();
    }
    happens_before(&job.error);
}

// The runtime may give fewer threads than asked for.
MIGRAPHX_UNSEEN_BY_TSAN void fork_and_join(parallel_job& job, int threads) {
#pragma omp parallel num_threads(threads)
    run_part(job, omp_get_thread_num(), omp_get_num_threads());
}

} // namespace

void run(std::int64_t n, int threads, body f, void* context) {
    parallel_job job{n, f, context, {}, nullptr};
    happens_before(&job);
    fork_and_join(job, threads);
    happens_after(&job.error);
    if (job.error != nullptr)
        std::rethrow_exception(job.error);
}

} // namespace parallel_detail
} // namespace migraphx
