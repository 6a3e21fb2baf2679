// SPDX-License-Identifier: MIT
// Timings of the tile machine and of generated code on one thread, beside a copy of the same
// memory. Printed only when asked:
//   test_unit --gtest_also_run_disabled_tests --gtest_filter='nest_timing.*'
#include "nest_support.hpp"

#include "base/parallel.hpp"

#include <chrono>

using namespace nest_test;

namespace {

double best_milliseconds(const std::function<void()>& f, int times = 200) {
    double best = 1e9;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < times; ++i) {
        const auto from = std::chrono::steady_clock::now();
        f();
        const auto to = std::chrono::steady_clock::now();
        best = std::min(best, std::chrono::duration<double, std::milli>(to - from).count());
        if (i > 10 and to - start > std::chrono::milliseconds(60))
            break;
    }
    return best;
}

void report(const char* what, const nest& n) {
    const migraphx::thread_count_guard one(1);
    run_case c(n);
    std::mt19937 random(1);
    c.randomise(random, -4, 4);
    std::vector<buffer> results = c.outputs;
    std::vector<void*> out;
    for (buffer& b : results)
        out.push_back(b.data());
    const auto in = c.input_pointers();
    buffer copy = c.outputs[0];
    const double copied = best_milliseconds([&] {
        std::memcpy(
            copy.begin(), c.inputs[0].begin(),
            std::min(copy.count() * copy.element, c.inputs[0].count() * c.inputs[0].element));
    });
    printf("%s, copy %.4g us\n", what, copied * 1000);
    for (isa level : nest_levels()) {
        double best[2] = {1e9, 1e9};
        double compiled = 0;
        std::vector<std::shared_ptr<const migraphx::cpu::nest_plan>> plans;
        for (nest_backend backend : {nest_backend::tiles, nest_backend::generated})
            compiled = best_milliseconds(
                [&] { plans.push_back(migraphx::cpu::compile_nest(n, level, backend)); }, 1);
        plans = {plans.front(), plans.back()};
        const int64_t repeats = std::max<int64_t>(1, 10000 / plans[0]->elements);
        for (int round = 0; round < 3; ++round)
            for (int k = 0; k < 2; ++k)
                best[k] = std::min(best[k], best_milliseconds([&] {
                                       for (int64_t i = 0; i < repeats; ++i)
                                           migraphx::cpu::run_nest(*plans[std::size_t(k)],
                                                                   in.data(), out.data());
                                   }));
        printf("  %s tiles %.4g us, generated %.4g us (%.2fx, made in %.1f ms), estimate %.4g us\n",
               migraphx::cpu::to_string(level), best[0] * 1000 / double(repeats),
               best[1] * 1000 / double(repeats), best[0] / best[1], compiled,
               plans[0]->nanoseconds_per_element * double(plans[0]->elements) * 1e-3);
    }
}

nest unary_nest(const char* name, const dims& lens, shape::type_t type = shape::float_type) {
    nest_builder b(lens);
    const int x = b.input(type, row_major(lens));
    b.output(b.op(name, {r(x)}), row_major(lens));
    return b.finish();
}

} // namespace

TEST(nest_timing, DISABLED_print) {
    const dims ffn = {512, 3072};
    {
        nest_builder b(ffn);
        const int x = b.input(shape::float_type, row_major(ffn));
        const int e = b.op("erf", {r(b.op("div", {r(x), imm(std::sqrt(2))}))});
        const int y = b.op("mul", {r(x), r(b.op("add", {r(e), imm(1)}))});
        b.output(b.op("mul", {r(y), imm(0.5)}), row_major(ffn));
        report("gelu 512x3072", b.finish());
    }
    {
        nest_builder b(ffn);
        const int x = b.input(shape::float_type, row_major(ffn));
        const int bias = b.input(shape::float_type, {0, 1});
        const int s = b.op("add", {r(x), r(bias)});
        const int e = b.op("erf", {r(b.op("div", {r(s), imm(std::sqrt(2))}))});
        const int y = b.op("mul", {r(s), r(b.op("add", {r(e), imm(1)}))});
        b.output(b.op("mul", {r(y), imm(0.5)}), row_major(ffn));
        report("bias + gelu 512x3072", b.finish());
    }
    const dims million = {1 << 20};
    for (const dims& lens : {million, dims{1 << 24}}) {
        nest_builder b(lens);
        const int x = b.input(shape::float_type, {1});
        const int gate = b.op("clip", {r(b.op("add", {r(x), imm(3)})), imm(0), imm(6)});
        b.output(b.op("div", {r(b.op("mul", {r(x), r(gate)})), imm(6)}), {1});
        report(lens == million ? "hard swish 1M" : "hard swish 16M", b.finish());
    }
    {
        nest_builder b(million);
        int x = b.input(shape::float_type, {1});
        x = b.op("add", {r(x), imm(0.5)});
        x = b.op("mul", {r(x), imm(1.5)});
        x = b.op("sub", {r(x), imm(0.25)});
        x = b.op("max", {r(x), imm(-2)});
        x = b.op("min", {r(x), imm(2)});
        x = b.op("abs", {r(x)});
        x = b.op("add", {r(x), imm(1)});
        b.output(x, {1});
        report("chain of 7, 1M", b.finish());
    }
    {
        nest_builder b(million);
        const int x = b.input(shape::float_type, {1});
        const int y = b.input(shape::float_type, {1});
        b.output(b.op("relu", {r(b.op("add", {r(x), r(y)}))}), {1});
        report("add + relu, 1M", b.finish());
    }
    {
        const dims nchw = {64, 256, 49};
        nest_builder b(nchw);
        const int x = b.input(shape::float_type, row_major(nchw));
        const int scale = b.input(shape::float_type, {0, 1, 0});
        const int bias = b.input(shape::float_type, {0, 1, 0});
        const int y = b.op("add", {r(b.op("mul", {r(x), r(scale)})), r(bias)});
        b.output(b.op("relu", {r(y)}), row_major(nchw));
        report("channel affine 64x256x7x7", b.finish());
    }
    {
        const dims t = {1024, 1024};
        nest_builder b(t);
        const int x = b.input(shape::float_type, {1, 1024});
        const int y = b.input(shape::float_type, row_major(t));
        b.output(b.op("add", {r(x), r(y)}), row_major(t));
        report("add transposed 1024x1024", b.finish());
    }
    {
        const dims nhwc = {64, 49, 256};
        nest_builder b(nhwc);
        const int x = b.input(shape::float_type, row_major(nhwc));
        const int bias = b.input(shape::float_type, {0, 0, 1});
        const int y = b.input(shape::float_type, {256 * 49, 1, 49});
        b.output(b.op("relu", {r(b.op("add", {r(b.op("add", {r(x), r(bias)})), r(y)}))}),
                 row_major(nhwc));
        report("nhwc bias + nchw add", b.finish());
    }
    {
        nest_builder b(million);
        const int x = b.input(shape::float_type, {1});
        const int q = b.op("nearbyint", {r(b.op("div", {r(x), imm(0.02)}))});
        const int z = b.op("add", {r(q), imm(128)});
        b.output(b.convert(b.op("clip", {r(z), imm(0), imm(255)}), shape::uint8_type), {1});
        report("quantize to uint8 1M", b.finish());
    }
    {
        nest_builder b(million);
        const int x = b.input(shape::uint8_type, {1});
        const int f = b.convert(x, shape::float_type);
        b.output(b.op("mul", {r(b.op("sub", {r(f), imm(128)})), imm(0.02)}), {1});
        report("dequantize uint8 1M", b.finish());
    }
    {
        nest_builder b(million);
        const int c = b.input(shape::bool_type, {1});
        const int x = b.input(shape::float_type, {1});
        b.output(b.op("where", {r(c), r(x), imm(-1e9)}), {1});
        report("where(bool) 1M", b.finish());
    }
    for (int64_t n : {1024, 16384, 131072}) {
        nest_builder b({n});
        int x = b.input(shape::float_type, {1});
        const int y = b.input(shape::float_type, {1});
        x = b.op("tanh", {r(b.op("add", {r(x), imm(0.5)}))});
        x = b.op("mul", {r(b.op("sigmoid", {r(y)})), r(b.op("sub", {r(x), imm(1)}))});
        b.output(b.op("max", {r(x), imm(0)}), {1});
        report(("tanh, sigmoid and arithmetic " + std::to_string(n)).c_str(), b.finish());
    }
    for (int64_t n : {1024, 16384, 131072}) {
        nest_builder b({n});
        const int x = b.input(shape::float_type, {1});
        const int y = b.input(shape::float_type, {1});
        b.output(b.op("relu", {r(b.op("add", {r(x), r(y)}))}), {1});
        report(("add + relu " + std::to_string(n)).c_str(), b.finish());
    }
    for (int64_t inner : {16, 49, 196, 784}) {
        const dims nchw = {8, 64, inner};
        nest_builder b(nchw);
        const int x = b.input(shape::float_type, row_major(nchw));
        const int s = b.input(shape::float_type, {0, 1, 0});
        b.output(b.op("mul", {r(x), r(b.op("sigmoid", {r(s)}))}), row_major(nchw));
        report(("scaled channels 8x64x" + std::to_string(inner)).c_str(), b.finish());
    }
    for (int64_t inner : {16, 64, 256}) {
        const dims nhwc = {1024, inner};
        nest_builder b(nhwc);
        const int x = b.input(shape::float_type, row_major(nhwc));
        const int bias = b.input(shape::float_type, {0, 1});
        b.output(b.op("relu", {r(b.op("add", {r(x), r(bias)}))}), row_major(nhwc));
        report(("bias + relu 1024x" + std::to_string(inner)).c_str(), b.finish());
    }
    {
        nest_builder b({64, 8, 128});
        const int x = b.input(shape::float_type, {2048, 256, 2});
        b.output(b.op("mul", {r(x), imm(0.125)}), row_major({64, 8, 128}));
        report("every second element 64K", b.finish());
    }
    report("relu half 1M", unary_nest("relu", million, shape::half_type));
    report("add int32... neg int32 1M", unary_nest("neg", million, shape::int32_type));
    for (const char* name :
         {"exp", "log", "erf", "tanh", "sigmoid", "sin", "elu", "sqrt", "atan", "relu"})
        report(name, unary_nest(name, million));
    {
        nest_builder b({64});
        const int x = b.input(shape::float_type, {1});
        b.output(b.op("relu", {r(b.op("add", {r(x), imm(1)}))}), {1});
        report("64 elements", b.finish());
    }
}
