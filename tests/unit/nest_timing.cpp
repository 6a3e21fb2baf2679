// SPDX-License-Identifier: MIT
// Timings of the tile machine on one thread, beside a copy of the same memory. Printed only when
// asked:
//   test_unit --gtest_also_run_disabled_tests --gtest_filter='nest_timing.*'
#include "nest_support.hpp"

#include "base/parallel.hpp"

#include <chrono>

using namespace nest_test;

namespace {

double best_milliseconds(const std::function<void()>& f) {
    double best = 1e9;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 200; ++i) {
        const auto from = std::chrono::steady_clock::now();
        f();
        const auto to = std::chrono::steady_clock::now();
        best = std::min(best, std::chrono::duration<double, std::milli>(to - from).count());
        if (i > 10 and to - start > std::chrono::milliseconds(600))
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
    printf("%-28s copy %.3f ms", what, copied);
    for (isa level : nest_levels()) {
        const auto plan = migraphx::cpu::compile_nest(n, level);
        const int64_t repeats = std::max<int64_t>(1, 10000 / plan->elements);
        const double t = best_milliseconds([&] {
            for (int64_t i = 0; i < repeats; ++i)
                migraphx::cpu::run_nest(*plan, in.data(), out.data());
        });
        printf("  %s %.5g ms (estimate %.3f)", migraphx::cpu::to_string(level), t / double(repeats),
               plan->nanoseconds_per_element * double(plan->elements) * 1e-6);
    }
    const double compile = best_milliseconds([&] { migraphx::cpu::compile_nest(n); });
    printf("  compile %.1f us\n", compile * 1000);
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
