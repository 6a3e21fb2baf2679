// SPDX-License-Identifier: MIT
// Weights joined by a concat: computed while they are packed, kept where something reads them.
#include "ops_compute_support.hpp"

#include <migraphx/generate.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>
#include <migraphx/pass_manager.hpp>
#include <migraphx/program.hpp>
#include <migraphx/propagate_constant.hpp>
#include <migraphx/register_target.hpp>

#include <gtest/gtest.h>

namespace migraphx {
namespace {

literal weights(std::size_t rows, std::size_t columns, unsigned long seed) {
    return literal::adopt(generate_argument(shape{shape::float_type, {rows, columns}}, seed));
}

// x * [a b c], and what else the joined weights are used for.
program joined(std::size_t rows, const std::string& use) {
    program p;
    auto* m = p.get_main_module();
    auto x = m->add_parameter("x", shape{shape::float_type, {rows, 320}});
    auto w = m->add_instruction(
        make_op("concat", {{"axis", 1}}), m->add_literal(weights(320, 256, 1)),
        m->add_literal(weights(320, 100, 2)), m->add_literal(weights(320, 300, 3)));
    auto y = m->add_instruction(make_op("dot"), x, w);
    std::vector<instruction_ref> results{y};
    if (use == "result")
        results.push_back(w);
    if (use == "view")
        results.push_back(m->add_instruction(
            make_op("slice", {{"axes", {0}}, {"starts", {7}}, {"ends", {9}}}), w));
    if (use == "kernel")
        results.push_back(m->add_instruction(make_op("relu"), w));
    if (use == "twice")
        results.push_back(
            m->add_instruction(make_op("dot"), m->add_instruction(make_op("neg"), x), w));
    m->add_return(results);
    return p;
}

bool has_concat(const program& p) {
    const auto* m = p.get_main_module();
    return std::any_of(m->begin(), m->end(), [](const auto& i) { return i.name() == "concat"; });
}

void check(std::size_t rows, const std::string& use) {
    auto p = joined(rows, use), q = joined(rows, use);
    p.compile(make_target("cpu"));
    q.compile(make_target("ref"));
    const parameter_map params{{"x", generate_argument(shape{shape::float_type, {rows, 320}}, 9)}};
    for (int run = 0; run < 2; run++) {
        const auto got = p.eval(params), want = q.eval(params);
        ASSERT_EQ(got.size(), want.size());
        for (std::size_t i = 0; i < got.size(); i++) {
            const auto a = got[i].to_vector<double>(), b = want[i].to_vector<double>();
            ASSERT_EQ(a.size(), b.size());
            for (std::size_t k = 0; k < a.size(); k++)
                ASSERT_NEAR(a[k], b[k], 1e-4) << use << ' ' << rows << ' ' << i << ' ' << k;
        }
    }
}

TEST(runtime_deferred, joined_weights_stay_joined_until_they_are_packed) {
    auto p = joined(3, "");
    p.compile(make_target("cpu"));
    EXPECT_TRUE(has_concat(p));
    // 840 KB of weights: their packed form and little else.
    EXPECT_LT(p.get_memory_usage(), 1100000u);
}

TEST(runtime_deferred, answers_whoever_uses_them) {
    for (const std::size_t rows : {1u, 3u, 40u})
        for (const std::string use : {"", "result", "view", "kernel", "twice"})
            check(rows, use);
}

TEST(runtime_deferred, small_ones_are_folded) {
    program p;
    auto* m = p.get_main_module();
    auto x = m->add_parameter("x", shape{shape::float_type, {2, 8}});
    auto w = m->add_instruction(make_op("concat", {{"axis", 1}}), m->add_literal(weights(8, 3, 1)),
                                m->add_literal(weights(8, 4, 2)));
    m->add_return({m->add_instruction(make_op("dot"), x, w)});
    p.compile(make_target("cpu"));
    EXPECT_FALSE(has_concat(p));
}

} // namespace
} // namespace migraphx
