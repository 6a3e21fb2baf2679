// SPDX-License-Identifier: MIT
// Bytes and flops that an instruction is said to take.
#include "ops/cost.hpp"

#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>
#include <migraphx/program.hpp>

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
