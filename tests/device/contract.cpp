// SPDX-License-Identifier: MIT
// What device.hpp promises, on each device.
#include "device/devices.hpp"

#include "targets/gpu/compiler/compiler.hpp"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <migraphx/errors.hpp>
#include <numeric>
#include <thread>
#include <vector>

namespace device_test {

namespace {

using contract = on_device;
ON_EACH_DEVICE(contract);

std::vector<int> numbers(std::size_t n, int first) {
    std::vector<int> v(n);
    std::iota(v.begin(), v.end(), first);
    return v;
}

// y[i] = a * x[i] + y[i]
const char* const add_scaled = R"(
#include "dialect.cuh"
namespace mgx {
MGX_KERNEL_BOUNDS(256) void add_scaled(const f32* x, f32* y, f32 a, u32 n) {
    for (u32 i = global_thread(); i < n; i += global_threads())
        y[i] = a * x[i] + y[i];
}
} // namespace mgx
)";

// y[b] = the sum of x over a block, by way of as much shared memory as was asked for.
const char* const sum_shared = R"(
#include "dialect.cuh"
namespace mgx {
MGX_KERNEL_BOUNDS(256) void sum_shared(const i32* x, i32* y, u32 words) {
    MGX_DYNAMIC_SHARED(i32, kept);
    for (u32 i = threadIdx.x; i < words; i += blockDim.x)
        kept[i] = x[blockIdx.x * words + i];
    __syncthreads();
    if (threadIdx.x == 0) {
        i32 sum = 0;
        for (u32 i = 0; i < words; i++)
            sum += kept[i];
        y[blockIdx.x] = sum;
    }
}
} // namespace mgx
)";

TEST_P(contract, properties) {
    const auto& p = d->properties();
    EXPECT_FALSE(p.name.empty());
    EXPECT_FALSE(p.architecture.empty());
    EXPECT_GE(p.multiprocessors, 1);
    EXPECT_TRUE(p.warp_size == 32 or p.warp_size == 64);
    EXPECT_GE(p.shared, 48 * 1024U);
    RecordProperty("device", p.name);
    RecordProperty("architecture", p.architecture);
}

TEST_P(contract, memory_is_aligned_and_owned) {
    for (const std::size_t bytes : {0, 1, 255, 256, 4097, 1 << 22}) {
        const auto p = d->allocate(bytes);
        ASSERT_NE(p, nullptr);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p.get()) % 256, 0U);
        EXPECT_TRUE(d->owns(p.get()));
    }
    int on_host = 0;
    EXPECT_FALSE(d->owns(&on_host));
    EXPECT_NE(d->allocate_pinned(100), nullptr);
    EXPECT_GT(d->free_memory(), 0U);
}

TEST_P(contract, copies_and_fills_in_order) {
    const auto from = numbers(100000, 7);
    const auto bytes = from.size() * sizeof(int);
    const auto a = d->allocate(bytes);
    const auto b = d->allocate(bytes);
    const auto pinned = d->allocate_pinned(bytes);
    d->copy(a.get(), from.data(), bytes, copy_kind::to_device, s);
    d->copy(b.get(), a.get(), bytes, copy_kind::on_device, s);
    d->fill(b.get(), 0xff, 40, s);
    d->copy(pinned.get(), b.get(), bytes, copy_kind::to_host, s);
    d->copy(nullptr, nullptr, 0, copy_kind::to_host, s);
    d->synchronize(s);
    auto expected = from;
    std::fill(expected.begin(), expected.begin() + 10, -1);
    EXPECT_EQ(std::memcmp(pinned.get(), expected.data(), bytes), 0);
}

TEST_P(contract, launches) {
    const auto code = compiled(*d, add_scaled, nullptr);
    auto* f = code->function("add_scaled");
    std::vector<float> x(12345), y(12345);
    std::iota(x.begin(), x.end(), 0.0F);
    std::iota(y.begin(), y.end(), 5.0F);
    const auto bytes = x.size() * sizeof(float);
    const auto dx = d->allocate(bytes);
    const auto dy = d->allocate(bytes);
    d->copy(dx.get(), x.data(), bytes, copy_kind::to_device, s);
    d->copy(dy.get(), y.data(), bytes, copy_kind::to_device, s);
    void* px = dx.get();
    void* py = dy.get();
    float a = 2;
    auto n = std::uint32_t(x.size());
    void* args[] = {&px, &py, &a, &n};
    d->launch(f, {7}, {256}, 0, s, args);
    std::vector<float> result(x.size());
    d->copy(result.data(), dy.get(), bytes, copy_kind::to_host, s);
    d->synchronize(s);
    for (std::size_t i = 0; i < x.size(); i++)
        ASSERT_EQ(result[i], 2 * x[i] + y[i]) << i;
    try {
        code->function("no_such_entry");
        FAIL();
    } catch (const migraphx::exception& e) {
        EXPECT_NE(e.message().find("no_such_entry"), std::string::npos) << e.message();
    }
}

TEST_P(contract, shared_memory_up_to_what_the_device_has) {
    const auto code = compiled(*d, sum_shared, nullptr);
    auto* f = code->function("sum_shared");
    constexpr std::size_t blocks = 3;
    for (const auto bytes : {std::size_t{1024}, std::size_t{48 * 1024}, d->properties().shared}) {
        auto words = std::uint32_t(bytes / sizeof(int));
        const auto x = numbers(blocks * words, -5);
        const auto dx = d->allocate(x.size() * sizeof(int));
        const auto dy = d->allocate(blocks * sizeof(int));
        d->copy(dx.get(), x.data(), x.size() * sizeof(int), copy_kind::to_device, s);
        void* px = dx.get();
        void* py = dy.get();
        void* args[] = {&px, &py, &words};
        d->launch(f, {blocks}, {256}, bytes, s, args);
        std::vector<int> result(blocks);
        d->copy(result.data(), dy.get(), blocks * sizeof(int), copy_kind::to_host, s);
        d->synchronize(s);
        for (std::size_t b = 0; b < blocks; b++) {
            const auto first = x.begin() + std::ptrdiff_t(b * words);
            // Sums wrap in the kernel; so do unsigned ones.
            std::uint32_t sum = 0;
            for (auto it = first; it != first + words; ++it)
                sum += std::uint32_t(*it);
            EXPECT_EQ(std::uint32_t(result[b]), sum) << bytes << " bytes, block " << b;
        }
    }
}

TEST_P(contract, recorded_work_runs_at_each_launch) {
    const auto code = compiled(*d, add_scaled, nullptr);
    auto* f = code->function("add_scaled");
    constexpr std::size_t n = 1000;
    const auto bytes = n * sizeof(float);
    const std::vector<float> ones(n, 1.0F);
    const auto dx = d->allocate(bytes);
    const auto dy = d->allocate(bytes);
    const auto out = d->allocate_pinned(bytes);
    d->copy(dx.get(), ones.data(), bytes, copy_kind::to_device, s);
    d->fill(dy.get(), 0, bytes, s);
    d->synchronize(s);
    void* px = dx.get();
    void* py = dy.get();
    float a = 3;
    std::uint32_t count = n;
    void* args[] = {&px, &py, &a, &count};
    d->begin_recording(s);
    d->launch(f, {4}, {256}, 0, s, args);
    d->launch(f, {4}, {256}, 0, s, args);
    d->copy(out.get(), dy.get(), bytes, copy_kind::to_host, s);
    // Others allocate and run meanwhile.
    std::thread([&] {
        const auto other = d->make_stream();
        const auto p = d->allocate(12345);
        d->fill(p.get(), 0, 12345, other.get());
        d->synchronize(other.get());
    }).join();
    const auto graph = d->end_recording(s);
    const auto other = d->make_stream();
    graph->launch(s);
    d->synchronize(s);
    EXPECT_EQ(reinterpret_cast<float*>(out.get())[n - 1], 6);
    a = 100; // was copied when it was recorded
    graph->launch(other.get());
    graph->launch(other.get());
    d->synchronize(other.get());
    EXPECT_EQ(reinterpret_cast<float*>(out.get())[n - 1], 18);
    EXPECT_EQ(reinterpret_cast<float*>(out.get())[0], 18);
}

TEST_P(contract, events_order_and_time_work) {
    const auto start = d->make_event();
    const auto end = d->make_event();
    const auto other = d->make_stream();
    constexpr std::size_t bytes = 1 << 24;
    const auto a = d->allocate(bytes);
    const auto b = d->allocate_pinned(bytes);
    start->record(s);
    d->fill(a.get(), 1, bytes, s);
    d->fill(a.get(), 2, bytes, s);
    end->record(s);
    end->wait_for(other.get());
    d->copy(b.get(), a.get(), bytes, copy_kind::to_host, other.get());
    d->synchronize(other.get());
    EXPECT_EQ(b.get()[0], 2);
    EXPECT_EQ(b.get()[bytes - 1], 2);
    end->synchronize();
    EXPECT_GT(end->since(*start), 0.0F);
    EXPECT_LT(end->since(*start), 10000.0F);
}

// Memory that is let go while work on it is queued is not given to others before that work is done.
TEST_P(contract, memory_is_given_out_again_after_its_work) {
    constexpr std::size_t bytes = 1 << 22;
    const auto out = d->allocate_pinned(bytes);
    const auto other = d->make_stream();
    const std::size_t much = is_gpu() ? std::size_t{1} << 28 : bytes;
    const auto large = d->allocate(much);
    for (int round = 0; round < 20; round++) {
        auto a = d->allocate(bytes);
        for (int i = 0; i < 4; i++)
            d->fill(large.get(), i, much, s); // keeps the queue busy
        d->fill(a.get(), 1, bytes, s);
        d->copy(out.get(), a.get(), bytes, copy_kind::to_host, s);
        a = nullptr;
        const auto b = d->allocate(bytes);
        d->fill(b.get(), 2, bytes, other.get());
        d->synchronize(s);
        ASSERT_EQ(out.get()[0], 1);
        ASSERT_EQ(out.get()[bytes - 1], 1);
        d->synchronize(other.get());
    }
}

TEST_P(contract, a_full_device_is_an_error_and_goes_on) {
    if (not is_gpu())
        GTEST_SKIP() << "the host's memory is not filled for a test";
    const auto kept = d->allocate(1 << 20);
    const auto wanted = d->properties().memory * 2;
    try {
        d->allocate(wanted);
        FAIL();
    } catch (const migraphx::exception& e) {
        EXPECT_EQ(e.category(), migraphx::error_kind::io);
        EXPECT_NE(e.message().find("out of memory"), std::string::npos) << e.message();
        EXPECT_NE(e.message().find("free"), std::string::npos) << e.message();
    }
    // Filled by parts, what waits for its next user included.
    std::vector<std::shared_ptr<char>> parts;
    const auto part = d->properties().memory / 16;
    EXPECT_THROW(
        {
            for (int i = 0; i < 20; i++)
                parts.push_back(d->allocate(part));
        },
        migraphx::exception);
    EXPECT_GE(parts.size(), 8U);
    parts.clear();
    EXPECT_NE(d->allocate(part), nullptr);
    d->fill(kept.get(), 1, 1 << 20, s);
    d->synchronize(s);
    d->trim();
}

TEST_P(contract, threads_share_it) {
    const auto code = compiled(*d, add_scaled, nullptr);
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; t++)
        threads.emplace_back([&, t] {
            const auto mine = d->make_stream();
            auto* f = code->function("add_scaled");
            for (int round = 0; round < 20; round++) {
                const std::size_t n = 1000 + 10 * std::size_t(t);
                const std::vector<float> x(n, float(t));
                const auto dx = d->allocate(n * 4);
                const auto dy = d->allocate(n * 4);
                d->copy(dx.get(), x.data(), n * 4, copy_kind::to_device, mine.get());
                d->fill(dy.get(), 0, n * 4, mine.get());
                void* px = dx.get();
                void* py = dy.get();
                float a = 2;
                auto count = std::uint32_t(n);
                void* args[] = {&px, &py, &a, &count};
                std::vector<float> y(n);
                d->launch(f, {2}, {256}, 0, mine.get(), args);
                d->copy(y.data(), dy.get(), n * 4, copy_kind::to_host, mine.get());
                d->synchronize(mine.get());
                for (const auto v : y)
                    wrong += v != 2 * float(t);
            }
        });
    for (auto& t : threads)
        t.join();
    EXPECT_EQ(wrong, 0);
}

TEST_P(contract, graphs_take_times) {
    constexpr std::size_t bytes = 1 << 26;
    const auto a = d->allocate(bytes);
    const auto begin = d->make_event(), middle = d->make_event(), end = d->make_event();
    d->begin_recording(s);
    bool taken = begin->record_in_graph(s);
    d->fill(a.get(), 1, bytes, s);
    taken = taken and middle->record_in_graph(s);
    d->fill(a.get(), 2, 64, s);
    taken = taken and end->record_in_graph(s);
    const auto graph = d->end_recording(s);
    if (not taken)
        GTEST_SKIP() << "the driver takes no times in graphs";
    for (int i = 0; i < 3; i++) {
        graph->launch(s);
        d->synchronize(s);
        EXPECT_GT(middle->since(*begin), 0);
        EXPECT_GE(end->since(*middle), 0);
        EXPECT_GT(middle->since(*begin), end->since(*middle));
    }
}

TEST_P(contract, synchronize_waits_for_every_stream) {
    const auto other = d->make_stream();
    constexpr std::size_t bytes = 1 << 26;
    const auto a = d->allocate(bytes);
    const auto out = d->allocate_pinned(bytes);
    d->fill(a.get(), 5, bytes, other.get());
    d->copy(out.get(), a.get(), bytes, copy_kind::to_host, other.get());
    d->synchronize(nullptr);
    EXPECT_EQ(out.get()[bytes - 1], 5);
}

TEST_P(contract, is_opened_once_and_only_where_it_is) {
    if (not is_gpu())
        GTEST_SKIP() << "for devices by number";
    EXPECT_EQ(open_device(0), d);
    try {
        open_device(1000);
        FAIL();
    } catch (const migraphx::exception& e) {
        EXPECT_EQ(e.category(), migraphx::error_kind::invalid_argument);
        EXPECT_NE(e.message().find("1000"), std::string::npos);
    }
}

} // namespace

} // namespace device_test
