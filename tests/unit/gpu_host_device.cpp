// SPDX-License-Identifier: MIT
// The host as a device: generated text is compiled and run, with all that threads of a block do
// together.
#include <migraphx/bf16.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/float8.hpp>
#include <migraphx/half.hpp>

#include "ir/artifacts.hpp"
#include "targets/gpu/compiler/compiler.hpp"
#include "targets/gpu/device/device.hpp"
#include "targets/gpu/device_code/fast_div.cuh"

#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <string>
#include <vector>

using namespace migraphx;
using namespace migraphx::gpu;

namespace {

// Device memory that holds these elements.
template <class T>
struct buffer {
    std::size_t count;
    std::shared_ptr<char> memory;

    explicit buffer(const std::vector<T>& x)
        : count(x.size()), memory(host_device()->allocate(x.size() * sizeof(T))) {
        host_device()->copy(memory.get(), x.data(), x.size() * sizeof(T), copy_kind::to_device,
                            nullptr);
    }
    explicit buffer(std::size_t n) : buffer(std::vector<T>(n)) {}
    std::vector<T> get() const {
        std::vector<T> x(count);
        host_device()->copy(x.data(), memory.get(), count * sizeof(T), copy_kind::to_host, nullptr);
        return x;
    }
    operator void*() const { return memory.get(); }
};

struct code {
    std::shared_ptr<code_module> loaded;

    explicit code(const std::string& body)
        : loaded(compiled(*host_device(),
                          "#include \"dialect.cuh\"\nnamespace mgx {\n" + body + "\n}\n",
                          nullptr)) {}

    template <class... A>
    void launch(const char* entry, extent3 grid, extent3 block, std::size_t shared,
                A... args) const {
        void* list[] = {static_cast<void*>(&args)..., nullptr};
        host_device()->launch(loaded->function(entry), grid, block, shared, nullptr, list);
    }
};

std::vector<float> numbers(std::size_t n) {
    std::vector<float> x(n);
    for (std::size_t i = 0; i < n; i++)
        x[i] = static_cast<float>(static_cast<int>(i * 37 % 101) - 50);
    return x;
}

const char* const add_text = R"(
struct params { u32 n; };
MGX_KERNEL_BOUNDS(256) void add(const f32* a, const f32* b, f32* c, params p) {
    for (u32 i = global_thread() * 4; i < p.n; i += global_threads() * 4) {
        const auto x = load<4>(a + i), y = load<4>(b + i);
        vec<f32, 4> r;
        for (int j = 0; j < 4; j++)
            r[j] = x[j] + y[j];
        store(c + i, r);
    }
}
)";

} // namespace

TEST(gpu_host_device, adds_vectors) {
    const std::size_t n = 100000;
    const code c(add_text);
    const buffer<float> a(numbers(n)), b(numbers(n)), out(n);
    c.launch("add", {10}, {256}, 0, (void*)a, (void*)b, (void*)out, static_cast<uint32_t>(n));
    const auto x = numbers(n), r = out.get();
    for (std::size_t i = 0; i < n; i++)
        ASSERT_EQ(r[i], 2 * x[i]) << i;
}

TEST(gpu_host_device, sums_over_blocks) {
    const code c(R"(
struct params { u32 n; u32 rows; };
MGX_KERNEL void sums(const f32* x, f32* out, params p) {
    f32 sum = 0;
    for (u32 i = threadIdx.x; i < p.n; i += blockDim.x)
        sum += x[blockIdx.x * p.n + i];
    sum = block_reduce(sum, 0.0f, add_op{});
    const f32 most = block_reduce(sum + threadIdx.x, -infinity<f32>(), max_op{});
    if (threadIdx.x == 0) {
        out[2 * blockIdx.x] = sum;
        out[2 * blockIdx.x + 1] = most;
    }
}
)");
    struct params {
        uint32_t n, rows;
    };
    for (const uint32_t threads : {1u, 32u, 64u, 224u, 1024u}) {
        const params p{777, 9};
        const auto x = numbers(p.n * p.rows);
        const buffer<float> in(x), out(2 * p.rows);
        c.launch("sums", {p.rows}, {threads}, 0, (void*)in, (void*)out, p);
        const auto r = out.get();
        for (std::size_t i = 0; i < p.rows; i++) {
            float sum = 0;
            for (std::size_t j = 0; j < p.n; j++)
                sum += x[i * p.n + j];
            EXPECT_EQ(r[2 * i], sum) << threads;
            EXPECT_EQ(r[2 * i + 1], sum + static_cast<float>(threads - 1)) << threads;
        }
    }
}

TEST(gpu_host_device, threads_share_memory_between_barriers) {
    // A transpose through shared memory, static and dynamic; some threads leave before a barrier.
    const code c(R"(
MGX_KERNEL void turn(const i32* x, i32* out, u32 keep) {
    __shared__ i32 tile[16][17];
    MGX_DYNAMIC_SHARED(i32, count);
    const int i = threadIdx.y, j = threadIdx.x;
    if (thread_rank() < 8)
        count[thread_rank()] = 0;
    tile[i][j] = x[(blockIdx.x * 16 + i) * 16 + j];
    __syncthreads();
    const i32 mine = tile[j][i];
    atomic_add(&count[i % 8], 1);
    __syncthreads();
    if (thread_rank() >= keep)
        return;
    __syncthreads();
    out[(blockIdx.x * 16 + i) * 16 + j] = mine * 1000 + count[i % 8];
}
)");
    std::vector<int32_t> x(3 * 256);
    for (std::size_t i = 0; i < x.size(); i++)
        x[i] = static_cast<int32_t>(i);
    const buffer<int32_t> in(x), out(x.size());
    c.launch("turn", {3}, {16, 16}, 8 * sizeof(int32_t), (void*)in, (void*)out, 250u);
    const auto r = out.get();
    for (int b = 0; b < 3; b++)
        for (int i = 0; i < 16; i++)
            for (int j = 0; j < 16; j++)
                EXPECT_EQ(r[b * 256 + i * 16 + j],
                          i * 16 + j < 250 ? (b * 256 + j * 16 + i) * 1000 + 32 : 0);
}

TEST(gpu_host_device, lanes_exchange) {
    const code c(R"(
MGX_KERNEL void lanes(i64* out) {
    const int t = threadIdx.x;
    i64* const r = out + t * 8;
    r[0] = shuffle(static_cast<i64>(t) << 33, 5);
    r[1] = shuffle_xor(t, 3);
    r[2] = shuffle_down<8>(t, 2);
    r[3] = shuffle_up(t, 1);
    r[4] = static_cast<i64>(ballot(t % 3 == 0));
    r[5] = warp_reduce<16>(t, add_op{});
    i32 total;
    r[6] = block_scan(1 + t % 2, 0, add_op{}, total);
    r[7] = total;
}
)");
    const int n = 96;
    const buffer<int64_t> out(n * 8);
    c.launch("lanes", {1}, {n}, 0, (void*)out);
    const auto all = out.get();
    int64_t sum = 0;
    for (int64_t t = 0; t < n; t++) {
        const auto* const r = &all[t * 8];
        const auto first = t / 32 * 32, lane = t % 32;
        EXPECT_EQ(r[0], (first + 5) << 33);
        EXPECT_EQ(r[1], t ^ 3);
        EXPECT_EQ(r[2], lane % 8 < 6 ? t + 2 : t);
        EXPECT_EQ(r[3], lane > 0 ? t - 1 : t);
        int64_t mask = 0, group = 0;
        for (int64_t i = 0; i < 32; i++)
            mask |= (first + i) % 3 == 0 ? int64_t{1} << i : 0;
        for (int64_t i = 0; i < 16; i++)
            group += t / 16 * 16 + i;
        EXPECT_EQ(r[4], mask);
        EXPECT_EQ(r[5], group);
        sum += 1 + t % 2;
        EXPECT_EQ(r[6], sum);
        EXPECT_EQ(r[7], n + n / 2);
    }
}

TEST(gpu_host_device, atomics_of_every_width) {
    const code c(R"(
template <class T>
MGX_DEVICE void count(T* p) { atomic_add(p + 1, convert<T>(1)); }
MGX_KERNEL void counts(half* h, bf16* b, u8* s, f32* f, f64* d, i64* l, i32* most) {
    count(h); count(b); count(s); count(f); count(d); count(l);
    atomic_max(most, static_cast<i32>(global_thread()) - 5);
}
)");
    const buffer<half> h(3);
    const buffer<bf16> b(3);
    const buffer<uint8_t> s(3);
    const buffer<float> f(3);
    const buffer<double> d(3);
    const buffer<int64_t> l(3);
    const buffer<int32_t> most(1);
    c.launch("counts", {4}, {50}, 0, (void*)h, (void*)b, (void*)s, (void*)f, (void*)d, (void*)l,
             (void*)most);
    EXPECT_EQ(h.get(), (std::vector<half>{0, 200, 0}));
    EXPECT_EQ(b.get(), (std::vector<bf16>{0, 200, 0}));
    EXPECT_EQ(s.get(), (std::vector<uint8_t>{0, 200, 0}));
    EXPECT_EQ(f.get(), (std::vector<float>{0, 200, 0}));
    EXPECT_EQ(d.get(), (std::vector<double>{0, 200, 0}));
    EXPECT_EQ(l.get(), (std::vector<int64_t>{0, 200, 0}));
    EXPECT_EQ(most.get(), (std::vector<int32_t>{194}));
}

TEST(gpu_host_device, divides_by_what_is_known_before) {
    for (const unsigned long long d : {1ull, 2ull, 3ull, 7ull, 641ull, 4096ull, 65537ull,
                                       1ull << 30, (1ull << 31) - 1, 1ull << 31}) {
        const auto by = mgx::make_fast_div(d);
        for (const unsigned long long n :
             {0ull, 1ull, 2ull, d - 1, d, d + 1, 2 * d - 1, 123456789ull, (1ull << 31) - 1})
            if (n < 1ull << 31) {
                EXPECT_EQ(by.div(static_cast<unsigned>(n)), n / d) << n << '/' << d;
                EXPECT_EQ(by.mod(static_cast<unsigned>(n)), n % d) << n << '/' << d;
            }
    }
    for (const unsigned long long d :
         {1ull, 3ull, 10ull, (1ull << 32) + 1, 1ull << 40, (1ull << 62) + 12345, 1ull << 63}) {
        const auto by = mgx::make_fast_div64(d);
        for (const unsigned long long n :
             {0ull, 1ull, d - 1, d, d + 1, 1ull << 45, (1ull << 63) - 1})
            if (n < 1ull << 63) {
                EXPECT_EQ(by.div(n), n / d) << n << '/' << d;
            }
    }
}

namespace {

// All values of a small type, or floats around what it can hold, ties of rounding among them.
std::vector<float> floats_to_round() {
    std::vector<float> x{0.0f, -0.0f, 1e-45f, 3.4e38f, -3.4e38f};
    for (const float special :
         {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
        x.push_back(special);
        x.push_back(-special);
    }
    uint32_t bits = 12345;
    for (int i = 0; i < 200000; i++) {
        bits = bits * 1664525u + 1013904223u;
        const uint32_t cut = i % 3 == 0 ? 0xfffff000u : i % 3 == 1 ? 0xfff80000u : ~0u;
        x.push_back(bit_cast<float>(bits & cut));
    }
    return x;
}

template <class T>
void expect_conversions(const std::string& name) {
    const code c("using type = " + name + ";" + R"(
MGX_KERNEL void widen(const type* x, f32* y, u32 n) {
    if (global_thread() < n)
        y[global_thread()] = to_f32(x[global_thread()]);
}
MGX_KERNEL void rounded(const f32* f, const f64* d, type* x, type* y, u32 n) {
    if (global_thread() < n) {
        x[global_thread()] = convert<type>(f[global_thread()]);
        y[global_thread()] = convert<type>(d[global_thread()]);
    }
}
)");
    std::vector<T> codes(sizeof(T) == 1 ? 256 : 65536);
    for (std::size_t i = 0; i < codes.size(); i++)
        std::memcpy(&codes[i], &i, sizeof(T));
    const auto n = static_cast<uint32_t>(codes.size());
    const buffer<T> in(codes);
    const buffer<float> wide(codes.size());
    c.launch("widen", {1 + n / 256}, {256}, 0, (void*)in, (void*)wide, n);
    const auto got = wide.get();
    for (std::size_t i = 0; i < codes.size(); i++) {
        const float wanted = codes[i];
        if (wanted != wanted)
            EXPECT_NE(got[i], got[i]) << name << ' ' << i;
        else
            EXPECT_EQ(bit_cast<uint32_t>(got[i]), bit_cast<uint32_t>(wanted)) << name << ' ' << i;
    }
    const auto x = floats_to_round();
    std::vector<double> d(x.begin(), x.end());
    for (std::size_t i = 0; i < d.size(); i += 2) // between two floats
        d[i] *= 1.0 + 1e-12;
    const auto m = static_cast<uint32_t>(x.size());
    const buffer<float> floats(x);
    const buffer<double> doubles(d);
    const buffer<T> from_float(x.size()), from_double(x.size());
    c.launch("rounded", {1 + m / 256}, {256}, 0, (void*)floats, (void*)doubles, (void*)from_float,
             (void*)from_double, m);
    const auto f = from_float.get(), g = from_double.get();
    const auto bits = [](T v) {
        uint32_t b = 0;
        std::memcpy(&b, &v, sizeof(T));
        return b;
    };
    for (std::size_t i = 0; i < x.size(); i++) {
        if (static_cast<float>(T(x[i])) != static_cast<float>(T(x[i])))
            ASSERT_NE(static_cast<float>(f[i]), static_cast<float>(f[i])) << name << ' ' << x[i];
        else
            ASSERT_EQ(bits(f[i]), bits(T(x[i]))) << name << ' ' << x[i];
        if (static_cast<float>(T(d[i])) != static_cast<float>(T(d[i])))
            ASSERT_NE(static_cast<float>(g[i]), static_cast<float>(g[i])) << name << ' ' << d[i];
        else
            ASSERT_EQ(bits(g[i]), bits(T(d[i]))) << name << ' ' << d[i];
    }
}

} // namespace

TEST(gpu_host_device, small_floats_round_as_the_engines) {
    expect_conversions<half>("half");
    expect_conversions<bf16>("bf16");
    expect_conversions<fp8::fp8e4m3fn>("fp8e4m3fn");
    expect_conversions<fp8::fp8e5m2>("fp8e5m2");
    expect_conversions<fp8::fp8e4m3fnuz>("fp8e4m3fnuz");
    expect_conversions<fp8::fp8e5m2fnuz>("fp8e5m2fnuz");
}

TEST(gpu_host_device, records_and_repeats) {
    const code c("MGX_KERNEL void more(f32* x, f32 by) { x[threadIdx.x] += by; }");
    const buffer<float> x(4), y(4);
    auto d = host_device();
    const auto stream = d->make_stream();
    const auto put = [&](float by) {
        void* p = x;
        void* list[] = {&p, &by};
        d->launch(c.loaded->function("more"), {1}, {4}, 0, stream.get(), list);
    };
    d->begin_recording(stream.get());
    put(1);
    put(2); // its argument is gone when the graph runs
    d->copy(y, x, 4 * sizeof(float), copy_kind::on_device, stream.get());
    EXPECT_THROW(d->synchronize(stream.get()), migraphx::exception);
    const auto graph = d->end_recording(stream.get());
    EXPECT_EQ(x.get(), std::vector<float>(4, 0));
    graph->launch(stream.get());
    graph->launch(stream.get());
    EXPECT_EQ(y.get(), std::vector<float>(4, 6));
}

TEST(gpu_host_device, knows_its_memory) {
    const auto d = host_device();
    const auto p = d->allocate(100);
    EXPECT_TRUE(d->owns(p.get()));
    EXPECT_TRUE(d->owns(p.get() + 99));
    EXPECT_FALSE(d->owns(p.get() + 100));
    EXPECT_FALSE(d->owns(d->allocate_pinned(100).get()));
    EXPECT_FALSE(d->owns(&d));
}

namespace {

template <class F>
std::string error_of(F&& f) {
    try {
        f();
    } catch (const std::exception& e) {
        return e.what();
    }
    return "no error";
}

} // namespace

TEST(gpu_host_device, errors_say_what_was_wrong) {
    const code c(R"(
MGX_KERNEL void nothing() {}
MGX_KERNEL void waits() { if (threadIdx.x < 40) __syncthreads(); else if (threadIdx.x < 50) warp_barrier(); }
)");
    EXPECT_NE(error_of([&] { c.launch("absent", {1}, {1}, 0); }).find("no MGX_KERNEL named absent"),
              std::string::npos);
    EXPECT_NE(error_of([&] { c.launch("nothing", {1}, {2048}, 0); }).find("a block of 1 to 1024"),
              std::string::npos);
    EXPECT_NE(error_of([&] {
                  c.launch("nothing", {1, 70000}, {1}, 0);
              }).find("got (1,70000,1)"),
              std::string::npos);
    EXPECT_NE(error_of([&] { c.launch("nothing", {1}, {1}, 1 << 20); }).find("got 1048576"),
              std::string::npos);
    EXPECT_NE(
        error_of([&] { c.launch("waits", {1}, {64}, 0); }).find("a barrier that the others do"),
        std::string::npos);
    c.launch("nothing", {1}, {64}, 0); // and all goes on
    const auto text = error_of([] { code("MGX_KERNEL void broken() { absent_function(); }"); });
    EXPECT_NE(text.find("absent_function"), std::string::npos) << text;
    EXPECT_NE(text.find("the source is kept in"), std::string::npos) << text;
}

TEST(gpu_host_device, code_is_kept_for_the_program) {
    artifact_store kept;
    const std::string text =
        "#include \"dialect.cuh\"\nMGX_KERNEL void kept(float* x) { *x = 17; }";
    const auto first = compiled(*host_device(), text, &kept);
    EXPECT_FALSE(kept.empty());
    // The table has it, and a second program gets it as well.
    artifact_store second;
    EXPECT_EQ(compiled(*host_device(), text, &second), first);
    EXPECT_FALSE(second.empty());
}
