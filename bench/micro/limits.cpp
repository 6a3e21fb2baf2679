// SPDX-License-Identifier: MIT
// What one core can do at most: fused multiply-adds in registers, copies in caches and memory.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace {

constexpr int accumulators = 12; // hide a latency of 4 on two ports, and leave room for operands

// Runs `turns` times over independent accumulators of one width; the result is read by the caller.
#define MULTIPLY_ADD(name, bytes, constraint)                                                      \
    float name(int64_t turns) {                                                                    \
        typedef float vector __attribute__((vector_size(bytes)));                                  \
        vector sum[accumulators] = {}, a = vector{} + (1.0f - 1e-6f), b = vector{} + 1e-3f;        \
        for (int64_t t = 0; t < turns; t++)                                                        \
            _Pragma("GCC unroll 12") for (auto& s : sum) {                                         \
                s = s * a + b;                                                                     \
                asm volatile("" : constraint(s));                                                  \
            }                                                                                      \
        _Pragma("GCC unroll 12") for (auto& s : sum) a += s;                                       \
        return a[0];                                                                               \
    }

// clang-format off
[[gnu::noinline]] MULTIPLY_ADD(multiply_add_baseline, 16, "+x")
#if defined(__x86_64__)
[[gnu::noinline, gnu::target("avx2,fma")]] MULTIPLY_ADD(multiply_add_avx2, 32, "+x")
[[gnu::noinline, gnu::target("avx512f")]] MULTIPLY_ADD(multiply_add_avx512, 64, "+v")
#endif
// clang-format on
#undef MULTIPLY_ADD

    // Widest vectors of the processor.
    struct width {
    float (*run)(int64_t);
    int lanes;
};

width widest() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f"))
        return {multiply_add_avx512, 16};
    if (__builtin_cpu_supports("avx2") and __builtin_cpu_supports("fma"))
        return {multiply_add_avx2, 8};
#endif
    return {multiply_add_baseline, 4};
}

void fma_peak(benchmark::State& state) {
    const auto w = widest();
    constexpr int64_t turns = 10000;
    for (auto _ : state)
        benchmark::DoNotOptimize(w.run(turns));
    state.counters["flops"] = benchmark::Counter(2.0 * w.lanes * accumulators * turns,
                                                 benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(fma_peak)->UseRealTime();

// MiB read and as many written.
void copy_memory(benchmark::State& state) {
    const auto n = std::size_t(state.range(0)) << 20;
    std::vector<char> from(n, 1), to(n);
    for (auto _ : state) {
        std::memcpy(to.data(), from.data(), n);
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(int64_t(2 * n) * int64_t(state.iterations()));
}
BENCHMARK(copy_memory)->Arg(1)->Arg(3)->Arg(6)->Arg(64)->UseRealTime();

} // namespace
