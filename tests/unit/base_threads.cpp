// SPDX-License-Identifier: MIT
// The thread pool and what limits it: parts run once by whoever is free, helpers sleep when there
// is nothing to do, callers do not wait for one another, processes that fork, quotas of control
// groups.
#include "base/cpu_limits.hpp"
#include "base/parallel.hpp"
#include "base/thread_pool.hpp"

#include <migraphx/tmp_dir.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace migraphx;
namespace fs = std::filesystem;
using std::chrono::milliseconds;

namespace {

double cpu_milliseconds() {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return double(t.tv_sec) * 1e3 + double(t.tv_nsec) * 1e-6;
}

void work_for(std::chrono::microseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end)
        ;
}

std::int64_t sum_in_parallel(std::int64_t n) {
    std::atomic<std::int64_t> sum = 0;
    parallel_for(n, 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = begin; i < end; ++i)
            sum += i;
    });
    return sum;
}

// A process of a made-up system: its folder under /proc and the control groups around it.
class control_groups {
public:
    void write(const std::string& file, const std::string& text) const {
        const auto path = dir.path / file;
        fs::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }
    void mount(const std::string& group, const std::string& folder, const std::string& type,
               const std::string& options) {
        fs::create_directories(dir.path / folder);
        mounts += "31 23 0:28 " + group + " " + (dir.path / folder).string() +
                  " rw,nosuid shared:9 - " + type + " " + type + " " + options + "\n";
    }
    double quota() const {
        write("proc/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda rw\n" + mounts);
        return cgroup_cpu_quota((dir.path / "proc").string());
    }

private:
    tmp_dir dir{"control-groups"};
    std::string mounts;
};

} // namespace

TEST(base_cpu_limits, version_2) {
    control_groups g;
    EXPECT_TRUE(std::isinf(g.quota())); // no files at all
    g.mount("/", "cg", "cgroup2", "rw,nsdelegate");
    g.write("proc/cgroup", "0::/a/b\n");
    EXPECT_TRUE(std::isinf(g.quota()));
    g.write("cg/a/b/cpu.max", "max 100000\n");
    EXPECT_TRUE(std::isinf(g.quota()));
    g.write("cg/a/b/cpu.max", "150000 100000\n");
    EXPECT_DOUBLE_EQ(g.quota(), 1.5);
    g.write("cg/a/cpu.max", "50000 100000\n"); // the group around it allows less
    EXPECT_DOUBLE_EQ(g.quota(), 0.5);
    g.write("cg/a/cpu.max", "400000 100000\n");
    EXPECT_DOUBLE_EQ(g.quota(), 1.5);
    g.write("cg/a/b/cpu.max", "no number\n");
    EXPECT_DOUBLE_EQ(g.quota(), 4);
    g.write("cg/a/cpu.max", "");
    EXPECT_TRUE(std::isinf(g.quota()));
}

TEST(base_cpu_limits, version_1) {
    control_groups g;
    g.mount("/", "cpuacct", "cgroup", "rw,cpuacct");
    g.mount("/", "cpu", "cgroup", "rw,cpu");
    g.write("proc/cgroup", "5:cpuacct:/x\n4:cpu:/job/7\n0::/\n");
    g.write("cpu/job/7/cpu.cfs_quota_us", "-1\n");
    g.write("cpu/job/7/cpu.cfs_period_us", "100000\n");
    EXPECT_TRUE(std::isinf(g.quota()));
    g.write("cpu/job/7/cpu.cfs_quota_us", "300000\n");
    EXPECT_DOUBLE_EQ(g.quota(), 3);
    g.write("cpu/job/cpu.cfs_quota_us", "100000\n");
    g.write("cpu/job/cpu.cfs_period_us", "50000\n");
    EXPECT_DOUBLE_EQ(g.quota(), 2);
    g.write("cpuacct/x/cpu.cfs_quota_us", "1000\n"); // of no meaning there
    g.write("cpuacct/x/cpu.cfs_period_us", "100000\n");
    EXPECT_DOUBLE_EQ(g.quota(), 2);
}

// A container sees its own group as the mount, under the name that the machine gave it.
TEST(base_cpu_limits, mounted_group) {
    control_groups g;
    g.mount("/docker/1f", "cpu,cpuacct", "cgroup", "rw,cpu,cpuacct");
    g.write("proc/cgroup", "4:cpu,cpuacct:/docker/1f\n");
    g.write("cpu,cpuacct/cpu.cfs_quota_us", "250000\n");
    g.write("cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    EXPECT_DOUBLE_EQ(g.quota(), 2.5);
    g.write("proc/cgroup", "4:cpu,cpuacct:/docker/1f/inner\n");
    g.write("cpu,cpuacct/inner/cpu.cfs_quota_us", "20000\n");
    g.write("cpu,cpuacct/inner/cpu.cfs_period_us", "100000\n");
    EXPECT_DOUBLE_EQ(g.quota(), 0.2);
    g.write("proc/cgroup", "4:cpu,cpuacct:/elsewhere\nnonsense\n::\n");
    EXPECT_DOUBLE_EQ(g.quota(), 2.5);
}

TEST(base_cpu_limits, this_process) {
    EXPECT_GE(processors_in_set(), 1);
    EXPECT_GT(cgroup_cpu_quota(), 0);
    EXPECT_LE(available_processors(), processors_in_set());
    int bound = 0;
    std::thread([&] {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(sched_getcpu(), &one);
        sched_setaffinity(0, sizeof(one), &one);
        bound = processors_in_set();
    }).join();
    EXPECT_EQ(bound, 1);
}

TEST(base_threads, helpers_take_parts) {
    const thread_count_guard guard(3);
    std::array<std::atomic<bool>, 3> here{};
    // Parts that wait for one another end only if each has a thread.
    const auto meet = [](void* all, int part) {
        auto& arrived = *static_cast<std::array<std::atomic<bool>, 3>*>(all);
        arrived[std::size_t(part)] = true;
        for (const auto& other : arrived)
            while (not other)
                std::this_thread::yield();
    };
    {
        const thread_pool::region r(meet, &here, 3, thread_pool::order::together);
        EXPECT_TRUE(thread_pool::inside_region());
        meet(&here, 0);
    }
    EXPECT_FALSE(thread_pool::inside_region());
    EXPECT_GE(thread_pool::helper_count(), 2);
}

TEST(base_threads, parts_know_the_thread_count) {
    const thread_count_guard guard(3);
    std::atomic<int> wrong = 0;
    for (int i = 0; i < 100; ++i)
        parallel_for(3, 1, [&](std::int64_t, std::int64_t) {
            work_for(std::chrono::microseconds(20));
            wrong += num_threads() == 3 ? 0 : 1;
        });
    EXPECT_EQ(wrong, 0);
}

TEST(base_threads, shares_cover_all_units_whatever_the_speeds) {
    const thread_count_guard threads(3);
    for (int64_t n : {1, 2, 3, 40, 1001})
        for (int turn = 0; turn < 20; turn++) {
            std::vector<std::atomic<int>> done(static_cast<std::size_t>(n));
            std::array<std::atomic<int>, 3> calls{};
            parallel_shares(n, 3, [&](int64_t part, int64_t begin, int64_t end) {
                calls.at(std::size_t(part))++;
                // The second thread is slower each time, and gets less.
                for (auto i = begin; i < end; i++) {
                    const auto until = std::chrono::steady_clock::now() +
                                       std::chrono::microseconds(part == 1 ? 4 : 1);
                    while (std::chrono::steady_clock::now() < until)
                        continue;
                    done[std::size_t(i)]++;
                }
            });
            for (auto& d : done)
                ASSERT_EQ(d, 1);
            for (auto& c : calls)
                ASSERT_LE(c, 1);
        }
    EXPECT_THROW(parallel_shares(9, 3,
                                 [](int64_t, int64_t, int64_t end) {
                                     if (end == 9)
                                         throw std::runtime_error("from a part");
                                 }),
                 std::runtime_error);
    int64_t inner = 0;
    parallel_for(2, 1, [&](int64_t begin, int64_t) {
        if (begin == 0) // one part within a loop
            parallel_shares(8, 2, [&](int64_t, int64_t from, int64_t to) { inner = to - from; });
    });
    EXPECT_EQ(inner, 8);
}

TEST(base_threads, many_callers_at_once) {
    std::atomic<int> wrong = 0;
    std::vector<std::thread> callers;
    for (int t = 0; t < 8; ++t)
        callers.emplace_back([&, t] {
            const thread_count_guard guard(1 + t % 4);
            for (int i = 0; i < 2000; ++i) {
                const thread_pool::session together(i % 3 == 0);
                wrong += sum_in_parallel(i % 50) == std::int64_t(i % 50) * (i % 50 - 1) / 2 ? 0 : 1;
            }
        });
    for (auto& c : callers)
        c.join();
    EXPECT_EQ(wrong, 0);
}

namespace {

// Each step makes all cells from all cells of the step before; what has no part is missing.
std::vector<uint64_t> cells_after(int64_t steps, int64_t most, std::atomic<int>& widest) {
    constexpr int64_t cells = 24;
    std::vector<uint64_t> state[2] = {std::vector<uint64_t>(cells, 1),
                                      std::vector<uint64_t>(cells)};
    parallel_steps(steps, most, [&](int64_t step, int part, int parts) {
        const auto& from = state[step % 2];
        auto& to = state[(step + 1) % 2];
        for (auto i = cells * part / parts; i < cells * (part + 1) / parts; ++i) {
            uint64_t sum = uint64_t(i + step);
            for (auto x : from)
                sum = sum * 31 + x;
            to[std::size_t(i)] = sum;
        }
        if (parts > widest)
            widest = parts;
    });
    return state[steps % 2];
}

} // namespace

TEST(base_threads, steps_one_after_another) {
    std::atomic<int> widest = 1;
    const auto alone = cells_after(5000, 1, widest);
    EXPECT_EQ(widest, 1);
    const thread_count_guard guard(3);
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(cells_after(5000, 5, widest), alone);
    EXPECT_LE(widest, 3);
    for (int64_t steps = 0; steps < 5; ++steps) {
        const auto few = cells_after(steps, 1, widest);
        for (int i = 0; i < 200; ++i)
            EXPECT_EQ(cells_after(steps, 3, widest), few);
    }
}

TEST(base_threads, steps_are_shared) {
    const thread_count_guard guard(2);
    for (int i = 0; i < 1000; ++i) {
        std::atomic<int> widest = 1;
        cells_after(5000, 2, widest);
        if (widest == 2)
            return;
    }
    FAIL() << "no helper joined in 1000 loops";
}

TEST(base_threads, steps_of_many_callers) {
    std::atomic<int> wrong = 0, widest = 1;
    const auto right = cells_after(40, 1, widest);
    std::vector<std::thread> callers;
    for (int t = 0; t < 6; ++t)
        callers.emplace_back([&, t] {
            const thread_count_guard guard(1 + t % 4);
            for (int i = 0; i < 300; ++i) {
                const thread_pool::session together(i % 3 == 0);
                wrong += cells_after(40, 4, widest) == right ? 0 : 1;
            }
        });
    for (auto& c : callers)
        c.join();
    EXPECT_EQ(wrong, 0);
}

TEST(base_threads, helpers_sleep_after_work) {
    const thread_count_guard guard(4);
    const auto idle_cost = [] {
        std::this_thread::sleep_for(milliseconds(1));
        const double before = cpu_milliseconds();
        std::this_thread::sleep_for(milliseconds(30));
        return cpu_milliseconds() - before;
    };
    sum_in_parallel(1000);
    EXPECT_LT(idle_cost(), 2);
    {
        const thread_pool::session open(true);
        sum_in_parallel(1000);
        EXPECT_TRUE(open.used());
        EXPECT_LT(idle_cost(), 2); // even while the caller does something else
    }
    EXPECT_LT(idle_cost(), 2);
}

TEST(base_threads, work_in_a_forked_process) {
    const thread_count_guard guard(3);
    sum_in_parallel(100);
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);
        _exit(sum_in_parallel(100) == 4950 and thread_pool::helper_count() <= 2 ? 0 : 1);
    }
    int status = 1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(sum_in_parallel(100), 4950);
}
