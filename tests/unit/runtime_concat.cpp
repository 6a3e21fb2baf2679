// SPDX-License-Identifier: MIT
// Concats without copies: which values are placed in a concat's result, and that programs compute
// the same when they are.
#include <migraphx/generate.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>
#include <migraphx/operation.hpp>
#include <migraphx/program.hpp>
#include <migraphx/register_target.hpp>
#include <migraphx/verify_args.hpp>

#include "ir/text_parser.hpp"
#include "runtime/concat_slices.hpp"
#include "targets/cpu/kernels/kernel_table.hpp"

#include <gtest/gtest.h>

#include <sstream>

using namespace migraphx;

namespace {

// What is placed where, as "operator at offset in concat of N": any kernel writes and reads parts.
std::vector<std::string> placed(const std::string& text) {
    const auto p = parse_text(text);
    const auto* m = p.get_main_module();
    const auto all = [](auto...) { return true; };
    const auto slices = find_concat_slices(*m, {all, all});
    std::vector<std::string> result;
    for (auto ins = m->begin(); ins != m->end(); ++ins)
        if (const auto it = slices.find(ins); it != slices.end())
            result.push_back(ins->name() + " at " + std::to_string(it->second.offset) + " of " +
                             std::to_string(it->second.whole->get_shape().elements()));
    return result;
}

using list = std::vector<std::string>;

TEST(concat_slices, results_of_steps_are_placed) {
    EXPECT_EQ(placed(R"(
x = @param:x -> float_type, {2, 3}
a = neg(x)
b = exp(x)
c = concat[axis=1](a, b)
@return(c)
)"),
              (list{"neg at 0 of 12", "exp at 12 of 12"}));
}

TEST(concat_slices, parameters_constants_views_and_results_are_copied) {
    EXPECT_EQ(placed(R"(
x = @param:x -> float_type, {2, 3}
k = @literal:random(1) -> float_type, {2, 3}
a = neg(x)
v = slice[axes={0},starts={0},ends={1}](a)
r = abs(x)
b = exp(x)
c = concat[axis=0](x, k, v, r, b)
@return(c, r)
)"),
              (list{"exp at 84 of 27"}));
}

TEST(concat_slices, a_small_part_is_copied_with_the_others_unless_it_is_dense) {
    const auto text = [](int axis) {
        return "x = @param:x -> float_type, {2, 3}\na = neg(x)\nc = concat[axis=" +
               std::to_string(axis) + "](x, a)\n@return(c)\n";
    };
    EXPECT_EQ(placed(text(0)), (list{"neg at 24 of 12"}));
    EXPECT_EQ(placed(text(1)), list{});
}

TEST(concat_slices, an_input_used_twice_is_placed_once) {
    EXPECT_EQ(placed(R"(
x = @param:x -> float_type, {2, 3}
a = neg(x)
c = concat[axis=0](a, a)
@return(c)
)"),
              (list{"neg at 0 of 12"}));
}

TEST(concat_slices, the_last_of_two_concats_gets_the_value) {
    EXPECT_EQ(placed(R"(
x = @param:x -> float_type, {2, 3}
a = neg(x)
b = exp(x)
c = concat[axis=1](a, b)
d = concat[axis=1](b, a)
e = add(c, d)
@return(e)
)"),
              (list{"neg at 12 of 12", "exp at 0 of 12"}));
}

TEST(concat_slices, concats_of_concats) {
    EXPECT_EQ(placed(R"(
x = @param:x -> float_type, {2, 3}
a = neg(x)
b = exp(x)
c = concat[axis=1](a, b)
d = abs(c)
e = concat[axis=1](d, c)
@return(e)
)"),
              (list{"neg at 0 of 12", "exp at 12 of 12", "concat at 24 of 24", "abs at 0 of 24"}));
}

TEST(concat_slices, views_see_dense_parts_only) {
    const auto text = [](int axis) {
        return "x = @param:x -> float_type, {2, 3}\na = neg(x)\nb = exp(x)\n"
               "c = concat[axis=" +
               std::to_string(axis) +
               "](a, b)\nv = transpose[permutation={1, 0}](b)\n"
               "w = abs(v)\n@return(c, w)\n";
    };
    EXPECT_EQ(placed(text(0)), (list{"neg at 0 of 12", "exp at 24 of 12"}));
    EXPECT_EQ(placed(text(1)), list{});
}

// Runs on cpu and by reference; returns the concat steps that are left.
int concat_steps(const std::string& text) {
    auto ours = parse_text(text), reference = parse_text(text);
    ours.compile(make_target("cpu"), {});
    reference.compile(make_target("ref"), {});
    parameter_map params;
    for (const auto& [name, s] : ours.get_parameter_shapes())
        params[name] = generate_argument(s, params.size() + 1);
    for (int run = 0; run < 2; ++run) {
        const auto got = ours.eval(params), want = reference.eval(params);
        EXPECT_EQ(got.size(), want.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
            EXPECT_EQ(got[i].get_shape(), want[i].get_shape());
            EXPECT_TRUE(verify_args_with_tolerance("concat", got[i], verify::expected{want[i]}));
        }
    }
    std::ostringstream report;
    ours.perf_report(report, 1, params);
    int steps = 0;
    std::string line;
    std::istringstream lines(report.str());
    while (std::getline(lines, line))
        steps += line.starts_with("concat[") ? 1 : 0;
    return steps;
}

TEST(concat_slices, dense_block_runs_without_concats) {
    EXPECT_EQ(concat_steps(R"(
x = @param:x -> float_type, {1, 16, 28, 28}
w = @literal:random(1) -> float_type, {32, 16, 3, 3}
f0 = convolution[padding={1, 1}](x, w)
r0 = relu(f0)
w1 = @literal:random(2) -> float_type, {32, 32, 3, 3}
f1 = convolution[padding={1, 1}](r0, w1)
c1 = concat[axis=1](f0, f1)
r1 = relu(c1)
w2 = @literal:random(3) -> float_type, {32, 64, 3, 3}
f2 = convolution[padding={1, 1}](r1, w2)
c2 = concat[axis=1](f0, f1, f2)
r2 = relu(c2)
p2 = pooling[mode=average,padding={0, 0},stride={2, 2},lengths={2, 2}](r2)
@return(p2)
)"),
              0);
}

TEST(concat_slices, what_is_read_before_and_after_keeps_its_values) {
    EXPECT_EQ(concat_steps(R"(
x = @param:x -> float_type, {4, 3}
a = neg(x)
b = exp(a)
c = concat[axis=0](a, b)
d = relu(c)
e = add(a, b)
f = concat[axis=0](d, e, e)
@return(f, e)
)"),
              1);
}

TEST(concat_slices, the_result_of_the_program_is_a_concat) {
    EXPECT_EQ(concat_steps(R"(
x = @param:x -> float_type, {4, 3}
a = neg(x)
b = exp(a)
c = concat[axis=1](a, b, a)
@return(c)
)"),
              1);
    EXPECT_EQ(concat_steps(R"(
x = @param:x -> float_type, {4, 3}
a = neg(x)
b = exp(a)
c = concat[axis=1](b, a)
@return(c)
)"),
              0);
}

TEST(concat_slices, skip_connections_are_pooled_where_they_lie) {
    EXPECT_EQ(concat_steps(R"(
x = @param:x -> float_type, {1, 16, 28, 28}
w = @literal:random(1) -> float_type, {16, 16, 3, 3}
a = convolution[padding={1, 1}](x, w)
s = relu(a)
p = pooling[mode=max,padding={0, 0},stride={2, 2},lengths={2, 2}](s)
u = convolution[padding={1, 1}](s, w)
v = relu(u)
c = concat[axis=1](s, v)
w2 = @literal:random(3) -> float_type, {16, 32, 3, 3}
y = convolution[padding={1, 1}](c, w2)
@return(y, p)
)"),
              0);
}

// As in a U-Net.
TEST(concat_slices, transposed_convolutions_write_beside_skip_connections) {
    const int left = concat_steps(R"(
x = @param:x -> float_type, {1, 16, 28, 28}
w = @literal:random(1) -> float_type, {16, 16, 3, 3}
a = convolution[padding={1, 1}](x, w)
s = relu(a)
p = pooling[mode=max,padding={0, 0},stride={2, 2},lengths={2, 2}](s)
u = @literal:random(2) -> float_type, {16, 16, 2, 2}
v = convolution_backwards[stride={2, 2}](p, u)
c = concat[axis=1](v, s)
w2 = @literal:random(3) -> float_type, {16, 32, 3, 3}
y = convolution[padding={1, 1}](c, w2)
@return(y)
)");
    if (cpu::kernels_isa() == cpu::isa::avx512) {
        EXPECT_EQ(left, 0);
    }
}

} // namespace
