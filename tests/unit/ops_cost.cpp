// SPDX-License-Identifier: MIT
// Bytes and flops that an instruction is said to take.
#include "ops/cost.hpp"

#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>
#include <migraphx/program.hpp>
#include <migraphx/register_target.hpp>

#include <gtest/gtest.h>

using namespace migraphx;

TEST(ops_cost, a_gather_reads_what_it_gives) {
    program p;
    auto* m = p.get_main_module();
    const shape table{shape::float_type, {30000, 768}}, ids{shape::int64_type, {128}},
        rows{shape::float_type, {128, 768}};
    const auto t = m->add_parameter("t", table), i = m->add_parameter("i", ids),
               y = m->add_parameter("y", rows);
    const double plain = 2 * double(rows.bytes()) + double(ids.bytes());
    EXPECT_EQ(cost_of(m->add_instruction(make_op("gather", {{"axis", 0}}), {t, i})).bytes, plain);

    auto* body = p.create_module("body");
    const auto x0 = body->add_parameter("x0", table), x1 = body->add_parameter("x1", ids),
               x2 = body->add_parameter("x2", rows);
    const auto g = body->add_instruction(make_op("gather", {{"axis", 0}}), {x0, x1});
    body->add_return({body->add_instruction(make_op("add"), {g, x2})});
    const auto fused = cost_of(m->add_instruction(
        make_op("fused_reduce", {{"axes", std::vector<int64_t>{}}}), {t, i, y}, {body}));
    EXPECT_EQ(fused.bytes, plain + double(rows.bytes()));
    EXPECT_EQ(fused.flops, double(rows.elements()));
}

TEST(ops_cost, a_chain_of_convolutions_counts_each) {
    make_target("cpu"); // which registers the operator
    program p;
    auto* m = p.get_main_module();
    const auto input = [&](const char* name, std::vector<std::size_t> lens) {
        return m->add_parameter(name, {shape::float_type, std::move(lens)});
    };
    // 16 channels to 96, a 3x3 at every second position, to 24.
    const std::vector<instruction_ref> in{
        input("x", {2, 16, 20, 20}), input("expand", {96, 16, 1, 1}), input("each", {96, 1, 3, 3}),
        input("project", {24, 96, 1, 1})};
    std::vector<module_ref> bodies;
    for (const char* name : {"first", "second", "third"}) {
        auto* body = bodies.emplace_back(p.create_module(name));
        body->add_return({body->add_parameter("x0", {shape::float_type})});
    }
    const auto chain = m->add_instruction(make_op("cpu::separable", {{"before", true},
                                                                     {"after", true},
                                                                     {"group", 96},
                                                                     {"stride", {2, 2}},
                                                                     {"padding", {1, 1}}}),
                                          in, bodies);
    const double expand = 2 * 400 * 96 * 16, each = 2 * 100 * 96 * 9, project = 2 * 100 * 24 * 96;
    EXPECT_EQ(cost_of(chain).flops, 2 * (expand + each + project));
}

TEST(ops_cost, products_with_weights_of_few_bits) {
    program p;
    auto* m = p.get_main_module();
    const auto x = m->add_parameter("x", {shape::float_type, {3, 64}}),
               q = m->add_parameter("q", {shape::uint8_type, {10, 32}}),
               s = m->add_parameter("s", {shape::float_type, {10, 2}});
    const auto dot =
        m->add_instruction(make_op("block_dot", {{"bits", 4}, {"block", 32}}), {x, q, s});
    EXPECT_EQ(cost_of(dot).flops, 2.0 * 3 * 10 * 64);
}

TEST(ops_cost, attention_by_a_state) {
    program p;
    auto* m = p.get_main_module();
    const auto row = [&](const char* name, std::size_t width) {
        return m->add_parameter(name, {shape::float_type, {1, 5, width}});
    };
    const auto state = m->add_parameter("s", {shape::float_type, {1, 2, 4, 8}});
    const auto plain = m->add_instruction(
        make_op("linear_attention", {{"rule", "linear"}, {"num_heads", 2}, {"kv_num_heads", 2}}),
        {row("q", 8), row("k", 8), row("v", 16), state});
    EXPECT_EQ(cost_of(plain).flops, 5 * 2.0 * 4 * 8 * 4);
}

TEST(ops_cost, forms_of_a_convolution_do_its_work) {
    make_target("cpu");
    program p;
    auto* m = p.get_main_module();
    const auto x = m->add_parameter("x", {shape::float_type, {1, 3, 16, 16}}),
               w = m->add_parameter("w", {shape::float_type, {8, 3, 3, 3}});
    auto* body = p.create_module("body");
    body->add_return({body->add_parameter("x0", {shape::float_type})});
    for (const char* name : {"cpu::convolution", "cpu::plane_convolution"})
        EXPECT_EQ(
            cost_of(m->add_instruction(make_op(name, {{"padding", {1, 1}}}), {x, w}, {body})).flops,
            2.0 * 256 * 8 * 27)
            << name;
}
