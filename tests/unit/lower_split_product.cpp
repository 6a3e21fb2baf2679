// SPDX-License-Identifier: MIT
// Layers large enough for matrix tiles: that they go there where the processor has them, and what
// they give, alone and with what follows them.
#include "lower_support.hpp"

#include "base/parallel.hpp"
#include "targets/cpu/kernels/kernel_table.hpp"

using namespace lower_check;

namespace {

void expect_tiles(const std::string& name, bool wanted) {
    if (cpu::kernels().amx.multiply != nullptr) {
        EXPECT_EQ(name == "split_product amx", wanted) << name;
    }
}

std::string convolve(const lens& x, const lens& w, std::size_t stride, std::size_t pad) {
    const auto op =
        make_op("convolution", {{"stride", lens{stride, stride}}, {"padding", lens{pad, pad}}});
    return check_lowered(op, {channels_last(noise(of(x))), noise(of(w), 3)}, {.constants = {1}});
}

TEST(lower_split_product, layers) {
    const thread_count_guard one(1);
    const check_options constant{.constants = {1}};
    // Ten million multiplications for each thread.
    expect_tiles(
        check_lowered(make_op("dot"), {noise(of({200, 260})), noise(of({260, 210}), 3)}, constant),
        true);
    expect_tiles(check_lowered(make_op("dot"),
                               {sliced(noise(of({200, 260}))), noise(of({260, 210}), 3)}, constant),
                 true);
    expect_tiles(
        check_lowered(make_op("dot"), {noise(of({40, 260})), noise(of({260, 210}), 3)}, constant),
        false);
    expect_tiles(convolve({1, 64, 30, 31}, {80, 64, 3, 3}, 2, 1), true);
    expect_tiles(convolve({2, 96, 20, 20}, {200, 96, 1, 1}, 1, 0), true);
    expect_tiles(convolve({1, 130, 40, 40}, {130, 130, 1, 1}, 2, 0), false);
}

TEST(lower_split_product, exact_arithmetic_is_asked_for) {
    program p;
    auto* m = p.get_main_module();
    const auto x = m->add_parameter("x", of({256, 300}));
    const auto w = noise(of({300, 300}), 3);
    m->add_return(
        {m->add_instruction(make_op("dot"), x, m->add_literal(literal{w.get_shape(), w.data()}))});
    auto on_ref = p, on_cpu = p;
    on_ref.compile(make_target("ref"));
    compile_options options;
    options.fast_math = false;
    on_cpu.compile(make_target("cpu"), options);
    parameter_map in{{"x", noise(of({256, 300}))}};
    compare(on_cpu.eval(in).front(), on_ref.eval(in).front(), 2e-6);
}

// A bias, an activation and a residual after a convolution, beside another in a concat.
TEST(lower_split_product, part_of_a_concat) {
    program p;
    auto* m = p.get_main_module();
    const auto x = m->add_parameter("x", of({1, 128, 24, 24}));
    const auto branch = [&](std::size_t outputs, unsigned seed) {
        const auto w = noise(of({outputs, 128, 1, 1}), seed), b = noise(of({outputs}), seed + 1);
        auto y = m->add_instruction(make_op("convolution"), x,
                                    m->add_literal(literal{w.get_shape(), w.data()}));
        const auto bias = m->add_instruction(
            make_op("broadcast", {{"axis", 1}, {"out_lens", y->get_shape().lens()}}),
            m->add_literal(literal{b.get_shape(), b.data()}));
        y = m->add_instruction(make_op("add"), y, bias);
        return m->add_instruction(make_op("relu"), y);
    };
    const auto all =
        m->add_instruction(make_op("concat", {{"axis", 1}}), branch(300, 3), branch(290, 5));
    m->add_return({all});
    auto on_ref = p, on_cpu = p;
    on_ref.compile(make_target("ref"));
    on_cpu.compile(make_target("cpu"));
    parameter_map in{{"x", noise(of({1, 128, 24, 24}))}};
    compare(on_cpu.eval(in).front(), on_ref.eval(in).front(), 2e-6);
}

} // namespace
