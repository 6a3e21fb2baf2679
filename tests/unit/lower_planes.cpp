// SPDX-License-Identifier: MIT
// First convolutions of networks on cpu against ref: images in planes or channels last, residuals
// behind them, several readers, sizes that only a run gives.
#include "lower_support.hpp"

using namespace lower_check;

namespace {

struct first_layer {
    lens x, w, stride{2, 2}, padding{1, 1};
    bool residual = false, other_reader = false;
};

program program_of(const first_layer& c, const shape& x) {
    program p;
    auto* m = p.get_main_module();
    const auto image = m->add_parameter("x", x);
    const auto weights = noise(of(c.w), 2), bias = noise(of({c.w[0], 1, 1}), 3);
    const auto w = m->add_literal(literal{weights.get_shape(), weights.data()});
    auto y = m->add_instruction(
        make_op("convolution", {{"stride", c.stride}, {"padding", c.padding}}), image, w);
    const auto b = m->add_instruction(make_op("multibroadcast"),
                                      m->add_literal(literal{bias.get_shape(), bias.data()}), y);
    y = m->add_instruction(make_op("relu"), m->add_instruction(make_op("add"), y, b));
    if (c.residual)
        y = m->add_instruction(make_op("add"), y, m->add_instruction(make_op("tanh"), y));
    if (c.other_reader)
        m->add_return({y, m->add_instruction(make_op("exp"), image)});
    else
        m->add_return({y});
    return p;
}

TEST(lower_planes, first_layers) {
    const first_layer layers[] = {{{1, 3, 30, 41}, {32, 3, 3, 3}},
                                  {{2, 3, 29, 30}, {17, 3, 7, 7}, {2, 2}, {3, 3}, true},
                                  {{1, 1, 16, 90}, {40, 1, 5, 5}, {1, 3}, {2, 2}},
                                  {{3, 4, 8, 9}, {64, 4, 2, 2}, {2, 2}, {0, 0}, false, true},
                                  {{1, 2, 11, 17}, {9, 2, 3, 3}, {1, 1}, {0, 1}},
                                  // Left to others: large steps, many channels, few outputs.
                                  {{1, 3, 40, 40}, {16, 3, 8, 8}, {8, 8}, {0, 0}},
                                  {{1, 5, 20, 20}, {16, 5, 3, 3}},
                                  {{1, 3, 20, 20}, {4, 3, 3, 3}}};
    for (const auto& c : layers) {
        const auto lies = shape::from_permutation(shape::float_type, c.x, {0, 2, 3, 1});
        for (const auto& x : {of(c.x), lies})
            ASSERT_NO_FATAL_FAILURE(expect_same_on_cpu(program_of(c, x), {{"x", noise(x)}}))
                << c.w[0] << " outputs of " << c.w[1];
    }
}

TEST(lower_planes, sizes_of_a_run) {
    const first_layer c{{}, {24, 3, 3, 3}};
    const auto p = program_of(c, {shape::float_type, {{1, 4}, {3, 3}, {3, 60}, {3, 60}}});
    auto on_ref = p, on_cpu = p;
    on_ref.compile(make_target("ref"));
    on_cpu.compile(make_target("cpu"));
    for (const auto& l : {lens{1, 3, 33, 48}, lens{3, 3, 7, 60}, lens{2, 3, 3, 3}}) {
        const parameter_map in{{"x", noise(of(l))}};
        const auto y = on_cpu.eval(in).front();
        compare(y, on_ref.eval(in).front(), 2e-5);
        auto fixed = program_of(c, of(l));
        fixed.compile(make_target("cpu"));
        EXPECT_EQ(fixed.eval(in).front(), y) << "other bits than in a program of one size";
    }
}

} // namespace
