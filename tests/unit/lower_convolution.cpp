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
    // Windows that are packed: a stride, gaps between the pixels of x.
    const auto image = channels_last(noise(of({2, 100, 17, 15}))), w3 = noise(of({601, 100, 3, 3}));
    const operation every_second =
        make_op("convolution", {{"stride", {2, 1}}, {"padding", {1, 1}}});
    const auto windows = check_lowered(every_second, {image, w3}, {.constants = {1}});
    if (cpu::kernels_isa() == cpu::isa::avx512) {
        EXPECT_EQ(windows, "row_gemm of windows");
    }
    // Less weights, but many panels for each row.
    const auto map = channels_last(noise(of({1, 128, 38, 37})));
    for (std::size_t stride : {1, 2}) {
        const operation one_tap = make_op("convolution", {{"stride", {stride, stride}}});
        const auto many =
            check_lowered(one_tap, {map, noise(of({1000, 128, 1, 1}), 3)}, {.constants = {1}});
        if (cpu::kernels_isa() == cpu::isa::avx512) {
            const std::string pairs = cpu::adds_beside_multiplies() ? " in pairs" : "";
            EXPECT_EQ(many, (stride == 1 ? "row_gemm" : "row_gemm of windows") + pairs);
        }
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

// 3x3 windows with stride 2 go by Winograd's filtering where there are tiles enough.
TEST(lower_convolution, every_second_window) {
    const operation op = make_op("convolution", {{"stride", {2, 2}}, {"padding", {1, 1}}});
    const auto x = channels_last(noise(of({1, 70, 27, 30}))), w = noise(of({90, 70, 3, 3}), 3);
    if (cpu::kernels().amx.multiply == nullptr)
        EXPECT_EQ(check_lowered(op, {x, w}, {.constants = {1}}).find("winograd F(2,3) stride 2"),
                  0u);
    const auto small = channels_last(noise(of({1, 70, 14, 14})));
    for (const auto& [image, window] : {std::pair{small, w}, {x, noise(of({20, 70, 3, 3}), 3)}})
        EXPECT_EQ(check_lowered(op, {image, window}, {.constants = {1}}).find("winograd"),
                  std::string::npos);
}

operation convolution_of(const conv_case& c) {
    return make_op("convolution", {{"stride", c.stride},
                                   {"padding", c.padding},
                                   {"dilation", c.dilation},
                                   {"group", c.group}});
}

bool has_window_tiles() {
    return cpu::kernels_isa() >= cpu::isa::avx2;
}

// Windows that are read where they lie, of programs of one size and of many.
TEST(lower_convolution, windows_in_place) {
    const conv_case cases[] = {
        {{2, 480, 1, 17}, {60, 480, 1, 3}, {1, 1}, {0, 1}, {1, 1}},
        {{3, 130, 21}, {37, 130, 3}, {2}, {2}, {1}},
        {{1, 100, 9, 8}, {44, 100, 3, 2}, {1, 2}, {1, 0, 2, 1}, {1, 2}},
        {{1, 128, 11, 9}, {48, 128, 1, 1}, {2, 2}, {0, 0}, {1, 1}},
        {{1, 96, 1, 1}, {33, 96, 1, 1}, {2, 2}, {0, 0}, {1, 1}},
        {{1, 128, 9, 31, 32}, {40, 128, 1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}}};
    for (const auto& c : cases) {
        const auto x = channels_last(noise(of(c.x))), w = noise(of(c.w), 3);
        const auto name = check_lowered(convolution_of(c), {x, w}, {.constants = {1}});
        if (has_window_tiles()) {
            EXPECT_TRUE(name.starts_with("windows ")) << name;
        }
    }
    // Weights that a run gives; few channels; windows over little but padding.
    const auto x = channels_last(noise(of({1, 480, 1, 200})));
    const auto op = make_op("convolution", {{"padding", {0, 1}}});
    EXPECT_FALSE(check_lowered(op, {x, noise(of({60, 480, 1, 3}), 3)}, {.compiled = false})
                     .starts_with("windows avx"));
    const auto thin = channels_last(noise(of({1, 24, 1, 200})));
    EXPECT_FALSE(check_lowered(op, {thin, noise(of({60, 24, 1, 3}), 3)},
                               {.constants = {1}, .compiled = false})
                     .starts_with("windows avx"));
    const auto wide = make_op("convolution", {{"padding", {150, 150}}, {"dilation", {150, 150}}});
    const auto square = channels_last(noise(of({1, 48, 160, 12})));
    EXPECT_FALSE(check_lowered(wide, {square, noise(of({36, 48, 3, 3}), 3)},
                               {.constants = {1}, .compiled = false})
                     .starts_with("windows avx"));
}

TEST(lower_convolution, windows_in_place_with_an_epilogue) {
    program p;
    auto* m = p.get_main_module();
    const auto x = m->add_parameter("x", of({3, 200, 1, 30}));
    const auto weight = noise(of({60, 200, 1, 3}), 3), bias = noise(of({60}), 4);
    auto y = m->add_instruction(make_op("convolution", {{"padding", {0, 1}}}), x,
                                m->add_literal(literal{weight.get_shape(), weight.data()}));
    const auto other = m->add_parameter("other", y->get_shape());
    const auto b =
        m->add_instruction(make_op("broadcast", {{"axis", 1}, {"out_lens", y->get_shape().lens()}}),
                           m->add_literal(literal{bias.get_shape(), bias.data()}));
    y = m->add_instruction(make_op("add"), y, b);
    y = m->add_instruction(make_op("mul"), y, m->add_instruction(make_op("sigmoid"), y));
    m->add_return({m->add_instruction(make_op("add"), y, other)});
    auto on_ref = p, on_cpu = p;
    on_ref.compile(make_target("ref"));
    on_cpu.compile(make_target("cpu"));
    const parameter_map in{{"x", noise(of({3, 200, 1, 30}))},
                           {"other", noise(other->get_shape(), 8)}};
    compare(on_cpu.eval(in).front(), on_ref.eval(in).front(), 2e-5);
}

// What has no own kernel goes to the library; of what it would keep for ever, programs of many
// sizes make a bounded number.
TEST(lower_convolution, library_code_is_bounded) {
    const auto w = noise(of({48, 16, 3, 3}), 3);
    const auto kernel_for = [&](std::size_t width, bool many_sizes) {
        const auto x = channels_last(noise(of({1, 16, 5, width})));
        program p;
        auto* m = p.get_main_module();
        problem pr;
        pr.ins = m->add_instruction(make_op("convolution", {{"stride", {2, 2}}}),
                                    m->add_parameter("x", x.get_shape()),
                                    m->add_literal(literal{w.get_shape(), w.data()}));
        pr.op = pr.ins->get_operator();
        pr.inputs = {x.get_shape(), w.get_shape()};
        pr.output =
            shape::from_permutation(shape::float_type, pr.ins->get_shape().lens(), {0, 2, 3, 1});
        pr.constants = {argument{}, w};
        pr.weights = &weight_store::instance();
        pr.many_sizes = many_sizes;
        auto k = cpu::lower(pr);
        std::vector<std::vector<char>> memory;
        compare(run_kernel(*k, pr.output, {x, w}, memory), pr.op.compute(pr.output, {x, w}), 2e-5);
        return k->name();
    };
    const auto keeps_code = [](const std::string& name) {
        return name.find("brg") != std::string::npos;
    };
    if (not keeps_code(kernel_for(9, false)))
        GTEST_SKIP() << "this processor's kernels are others: " << kernel_for(9, false);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < 140; ++i)
        kept += keeps_code(kernel_for(9 + i, true)) ? 1 : 0;
    EXPECT_LE(kept, 128u);
    EXPECT_FALSE(keeps_code(kernel_for(200, true)));
    EXPECT_TRUE(keeps_code(kernel_for(200, false))); // static programs as ever
}

TEST(lower_convolution, transposed) {
    for (const auto& x : layouts(noise(of({1, 8, 5, 6}))))
        check_lowered(make_op("convolution_backwards",
                              {{"stride", {2, 2}}, {"padding", {0, 0}}, {"dilation", {1, 1}}}),
                      {x, noise(of({8, 12, 2, 2}), 3)}, {.constants = {1}});
}

// Windows side by side are a product: odd sizes, images in parts, a bias and an activation.
TEST(lower_convolution, transposed_windows_side_by_side) {
    struct side_case {
        lens x, w;
        std::size_t high, wide;
    };
    for (const auto& c : {side_case{{1, 24, 13, 9}, {24, 24, 2, 2}, 2, 2},
                          side_case{{3, 24, 40, 30}, {24, 1, 2, 2}, 2, 2},
                          side_case{{2, 72, 8, 33}, {72, 40, 3, 2}, 3, 2},
                          side_case{{1, 7, 1, 5}, {7, 5, 1, 4}, 1, 4}}) {
        const operation op =
            make_op("convolution_backwards",
                    {{"stride", {c.high, c.wide}}, {"padding", {0, 0}}, {"dilation", {1, 1}}});
        const auto x = channels_last(noise(of(c.x))), w = noise(of(c.w), 3);
        const auto name = check_lowered(op, {x, w}, {.constants = {1}});
        if (cpu::kernels_isa() == cpu::isa::avx512) {
            EXPECT_EQ(name.find("transposed_gemm"), 0) << name;
        }
        auto strides = x.get_shape().strides(); // gaps between pixels
        for (auto i : {0, 2, 3})
            strides[std::size_t(i)] *= 2;
        check_lowered(op, {under(x, strides), w}, {.constants = {1}, .compiled = false});
        program p;
        auto* m = p.get_main_module();
        const auto image = m->add_parameter("x", of(c.x));
        auto y = m->add_instruction(op, image, m->add_literal(literal{w.get_shape(), w.data()}));
        const auto bias = noise(of({c.w[1]}), 4);
        const auto b = m->add_instruction(
            make_op("broadcast", {{"axis", 1}, {"out_lens", y->get_shape().lens()}}),
            m->add_literal(literal{bias.get_shape(), bias.data()}));
        y = m->add_instruction(make_op("add"), m->add_instruction(make_op("add"), y, b), b);
        y = m->add_instruction(make_op("relu"), m->add_instruction(make_op("mul"), y, b));
        const auto other = m->add_parameter("other", y->get_shape());
        m->add_return({m->add_instruction(make_op("concat", {{"axis", 1}}), y, other)});
        auto on_ref = p, on_cpu = p;
        on_ref.compile(make_target("ref"));
        on_cpu.compile(make_target("cpu"));
        parameter_map in{{"x", noise(of(c.x))}, {"other", noise(other->get_shape(), 8)}};
        compare(on_cpu.eval(in).front(), on_ref.eval(in).front(), 2e-5);
    }
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
