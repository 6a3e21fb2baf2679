// SPDX-License-Identifier: MIT
// Convolutions of the gpu target on the host device: every implementation and each of its tile
// forms against the operator's reference, in several layouts, with and without an epilogue.
#include "lower_support.hpp"

#include "targets/gpu/lowering.hpp"

#include <migraphx/program.hpp>
#include <migraphx/register_target.hpp>

#include <gtest/gtest.h>
#include <sstream>

using namespace lower_check;

namespace {

struct conv_case {
    const char* op = "convolution";
    lens x, w;
    std::vector<std::size_t> padding, stride, dilation;
    int group = 1;
    shape::type_t type = shape::half_type;
};

// Which epilogue follows.
enum class ending { none, bias_relu, bias_residual_clip, unusual };

struct made_case {
    gpu::device_problem p;
    std::vector<argument> inputs;
    argument wanted;
    module body;
};

argument last(const argument& a, bool channels_last_) {
    return channels_last_ ? lower_check::channels_last(a) : a;
}

// The epilogue's module over elements of this type, reading `operands` more.
module body_of(ending e, shape::type_t t) {
    module m;
    const shape one{t};
    const auto x0 = m.add_parameter("x0", one);
    const auto x1 = m.add_parameter("x1", one);
    auto r = m.add_instruction(make_op("add"), x0, x1);
    if (e == ending::bias_relu)
        r = m.add_instruction(make_op("relu"), r);
    else if (e == ending::bias_residual_clip) {
        r = m.add_instruction(make_op("add"), r, m.add_parameter("x2", one));
        const auto number = [&](float v) { return m.add_literal(literal{one, {v}}); };
        r = m.add_instruction(make_op("clip"), r, number(0), number(6));
    } else {
        r = m.add_instruction(
            make_op("mul"), r,
            m.add_instruction(make_op("tanh"), m.add_instruction(make_op("exp"), x0)));
    }
    m.add_return({r});
    return m;
}

// Not copied: the problem refers to the body.
std::unique_ptr<made_case> make_case(const conv_case& c, bool last_in, ending e, bool constant) {
    auto r = std::make_unique<made_case>();
    auto x = last(noise({c.type, c.x}, 3), last_in);
    auto w = noise({c.type, c.w}, 5);
    if (c.type == shape::int8_type) {
        x = last(ramp({c.type, c.x}, 1, -30), last_in);
        w = ramp({c.type, c.w}, 1, -20);
    }
    operation op = make_op(c.op, {{"padding", c.padding},
                                  {"stride", c.stride},
                                  {"dilation", c.dilation},
                                  {"group", c.group}});
    r->inputs = {x, w};
    auto y = op.compute_shape(to_shapes(r->inputs));
    if (e != ending::none) {
        r->body = body_of(e, y.type());
        const auto channels = y.lens()[1];
        lens strides(y.ndim(), 0);
        strides[1] = 1;
        const auto values = noise({y.type(), {channels}}, 7);
        argument bias(shape{y.type(), y.lens(), strides});
        std::memcpy(bias.data(), values.data(), values.get_shape().bytes());
        r->inputs.push_back(bias);
        if (e == ending::bias_residual_clip)
            r->inputs.push_back(last(noise({y.type(), y.lens()}, 9), last_in));
        op = make_op(std::string("gpu::") + c.op, op.to_value());
        r->p.modules = {&r->body};
    }
    auto& p = r->p;
    p.on = gpu::host_device();
    p.op = op.normalized(to_shapes(r->inputs));
    p.inputs = to_shapes(r->inputs);
    p.output = y;
    p.weights = &weight_store::instance();
    p.constants.resize(p.inputs.size());
    if (constant)
        p.constants[1] = w;
    r->wanted = p.modules.empty() ? p.op.compute(y, r->inputs)
                                  : p.op.compute(y, r->inputs, p.modules,
                                                 [](auto&&...) { return std::vector<argument>{}; });
    return r;
}

argument run_on_device(const made_case& c, const kernel& k) {
    auto& on = *c.p.on;
    std::vector<std::shared_ptr<char>> memory;
    const auto put = [&](std::size_t bytes, const void* from) {
        memory.push_back(on.allocate(bytes + 256));
        if (from != nullptr)
            on.copy(memory.back().get(), from, bytes, gpu::copy_kind::to_device, nullptr);
        return memory.back().get();
    };
    std::vector<char*> in;
    for (std::size_t i = 0; i < c.inputs.size(); i++) {
        const auto& s = c.inputs[i].get_shape();
        in.push_back(k.reads_input(i) ? put(s.element_space() * s.type_size(), c.inputs[i].data())
                                      : nullptr);
    }
    const auto bytes = c.p.output.bytes();
    char* out = put(bytes, nullptr);
    on.fill(out, 0x5a, bytes + 256, nullptr);
    k.run({in.data(), &out, put(k.scratch_bytes(), nullptr), nullptr});
    argument result(c.p.output);
    on.copy(result.data(), out, bytes, gpu::copy_kind::to_host, nullptr);
    std::vector<char> behind(256);
    on.copy(behind.data(), out + bytes, 256, gpu::copy_kind::to_host, nullptr);
    EXPECT_EQ(behind, std::vector<char>(256, char(0x5a))) << "written behind the result";
    return result;
}

// Names of the implementations that took it. `variants`: each tile form as well.
std::set<std::string> check(const conv_case& c, ending e = ending::none, bool last_in = true,
                            bool constant = true, int variants = 0) {
    std::set<std::string> took;
    const auto made = make_case(c, last_in, e, constant);
    const double tolerance = c.type == shape::half_type   ? 4e-3
                             : c.type == shape::bf16_type ? 3e-2
                                                          : 2e-5;
    for (const auto& choice : gpu::implementations_of(made->p.op.name()))
        for (int variant = 0; variant <= variants; variant++) {
            std::ostringstream what;
            what << made->p.op << ' ' << made->p.inputs[0] << ' ' << choice.name << " variant "
                 << variant;
            SCOPED_TRACE(what.str());
            auto p = made->p;
            p.variant = variant;
            const auto k = choice.make(p);
            if (not k)
                continue;
            took.insert(choice.name);
            compare(run_on_device(*made, *k.k), made->wanted, tolerance);
        }
    return took;
}

const conv_case dense{.x = {2, 16, 9, 7},
                      .w = {24, 16, 3, 3},
                      .padding = {1, 1},
                      .stride = {1, 1},
                      .dilation = {1, 1}};

TEST(gpu_convolution, every_form_of_tiles) {
    for (auto t : {shape::half_type, shape::float_type}) {
        auto c = dense;
        c.type = t;
        const auto took = check(c, ending::none, true, true, 3);
        EXPECT_TRUE(took.contains("implicit gemm"));
        EXPECT_TRUE(took.contains("library"));
    }
}

TEST(gpu_convolution, layouts_and_types) {
    for (auto t : {shape::half_type, shape::bf16_type, shape::float_type, shape::double_type})
        for (bool last_in : {false, true}) {
            auto c = dense;
            c.type = t;
            EXPECT_TRUE(check(c, ending::none, last_in).contains("implicit gemm"));
        }
}

TEST(gpu_convolution, epilogues) {
    for (auto t : {shape::half_type, shape::float_type})
        for (auto e : {ending::bias_relu, ending::bias_residual_clip, ending::unusual})
            for (bool last_in : {false, true}) {
                auto c = dense;
                c.type = t;
                const auto took = check(c, e, last_in, true, 1);
                EXPECT_TRUE(took.contains("implicit gemm"));
                EXPECT_TRUE(took.contains("library"));
            }
}

TEST(gpu_convolution, few_channels_strides_uneven_padding) {
    check({.x = {1, 3, 13, 11},
           .w = {5, 3, 5, 3},
           .padding = {2, 0, 1, 3},
           .stride = {2, 1},
           .dilation = {1, 2}});
    check({.x = {1, 3, 13, 11},
           .w = {5, 3, 5, 3},
           .padding = {2, 0, 1, 3},
           .stride = {2, 1},
           .dilation = {1, 2},
           .type = shape::float_type},
          ending::bias_relu, false);
}

// The pass and its operator's kernel, within programs: each gives what it gave before.
TEST(gpu_convolution, few_channels_are_folded_to_eight) {
    const auto folds = [](const conv_case& c, bool from_float = true) {
        program p;
        auto& m = *p.get_main_module();
        auto x = m.add_parameter("x", {from_float ? shape::float_type : c.type, c.x});
        if (from_float)
            x = m.add_instruction(make_op("convert", {{"target_type", c.type}}), x);
        const auto w = m.add_literal(literal::adopt(noise({c.type, c.w}, 5)));
        const auto op = make_op("convolution", {{"padding", c.padding},
                                                {"stride", c.stride},
                                                {"dilation", c.dilation},
                                                {"group", c.group}});
        m.add_return({m.add_instruction(op, x, w)});
        auto on_ref = p;
        on_ref.compile(make_target("ref"));
        const parameter_map in{{"x", noise({m.get_parameter("x")->get_shape().type(), c.x}, 3)}};
        const auto wanted = on_ref.eval(in).back();
        compile_options options;
        options.offload_copy = true;
        p.compile(make_target("null"), options);
        std::ostringstream text;
        text << p;
        compare(p.eval(in).back(), wanted, c.type == shape::bf16_type ? 3e-2 : 4e-3);
        return text.str().find("gpu::fold_channels") != std::string::npos;
    };
    // First layers: windows of 7 and 3 with stride 2, patches, stride 1.
    for (auto t : {shape::half_type, shape::bf16_type})
        for (bool from_float : {false, true})
            EXPECT_TRUE(folds({.x = {2, 3, 14, 14},
                               .w = {16, 3, 7, 7},
                               .padding = {3, 3},
                               .stride = {2, 2},
                               .dilation = {1, 1},
                               .type = t},
                              from_float));
    EXPECT_TRUE(folds({.x = {1, 3, 9, 9},
                       .w = {5, 3, 3, 3},
                       .padding = {1, 1},
                       .stride = {2, 2},
                       .dilation = {1, 1}}));
    EXPECT_TRUE(folds({.x = {1, 3, 16, 16},
                       .w = {20, 3, 8, 8},
                       .padding = {0, 0},
                       .stride = {8, 8},
                       .dilation = {1, 1}}));
    EXPECT_TRUE(folds({.x = {1, 3, 6, 7},
                       .w = {8, 3, 3, 3},
                       .padding = {1, 1},
                       .stride = {1, 1},
                       .dilation = {1, 1}}));
    // Odd lengths and paddings, windows that leave columns out, dilation, five channels.
    for (std::size_t before = 0; before < 4; before++)
        for (std::size_t length : {9, 10, 11, 12})
            EXPECT_TRUE(folds({.x = {1, 2, 5, length},
                               .w = {4, 2, 2, 4},
                               .padding = {0, before, 1, 3 - before},
                               .stride = {1, 4},
                               .dilation = {1, 1}}));
    EXPECT_TRUE(folds({.x = {1, 5, 9, 9},
                       .w = {4, 5, 3, 3},
                       .padding = {2, 2},
                       .stride = {2, 2},
                       .dilation = {2, 2}}));
    // One and three axes.
    EXPECT_TRUE(
        folds({.x = {2, 1, 50}, .w = {8, 1, 17}, .padding = {3}, .stride = {8}, .dilation = {1}}));
    EXPECT_TRUE(folds({.x = {1, 3, 4, 5, 6},
                       .w = {8, 3, 2, 3, 3},
                       .padding = {0, 1, 1},
                       .stride = {1, 2, 2},
                       .dilation = {1, 1, 1}}));
    // Mostly zeros, groups, floats.
    const conv_case one{.x = {1, 1, 9, 9},
                        .w = {5, 1, 3, 3},
                        .padding = {1, 1},
                        .stride = {1, 1},
                        .dilation = {1, 1}};
    EXPECT_FALSE(folds(one));
    EXPECT_FALSE(folds({.x = {1, 4, 9, 9},
                        .w = {4, 2, 3, 3},
                        .padding = {1, 1},
                        .stride = {2, 2},
                        .dilation = {1, 1},
                        .group = 2}));
    EXPECT_FALSE(folds({.x = {1, 3, 9, 9},
                        .w = {5, 3, 3, 3},
                        .padding = {1, 1},
                        .stride = {2, 2},
                        .dilation = {1, 1},
                        .type = shape::float_type},
                       false));
}

TEST(gpu_convolution, groups) {
    check({.x = {1, 32, 6, 6},
           .w = {48, 8, 3, 3},
           .padding = {1, 1},
           .stride = {1, 1},
           .dilation = {1, 1},
           .group = 4},
          ending::bias_relu);
    check({.x = {1, 6, 6, 6},
           .w = {9, 2, 3, 3},
           .padding = {1, 1},
           .stride = {1, 1},
           .dilation = {1, 1},
           .group = 3,
           .type = shape::float_type});
}

TEST(gpu_convolution, one_and_three_axes) {
    check({.x = {2, 8, 20}, .w = {8, 8, 4}, .padding = {1, 2}, .stride = {3}, .dilation = {2}},
          ending::bias_residual_clip);
    check({.x = {1, 8, 4, 5, 6},
           .w = {8, 8, 2, 3, 1},
           .padding = {1, 0, 0},
           .stride = {1, 2, 1},
           .dilation = {1, 1, 1}},
          ending::bias_relu);
}

TEST(gpu_convolution, many_tiles) {
    check({.x = {1, 40, 20, 16},
           .w = {136, 40, 1, 1},
           .padding = {0, 0},
           .stride = {1, 1},
           .dilation = {1, 1}},
          ending::bias_relu, true, true, 3);
}

TEST(gpu_convolution, weights_at_run_time) {
    for (auto t : {shape::half_type, shape::float_type}) {
        auto c = dense;
        c.type = t;
        EXPECT_TRUE(check(c, ending::bias_relu, true, false).contains("implicit gemm"));
    }
}

TEST(gpu_convolution, long_sums_are_split) {
    // One tile of positions and a device of many multiprocessors.
    const auto took = check({.x = {1, 256, 3, 3},
                             .w = {16, 256, 3, 3},
                             .padding = {1, 1},
                             .stride = {1, 1},
                             .dilation = {1, 1}},
                            ending::bias_residual_clip);
    EXPECT_TRUE(took.contains("implicit gemm"));
}

// Channels that come in pieces of 16 bytes, others; strides, groups, parts of k, an epilogue.
TEST(gpu_convolution, bytes_on_matrix_units) {
    const conv_case bytes{.op = "quant_convolution",
                          .x = {2, 32, 9, 7},
                          .w = {24, 32, 3, 3},
                          .padding = {1, 1},
                          .stride = {1, 1},
                          .dilation = {1, 1},
                          .type = shape::int8_type};
    EXPECT_TRUE(check(bytes, ending::none, true, true, 3).contains("implicit gemm"));
    EXPECT_TRUE(check(bytes, ending::none, false, false).contains("implicit gemm"));
    EXPECT_TRUE(check(bytes, ending::bias_relu, true, true).contains("implicit gemm"));
    auto c = bytes;
    c.x = {1, 20, 13, 11};
    c.w = {40, 10, 3, 2};
    c.stride = {2, 1};
    c.padding = {2, 0, 1, 3};
    c.group = 2;
    check(c);
    c.x = {1, 512, 3, 3};
    c.w = {16, 512, 3, 3};
    c.stride = {1, 1};
    c.padding = {1, 1};
    c.group = 1;
    check(c);
}

TEST(gpu_convolution, integers) {
    check({.op = "quant_convolution",
           .x = {1, 12, 6, 5},
           .w = {8, 12, 3, 3},
           .padding = {1, 1},
           .stride = {1, 1},
           .dilation = {1, 1},
           .type = shape::int8_type});
    check({.x = {1, 3, 6, 5},
           .w = {8, 3, 3, 3},
           .padding = {1, 1},
           .stride = {1, 1},
           .dilation = {1, 1},
           .type = shape::int32_type});
}

TEST(gpu_convolution, transposed) {
    for (auto t : {shape::half_type, shape::float_type})
        for (bool last_in : {false, true}) {
            check({.op = "convolution_backwards",
                   .x = {2, 16, 5, 4},
                   .w = {16, 6, 4, 3},
                   .padding = {1, 1},
                   .stride = {2, 2},
                   .dilation = {1, 1},
                   .type = t},
                  ending::bias_relu, last_in);
            check({.op = "convolution_backwards",
                   .x = {1, 8, 5},
                   .w = {8, 3, 3},
                   .padding = {1},
                   .stride = {3},
                   .dilation = {2},
                   .group = 2,
                   .type = t},
                  ending::none, last_in);
        }
}

TEST(gpu_convolution, depthwise) {
    for (auto t : {shape::half_type, shape::float_type})
        for (std::size_t channels : {16, 12, 7})
            for (std::size_t stride : {1, 2}) {
                const auto took =
                    check({.x = {2, channels, 9, 13},
                           .w = {channels, 1, 3, 3},
                           .padding = {1, 1},
                           .stride = {stride, stride},
                           .dilation = {1, 1},
                           .group = int(channels),
                           .type = t},
                          ending::bias_residual_clip, true, true, channels == 16 ? 3 : 0);
                EXPECT_TRUE(took.contains("depthwise"));
            }
    EXPECT_TRUE(check({.x = {1, 8, 17},
                       .w = {8, 1, 5},
                       .padding = {4},
                       .stride = {1},
                       .dilation = {2},
                       .group = 8})
                    .contains("depthwise"));
    EXPECT_TRUE(check({.x = {1, 8, 9, 9},
                       .w = {8, 1, 5, 4},
                       .padding = {2, 1},
                       .stride = {1, 3},
                       .dilation = {2, 1},
                       .group = 8},
                      ending::unusual)
                    .contains("depthwise"));
}

} // namespace
