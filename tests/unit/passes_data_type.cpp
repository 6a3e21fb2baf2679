// SPDX-License-Identifier: MIT
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/program.hpp>
#include <migraphx/quantization.hpp>

#include <gtest/gtest.h>

using namespace migraphx;

// Kernels would read them.
TEST(passes_data_type, operands_that_are_not_there_are_not_converted) {
    program p;
    auto* m = p.get_main_module();
    const auto x = m->add_parameter("x", shape{shape::float_type, {3, 2, 5}}),
               w = m->add_parameter("w", shape{shape::float_type, {1, 4, 5}}),
               r = m->add_parameter("r", shape{shape::float_type, {1, 4, 4}}),
               h = m->add_parameter("h", shape{shape::float_type, {1, 2, 4}}),
               none = m->add_instruction(make_op("undefined"));
    m->add_return(
        {m->add_instruction(make_op("rnn", {{"hidden_size", 4}}), {x, w, r, none, none, h})});
    quantize_fp16(p);
    bool found = false;
    for (auto ins : *p.get_main_module()) {
        if (ins.name() == "rnn") {
            found = true;
            EXPECT_EQ(ins.inputs()[0]->get_shape().type(), shape::half_type);
            EXPECT_EQ(ins.inputs()[3]->name(), "undefined");
        }
        if (ins.name() == "convert") {
            EXPECT_NE(ins.inputs().front()->name(), "undefined");
        }
    }
    EXPECT_TRUE(found);
}
