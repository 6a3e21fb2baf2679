// SPDX-License-Identifier: MIT
#include <migraphx/generate.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/op/pooling.hpp>
#include <migraphx/program.hpp>
#include <migraphx/register_target.hpp>

#include "ops/tensor.hpp"
#include "passes/channel_numbers.hpp"
#include "passes/flat_images.hpp"

#include <gtest/gtest.h>

#include <vector>

using namespace migraphx;

namespace {

constexpr std::size_t channels = 4, size = 17;

struct network {
    program p;
    module& m = *p.get_main_module();
    instruction_ref x = m.add_parameter("x", shape{shape::float_type, {2, channels, size, size}});
    std::vector<instruction_ref> images;
    unsigned long seed = 0;

    instruction_ref constant(std::vector<std::size_t> lens) {
        const auto a = generate_argument(shape{shape::float_type, std::move(lens)}, ++seed,
                                         random_mode::random);
        return m.add_literal(literal{a.get_shape(), a.data()});
    }
    instruction_ref add(const operation& op, const std::vector<instruction_ref>& in) {
        images.push_back(m.add_instruction(op, in));
        return images.back();
    }
    instruction_ref convolved(instruction_ref in, std::size_t window, std::size_t groups) {
        const auto n = in->get_shape().lens()[1];
        return add(
            make_op("convolution", {{"group", groups}, {"padding", {window / 2, window / 2}}}),
            {in, constant({n, n / groups, window, window})});
    }
    instruction_ref biased(instruction_ref in) {
        const auto& lens = in->get_shape().lens();
        const auto bias = m.add_instruction(make_op("broadcast", {{"axis", 1}, {"out_lens", lens}}),
                                            constant({lens[1]}));
        return add(make_op("add"), {in, bias});
    }
    instruction_ref stretched(instruction_ref in, const std::vector<std::size_t>& lens) {
        return m.add_instruction(make_op("multibroadcast", {{"out_lens", lens}}), in);
    }
};

} // namespace

// What ref computes of inputs of 0, in the middle.
TEST(passes_flat_images, are_what_inputs_of_zero_give) {
    network n;
    const auto a = n.biased(n.convolved(n.x, 1, 1));
    const auto b = n.add(make_op("relu"), {n.biased(n.convolved(a, 3, 2))});
    const auto c = n.biased(n.convolved(b, 3, channels));
    const auto d = n.add(make_op("concat", {{"axis", 1}}), {c, a});
    const auto e = n.add(make_op("pooling", {{"mode", op::pooling_mode::average},
                                             {"lengths", {3, 3}},
                                             {"stride", {1, 1}},
                                             {"padding", {1, 1}}}),
                         {d});
    const auto mean = n.m.add_instruction(make_op("reduce_mean", {{"axes", {2, 3}}}), n.x);
    const auto gate = n.m.add_instruction(make_op("sigmoid"), n.biased(mean));
    const auto f = n.add(make_op("mul"), {c, n.stretched(gate, c->get_shape().lens())});
    n.add(make_op("clip"), {f, n.stretched(n.constant({1}), f->get_shape().lens()),
                            n.stretched(n.constant({1}), f->get_shape().lens())});
    n.convolved(e, 1, 2);
    const auto images = n.images;
    n.m.add_return(images);
    const auto flat = flat_images(n.m);
    auto p = n.p;
    p.compile(make_target("ref"));
    const auto results = p.eval({{"x", fill_argument(n.x->get_shape(), 0)}});
    ASSERT_EQ(results.size(), images.size());
    for (std::size_t i = 0; i < images.size(); i++) {
        ASSERT_TRUE(flat.contains(images[i])) << i << ' ' << images[i]->name();
        const auto& numbers = flat.at(images[i]);
        const auto& s = results[i].get_shape();
        const auto values = load<double>(results[i]);
        ASSERT_EQ(numbers.size(), s.lens()[1]) << i;
        const auto positions = s.lens()[2] * s.lens()[3];
        for (std::size_t k = 0; k < numbers.size(); k++)
            EXPECT_NEAR(values[k * positions + positions / 2], numbers[k], 1e-5)
                << i << ' ' << images[i]->name();
    }
}

TEST(passes_flat_images, are_not_known_of_what_mixes_positions_and_channels) {
    network n;
    const auto full = n.constant({2, channels, size, size});
    const auto rows = n.stretched(n.constant({size}), n.x->get_shape().lens());
    const auto moved = n.add(make_op("transpose", {{"permutation", {0, 2, 1, 3}}}), {n.x});
    const auto sum = n.add(make_op("add"), {n.x, full});
    const auto ramp = n.add(make_op("add"), {n.x, rows});
    n.m.add_return({moved, sum, ramp});
    const auto flat = flat_images(n.m);
    EXPECT_TRUE(flat.contains(n.x));
    EXPECT_FALSE(flat.contains(moved) or flat.contains(sum) or flat.contains(ramp));
}

// The sum of what each weight loses times its input, of the right group.
TEST(passes_flat_images, weights_lose_what_rounding_takes) {
    const shape s{shape::float_type, {2, 2, 1, 2}}, rounded{shape::half_type, s.lens()};
    const argument w{s}, r{rounded};
    store(w, std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8});
    store(r, std::vector<double>{1.5, 2, 3, 4, 5, 6, 7, 7});
    EXPECT_EQ(flat_sums(w, 2, {1, 10, 100, 1000}), (flat_image{73, 15 * 1000 + 1100}));
    EXPECT_EQ(lost_by_rounding(w, r, 2, {1, 10, 100, 1000}), (flat_image{-0.5, 1000}));
    EXPECT_EQ(flat_sums(w, 1, {1, 10}), (flat_image{73, 161}));
}

// Added to what is added anyway; with several readers there is one more addition for all.
TEST(passes_flat_images, numbers_are_added_to_channels) {
    const channel_list numbers{1, -2, 3, 0.5};
    for (const bool read_twice : {false, true}) {
        network n;
        const auto y = n.convolved(n.x, 1, 1);
        const auto z = n.biased(y);
        n.m.add_return(read_twice ? std::vector{z, n.add(make_op("relu"), {y})} : std::vector{z});
        auto before = n.p;
        const auto count = n.m.size();
        add_to_channels(n.m, y, numbers);
        if (not read_twice) {
            EXPECT_EQ(z->inputs()[0], y) << "no addition more";
        } else {
            EXPECT_GT(n.m.size(), count);
        }
        before.compile(make_target("ref"));
        n.p.compile(make_target("ref"));
        const parameter_map in{{"x", generate_argument(n.x->get_shape(), 9, random_mode::random)}};
        const auto wanted = load<double>(before.eval(in).front());
        const auto got = load<double>(n.p.eval(in).front());
        for (std::size_t i = 0; i < got.size(); i++)
            EXPECT_NEAR(got[i], wanted[i] + numbers[i / (size * size) % channels], 1e-5);
    }
}

// Products of stretched constants, of any size.
TEST(passes_flat_images, computed_constants_of_channels_are_folded) {
    network n;
    const auto lens = n.x->get_shape().lens();
    const auto bias = n.m.add_instruction(make_op("broadcast", {{"axis", 1}, {"out_lens", lens}}),
                                          n.constant({channels}));
    const auto scale = n.stretched(n.constant({1}), lens);
    const auto product = n.m.add_instruction(make_op("mul"), bias, scale);
    const auto sum = n.m.add_instruction(make_op("add"), n.x, product);
    n.m.add_return({sum});
    const auto wanted = channel_numbers(product);
    ASSERT_TRUE(wanted);
    EXPECT_EQ(wanted->size(), channels);
    fold_channel_constants(n.m);
    const auto folded = sum->inputs()[1];
    EXPECT_EQ(folded->name(), "broadcast");
    EXPECT_EQ(stretched_source(folded)->name(), "@literal");
    EXPECT_EQ(channel_numbers(folded), wanted);
    EXPECT_FALSE(channel_numbers(n.m.add_literal(
        literal{shape{shape::float_type, {1, 1, size, 1}}, std::vector<float>(size)})));
}
