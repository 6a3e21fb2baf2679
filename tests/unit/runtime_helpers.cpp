// SPDX-License-Identifier: MIT
// How evaluations use threads: the number asked for, no cost when they are over, many callers at
// once, oneDNN on the engine's threads, results that do not depend on all that.
#include <migraphx/compile_options.hpp>
#include <migraphx/generate.hpp>
#include <migraphx/program.hpp>
#include <migraphx/register_target.hpp>

#include "base/parallel.hpp"
#include "base/thread_pool.hpp"
#include "ir/text_parser.hpp"
#include "ops/tensor.hpp"
#include "targets/cpu/dnnl_threads.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <ctime>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace migraphx;
using std::chrono::steady_clock;

namespace {

// Convolutions by oneDNN and by own kernels, a product, reductions; each large enough for threads.
const char* const net = R"(
x = @param:x -> float_type, {1, 16, 64, 64}
w0 = @literal:random(1) -> float_type, {64, 16, 3, 3}
w1 = @literal:random(2) -> float_type, {64, 64, 1, 1}
w2 = @literal:random(3) -> float_type, {64, 1, 3, 3}
w3 = @literal:random(4) -> float_type, {64, 64, 3, 3}
w4 = @literal:random(5) -> float_type, {1024, 512}
c0 = convolution[padding={1, 1}, stride={2, 2}](x, w0)
r0 = relu(c0)
c1 = convolution(r0, w1)
r1 = tanh(c1)
c2 = convolution[padding={1, 1}, group=64](r1, w2)
c3 = convolution[padding={1, 1}](c2, w3)
s = softmax[axis=3](c3)
f = reshape[dims={64, 1024}](s)
d = dot(f, w4)
m = reduce_max[axes={0}](d)
@return(d, m)
)";

const shape image{shape::float_type, {1, 16, 64, 64}};

program compiled(std::size_t threads, program p = parse_text(net)) {
    compile_options options;
    options.num_threads = threads;
    p.compile(make_target("cpu"), options);
    return p;
}

parameter_map input(unsigned long seed = 1) {
    return {{"x", generate_argument(image, seed, random_mode::random)}};
}

std::vector<double> values(const program& p) {
    std::vector<double> all;
    for (const auto& r : p.eval(input())) {
        const auto v = load<double>(r);
        all.insert(all.end(), v.begin(), v.end());
    }
    return all;
}

double cpu_milliseconds() {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return double(t.tv_sec) * 1e3 + double(t.tv_nsec) * 1e-6;
}

double seconds_since(steady_clock::time_point t) {
    return std::chrono::duration<double>(steady_clock::now() - t).count();
}

struct rates {
    double per_second;
    double longest; // seconds
};

rates evaluate_from(const program& p, int callers, double seconds) {
    std::atomic<int> count = 0;
    std::vector<double> longest(std::size_t(callers), 0);
    std::vector<std::thread> threads;
    const auto start = steady_clock::now();
    for (auto& mine : longest)
        threads.emplace_back([&] {
            const auto in = input();
            while (seconds_since(start) < seconds) {
                const auto begin = steady_clock::now();
                p.eval(in);
                mine = std::max(mine, seconds_since(begin));
                ++count;
            }
        });
    for (auto& t : threads)
        t.join();
    return {count / seconds_since(start), *std::max_element(longest.begin(), longest.end())};
}

} // namespace

// What tools/dependencies.txt installs, and any other oneDNN that was built for GNU OpenMP.
TEST(runtime_helpers, onednn_runs_on_the_engines_threads) {
    EXPECT_TRUE(cpu::share_threads_with_dnnl());
}

TEST(runtime_helpers, as_many_as_asked_for) {
    // In a process of its own, which has no helpers yet.
    const auto source = parse_text(net);
    const auto in = input();
    const auto helpers_for = [&](std::size_t threads) {
        const pid_t child = fork();
        if (child == 0) {
            alarm(60);
            compiled(threads, source).eval(in);
            _exit(thread_pool::helper_count());
        }
        int status = 0;
        waitpid(child, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    };
    EXPECT_EQ(helpers_for(1), 0);
    EXPECT_EQ(helpers_for(2), 1);
    EXPECT_EQ(helpers_for(5), 4);
    EXPECT_EQ(helpers_for(0), num_threads() - 1);
}

// Which tiles go in pairs or by which kernel depends on the number of threads. Logits reach 50 here
// and err by some 1e-5 (sums of 576), which the exponential makes of the results, too: plain
// kernels differ from ref by 6e-5, ONNX Runtime by 4e-5, in pairs it is 8e-5.
TEST(runtime_helpers, results_agree_for_all_counts) {
    const auto wanted = values(compiled(1));
    for (std::size_t threads : {2, 3, 4, 7}) {
        const auto got = values(compiled(threads));
        ASSERT_EQ(got.size(), wanted.size());
        for (std::size_t i = 0; i < got.size(); ++i)
            ASSERT_NEAR(got[i], wanted[i], 1e-4 * (1 + std::abs(wanted[i]))) << threads;
    }
}

// Which threads are free decides who computes, never what is computed.
TEST(runtime_helpers, results_are_the_same_under_load) {
    const auto p = compiled(3);
    const auto wanted = values(p);
    std::atomic<bool> stop = false;
    std::atomic<int> wrong = 0;
    std::vector<std::thread> callers;
    for (int t = 0; t < 6; ++t)
        callers.emplace_back([&] {
            while (not stop)
                wrong += values(p) == wanted ? 0 : 1;
        });
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    stop = true;
    for (auto& c : callers)
        c.join();
    EXPECT_EQ(wrong, 0);
}

TEST(runtime_helpers, sleep_when_the_run_is_over) {
    const auto p = compiled(4);
    const auto in = input();
    for (int i = 0; i < 3; ++i) {
        p.eval(in);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        const double before = cpu_milliseconds();
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        EXPECT_LT(cpu_milliseconds() - before, 2);
    }
}

TEST(runtime_helpers, more_callers_than_processors) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "timings";
#endif
    const auto p = compiled(0);
    const auto alone = evaluate_from(p, 1, 0.3);
    const auto crowd = evaluate_from(p, 8, 0.6);
    // Bounds for machines that are busy with something else.
    EXPECT_GT(crowd.per_second, 0.5 * alone.per_second);
    EXPECT_LT(crowd.longest, 1);
}
