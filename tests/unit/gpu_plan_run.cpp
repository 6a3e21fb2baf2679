// SPDX-License-Identifier: MIT
// Runs of plans on a device: results, graphs, memory of callers, threads, errors.
#include "gpu_plan_support.hpp"

#include <cmath>
#include <cstring>
#include <thread>

namespace migraphx::gpu {
namespace {

const shape six{shape::float_type, {2, 3}};

const std::string chain = R"(
x = @param:x -> float_type, {2, 3}
y = @param:y -> float_type, {2, 3}
c = @literal{10, 20, 30, 40, 50, 60} -> float_type, {2, 3}
a = add(x, y)
b = mul(a, c)
d = neg(b)
@return(d, a)
)";

std::vector<float> chain_d(double x, double y) {
    std::vector<float> r;
    for (int i = 0; i < 6; i++)
        r.push_back(-float((x + i + y + i) * 10 * (i + 1)));
    return r;
}

TEST(gpu_plan, offloading_runs_are_recorded_and_replayed) {
    const ready p(chain, true);
    for (int i = 0; i < 5; i++) {
        const auto r = p.run({{"x", numbers(six, i)}, {"y", numbers(six, 7)}});
        ASSERT_EQ(r.size(), 2u);
        EXPECT_FALSE(p.back->on->owns(r[0].data()));
        EXPECT_EQ(values(r[0]), chain_d(i, 7));
    }
    EXPECT_EQ(p.count().recorded, 1);
    EXPECT_EQ(p.count().replayed, 4);
    EXPECT_EQ(p.count().run, 15);
    // One copy brings both parameters.
    EXPECT_EQ(p.count().copies[int(copy_kind::to_device)], 5 + 1);
}

TEST(gpu_plan, views_of_the_host_are_brought_to_the_declared_layout) {
    const ready p(chain, true);
    const auto wide = numbers(shape{shape::float_type, {3, 2}});
    const auto turned = wide.reshape(shape{shape::float_type, {2, 3}, {1, 2}});
    const auto r = p.run({{"x", turned}, {"y", numbers(six, 0)}});
    EXPECT_EQ(values(r[1]), (std::vector<float>{1, 4, 7, 5, 8, 11}));
}

TEST(gpu_plan, large_tensors_come_and_go_piece_by_piece) {
    const std::size_t n = 3000001;
    const ready p("x = @param:x -> float_type, {3000001}\ny = neg(x)\nz = abs(y)\n@return(z, y)\n",
                  true);
    const auto x = numbers(shape{shape::float_type, {n}});
    for (int i = 0; i < 3; i++) {
        const auto r = p.run({{"x", x}});
        EXPECT_EQ(r[0], x);
        EXPECT_EQ(r[1].at<float>(n - 1), -x.at<float>(n - 1));
    }
    EXPECT_GT(p.count().copies[int(copy_kind::to_device)], 9);
}

TEST(gpu_plan, results_stay_on_the_device_without_offload) {
    const ready p(chain, false);
    const auto x = p.device(numbers(six, 3)), y = p.device(numbers(six, 4));
    p.count().copies[int(copy_kind::to_device)] = 0;
    for (int i = 0; i < 6; i++) {
        const auto r = p.run({{"x", x}, {"y", y}});
        EXPECT_TRUE(p.back->on->owns(r[0].data()));
        EXPECT_EQ(values(to_host(p.back->on, r[0])), chain_d(3, 4));
    }
    EXPECT_EQ(p.count().copies[int(copy_kind::to_device)], 0);
    EXPECT_GE(p.count().replayed, 4);
}

TEST(gpu_plan, results_go_where_the_caller_wants_them) {
    const ready p(chain, false);
    const auto x = p.device(numbers(six, 3)), y = p.device(numbers(six, 4));
    const auto out = allocate_on(p.back->on, six), other = allocate_on(p.back->on, six);
    const auto before = p.count().copies[int(copy_kind::on_device)].load();
    for (int i = 0; i < 4; i++) {
        std::memset(out.data(), 0, 24);
        const auto r =
            p.run({{"x", x}, {"y", y}, {"main:#output_0", out}, {"main:#output_1", other}});
        EXPECT_EQ(r[0].data(), out.data());
        EXPECT_EQ(r[1].data(), other.data());
        EXPECT_EQ(values(out), chain_d(3, 4));
    }
    // The second sight of the same pointers is recorded as it is.
    EXPECT_LE(p.count().recorded, 2);
    const auto copies = p.count().copies[int(copy_kind::on_device)] - before;
    EXPECT_LE(copies, 4);
    const auto replayed = p.count().replayed.load();
    p.run({{"x", x}, {"y", y}, {"main:#output_0", out}, {"main:#output_1", other}});
    EXPECT_EQ(p.count().replayed, replayed + 1);
    EXPECT_EQ(p.count().copies[int(copy_kind::on_device)] - before, copies);
}

TEST(gpu_plan, other_pointers_each_time_are_served_by_one_graph) {
    const ready p(chain, false);
    std::vector<argument> kept;
    for (int i = 0; i < 12; i++) {
        kept.push_back(p.device(numbers(six, i)));
        kept.push_back(p.device(numbers(six, 1)));
        const auto r = p.run({{"x", kept[kept.size() - 2]}, {"y", kept.back()}});
        kept.push_back(r[0]);
        kept.push_back(r[1]);
        EXPECT_EQ(values(r[0]), chain_d(i, 1));
    }
    EXPECT_EQ(p.count().recorded, 1);
    EXPECT_EQ(p.count().replayed, 11);
}

TEST(gpu_plan, callers_memory_may_be_anywhere_and_anyhow) {
    const ready p(chain, false);
    const auto wanted = chain_d(3, 4);
    const auto y = p.device(numbers(six, 4));
    for (int round = 0; round < 4; round++) {
        // On the host.
        EXPECT_EQ(values(p.run({{"x", numbers(six, 3)}, {"y", y}})[0]), wanted);
        // Not aligned.
        const auto block = p.device(numbers(shape{shape::float_type, {7}}, 2));
        EXPECT_EQ(values(p.run({{"x", block.view(six, 4)}, {"y", y}})[0]), wanted);
        // In another layout.
        argument turned = allocate_on(p.back->on, shape{shape::float_type, {2, 3}, {1, 2}});
        turned.fill(&wanted[0], &wanted[0]);
        const auto n = numbers(six, 3);
        n.visit([&](auto view) { turned.fill(view.begin(), view.end()); });
        EXPECT_EQ(values(p.run({{"x", turned}, {"y", y}})[0]), wanted);
        // Results on the host, not aligned, and over a parameter.
        argument host{six};
        EXPECT_EQ(p.run({{"x", n}, {"y", y}, {"main:#output_0", host}})[0].data(), host.data());
        EXPECT_EQ(values(host), wanted);
        const auto odd = allocate_on(p.back->on, shape{shape::float_type, {7}}).view(six, 4);
        p.run({{"x", n}, {"y", y}, {"main:#output_0", odd}});
        EXPECT_EQ(values(odd), wanted);
        const auto over = p.device(n.copy());
        p.run({{"x", over}, {"y", y}, {"main:#output_1", over}});
        EXPECT_EQ(values(over), (std::vector<float>{7, 9, 11, 13, 15, 17}));
    }
    EXPECT_NE(error_of([&] {
                  p.run({{"x", y},
                         {"y", y},
                         {"main:#output_0",
                          allocate_on(p.back->on, shape{shape::float_type, {2, 3}, {1, 2}})}});
              }).find("main:#output_0"),
              std::string::npos);
}

TEST(gpu_plan, results_that_are_parameters_constants_or_one_value_twice_are_copies) {
    const ready p(R"(
x = @param:x -> float_type, {2, 3}
c = @literal{10, 20, 30, 40, 50, 60} -> float_type, {2, 3}
a = neg(x)
v = reshape_lazy[dims={3, 2}](a)
n = neg(a)
@return(x, c, a, a, v, n)
)",
                  false);
    const auto x = p.device(numbers(six));
    const auto out = allocate_on(p.back->on, six);
    for (int i = 0; i < 4; i++) {
        const auto r = p.run({{"x", x}, {"main:#output_3", out}});
        EXPECT_EQ(values(r[0]), values(x));
        EXPECT_NE(r[0].data(), x.data());
        EXPECT_EQ(values(r[1]), (std::vector<float>{10, 20, 30, 40, 50, 60}));
        EXPECT_EQ(values(r[2]), (std::vector<float>{-1, -2, -3, -4, -5, -6}));
        EXPECT_EQ(r[3].data(), out.data());
        EXPECT_EQ(values(r[3]), values(r[2]));
        EXPECT_EQ(values(r[4]), values(r[2]));
        EXPECT_EQ(r[4].get_shape().lens(), (std::vector<std::size_t>{3, 2}));
        EXPECT_EQ(values(r[5]), values(x));
    }
}

TEST(gpu_plan, steps_of_the_host_cut_the_recording) {
    auto back = std::make_shared<test_backend>();
    back->host_operators = {"abs"};
    const ready p(R"(
x = @param:x -> float_type, {2, 3}
a = neg(x)
b = exp(a)
c = abs(b)
d = neg(c)
e = abs(d)
f = neg(e)
g = neg(f)
@return(g, d)
)",
                  true, back);
    for (int i = 0; i < 4; i++) {
        const auto r = p.run({{"x", numbers(six, i)}});
        for (int k = 0; k < 6; k++)
            EXPECT_FLOAT_EQ(values(r[0])[k], std::exp(-float(i + k)));
        EXPECT_EQ(values(r[1])[0], -values(r[0])[0]);
    }
    // neg exp, and neg neg; the neg alone is put by itself.
    EXPECT_EQ(p.count().recorded, 2);
    EXPECT_EQ(p.count().replayed, 6);
}

TEST(gpu_plan, what_cannot_be_recorded_runs_step_by_step) {
    auto back = std::make_shared<test_backend>();
    back->unrecordable = {"mul"};
    const ready p(chain, true, back);
    for (int i = 0; i < 4; i++)
        EXPECT_EQ(values(p.run({{"x", numbers(six, i)}, {"y", numbers(six, 7)}})[0]),
                  chain_d(i, 7));
    EXPECT_EQ(p.count().replayed, 0);
    EXPECT_EQ(p.count().run, 12);
}

TEST(gpu_plan, wanted_results_only) {
    const ready p(chain, true);
    const parameter_map params{{"x", numbers(six, 1)}, {"y", numbers(six, 2)}};
    const std::vector<std::size_t> second{1}, both{1, 0};
    for (int i = 0; i < 4; i++) {
        const auto r = p.exec->run(params, {}, &second);
        ASSERT_EQ(r.size(), 1u);
        EXPECT_EQ(values(r[0]), (std::vector<float>{3, 5, 7, 9, 11, 13}));
    }
    EXPECT_EQ(p.count().run, 4);
    for (int i = 0; i < 3; i++) {
        const auto r = p.exec->run(params, {}, &both);
        EXPECT_EQ(values(r[1]), chain_d(1, 2));
        EXPECT_EQ(values(r[0]), (std::vector<float>{3, 5, 7, 9, 11, 13}));
        EXPECT_EQ(values(p.run(params)[0]), chain_d(1, 2));
    }
}

TEST(gpu_plan, traces_and_profiles) {
    const ready p(chain, false);
    const parameter_map params{{"x", p.device(numbers(six, 1))}, {"y", p.device(numbers(six, 2))}};
    for (int i = 0; i < 3; i++) {
        std::vector<std::string> names;
        execution_environment env;
        env.trace = [&](instruction_ref ins, const argument& a) {
            names.push_back(ins->name());
            EXPECT_FALSE(p.back->on->owns(a.data()));
            if (ins->name() == "add") {
                EXPECT_EQ(values(a), (std::vector<float>{3, 5, 7, 9, 11, 13}));
            }
        };
        EXPECT_EQ(values(p.run(params, env)[0]), chain_d(1, 2));
        EXPECT_EQ(names, (std::vector<std::string>{"add", "mul", "neg"}));
        const auto replayed = p.count().replayed.load();
        const auto records = p.exec->profile(params);
        EXPECT_EQ(p.count().replayed, replayed + (i > 0 ? 1 : 0)); // the first run is not recorded
        ASSERT_EQ(records.size(), 3u);
        EXPECT_EQ(records[1].group, "mul");
        EXPECT_EQ(records[1].kernel, "put ref::mul");
        EXPECT_GE(records[1].milliseconds, 0);
        EXPECT_EQ(values(p.run(params)[0]), chain_d(1, 2));
        p.exec->dry_run(params);
    }
}

TEST(gpu_plan, many_threads_on_one_program) {
    for (const bool offload : {true, false}) {
        const ready p(chain, offload);
        std::atomic<int> wrong = 0;
        std::vector<std::thread> threads;
        for (int t = 0; t < 8; t++)
            threads.emplace_back([&, t] {
                for (int i = 0; i < 200; i++) {
                    auto x = numbers(six, t * 1000 + i), y = numbers(six, i);
                    if (not offload and i % 3 != 0)
                        x = p.device(x);
                    if (values(p.run({{"x", x}, {"y", y}})[0]) != chain_d(t * 1000 + i, i))
                        wrong++;
                }
            });
        for (auto& t : threads)
            t.join();
        EXPECT_EQ(wrong, 0);
        EXPECT_GT(p.count().replayed, 800);
    }
}

TEST(gpu_plan, runs_on_a_callers_queue_need_no_waiting) {
    for (const bool offload : {true, false}) {
        const ready p(chain, offload);
        const auto x = offload ? numbers(six, 3) : p.device(numbers(six, 3));
        const auto queue = p.back->on->make_stream();
        execution_environment env;
        env.queue = any_ptr(queue.get(), "void");
        env.async = true;
        p.run({{"x", x}, {"y", x}});
        const auto waits = p.count().waits.load();
        std::vector<std::vector<argument>> results;
        for (int i = 0; i < 20; i++)
            results.push_back(p.run({{"x", x}, {"y", x}}, env));
        EXPECT_EQ(p.count().waits, waits);
        p.back->on->synchronize(queue.get());
        for (const auto& r : results)
            EXPECT_EQ(values(r[0]), chain_d(3, 3));
        // The default queue, which is null, is one as well.
        env.queue = any_ptr(nullptr, "void");
        EXPECT_EQ(values(p.run({{"x", x}, {"y", x}}, env)[0]), chain_d(3, 3));
        EXPECT_EQ(p.count().waits, waits + 1);
    }
}

TEST(gpu_plan, errors_name_the_instruction) {
    auto back = std::make_shared<test_backend>();
    back->failing = {"mul"};
    const ready p(chain, true, back);
    const parameter_map params{{"x", numbers(six, 1)}, {"y", numbers(six, 2)}};
    for (int i = 0; i < 3; i++)
        EXPECT_NE(error_of([&] { p.run(params); }).find("mul"), std::string::npos);
}

TEST(gpu_plan, memory_that_runs_out_is_an_error_and_all_goes_on) {
    auto back = std::make_shared<test_backend>();
    const ready p(chain, true, back);
    const parameter_map params{{"x", numbers(six, 1)}, {"y", numbers(six, 2)}};
    back->on->count->limit = back->on->count->live + 100;
    for (int i = 0; i < 3; i++)
        EXPECT_NE(error_of([&] { p.run(params); }).find("memory"), std::string::npos);
    back->on->count->limit = std::size_t(-1);
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(values(p.run(params)[0]), chain_d(1, 2));
}

TEST(gpu_plan, pooled_memory_is_given_up_before_memory_runs_out) {
    auto back = std::make_shared<test_backend>();
    const ready p("x = @param:x -> float_type, {1000}\na = neg(x)\n@return(a)\n", false, back);
    const shape s{shape::float_type, {1000}};
    const auto x = p.device(numbers(s));
    {
        std::vector<std::vector<argument>> kept;
        for (int i = 0; i < 8; i++)
            kept.push_back(p.run({{"x", x}}));
    }
    const auto pooled = p.count().live.load();
    back->on->count->limit = pooled + 100;
    const auto host = numbers(s); // a copy needs memory that the lane has not got yet
    EXPECT_EQ(values(p.run({{"x", host}})[0])[9], -10);
}

TEST(gpu_plan, memory_returns_to_its_level) {
    auto back = std::make_shared<test_backend>();
    std::size_t level = 0;
    for (int i = 0; i < 1000; i++) {
        const ready p(chain, i % 2 == 0, back);
        const parameter_map params{{"x", numbers(six, i)}, {"y", numbers(six, 2)}};
        for (int k = 0; k < 3; k++)
            ASSERT_EQ(values(p.run(params)[0]), chain_d(i, 2));
        EXPECT_GT(p.exec->memory_usage(), 0u);
        if (i == 1)
            level = back->on->count->live;
        EXPECT_TRUE(i < 2 or back->on->count->live <= level + 1024);
    }
    EXPECT_EQ(back->on->count->live, 0u);
}

} // namespace
} // namespace migraphx::gpu
