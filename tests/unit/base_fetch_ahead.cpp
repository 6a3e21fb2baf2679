// SPDX-License-Identifier: MIT
// What threads bring near for later steps: which steps, which part of a share, on which thread.
#include "base/fetch_ahead.hpp"
#include "base/parallel.hpp"
#include "runtime/fetch_plan.hpp"

#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace migraphx;

namespace {

constexpr std::size_t mib = 1 << 20;
constexpr double plenty = 1e12; // flops

std::string text(const fetching_step& s, const char* memory) {
    std::string t;
    for (const auto& m : s.ahead)
        t += std::to_string(m.first - memory) + "+" + std::to_string(m.bytes) + "/" +
             std::to_string(m.step) + " ";
    return t;
}

// All that the calling thread is told to fetch.
std::set<const char*> lines() {
    std::set<const char*> all;
    for (;;) {
        auto& at = this_thread_ahead();
        if (at.next >= at.end)
            return all;
        for (; at.next < at.end; at.next += 64)
            all.insert(at.next);
    }
}

} // namespace

TEST(base_fetch_ahead, the_nearest_step_takes_what_it_has_room_for) {
    const std::vector<char> memory(mib);
    const double third = 14.0 * mib / 3;
    std::vector<fetching_step> steps{
        {third, mib}, {0, mib}, {third, mib}, {0, mib, memory}, {third, mib}};
    plan_fetches(steps, 2);
    EXPECT_EQ(text(steps[2], memory.data()), "349568+174720/524288 ");
    EXPECT_EQ(text(steps[0], memory.data()), "174848+174720/524288 ");
    for (int i : {1, 3, 4})
        EXPECT_TRUE(steps[std::size_t(i)].ahead.empty()) << i;
}

TEST(base_fetch_ahead, earlier_streams_first) {
    const std::vector<char> a(mib), b(mib);
    std::vector<fetching_step> steps{
        {14.0 * mib, mib}, {14.0 * mib, mib}, {0, mib, a}, {0, mib, b}};
    plan_fetches(steps, 1);
    EXPECT_EQ(text(steps[1], a.data()), "0+1048576/1048576 ");
    EXPECT_EQ(text(steps[0], b.data()), "0+1048576/1048576 ");
}

TEST(base_fetch_ahead, what_stays_near_is_too_small_or_would_not_stay) {
    const std::vector<char> memory(20 * mib);
    const auto planned = [&](std::size_t bytes, std::size_t others, int threads) {
        std::vector<fetching_step> steps{{plenty, others}, {0, bytes, {memory.data(), bytes}}};
        plan_fetches(steps, threads);
        return text(steps[0], memory.data());
    };
    EXPECT_EQ(planned(2 * mib, 0, 2), ""); // stays near from run to run
    EXPECT_EQ(planned(2 * mib, 64, 2), "0+1048576/1048576 ");
    EXPECT_EQ(planned(2 * mib, mib, 16), "");
    EXPECT_EQ(planned(60 << 10, 8 * mib, 2), ""); // takes no time
    EXPECT_EQ(planned(64 << 10, 4 * mib, 2), "0+32768/32768 ");
    EXPECT_EQ(planned(20 * mib, mib, 2), "0+4194304/10485760 ");  // the first of each share
    EXPECT_EQ(planned(100 * 1000, 4 * mib, 3), "0+33280/33280 "); // whole lines
    EXPECT_EQ(planned(2 * mib, 4 * mib, 0), "");
    EXPECT_EQ(planned(0, 8 * mib, 2), "");
    // Others read eight MiB meanwhile.
    std::vector<fetching_step> steps{{plenty, 0}, {0, 8 * mib}, {0, mib, {memory.data(), mib}}};
    plan_fetches(steps, 2);
    EXPECT_TRUE(steps[0].ahead.empty());
}

TEST(base_fetch_ahead, more_threads_share_the_same_memory) {
    const std::vector<char> memory(64 * mib);
    const auto bytes = [&](int threads) {
        std::vector<fetching_step> steps{{14.0 * mib, 0}, {0, 64 * mib, memory}};
        plan_fetches(steps, threads);
        return double(steps[0].ahead.at(0).bytes) * threads;
    };
    EXPECT_NEAR(bytes(1), mib, 64);
    EXPECT_NEAR(bytes(4), mib, 4 * 64);
    EXPECT_NEAR(bytes(8), mib / 2, 8 * 64);
}

TEST(base_fetch_ahead, each_part_of_a_loop_has_its_share) {
    const std::vector<char> memory(4096);
    const char* const m = memory.data();
    const std::vector<memory_ahead> list{{m, 1024, 128}, {m + 512, 1024, 64}};
    const thread_count_guard threads(2);
    const auto fetched = [&](int shares, auto loop) {
        std::mutex guard;
        std::set<const char*> all;
        {
            const fetch_ahead_guard fetches({list.data(), list.size(), shares});
            loop([&] {
                const auto own = lines();
                const std::lock_guard lock(guard);
                all.insert(own.begin(), own.end());
            });
        }
        EXPECT_TRUE(lines().empty());
        return all;
    };
    const auto for_loop = [](auto f) { parallel_for(2, 1, [&](auto, auto) { f(); }); };
    const auto shares_loop = [](auto f) { parallel_shares(2, 2, [&](int, auto, auto) { f(); }); };
    const std::set<const char*> both{m, m + 64, m + 512, m + 1024, m + 1088, m + 1536};
    EXPECT_EQ(fetched(2, for_loop), both);
    EXPECT_EQ(fetched(2, shares_loop), both);
    EXPECT_TRUE(fetched(3, for_loop).empty()); // made for other threads
    EXPECT_TRUE(fetched(2, [](auto f) { f(); }).empty());
    EXPECT_EQ(fetched(1, [](auto f) { f(); }), (std::set<const char*>{m, m + 64, m + 512}));
    for_loop([] { EXPECT_TRUE(lines().empty()); }); // the helper keeps nothing
}
