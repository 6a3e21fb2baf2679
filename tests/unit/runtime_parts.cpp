// SPDX-License-Identifier: MIT
// The parts of the runtime by themselves: memory plan, pools, cache of plans, checks of parameters,
// static forms of operators, specialisation.
#include <migraphx/errors.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/program.hpp>
#include <migraphx/register_target.hpp>

#include "base/str.hpp"
#include "ir/text_parser.hpp"
#include "runtime/buffer_pool.hpp"
#include "runtime/concrete_form.hpp"
#include "runtime/memory_plan.hpp"
#include "runtime/parameters.hpp"
#include "runtime/plan_cache.hpp"
#include "runtime/specialise.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

using namespace migraphx;

namespace {

template <class F>
std::string error_of(F f) {
    try {
        f();
    } catch (const std::exception& e) {
        return e.what();
    }
    return "no error";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// ---- memory plan

TEST(memory_plan, buffers_that_live_together_do_not_overlap) {
    std::mt19937 rng(7);
    for (int round = 0; round < 50; ++round) {
        std::vector<lifetime> buffers(1 + rng() % 40);
        std::size_t sum = 0;
        for (auto& b : buffers) {
            b.bytes = rng() % 5 == 0 ? 0 : rng() % 5000;
            b.first = rng() % 30;
            b.last = b.first + rng() % 8;
            sum += (b.bytes + 63) / 64 * 64;
        }
        const auto plan = plan_memory(buffers);
        EXPECT_LE(plan.bytes, sum);
        for (std::size_t i = 0; i < buffers.size(); ++i) {
            const auto& x = buffers[i];
            const auto at = plan.offsets[i];
            EXPECT_EQ(at % 64, 0u);
            EXPECT_LE(at + x.bytes, plan.bytes);
            for (std::size_t j = 0; j < i; ++j) {
                const auto& y = buffers[j];
                const bool together = x.first <= y.last and y.first <= x.last;
                const bool apart =
                    at + x.bytes <= plan.offsets[j] or plan.offsets[j] + y.bytes <= at;
                EXPECT_TRUE(not together or apart) << i << " and " << j;
            }
        }
    }
}

TEST(memory_plan, buffers_of_different_times_share) {
    const auto plan = plan_memory({{1000, 0, 1}, {1000, 2, 3}, {600, 4, 5}, {300, 4, 6}});
    EXPECT_EQ(plan.bytes, 1024u);
}

// ---- pools

TEST(arena_pool, one_block_serves_all_runs_one_after_the_other) {
    arena_pool pool;
    for (std::size_t bytes : {100u, 5000u, 64u, 4999u, 0u, 5000u}) {
        auto b = pool.take(bytes);
        EXPECT_GE(b.bytes, bytes);
        pool.give(std::move(b));
        EXPECT_LE(pool.held_bytes(), 5000u + 5000u / 8 + 64);
    }
    auto x = pool.take(1000), y = pool.take(2000);
    EXPECT_NE(x.memory, y.memory);
    pool.give(std::move(x));
    pool.give(std::move(y));
    const auto held = pool.held_bytes();
    pool.give(pool.take(1500));
    EXPECT_EQ(pool.held_bytes(), held);
}

TEST(buffer_pool, keeps_as_many_as_were_in_use_at_once) {
    buffer_pool pool;
    for (std::size_t i = 0; i < 100; ++i)
        pool.get(1000 + 10000 * (i % 10));
    EXPECT_LE(pool.held_bytes(), 91000u);
    std::vector<std::shared_ptr<char>> held;
    for (int i = 0; i < 40; ++i)
        held.push_back(pool.get(1 << 12));
    EXPECT_GE(pool.held_bytes(), std::size_t{40} << 12);
    held.clear();
    EXPECT_LE(pool.held_bytes(), std::size_t{16} << 12);
    const auto* p = pool.get(1 << 12).get();
    EXPECT_EQ(pool.get(1 << 12).get(), p);
}

TEST(buffer_pool, buffers_outlive_it) {
    std::shared_ptr<char> kept;
    {
        buffer_pool pool;
        kept = pool.get(64);
    }
    kept.get()[63] = 1;
}

// ---- cache of plans

plan_cache::entry numbered(int n) {
    auto owner = std::make_shared<int>(n);
    return {owner, reinterpret_cast<const prepared*>(owner.get())};
}

TEST(plan_cache, forgets_what_was_used_least_recently) {
    plan_cache cache(2);
    int builds = 0;
    const auto get = [&](std::size_t n) {
        return cache.get(&cache, {n}, [&] { return numbered(++builds); });
    };
    const auto first = get(1);
    get(2);
    EXPECT_TRUE(get(1) == first);
    get(3); // 2 goes
    EXPECT_TRUE(get(1) == first);
    EXPECT_EQ(builds, 3);
    get(2);
    EXPECT_EQ(builds, 4);
    EXPECT_EQ(cache.all().size(), 2u);
}

TEST(plan_cache, tells_owners_apart_and_drops_them) {
    plan_cache cache(8);
    const int a = 0, b = 0;
    int builds = 0;
    const auto make = [&] { return numbered(++builds); };
    EXPECT_TRUE(cache.get(&a, {1}, make) != cache.get(&b, {1}, make));
    cache.get(&a, {2}, make);
    const auto kept = cache.get(&b, {1}, make);
    EXPECT_EQ(builds, 3);
    cache.drop(&a);
    EXPECT_EQ(cache.all().size(), 1u);
    EXPECT_TRUE(cache.get(&b, {1}, make) == kept);
}

TEST(plan_cache, errors_are_not_kept) {
    plan_cache cache(2);
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(error_of([&] {
                      cache.get(&cache, {1},
                                []() -> plan_cache::entry { throw std::runtime_error("bad"); });
                  }),
                  "bad");
    EXPECT_TRUE(cache.all().empty());
    EXPECT_TRUE(cache.get(&cache, {1}, [] { return numbered(1); }) != nullptr);
}

// What is used by the newest entry too does not count; what others hold beside it is bounded.
TEST(plan_cache, forgets_what_holds_much) {
    static const char weights = 0, masks[8] = {};
    const auto held_by = [](const prepared& e) {
        const auto n = *reinterpret_cast<const int*>(&e);
        return held_constants{{&weights, 1000}, {&masks[n / 10], std::size_t(n)}};
    };
    plan_cache cache(64, 100, held_by);
    int builds = 0;
    const auto get = [&](int n) {
        return cache.get(&cache, {std::size_t(n)}, [&] {
            builds++;
            return numbered(n);
        });
    };
    const auto held = [&] { return cache.all().size(); };
    for (int n : {20, 30, 40}) // 50 beside the last one
        get(n);
    EXPECT_EQ(held(), 3u);
    get(20);
    get(50); // 90
    EXPECT_EQ(held(), 4u);
    const auto kept = get(60); // 140: 30 goes, then 40
    EXPECT_EQ(held(), 3u);
    EXPECT_EQ(builds, 5);
    get(20);
    get(50);
    EXPECT_EQ(builds, 5);
    get(30); // 60 + 20 + 50: the one used last longest ago goes
    EXPECT_EQ(held(), 3u);
    EXPECT_EQ(builds, 6);
    EXPECT_EQ(*reinterpret_cast<const int*>(kept.get()), 60);
    // Of entries that share their masks, too, any number stays.
    plan_cache sharing(64, 0, held_by);
    for (std::size_t i = 0; i < 10; ++i)
        sharing.get(&sharing, {i}, [] { return numbered(70); });
    EXPECT_EQ(sharing.all().size(), 10u);
    sharing.get(&sharing, {10}, [] { return numbered(10); }); // they go together
    EXPECT_EQ(sharing.all().size(), 1u);
    sharing.drop(&sharing);
    EXPECT_TRUE(sharing.all().empty());
}

TEST(plan_cache, one_thread_builds_what_many_want) {
    plan_cache cache(4);
    std::atomic<int> builds = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&] {
            for (std::size_t i = 0; i < 200; ++i)
                cache.get(&cache, {i / 50}, [&] { return numbered(++builds); });
        });
    for (auto& t : threads)
        t.join();
    EXPECT_EQ(builds, 4);
}

// ---- parameters

using dimension = shape::dynamic_dimension;

program with_parameters(const std::vector<std::pair<std::string, shape>>& list) {
    program p;
    auto* m = p.get_main_module();
    for (const auto& [name, s] : list)
        m->insert_parameter(m->end(), name, s);
    m->add_return({m->get_parameter(list.front().first)});
    return p;
}

argument zeros(const std::vector<std::size_t>& lens, shape::type_t t = shape::float_type) {
    return argument{shape{t, lens}};
}

TEST(signature, symbols_have_one_size) {
    const auto n = sym::var("n", {1, 8});
    const auto p =
        with_parameters({{"x", {shape::float_type, {dimension{n}, dimension{sym::lit(3)}}}},
                         {"y", {shape::float_type, {dimension{2 * n + 1}}}},
                         {"z", {shape::float_type, {dimension{n}}}}});
    const signature s(p);
    EXPECT_FALSE(s.fixed());
    EXPECT_EQ(
        s.bind(parameter_map{{"x", zeros({2, 3})}, {"y", zeros({5})}, {"z", zeros({2})}}).size(),
        3u);
    auto error = [&](auto x, auto y, auto z) {
        return error_of([&] {
            s.bind(parameter_map{{"x", zeros(x)}, {"y", zeros(y)}, {"z", zeros(z)}});
        });
    };
    using lens = std::vector<std::size_t>;
    EXPECT_TRUE(contains(error(lens{2, 3}, lens{5}, lens{3}), "parameter: z"))
        << error(lens{2, 3}, lens{5}, lens{3});
    EXPECT_TRUE(contains(error(lens{2, 3}, lens{5}, lens{3}),
                         "dimension 0 (n) must be 2, that of dimension 0 of parameter x, got 3"));
    EXPECT_TRUE(
        contains(error(lens{2, 3}, lens{7}, lens{2}), "dimension 0 must be 2*n + 1 = 5, got 7"))
        << error(lens{2, 3}, lens{7}, lens{2});
    EXPECT_TRUE(
        contains(error(lens{9, 3}, lens{5}, lens{9}), "dimension 0 must be in [1, 8], got 9"));
}

TEST(signature, smaller_sizes_up_to_the_declared_ones) {
    const auto p =
        with_parameters({{"x", {shape::float_type, {4, 0, 3}}}, {"s", {shape::int64_type}}});
    EXPECT_TRUE(signature(p).fixed());
    const signature s(p, true);
    EXPECT_FALSE(s.fixed());
    EXPECT_EQ(s.parameters().front().type,
              (shape{shape::float_type, {dimension{1, 4}, dimension{0, 0}, dimension{1, 3}}}));
    const auto scalar = argument{shape{shape::int64_type}};
    EXPECT_EQ(error_of([&] {
                  s.bind(parameter_map{{"x", zeros({2, 0, 1})}, {"s", scalar}});
              }),
              "no error");
    EXPECT_TRUE(contains(error_of([&] {
                             s.bind(parameter_map{{"x", zeros({5, 0, 1})}, {"s", scalar}});
                         }),
                         "dimension 0 must be in [1, 4], got 5"));
}

// ---- static forms

struct form_case {
    operation op;
    std::vector<argument> values; ///< without data: not known
    shape output;
    std::string expected; ///< operator, then the operands that it keeps
};

argument unknown(const std::vector<std::size_t>& lens) {
    return argument{shape{shape::float_type, lens}, nullptr};
}

argument numbers(const std::vector<int64_t>& v) {
    return literal{shape{shape::int64_type, {v.size()}}, v}.get_argument();
}

TEST(concrete_form, sizes_from_operands_become_attributes) {
    const auto f = [](const std::vector<std::size_t>& lens) {
        return shape{shape::float_type, lens};
    };
    const std::vector<form_case> cases{
        {make_op("multibroadcast"),
         {unknown({3, 1}), unknown({2, 3, 4})},
         f({2, 3, 4}),
         "multibroadcast[out_lens={2, 3, 4},out_dyn_dims={}] 0"},
        {make_op("broadcast", {{"axis", 1}}),
         {unknown({3}), unknown({2, 3, 4})},
         f({2, 3, 4}),
         "broadcast[axis=1,out_lens={2, 3, 4},out_dyn_dims={}] 0"},
        {make_op("broadcast_for_dot"),
         {unknown({3, 4}), unknown({2, 4, 5})},
         f({2, 3, 4}),
         "multibroadcast[out_lens={2, 3, 4},out_dyn_dims={}] 0"},
        {make_op("multibroadcast", {{"out_lens", {2, 3}}}),
         {unknown({3})},
         f({2, 3}),
         "multibroadcast[out_lens={2, 3},out_dyn_dims={}] 0"},
        {make_op("reshape_dynamic"),
         {unknown({2, 6}), numbers({3, -1})},
         f({3, 4}),
         "reshape[dims={3, 4}] 0"},
        {make_op("slice", {{"axes", {0}}}),
         {unknown({5}), numbers({1}), numbers({4})},
         f({3}),
         "slice[axes={0},starts={1},ends={4}] 0"},
        {make_op("reduce_sum"),
         {unknown({5, 2}), numbers({1})},
         f({5, 1}),
         "reduce_sum[axes={1}] 0"},
        {make_op("relu"), {unknown({5})}, f({5}), "relu 0"},
        {make_op("add"), {unknown({5}), unknown({5})}, f({5}), "add 0 1"},
    };
    for (const auto& c : cases) {
        const auto form = concrete_form(c.op, c.values, c.output);
        std::string text = str(form.op);
        for (auto i : form.inputs)
            text += " " + std::to_string(i);
        EXPECT_EQ(text, c.expected);
        std::vector<shape> in;
        for (auto i : form.inputs)
            in.push_back(c.values[i].get_shape());
        EXPECT_EQ(form.op.compute_shape(in).lens(), c.output.lens()) << text;
    }
}

TEST(concrete_form, a_global_window_is_that_of_the_input) {
    const auto form =
        concrete_form(make_op("pooling", {{"mode", 0},
                                          {"dyn_global", true},
                                          {"stride", {2, 2}},
                                          {"lengths", {1, 1}},
                                          {"padding", {0, 0}}}),
                      {unknown({2, 3, 5, 7})}, shape{shape::float_type, {2, 3, 1, 1}});
    EXPECT_EQ(form.op.get_vector<int64_t>("lengths"), (std::vector<int64_t>{5, 7}));
    EXPECT_EQ(form.op.compute_shape({shape{shape::float_type, {2, 3, 5, 7}}}).lens(),
              (std::vector<std::size_t>{2, 3, 1, 1}));
}

// ---- specialisation

const char* const sizes_net = R"(
x = @param:x -> dynamic, float_type, {[1..8], [1..8], 4}
two = @literal{2} -> int64_type, {1}
n = dimensions_of[start=0, end=1](x)
s = dimensions_of[start=1, end=2](x)
d = mul(s, two)
two_again = @literal{2} -> int64_type, {1}
dims = concat[axis=0](n, d, two_again)
r = reshape_dynamic(x, dims)
y = relu(r)
@return(y, n)
)";

TEST(specialise, shape_arithmetic_is_evaluated) {
    const auto p = parse_text(sizes_net);
    for (std::size_t n : {1, 3, 8}) {
        const auto s = specialise(p, {{"x", shape{shape::float_type, {n, 5, 4}}}});
        EXPECT_EQ(s.rest, nullptr);
        EXPECT_TRUE(s.transitions.empty());
        std::vector<std::string> names;
        const auto* m = s.first.get_main_module();
        for (auto i = m->begin(); i != m->end(); ++i)
            names.push_back(i->name());
        EXPECT_EQ(names,
                  (std::vector<std::string>{"@param", "reshape", "relu", "@literal", "@return"}));
        EXPECT_EQ(s.first.get_output_shapes().front().lens(), (std::vector<std::size_t>{n, 10, 2}));
        EXPECT_EQ(std::prev(m->end(), 2)->get_literal().at<int64_t>(), int64_t(n));
    }
    // The source is not edited.
    EXPECT_EQ(p, parse_text(sizes_net));
}

const char* const values_net = R"(
x = @param:x -> dynamic, float_type, {[1..8]}
w = @literal{1, 2, 3} -> float_type, {3}
y = relu(x)
z = nonzero[use_dyn_output=1](y)
f = convert[target_type=2](z)
r = relu(f)
@return(y, r, z)
)";

TEST(specialise, what_depends_on_values_is_cut_off) {
    const auto p = parse_text(values_net);
    const auto s = specialise(p, {{"x", shape{shape::float_type, {6}}}});
    ASSERT_EQ(s.transitions.size(), 1u);
    EXPECT_EQ(s.transitions[0].op.name(), "nonzero");
    ASSERT_NE(s.rest, nullptr);
    EXPECT_EQ(s.rest->get_parameter_names().size(), s.rest_inputs.size());
    ASSERT_EQ(s.results.size(), 3u);
    EXPECT_EQ(s.results[0].from, stage_value::source::stage);
    EXPECT_EQ(s.results[1].from, stage_value::source::rest);
    EXPECT_EQ(s.results[2].from, stage_value::source::transition);
}

TEST(specialise, a_wrong_size_names_the_instruction) {
    auto p = parse_text(R"(
x = @param:x -> dynamic, float_type, {[1..8], 4}
y = @param:y -> dynamic, float_type, {[1..8], 4}
z = add(x, y)
@return(z)
)");
    const auto error = error_of([&] {
        specialise(
            p, {{"x", shape{shape::float_type, {2, 4}}}, {"y", shape{shape::float_type, {3, 4}}}});
    });
    EXPECT_TRUE(contains(error, "at add")) << error;
}

// ---- what belongs to the caller

TEST(plan, operators_in_place_leave_the_callers_memory_alone) {
    for (const char* target : {"ref", "cpu"}) {
        auto p = parse_text(R"(
x = @param:x -> float_type, {2, 3}
v = @literal{7} -> float_type, {1}
t = transpose[permutation={1, 0}](x)
f = fill(v, x)
g = fill(v, t)
w = @literal{1, 2} -> float_type, {2}
h = fill(v, w)
@return(f, g, h, w)
)");
        p.compile(make_target(target));
        for (int run = 0; run < 2; ++run) {
            std::vector<float> mine{1, 2, 3, 4, 5, 6};
            const auto results =
                p.eval({{"x", argument{shape{shape::float_type, {2, 3}}, mine.data()}}});
            EXPECT_EQ(mine, (std::vector<float>{1, 2, 3, 4, 5, 6})) << target;
            EXPECT_EQ(results[0].to_vector<float>(), std::vector<float>(6, 7)) << target;
            EXPECT_EQ(results[1].to_vector<float>(), std::vector<float>(6, 7)) << target;
            EXPECT_EQ(results[2].to_vector<float>(), std::vector<float>(2, 7)) << target;
            EXPECT_EQ(results[3].to_vector<float>(), (std::vector<float>{1, 2})) << target;
        }
    }
}

} // namespace
