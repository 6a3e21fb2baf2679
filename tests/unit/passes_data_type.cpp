// SPDX-License-Identifier: MIT
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/pass_manager.hpp>
#include <migraphx/program.hpp>
#include <migraphx/quantization.hpp>

#include "passes/channel_numbers.hpp"
#include "passes/half_data.hpp"
#include "passes/pass_registry.hpp"

#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <vector>

using namespace migraphx;

namespace {

instruction_ref weights(module& m, std::vector<std::size_t> lens, float value) {
    const shape s{shape::float_type, std::move(lens)};
    return m.add_literal(literal{s, std::vector<float>(s.elements(), value)});
}

// x * sigmoid(w * mean(x)), or less its mean.
program gated(std::size_t channels, bool pooled, bool by_product = true) {
    program p;
    auto& m = *p.get_main_module();
    const shape s{shape::float_type, {2, channels, 6, 6}};
    const auto x = m.add_parameter("x", s);
    auto gate = pooled ? m.add_instruction(make_op("pooling", {{"mode", 0},
                                                               {"lengths", {6, 6}},
                                                               {"stride", {1, 1}},
                                                               {"padding", {0, 0}},
                                                               {"dilations", {1, 1}}}),
                                           x)
                       : m.add_instruction(make_op("reduce_mean", {{"axes", {2, 3}}}), x);
    if (by_product)
        gate = m.add_instruction(make_op("convolution"), gate,
                                 weights(m, {channels, channels, 1, 1}, 0.01f));
    gate = m.add_instruction(make_op("sigmoid"), gate);
    gate = m.add_instruction(make_op("multibroadcast", {{"out_lens", s.lens()}}), gate);
    m.add_return({m.add_instruction(make_op("mul"), x, gate)});
    return p;
}

shape::type_t type_at(const program& p, const std::string& name) {
    for (const auto& ins : *p.get_main_module())
        if (ins.name() == name)
            return ins.inputs().front()->get_shape().type();
    return shape::tuple_type;
}

} // namespace

TEST(passes_data_type, gates_stay_in_float) {
    for (const bool pooled : {false, true}) {
        auto p = gated(8, pooled);
        quantize_fp16(p);
        EXPECT_EQ(type_at(p, "reduce_mean"), shape::float_type);
        EXPECT_EQ(type_at(p, "pooling"), shape::tuple_type) << "a mean is a reduction";
        EXPECT_EQ(type_at(p, "convolution"), shape::float_type);
        EXPECT_EQ(type_at(p, "sigmoid"), shape::float_type);
        EXPECT_EQ(type_at(p, "mul"), shape::float_type) << "data and gate as they are";
    }
}

TEST(passes_data_type, means_without_a_small_product_are_rounded) {
    auto wide = gated(520, true); // 270400 weights
    quantize_fp16(wide);
    EXPECT_EQ(type_at(wide, "convolution"), shape::half_type);
    EXPECT_EQ(type_at(wide, "pooling"), shape::half_type);
    auto alone = gated(8, false, false);
    quantize_bf16(alone);
    EXPECT_EQ(type_at(alone, "reduce_mean"), shape::bf16_type);
}

// Weights and the scale of a batch normalization are multiplied before they are rounded.
TEST(passes_data_type, constants_are_rounded_once) {
    program p;
    auto& m = *p.get_main_module();
    const auto x = m.add_parameter("x", shape{shape::float_type, {1, 2, 4, 4}});
    const auto conv =
        m.add_instruction(make_op("convolution"), x, weights(m, {3, 2, 1, 1}, 1.0003f));
    const auto scale =
        m.add_instruction(make_op("mul"), weights(m, {3}, 1.0003f), weights(m, {3}, 1.0003f));
    const auto stretched = m.add_instruction(
        make_op("broadcast", {{"axis", 1}, {"out_lens", conv->get_shape().lens()}}), scale);
    m.add_return({m.add_instruction(make_op("mul"), conv, stretched)});
    quantize_fp16(p);
    bool found = false;
    for (const auto& ins : m)
        if (ins.name() == "convolution") {
            found = true;
            // 1.0003 alone is 1 in half, its third power 1.00090027 the next number.
            EXPECT_EQ(ins.inputs()[1]->eval().at<half>(), half(1.0009765625f));
        }
    EXPECT_TRUE(found);
}

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

// 0.1 lies between halves, and rounded to nearest it loses the same three times.
TEST(passes_data_type, windows_keep_their_sum) {
    for (const bool in_bf16 : {false, true}) {
        program p;
        auto& m = *p.get_main_module();
        const auto x = m.add_parameter("x", shape{shape::float_type, {1, 2, 6, 6}});
        const auto w = weights(m, {2, 1, 3, 3}, 0.1f);
        m.add_return(
            {m.add_instruction(make_op("convolution", {{"group", 2}, {"padding", {1, 1}}}), x, w)});
        if (in_bf16)
            quantize_bf16(p);
        else
            quantize_fp16(p);
        double sum = 0;
        std::size_t convolutions = 0;
        for (const auto& ins : m)
            if (ins.name() == "convolution") {
                convolutions++;
                const auto rounded = ins.inputs()[1]->eval();
                EXPECT_EQ(rounded.get_shape().type(),
                          in_bf16 ? shape::bf16_type : shape::half_type);
                rounded.visit([&](auto v) {
                    for (std::size_t i = 0; i < 9; i++)
                        sum += double(float(v[i]));
                });
            }
        EXPECT_EQ(convolutions, 1u);
        // Half a unit in the last place of 0.1.
        EXPECT_NEAR(sum, 9 * double(0.1f), in_bf16 ? 2.5e-4 : 3.1e-5);
    }
}

// What is stored is rounded, also beside readers in float.
TEST(passes_data_type, scales_of_images_stay_in_float) {
    program p;
    auto& m = *p.get_main_module();
    const auto x = m.add_parameter("x", shape{shape::float_type, {1, 2, 6, 6}});
    const auto conv = m.add_instruction(make_op("convolution"), x, weights(m, {2, 2, 1, 1}, 1));
    const auto factor = m.add_instruction(
        make_op("multibroadcast", {{"out_lens", conv->get_shape().lens()}}), weights(m, {1}, 0.1f));
    const auto scaled =
        m.add_instruction(make_op("mul"), m.add_instruction(make_op("relu"), conv), factor);
    const auto halved = m.add_instruction(
        make_op("multibroadcast", {{"out_lens", conv->get_shape().lens()}}), weights(m, {1}, 0.5f));
    m.add_return({m.add_instruction(make_op("add"), scaled, halved),
                  m.add_instruction(make_op("convolution"), scaled, weights(m, {2, 2, 1, 1}, 1))});
    quantize_fp16(p);
    EXPECT_EQ(type_at(p, "mul"), shape::float_type);
    EXPECT_EQ(type_at(p, "add"), shape::half_type) << "0.5 is a half";
}

// What the gpu target makes of them: exact, or with weights rounded to the data's type where there
// are few positions: 2 images of 6 x 6 here.
TEST(passes_data_type, float_weights_beside_halves) {
    for (const std::size_t positions : {0u, 71u, 72u}) {
        const bool rounds = positions == 72;
        program p;
        auto& m = *p.get_main_module();
        const auto x = m.add_parameter("x", shape{shape::half_type, {2, 8, 6, 6}});
        const auto wide = m.add_instruction(make_op("convert", {{"target_type", 2}}), x);
        const auto y =
            m.add_instruction(make_op("convolution"), wide, weights(m, {8, 8, 1, 1}, 0.1f));
        m.add_return({m.add_instruction(make_op("convert", {{"target_type", 1}}), y)});
        run_passes(p, {half_data{positions}, make_pass("dead_code_elimination")});
        const auto result = std::prev(m.end())->inputs().front();
        ASSERT_EQ(result->name(), "convolution");
        EXPECT_EQ(result->inputs()[0], x);
        EXPECT_EQ(result->get_shape().type(), shape::half_type);
        const auto w = result->inputs()[1];
        EXPECT_EQ(w->get_shape().type(), rounds ? shape::half_type : shape::float_type);
        EXPECT_EQ(w->name(), "@literal");
        if (rounds)
            EXPECT_EQ(w->eval().at<half>(), half(0.1f));
    }
}

// A bias of 4 in each of 8 channels, times what 0.1 loses as a half, is added to the sums.
TEST(passes_data_type, weights_rounded_beside_halves_are_made_up_for) {
    program p;
    auto& m = *p.get_main_module();
    const shape s{shape::half_type, {1, 8, 6, 6}};
    const auto bias =
        m.add_literal(literal{shape{shape::half_type, {8}}, std::vector<half>(8, half(4.0f))});
    const auto x = m.add_instruction(
        make_op("add"), m.add_parameter("x", s),
        m.add_instruction(make_op("broadcast", {{"axis", 1}, {"out_lens", s.lens()}}), bias));
    const auto wide = m.add_instruction(make_op("convert", {{"target_type", 2}}), x);
    const auto y = m.add_instruction(make_op("convolution"), wide, weights(m, {8, 8, 1, 1}, 0.1f));
    m.add_return({m.add_instruction(make_op("convert", {{"target_type", 1}}), y)});
    run_passes(p, {half_data{36}, make_pass("dead_code_elimination")});
    const auto rounded = std::prev(m.end())->inputs().front();
    ASSERT_EQ(rounded->name(), "convert");
    const auto added = rounded->inputs().front();
    ASSERT_EQ(added->name(), "add");
    EXPECT_EQ(added->get_shape().type(), shape::float_type);
    const auto numbers = channel_numbers(added->inputs()[1]);
    ASSERT_TRUE(numbers);
    for (auto v : *numbers)
        EXPECT_NEAR(v, 8 * 4 * (double(0.1f) - double(float(half(0.1f)))), 1e-9);
}

// Where sizes are open, who takes an image's sizes only is no reader.
TEST(passes_data_type, biases_stay_in_float_where_sizes_are_open) {
    program p;
    auto& m = *p.get_main_module();
    const shape s{shape::float_type, {{1, 4}, {3, 3}, {4, 9}, {4, 9}}};
    const auto y = m.add_instruction(make_op("convolution"), m.add_parameter("x", s),
                                     weights(m, {40, 3, 1, 1}, 0.1f));
    const auto bias =
        m.add_instruction(make_op("broadcast", {{"axis", 1}}), weights(m, {40}, 0.1f), y);
    m.add_return({m.add_instruction(make_op("relu"), m.add_instruction(make_op("add"), y, bias))});
    quantize_fp16(p);
    EXPECT_EQ(type_at(p, "convolution"), shape::half_type);
    EXPECT_EQ(type_at(p, "add"), shape::float_type);
    EXPECT_EQ(type_at(p, "relu"), shape::float_type);
}

// Below 32 channels, or of at most 2^21 elements, where nothing else reads the data.
TEST(passes_data_type, depthwise_convolutions_of_few_data_stay_in_float) {
    constexpr std::size_t few = 1 << 21;
    for (const std::size_t channels : {8u, 31u, 32u, 64u})
        for (const std::size_t columns : {std::size_t(6), few / 64, few / 64 + 1})
            for (const bool read_twice : {false, true}) {
                program p;
                auto& m = *p.get_main_module();
                const shape s{shape::float_type, {1, channels, 1, columns}};
                const auto first =
                    m.add_instruction(make_op("convolution"), m.add_parameter("x", s),
                                      weights(m, {channels, channels, 1, 1}, 0.1f));
                const auto x = m.add_instruction(make_op("relu"), first);
                const auto y = m.add_instruction(
                    make_op("convolution", {{"group", channels}, {"padding", {1, 1}}}), x,
                    weights(m, {channels, 1, 3, 3}, 0.1f));
                m.add_return(read_twice ? std::vector{y, x} : std::vector{y});
                quantize_fp16(p);
                std::vector<shape::type_t> types;
                for (const auto& ins : m)
                    if (ins.name() == "convolution")
                        types.push_back(ins.get_shape().type());
                const bool in_float = not read_twice and (channels < 32 or s.elements() <= few);
                EXPECT_EQ(types, (std::vector{shape::half_type,
                                              in_float ? shape::float_type : shape::half_type}))
                    << channels << ' ' << columns << ' ' << read_twice;
            }
}

// Sizes that change are as large as they may become.
TEST(passes_data_type, depthwise_convolutions_of_open_sizes_are_halves_where_data_may_be_many) {
    for (const std::size_t most : {std::size_t(100), std::size_t(1) << 40}) {
        program p;
        auto& m = *p.get_main_module();
        const shape s{shape::float_type, {{1, 4}, {48, 48}, {4, most}, {4, most}}};
        const auto x = m.add_instruction(make_op("relu"), m.add_parameter("x", s));
        m.add_return({m.add_instruction(make_op("convolution", {{"group", 48}}), x,
                                        weights(m, {48, 1, 3, 3}, 0.1f))});
        quantize_fp16(p);
        EXPECT_EQ(type_at(p, "convolution"), most == 100 ? shape::float_type : shape::half_type);
    }
}

// Heads: images made larger, then a map.
TEST(passes_data_type, heads_of_narrow_images_stay_in_float) {
    for (const std::size_t channels : {24u, 32u}) {
        program p;
        auto& m = *p.get_main_module();
        const auto x = m.add_parameter("x", shape{shape::float_type, {1, 48, 6, 6}});
        const auto larger = make_op("convolution_backwards", {{"stride", {2, 2}}});
        const auto first =
            m.add_instruction(make_op("convolution"), x, weights(m, {channels, 48, 1, 1}, 0.1f));
        const auto second = m.add_instruction(larger, m.add_instruction(make_op("relu"), first),
                                              weights(m, {channels, channels, 2, 2}, 0.1f));
        const auto map = m.add_instruction(larger, m.add_instruction(make_op("relu"), second),
                                           weights(m, {channels, 1, 2, 2}, 0.1f));
        m.add_return({m.add_instruction(make_op("sigmoid"), map)});
        quantize_fp16(p);
        std::vector<shape::type_t> types;
        for (const auto& ins : m)
            if (ins.name().starts_with("convolution"))
                types.push_back(ins.get_shape().type());
        const auto head = channels < 32 ? shape::float_type : shape::half_type;
        EXPECT_EQ(types, (std::vector{shape::half_type, head, head})) << channels;
    }
}

// The mean and the gated data are of the float sums themselves, or of what is stored for others.
TEST(passes_data_type, narrow_images_of_gates_are_not_rounded) {
    for (const bool read_by_products : {false, true}) {
        program p;
        auto& m = *p.get_main_module();
        const shape s{shape::float_type, {1, 8, 6, 6}};
        const auto product = [&](instruction_ref x) {
            return m.add_instruction(make_op("convolution"), x, weights(m, {8, 8, 1, 1}, 0.1f));
        };
        const auto bias = m.add_instruction(
            make_op("broadcast", {{"axis", 1}, {"out_lens", s.lens()}}), weights(m, {8}, 0.1f));
        const auto x = m.add_instruction(make_op("add"), product(m.add_parameter("x", s)), bias);
        auto gate = product(m.add_instruction(make_op("reduce_mean", {{"axes", {2, 3}}}), x));
        gate = m.add_instruction(make_op("multibroadcast", {{"out_lens", s.lens()}}), gate);
        const auto y = m.add_instruction(make_op("mul"), x, gate);
        m.add_return(read_by_products ? std::vector{y, product(x)} : std::vector{y});
        quantize_fp16(p);
        for (const auto& ins : m)
            if (ins.name() == "reduce_mean")
                EXPECT_EQ(ins.inputs()[0]->name(), read_by_products ? "convert" : "add");
    }
}

TEST(passes_data_type, small_weights_before_a_gate_stay_in_float) {
    program p;
    auto& m = *p.get_main_module();
    const shape s{shape::float_type, {1, 8, 6, 6}};
    const auto product = [&](instruction_ref x) {
        return m.add_instruction(make_op("convolution"), x, weights(m, {8, 8, 1, 1}, 0.1f));
    };
    const auto before = product(m.add_parameter("x", s));
    auto gate = product(m.add_instruction(make_op("reduce_mean", {{"axes", {2, 3}}}), before));
    gate = m.add_instruction(make_op("multibroadcast", {{"out_lens", s.lens()}}), gate);
    m.add_return({product(m.add_instruction(make_op("mul"), before, gate))});
    quantize_fp16(p);
    std::vector<shape::type_t> types;
    for (const auto& ins : m)
        if (ins.name() == "convolution") {
            types.push_back(ins.inputs()[1]->get_shape().type());
            const auto x = ins.inputs()[0];
            if (types.size() == 1) {
                EXPECT_EQ(x->name(), "convert");
                EXPECT_EQ(x->inputs().front()->get_shape().type(), shape::half_type);
            }
        }
    EXPECT_EQ(types, (std::vector{shape::float_type, shape::float_type, shape::half_type}));
}
