// SPDX-License-Identifier: MIT
// Tuning of the cpu target: what is timed, once, and which kernel comes out.
#include "targets/cpu/tuning.hpp"

#include "base/parallel.hpp"
#include "lower_support.hpp"
#include "runtime/tuning_cache.hpp"
#include "targets/cpu/kernels/kernel_table.hpp"

#include <gtest/gtest.h>

namespace migraphx::cpu {
namespace {

// A dot of one row with constant weights: panels, rows as they lie, the library.
struct dot_problem {
    program p;
    problem what;

    explicit dot_problem(std::size_t n) {
        auto* m = p.get_main_module();
        const shape a{shape::float_type, {1, 64}}, b{shape::float_type, {64, n}, {1, 64}};
        auto x = m->add_parameter("x", a);
        auto w = m->add_literal(literal::adopt(generate_argument(b)));
        auto y = m->add_instruction(make_op("dot"), x, w);
        what.ins = y;
        what.op = y->get_operator();
        what.inputs = {a, b};
        what.output = y->get_shape();
        what.constants = {argument{}, w->get_literal().get_argument()};
        what.weights = &weight_store::instance();
        what.tune = true;
    }
};

std::size_t timed_by(const problem& p, tuning_cache& c, std::string* name = nullptr) {
    const auto before = candidates_timed();
    const auto k = tuned_kernel(p, implementations_of("dot"), c);
    EXPECT_NE(k, nullptr);
    if (name != nullptr and k != nullptr)
        *name = k->name();
    return candidates_timed() - before;
}

TEST(lower_tuning, times_each_problem_once) {
    tuning_cache cache("");
    const dot_problem p(96), other(100);
    std::string first, second;
    const auto timed = timed_by(p.what, cache, &first);
    EXPECT_GE(timed, 2u);
    EXPECT_LE(timed, 8u);
    EXPECT_EQ(timed_by(p.what, cache, &second), 0u);
    EXPECT_EQ(first, second);
    const dot_problem again(96);
    EXPECT_EQ(timed_by(again.what, cache), 0u);
    EXPECT_GE(timed_by(other.what, cache), 2u);
}

TEST(lower_tuning, the_problem_names_what_the_choice_depends_on) {
    const dot_problem p(96);
    auto q = p.what;
    const auto key = tuning_key(q);
    EXPECT_NE(key.find(isa_name()), std::string::npos);
    q.constants = {};
    EXPECT_NE(tuning_key(q), key);
    q = p.what;
    q.fast_math = false;
    EXPECT_NE(tuning_key(q), key);
    const thread_count_guard more(num_threads() + 1);
    EXPECT_NE(tuning_key(p.what), key);
}

TEST(lower_tuning, takes_the_choice_of_the_cache) {
    const dot_problem p(96);
    for (const auto& [choice, kernel] :
         {std::pair{"thin_gemm#1", "packed_gemm"}, std::pair{"thin_gemm#2", "thin_gemm"}}) {
        tuning_cache cache("");
        cache.store(tuning_key(p.what), choice);
        std::string name;
        EXPECT_EQ(timed_by(p.what, cache, &name), 0u);
        EXPECT_EQ(name, kernel);
    }
    // One that there is no more is found anew.
    tuning_cache cache("");
    cache.store(tuning_key(p.what), "of yesterday#3");
    EXPECT_GE(timed_by(p.what, cache), 2u);
}

TEST(lower_tuning, inputs_that_cannot_be_made_up_are_not_timed) {
    program p;
    auto* m = p.get_main_module();
    auto x = m->add_parameter("x", shape{shape::float_type, {8, 8}});
    auto i = m->add_parameter("i", shape{shape::int64_type, {3}});
    auto y = m->add_instruction(make_op("gather", {{"axis", 0}}), x, i);
    problem q;
    q.ins = y;
    q.op = y->get_operator();
    q.inputs = {x->get_shape(), i->get_shape()};
    q.output = y->get_shape();
    q.constants.resize(2);
    q.weights = &weight_store::instance();
    tuning_cache cache("");
    const auto before = candidates_timed();
    tuned_kernel(q, implementations_of("gather"), cache);
    EXPECT_EQ(candidates_timed(), before);
}

} // namespace
} // namespace migraphx::cpu
