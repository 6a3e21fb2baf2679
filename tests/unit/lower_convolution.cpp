// SPDX-License-Identifier: MIT
#include "lower_support.hpp"

#include "targets/cpu/kernels/kernel_table.hpp"

using namespace lower_check;

namespace {

struct conv_case {
    lens x, w;
    lens stride, padding, dilation;
    int group = 1;
};

TEST(lower_convolution, layers) {
    const conv_case cases[] = {{{1, 1, 832}, {34, 1, 256}, {128}, {0}, {1}},
                               {{2, 1, 400}, {34, 1, 64}, {16}, {5}, {1}},
                               {{1, 32, 64, 1}, {48, 32, 5, 1}, {1, 1}, {0, 0}, {1, 1}},
                               {{1, 16, 2}, {24, 16, 3}, {2}, {1}, {1}},
                               {{1, 16, 1, 1}, {24, 16, 1, 1}, {1, 1}, {0, 0}, {1, 1}},
                               {{1, 16, 9, 7}, {24, 16, 3, 3}, {2, 1}, {1, 0, 2, 1}, {1, 2}},
                               {{2, 3, 20, 20}, {8, 3, 7, 7}, {2, 2}, {3, 3}, {1, 1}},
                               {{1, 16, 8, 8}, {16, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1}, 16},
                               {{1, 16, 1, 9}, {24, 4, 1, 3}, {1, 1}, {0, 1}, {1, 1}, 4}};
    for (const auto& c : cases)
        for (bool constant : {true, false})
            for (const auto& x : layouts(noise(of(c.x)))) {
                check_options options{.compiled = constant};
                if (constant)
                    options.constants = {1};
                const auto name = check_lowered(make_op("convolution", {{"stride", c.stride},
                                                                        {"padding", c.padding},
                                                                        {"dilation", c.dilation},
                                                                        {"group", c.group}}),
                                                {x, noise(of(c.w), 3)}, options);
                const bool packed = x.get_shape().packed();
                if (constant and packed and c.group == 1 and
                    find_permutation(x.get_shape()).back() == 1) {
                    EXPECT_EQ(name.find("ref"), std::string::npos) << name;
                }
            }
}

TEST(lower_convolution, epilogues) {
    // Bias and activation of shapes that the library computes with scalar code only.
    for (const auto& c : {conv_case{{1, 1, 832}, {34, 1, 256}, {128}, {0}, {1}},
                          conv_case{{1, 1, 832}, {34, 1, 256}, {16}, {9}, {1}},
                          conv_case{{1, 16, 2}, {24, 16, 3}, {2}, {1}, {1}},
                          conv_case{{1, 32, 64, 1}, {48, 32, 5, 1}, {1, 1}, {2, 0}, {1, 1}}}) {
        program p;
        auto* m = p.get_main_module();
        const auto x = m->add_parameter("x", of(c.x));
        const auto weight = noise(of(c.w), 3), bias = noise(of({c.w[0]}), 4);
        const auto w = m->add_literal(literal{weight.get_shape(), weight.data()});
        auto y = m->add_instruction(
            make_op("convolution",
                    {{"stride", c.stride}, {"padding", c.padding}, {"dilation", c.dilation}}),
            x, w);
        const auto other = m->add_parameter("other", y->get_shape());
        const auto b = m->add_instruction(
            make_op("broadcast", {{"axis", 1}, {"out_lens", y->get_shape().lens()}}),
            m->add_literal(literal{bias.get_shape(), bias.data()}));
        y = m->add_instruction(make_op("add"), y, b);
        const auto plain = y;
        y = m->add_instruction(make_op("relu"), m->add_instruction(make_op("mul"), y, other));
        m->add_return({y, m->add_instruction(make_op("tanh"), plain)});
        auto on_ref = p, on_cpu = p;
        on_ref.compile(make_target("ref"));
        on_cpu.compile(make_target("cpu"));
        parameter_map in{{"x", noise(of(c.x))}, {"other", noise(y->get_shape(), 8)}};
        const auto a = on_cpu.eval(in), r = on_ref.eval(in);
        for (std::size_t i = 0; i < 2; ++i)
            compare(a.at(i), r.at(i), 2e-5);
    }
}

// 1x1 windows with weights from afar are a product of rows, those of all images as one.
TEST(lower_convolution, weights_from_afar) {
    const operation op = make_op("convolution");
    const auto x = channels_last(noise(of({2, 770, 9, 8}))), w = noise(of({701, 770, 1, 1}), 3);
    const auto name = check_lowered(op, {x, w}, {.constants = {1}});
    if (cpu::kernels_isa() == cpu::isa::avx512) {
        EXPECT_EQ(name, "row_gemm");
    }
    // Weights that a run gives, gaps between the pixels.
    EXPECT_NE(check_lowered(op, {x, w}, {.compiled = false}), "row_gemm");
    auto strides = x.get_shape().strides();
    for (auto i : {0, 2, 3})
        strides[std::size_t(i)] *= 2;
    EXPECT_NE(check_lowered(op, {under(x, strides), w}, {.constants = {1}, .compiled = false}),
              "row_gemm");
    // Windows that are packed: stride 2, gaps between the pixels of x.
    const auto image = channels_last(noise(of({2, 100, 17, 15}))), w3 = noise(of({601, 100, 3, 3}));
    const operation every_second =
        make_op("convolution", {{"stride", {2, 2}}, {"padding", {1, 1}}});
    const auto windows = check_lowered(every_second, {image, w3}, {.constants = {1}});
    if (cpu::kernels_isa() == cpu::isa::avx512) {
        EXPECT_EQ(windows, "row_gemm of windows");
    }
    // Of windows as wide as the image most places are padding.
    const operation wide = make_op("convolution", {{"dilation", {12, 12}}, {"padding", {12, 12}}});
    EXPECT_NE(check_lowered(wide, {image, w3}, {.constants = {1}, .compiled = false}),
              "row_gemm of windows");
    // With a bias, something of the same shape and an activation.
    program p;
    auto* m = p.get_main_module();
    const auto in = m->add_parameter("x", of({2, 770, 9, 8}));
    const auto bias = noise(of({701, 1, 1}), 4);
    auto y = m->add_instruction(op, in, m->add_literal(literal{w.get_shape(), w.data()}));
    const auto b =
        m->add_instruction(make_op("multibroadcast", {{"out_lens", y->get_shape().lens()}}),
                           m->add_literal(literal{bias.get_shape(), bias.data()}));
    const auto other = m->add_parameter("other", y->get_shape());
    const auto sum =
        m->add_instruction(make_op("add"), m->add_instruction(make_op("add"), y, b), other);
    m->add_return({m->add_instruction(make_op("relu"), sum)});
    auto on_ref = p, on_cpu = p;
    on_ref.compile(make_target("ref"));
    on_cpu.compile(make_target("cpu"));
    parameter_map given{{"x", noise(of({2, 770, 9, 8}))}, {"other", noise(y->get_shape(), 8)}};
    compare(on_cpu.eval(given).front(), on_ref.eval(given).front(), 2e-5);
}

TEST(lower_convolution, transposed) {
    for (const auto& x : layouts(noise(of({1, 8, 5, 6}))))
        check_lowered(make_op("convolution_backwards",
                              {{"stride", {2, 2}}, {"padding", {0, 0}}, {"dilation", {1, 1}}}),
                      {x, noise(of({8, 12, 2, 2}), 3)}, {.constants = {1}});
}

TEST(lower_plan, in_place_only_where_no_other_view_is_read) {
    program p;
    auto* m = p.get_main_module();
    const auto x = m->add_parameter("x", of({40, 40}));
    const auto a = m->add_instruction(make_op("softmax", {{"axis", 1}}), x);
    const auto t = m->add_instruction(make_op("transpose", {{"permutation", {1, 0}}}), a);
    m->add_return({m->add_instruction(make_op("add"), a, t)});
    auto on_ref = p, on_cpu = p;
    on_ref.compile(make_target("ref"));
    on_cpu.compile(make_target("cpu"));
    parameter_map in{{"x", noise(of({40, 40}))}};
    compare(on_cpu.eval(in).front(), on_ref.eval(in).front(), 2e-5);
}

} // namespace
