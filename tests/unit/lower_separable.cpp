// SPDX-License-Identifier: MIT
// Blocks of 1x1 and depthwise convolutions as networks for phones have them, on cpu against ref:
// odd channels, steps, dilations, paddings on one side, several images, squeeze and excite,
// residuals, channel shuffles, sizes that only a run gives.
#include "lower_support.hpp"

#include "base/fetch_ahead.hpp"
#include "base/parallel.hpp"
#include "base/str.hpp"
#include "targets/cpu/kernels/kernel_table.hpp"

using namespace lower_check;

namespace {

struct block {
    lens x;
    std::size_t expanded, outputs;
    lens kernel, stride, padding, dilation{1, 1};
    bool squeeze = false, hard_swish = false;
};

struct builder {
    module* m;
    int seed = 1;

    instruction_ref literal_of(const lens& l) {
        const auto a = noise(of(l), seed++);
        return m->add_literal(literal{a.get_shape(), a.data()});
    }
    instruction_ref stretched(instruction_ref c, instruction_ref like) {
        return m->add_instruction(make_op("multibroadcast"), c, like);
    }
    instruction_ref conv(instruction_ref x, const lens& w, const block* window = nullptr) {
        value v{{"group", window == nullptr ? std::size_t(1) : w[0]}};
        if (window != nullptr)
            v = value{{"group", w[0]},
                      {"stride", window->stride},
                      {"padding", window->padding},
                      {"dilation", window->dilation}};
        const auto y = m->add_instruction(make_op("convolution", v), x, literal_of(w));
        return m->add_instruction(make_op("add"), y, stretched(literal_of({w[0], 1, 1}), y));
    }
    instruction_ref number(float f, instruction_ref like) {
        return stretched(m->add_literal(literal{shape{shape::float_type, {1}}, {f}}), like);
    }
    instruction_ref activation(instruction_ref x, bool hard_swish) {
        if (not hard_swish)
            return m->add_instruction(make_op("relu"), x);
        const auto shifted = m->add_instruction(make_op("add"), x, number(3, x));
        const auto gate = m->add_instruction(make_op("clip"), shifted, number(0, x), number(6, x));
        const auto y = m->add_instruction(make_op("mul"), x, gate);
        // With a factor and a shift of its own.
        return m->add_instruction(make_op("add"),
                                  m->add_instruction(make_op("mul"), y, number(0.3f, x)),
                                  number(-0.1f, x));
    }
    instruction_ref operator()(instruction_ref x, const block& b) {
        auto y = activation(conv(x, {b.expanded, b.x[1], 1, 1}), b.hard_swish);
        y = activation(conv(y, {b.expanded, 1, b.kernel[0], b.kernel[1]}, &b), b.hard_swish);
        if (b.squeeze) {
            auto s = m->add_instruction(make_op("reduce_mean", {{"axes", {2, 3}}}), y);
            s = activation(conv(s, {5, b.expanded, 1, 1}), false);
            s = m->add_instruction(make_op("sigmoid"), conv(s, {b.expanded, 5, 1, 1}));
            y = m->add_instruction(make_op("mul"), y, stretched(s, y));
        }
        y = conv(y, {b.outputs, b.expanded, 1, 1});
        if (y->get_shape().lens() == x->get_shape().lens())
            y = m->add_instruction(make_op("add"), y, x);
        return y;
    }
};

TEST(lower_separable, blocks) {
    const block blocks[] = {{{1, 8, 14, 14}, 48, 8, {3, 3}, {1, 1}, {1, 1}},
                            {{2, 6, 15, 9}, 33, 10, {3, 3}, {2, 2}, {1, 1}, {1, 1}, true},
                            {{3, 5, 8, 21}, 17, 5, {5, 5}, {1, 1}, {2, 2}, {1, 1}, true, true},
                            {{1, 16, 7, 7}, 96, 24, {5, 5}, {2, 2}, {2, 2}, {1, 1}, false, true},
                            {{2, 4, 12, 40}, 20, 12, {5, 5}, {2, 1}, {2, 2}, {1, 1}, true, true},
                            {{1, 7, 11, 13}, 16, 7, {3, 3}, {1, 1}, {2, 2}, {2, 2}, true},
                            {{2, 3, 9, 9}, 40, 3, {3, 3}, {2, 2}, {0, 0, 1, 1}},
                            {{1, 3, 5, 6}, 70, 9, {1, 7}, {1, 3}, {0, 3}},
                            {{1, 24, 1, 30}, 64, 24, {1, 3}, {1, 1}, {0, 1}},
                            // Large enough for one kernel.
                            {{1, 16, 64, 64}, 96, 16, {3, 3}, {1, 1}, {1, 1}},
                            {{2, 6, 100, 90}, 33, 6, {5, 5}, {1, 1}, {2, 2}, {1, 1}, false, true},
                            {{1, 12, 130, 130}, 70, 20, {3, 3}, {2, 2}, {1, 1}}};
    for (const auto& b : blocks) {
        program p;
        builder build{p.get_main_module()};
        const auto x = build.m->add_parameter("x", of(b.x));
        build.m->add_return({build(x, b)});
        ASSERT_NO_FATAL_FAILURE(expect_same_on_cpu(p, {{"x", noise(of(b.x))}}))
            << b.expanded << " channels";
    }
}

// Two halves, one of which is convolved, and the shuffle that mixes their channels.
TEST(lower_separable, channel_shuffle) {
    for (std::size_t images : {1, 2}) {
        const std::size_t half = 29, height = 10, width = 12;
        const lens all{images, 2 * half, height, width};
        const block b{{images, half, height, width}, half, half, {3, 3}, {1, 1}, {1, 1}};
        program p;
        builder build{p.get_main_module()};
        auto* m = build.m;
        auto x = m->add_parameter("x", of(all));
        auto y = build.conv(x, {2 * half, 2 * half, 1, 1});
        for (int i = 0; i < 2; ++i) {
            auto keep = m->add_instruction(
                make_op("slice", {{"axes", {1}}, {"starts", {0}}, {"ends", {half}}}), y);
            auto work = m->add_instruction(
                make_op("slice", {{"axes", {1}}, {"starts", {half}}, {"ends", {2 * half}}}), y);
            auto z = m->add_instruction(make_op("concat", {{"axis", 1}}), keep, build(work, b));
            z = m->add_instruction(make_op("reshape", {{"dims", {images, 2, half, height, width}}}),
                                   z);
            z = m->add_instruction(make_op("transpose", {{"permutation", {0, 2, 1, 3, 4}}}), z);
            y = m->add_instruction(make_op("reshape", {{"dims", all}}), z);
        }
        m->add_return({y});
        expect_same_on_cpu(p, {{"x", noise(of(all))}});
    }
}

TEST(lower_separable, sizes_of_a_run) {
    const block b{{1, 6, 1, 1}, 34, 6, {3, 3}, {2, 2}, {1, 1}, {1, 1}, true, true};
    program p;
    builder build{p.get_main_module()};
    const auto x =
        build.m->add_parameter("x", shape{shape::float_type, {{1, 4}, {6, 6}, {3, 40}, {3, 40}}});
    auto y = build.activation(build.conv(x, {b.expanded, 6, 1, 1}), false);
    y = build.conv(y, {b.expanded, 1, 3, 3}, &b);
    build.m->add_return({build.conv(build.activation(y, false), {9, b.expanded, 1, 1})});
    auto on_ref = p, on_cpu = p;
    on_ref.compile(make_target("ref"));
    on_cpu.compile(make_target("cpu"));
    for (const auto& l : {lens{1, 6, 5, 7}, lens{3, 6, 16, 33}, lens{1, 6, 3, 3}}) {
        const parameter_map in{{"x", noise(of(l))}};
        compare(on_cpu.eval(in).front(), on_ref.eval(in).front(), 2e-5);
    }
}

// Unless arithmetic is to be exact.
TEST(lower_separable, pairs) {
    const auto name = [](std::size_t rows, std::size_t channels, std::size_t outputs, bool fast) {
        const lens l{1, channels, rows, 1};
        const auto x = noise(shape::from_permutation(shape::float_type, l, {0, 2, 3, 1}));
        return check_lowered(make_op("convolution", {{"padding", {0, 0}}}),
                             {x, noise(of({outputs, channels, 1, 1}))},
                             {.constants = {1}, .fast_math = fast});
    };
    const auto plain = str("pointwise ", cpu::isa_name());
    const bool paired = cpu::adds_beside_multiplies() and cpu::kernels().gemm.pairs;
    EXPECT_EQ(name(49, 96, 160, true), paired ? plain + " in pairs" : plain);
    EXPECT_EQ(name(49, 96, 160, false), plain);
    EXPECT_EQ(name(49, 96, 40, true), plain);
}

// The library keeps the code of its "brgemm" kernels, made for one size each, for ever: large
// products are left to own ones, with the same bits whether a program has one size or many.
TEST(lower_separable, large_products_are_left_to_own_kernels) {
    const auto x = shape::from_permutation(shape::float_type, {1, 256, 48, 48}, {0, 2, 3, 1});
    program p;
    builder build{p.get_main_module()};
    const auto w = build.literal_of({256, 256, 1, 1});
    problem what;
    what.ins = build.m->add_instruction(make_op("convolution"), build.m->add_parameter("x", x), w);
    what.op = what.ins->get_operator();
    what.inputs = {x, w->get_shape()};
    what.output = x;
    what.constants = {argument{}, w->get_literal().get_argument()};
    what.weights = &weight_store::instance();
    const auto of_one = cpu::lower(what)->name();
    EXPECT_EQ(of_one.find("brg"), std::string::npos) << of_one;
    what.many_sizes = true;
    EXPECT_EQ(cpu::lower(what)->name(), of_one);
}

// A 1x1 of many positions brings near what a plan tells it to, one of a single position says what
// it streams.
TEST(lower_separable, fetches_for_later_steps) {
    if (cpu::kernels_isa() < cpu::isa::avx512)
        GTEST_SKIP() << "no packed rows";
    const thread_count_guard one(1);
    const auto kernel_for = [](std::size_t side) {
        const auto at = [&](std::size_t channels) {
            return shape::from_permutation(shape::float_type, {1, channels, side, side},
                                           {0, 2, 3, 1});
        };
        program p;
        builder build{p.get_main_module()};
        const auto w = build.literal_of({384, 64, 1, 1});
        problem what;
        what.ins = build.m->add_instruction(make_op("convolution"),
                                            build.m->add_parameter("x", at(64)), w);
        what.op = what.ins->get_operator();
        what.inputs = {at(64), w->get_shape()};
        what.output = at(384);
        what.constants = {argument{}, w->get_literal().get_argument()};
        what.weights = &weight_store::instance();
        auto k = cpu::lower(what);
        const auto x = noise(at(64));
        std::vector<std::vector<char>> memory;
        run_kernel(*k, what.output, {x, what.constants[1]}, memory);
        return k;
    };
    const std::vector<char> memory(64 * 1024);
    const memory_ahead ahead{memory.data(), 0, int64_t(memory.size())};
    {
        const fetch_ahead_guard fetches({&ahead, 1, 1});
        const auto k = kernel_for(14);
        EXPECT_TRUE(k->fetches_ahead());
        EXPECT_TRUE(k->streamed().empty());
        EXPECT_GE(this_thread_ahead().next, this_thread_ahead().end);
        EXPECT_GE(this_thread_ahead().end, memory.data() + memory.size());
    }
    const auto k = kernel_for(1);
    EXPECT_FALSE(k->fetches_ahead() and not k->streamed().empty());
    EXPECT_EQ(k->streamed().size(), 384 * 64 * sizeof(float));
}

} // namespace
