// SPDX-License-Identifier: MIT
// One compiled program evaluated from many threads, results that outlive later evaluations, steady
// memory, errors of parameters, selected outputs.
#include <migraphx/errors.hpp>
#include <migraphx/generate.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/program.hpp>
#include <migraphx/register_target.hpp>

#include "ir/text_parser.hpp"
#include "ops/tensor.hpp"
#include "runtime/buffer_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <memory>
#include <thread>

using namespace migraphx;

namespace {

constexpr int evaluating_threads = 8;
constexpr int evaluations = 1000; // of each thread

const char* const conv_net = R"(
x = @param:x -> float_type, {1, 3, 16, 16}
w0 = @literal:random(1) -> float_type, {8, 3, 3, 3}
w1 = @literal:random(2) -> float_type, {8, 8, 3, 3}
w2 = @literal:random(3) -> float_type, {8, 10}
c0 = convolution[padding={1, 1}](x, w0)
r0 = relu(c0)
c1 = convolution[padding={1, 1}](r0, w1)
s1 = add(c1, r0)
r1 = relu(s1)
p = pooling[mode=max, lengths={2, 2}, stride={2, 2}](r1)
m = reduce_mean[axes={2, 3}](p)
f = flatten[axis=1](m)
d = dot(f, w2)
y = softmax[axis=1](d)
@return(y, p)
)";

const char* const dynamic_net = R"(
x = @param:x -> dynamic, float_type, {[1..32], 12}
w = @literal:random(1) -> float_type, {12, 20}
d = dot(x, w)
t = tanh(d)
s = softmax[axis=1](t)
r = reduce_sum[axes={1}](t)
@return(s, r)
)";

program compiled(const char* text, const std::string& target = "cpu") {
    auto p = parse_text(text);
    p.compile(make_target(target));
    return p;
}

bool same_bits(const std::vector<argument>& a, const std::vector<argument>& b) {
    if (a.size() != b.size())
        return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i].get_shape().lens() != b[i].get_shape().lens() or
            load<double>(a[i]) != load<double>(b[i]))
            return false;
    return true;
}

std::vector<argument> copies(const std::vector<argument>& args) {
    std::vector<argument> result;
    for (const auto& a : args)
        result.push_back(a.copy());
    return result;
}

parameter_map input(const shape& s, unsigned long seed) {
    return {{"x", generate_argument(s, seed, random_mode::random)}};
}

// Each of the threads evaluates each of the inputs many times, from different starts.
void expect_same_from_threads(const program& p, const std::vector<parameter_map>& inputs,
                              int rounds) {
    std::vector<std::vector<argument>> wanted;
    for (const auto& in : inputs)
        wanted.push_back(copies(p.eval(in)));
    std::atomic<int> wrong = 0, thrown = 0;
    std::barrier start(evaluating_threads);
    std::vector<std::thread> threads;
    for (int t = 0; t < evaluating_threads; ++t)
        threads.emplace_back([&, t] {
            start.arrive_and_wait();
            try {
                for (int i = 0; i < rounds; ++i) {
                    const auto k = std::size_t(i * 7 + t) % inputs.size();
                    wrong += same_bits(p.eval(inputs[k]), wanted[k]) ? 0 : 1;
                }
            } catch (const std::exception& e) {
                ++thrown;
                std::fprintf(stderr, "%s\n", e.what());
            }
        });
    for (auto& t : threads)
        t.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(thrown, 0);
}

std::size_t resident_bytes() {
    std::ifstream in("/proc/self/statm");
    std::size_t total = 0, resident = 0;
    in >> total >> resident;
    return resident * 4096;
}

std::string error_of(const program& p, const parameter_map& params) {
    try {
        p.eval(params);
    } catch (const exception& e) {
        return e.what();
    }
    return "no error";
}

using names = std::vector<std::string>;

const shape image{shape::float_type, {1, 3, 16, 16}};

} // namespace

TEST(runtime_threads, one_program_in_many_threads) {
    std::vector<parameter_map> inputs;
    for (unsigned long seed = 0; seed < 5; ++seed)
        inputs.push_back(input(image, seed));
    expect_same_from_threads(compiled(conv_net), inputs, evaluations);
}

TEST(runtime_threads, changing_sizes_in_many_threads) {
    std::vector<parameter_map> inputs;
    for (std::size_t n : {1, 2, 3, 7, 8, 16, 31, 32})
        inputs.push_back(input({shape::float_type, {n, 12}}, n));
    const auto p = compiled(dynamic_net);
    expect_same_from_threads(p, inputs, evaluations);
    const auto on_ref = compiled(dynamic_net, "ref");
    for (const auto& in : inputs) {
        const auto got = load<double>(p.eval(in)[0]), wanted = load<double>(on_ref.eval(in)[0]);
        ASSERT_EQ(got.size(), wanted.size());
        for (std::size_t i = 0; i < got.size(); ++i)
            ASSERT_NEAR(got[i], wanted[i], 1e-5);
    }
}

TEST(runtime_threads, copies_of_a_program_run_at_once) {
    const auto p = compiled(conv_net);
    const auto in = input(image, 3);
    const auto wanted = copies(p.eval(in));
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, own = p] {
            for (int i = 0; i < 20; ++i)
                wrong += same_bits(own.eval(in), wanted) ? 0 : 1;
        });
    for (auto& t : threads)
        t.join();
    EXPECT_EQ(wrong, 0);
}

TEST(runtime_threads, programs_compile_at_once) {
    const auto in = input(image, 4);
    const auto wanted = copies(compiled(conv_net).eval(in));
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back(
            [&] { wrong += same_bits(compiled(conv_net).eval(in), wanted) ? 0 : 1; });
    for (auto& t : threads)
        t.join();
    EXPECT_EQ(wrong, 0);
}

TEST(runtime_threads, results_are_not_overwritten) {
    for (const char* target : {"ref", "cpu"}) {
        const auto p = compiled(conv_net, target);
        const auto first = p.eval(input(image, 1));
        const auto kept = copies(first);
        for (unsigned long seed = 2; seed < 10; ++seed) {
            const auto later = p.eval(input(image, seed));
            EXPECT_NE(later[0].data(), first[0].data());
            EXPECT_FALSE(same_bits(later, kept));
        }
        EXPECT_TRUE(same_bits(first, kept)) << target;
    }
}

TEST(runtime_threads, results_outlive_the_program) {
    std::vector<argument> result, kept;
    {
        const auto p = compiled(conv_net);
        result = p.eval(input(image, 1));
        kept = copies(result);
    }
    EXPECT_TRUE(same_bits(result, kept));
}

TEST(runtime_threads, a_parameter_returned_is_not_memory_of_the_program) {
    const auto p = compiled("x = @param:x -> float_type, {2, 3}\n"
                            "y = reshape[dims={3, 2}](x)\n"
                            "z = neg(x)\n"
                            "@return(y, x, z)\n");
    auto in = input({shape::float_type, {2, 3}}, 1);
    const auto wanted = load<double>(in["x"]);
    const auto out = p.eval(in);
    p.eval(input({shape::float_type, {2, 3}}, 2));
    EXPECT_EQ(load<double>(out[0]), wanted);
    EXPECT_EQ(load<double>(out[1]), wanted);
    EXPECT_EQ(load<double>(out[2])[5], -wanted[5]);
}

TEST(runtime_threads, memory_stays_flat) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers keep freed memory";
#endif
    const auto p = compiled(dynamic_net);
    const auto net = compiled(conv_net);
    auto many = [&](int rounds) {
        for (int i = 0; i < rounds; ++i) {
            p.eval(input({shape::float_type, {std::size_t(i % 32) + 1, 12}}, 1));
            net.eval(input(image, 1));
        }
    };
    many(300);
    const auto before = resident_bytes();
    const auto held = p.get_memory_usage();
    many(1500);
    EXPECT_LT(resident_bytes(), before + (std::size_t{4} << 20));
    EXPECT_LE(p.get_memory_usage(), held + (std::size_t{1} << 20));
}

// Arenas that grow with each new size, among small blocks that stay.
TEST(runtime_threads, large_buffers_leave_the_process) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers keep freed memory";
#endif
    std::vector<std::unique_ptr<char[]>> small;
    const auto before = resident_bytes();
    for (std::size_t mib = 1; mib < 64; ++mib) {
        const auto large = allocate_host(mib << 20);
        std::fill_n(large.get(), mib << 20, 1);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(large.get()) % 64, 0U);
        for (int i = 0; i < 100; ++i)
            small.push_back(std::make_unique<char[]>(1000));
    }
    EXPECT_LT(resident_bytes(), before + (std::size_t{16} << 20));
}

TEST(runtime_threads, parameters_are_checked) {
    for (const char* target : {"ref", "cpu"}) {
        const auto p = compiled(conv_net, target);
        EXPECT_NE(error_of(p, {}).find("Parameter not found: x"), std::string::npos)
            << error_of(p, {});
        for (const auto& s :
             {shape{shape::float_type, {1, 3, 16, 15}}, shape{shape::half_type, {1, 3, 16, 16}},
              shape{shape::float_type, {3, 16, 16}}}) {
            const auto message = error_of(p, input(s, 1));
            EXPECT_NE(message.find("Incorrect shape"), std::string::npos) << message;
            EXPECT_NE(message.find("for parameter: x"), std::string::npos) << message;
        }
        EXPECT_NE(error_of(p, {{"x", argument{image, nullptr}}}), "no error");
        const auto d = compiled(dynamic_net, target);
        for (std::size_t n : {0, 33}) {
            const auto message = error_of(d, input({shape::float_type, {n, 12}}, 1));
            EXPECT_NE(message.find("must be in [1, 32]"), std::string::npos) << message;
        }
        // A failed evaluation leaves nothing behind.
        EXPECT_EQ(error_of(d, input({shape::float_type, {5, 12}}, 1)), "no error");
    }
    // What is not needed may be given.
    auto in = input(image, 1);
    in["other"] = in["x"];
    EXPECT_EQ(error_of(compiled(conv_net), in), "no error");
}

TEST(runtime_threads, programs_that_are_not_compiled_say_so) {
    const auto p = parse_text(conv_net);
    EXPECT_NE(error_of(p, input(image, 1)), "no error");
    auto twice = compiled(conv_net);
    EXPECT_THROW(twice.compile(make_target("cpu")), exception);
}

TEST(runtime_threads, selected_outputs) {
    for (const char* target : {"ref", "cpu"}) {
        auto source = parse_text(conv_net);
        source.set_output_names({"scores", "features"});
        auto p = source;
        p.compile(make_target(target));
        const auto in = input(image, 1);
        const auto all = copies(p.eval(in));
        ASSERT_EQ(all.size(), 2U);
        EXPECT_TRUE(same_bits(p.eval(in, names{"scores"}), {all[0]}));
        EXPECT_TRUE(same_bits(p.eval(in, names{"features"}), {all[1]}));
        EXPECT_TRUE(same_bits(p.eval(in, names{"features", "scores"}), {all[1], all[0]}));
        EXPECT_TRUE(same_bits(p.eval(in), all));
        EXPECT_THROW(p.eval(in, names{"nothing"}), exception);
    }
}
