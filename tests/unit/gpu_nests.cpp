// SPDX-License-Identifier: MIT
// Texts and launches of generated kernels: pointwise nests and rows. What they compute is tested by
// the operator cases on target null.
#include "nest_support.hpp"

#include "codegen/device_text.hpp"
#include "codegen/row_nest.hpp"
#include "ir/text_parser.hpp"
#include "targets/gpu/lower/nest_kernel.hpp"
#include "targets/gpu/lower/row_form.hpp"
#include "targets/gpu/lower/row_kernel.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/program.hpp>

using namespace nest_test;
using namespace migraphx::gpu;
using migraphx::codegen::device_function;
using migraphx::codegen::fold;
using migraphx::codegen::row_builder;
using migraphx::codegen::row_nest;

namespace {

device_properties hopper() {
    device_properties p;
    p.multiprocessors = 132;
    return p;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

nest binary(shape::type_t type, std::vector<int64_t> dims, std::vector<int64_t> a,
            std::vector<int64_t> b, std::vector<int64_t> out) {
    nest_builder n(std::move(dims));
    const int x = n.input(type, std::move(a)), y = n.input(type, std::move(b));
    n.output(n.op("add", {r(x), r(y)}), std::move(out));
    return n.finish();
}

// layer_norm of rows, with a scale.
row_nest norm_rows(shape::type_t type, int64_t rows, int64_t length) {
    row_builder b;
    b.result.kept = {rows};
    b.result.reduced = {length};
    const int x = b.input({type, {length, 1}}), scale = b.input({type, {0, 1}});
    b.result.outputs.push_back({{type, {length, 1}}, b.norm(x, true, 1e-5, scale, -1)});
    return b.result;
}

row_nest sums(int64_t kept, int64_t reduced, int64_t kept_stride, int64_t reduced_stride) {
    row_builder b;
    b.result.kept = {kept};
    b.result.reduced = {reduced};
    const int x = b.input({shape::float_type, {kept_stride, reduced_stride}});
    b.result.outputs.push_back({{shape::float_type, {1, 0}}, b.reduce(fold::sum, x)});
    return b.result;
}

} // namespace

TEST(gpu_nests, body_of_a_module) {
    const auto p = migraphx::parse_text("x0 = @param:x0 -> half_type, {1}, {0}\n"
                                        "x1 = @param:x1 -> half_type, {1}, {0}\n"
                                        "two = @literal{2} -> half_type\n"
                                        "a = mul(x0, two)\n"
                                        "b = add(a, x1)\n"
                                        "c = relu(b)\n"
                                        "@return(c)\n");
    EXPECT_EQ(device_function(*p.get_main_module(), "epilogue"),
              "MGX_DEVICE float epilogue(float v0, float v1) {\n"
              "    const float v2 = v0 * 0x1p+1f;\n"
              "    const float v3 = v2 + v1;\n"
              "    const float v4 = fn::max(decltype(v3){0}, v3);\n"
              "    return v4;\n"
              "}\n");
}

TEST(gpu_nests, integers_wrap_to_their_type) {
    const auto p = migraphx::parse_text("x0 = @param:x0 -> int8_type, {1}, {0}\n"
                                        "a = add(x0, x0)\n"
                                        "b = exp(a)\n"
                                        "@return(b)\n");
    EXPECT_EQ(device_function(*p.get_main_module(), "f"),
              "MGX_DEVICE whole f(whole v0) {\n"
              "    const whole v1 = wrapped<i8>(v0 + v0);\n"
              "    const whole v2 = wrapped<i8>(cut<whole>(fn::exp(double(v1))));\n"
              "    return v2;\n"
              "}\n");
}

TEST(gpu_nests, what_is_no_region_is_refused) {
    const auto p = migraphx::parse_text("x = @param:x -> float_type, {2, 2}\n"
                                        "y = dot(x, x)\n"
                                        "@return(y)\n");
    EXPECT_THROW(device_function(*p.get_main_module(), "f"), migraphx::exception);
}

TEST(gpu_nests, sixteen_bytes_at_a_time) {
    const auto g =
        nest_code(binary(shape::half_type, {4, 768}, {768, 1}, {0, 1}, {768, 1}), hopper(), "n");
    EXPECT_TRUE(has(g.source, "elements<8, true>")) << g.source;
    EXPECT_TRUE(has(g.source, "load_run<N, run::unit, Wide>(x1"));
    EXPECT_TRUE(g.writes_over);
    // A row's start at an odd element allows none.
    const auto odd =
        nest_code(binary(shape::half_type, {4, 7}, {8, 1}, {0, 1}, {7, 1}), hopper(), "n");
    EXPECT_TRUE(has(odd.source, "elements<1, false>")) << odd.source;
}

// What a border goes round is read where it lies: whole vectors where none is partly inside.
TEST(gpu_nests, borders) {
    const auto bordered = [](std::vector<int64_t> dims, std::vector<int64_t> strides,
                             std::vector<migraphx::codegen::nest_border> border,
                             std::vector<int64_t> out) {
        nest_builder b(std::move(dims));
        const int x = b.input(shape::half_type, std::move(strides));
        b.output(b.op("neg", {r(x)}), std::move(out));
        auto n = b.finish();
        n.inputs[0].border = std::move(border);
        EXPECT_EQ(nest_reads_refusal(n), "");
        return nest_code(n, hopper(), "n");
    };
    const auto rows = bordered({6, 64}, {64, 1}, {{1, 1}, {}}, {64, 1});
    EXPECT_TRUE(has(rows.source, "load_run<N, run::unit, Wide>(x0 + at_i_x0, Index(1)) : vec_of"))
        << rows.source;
    EXPECT_FALSE(rows.writes_over);
    EXPECT_EQ(rows.source, bordered({9, 128}, {128, 1}, {{2, 3}, {}}, {128, 1}).source);
    const auto ends = bordered({6, 64}, {61, 1}, {{}, {1, 2}}, {64, 1});
    EXPECT_TRUE(has(ends.source, "load_bordered<N>(x0, at_i_x0")) << ends.source;
    const auto whole = bordered({6, 64}, {48, 1}, {{}, {8, 8}}, {64, 1});
    EXPECT_FALSE(has(whole.source, "load_bordered<N>(x0")) << whole.source;
}

TEST(gpu_nests, one_text_for_all_sizes_of_a_form) {
    const auto a =
        nest_code(binary(shape::half_type, {4, 768}, {768, 1}, {0, 1}, {768, 1}), hopper(), "n");
    const auto b =
        nest_code(binary(shape::half_type, {50, 96}, {96, 1}, {0, 1}, {96, 1}), hopper(), "n");
    EXPECT_EQ(a.source, b.source);
    EXPECT_NE(a.params, b.params);
    EXPECT_EQ(row_code(norm_rows(shape::half_type, 128, 768), hopper(), "r").front().source,
              row_code(norm_rows(shape::half_type, 200, 640), hopper(), "r").front().source);
}

TEST(gpu_nests, few_bits_more_for_small_results_only) {
    const auto source = [](shape::type_t type, bool fast_math) {
        return nest_code(binary(type, {99}, {1}, {1}, {1}), hopper(), "n", fast_math).source;
    };
    const std::string rough = "#define MGX_SMALL_RESULTS 1";
    EXPECT_TRUE(has(source(shape::half_type, true), rough));
    EXPECT_FALSE(has(source(shape::half_type, false), rough));
    EXPECT_FALSE(has(source(shape::float_type, true), rough));
    EXPECT_FALSE(has(source(shape::int8_type, true), rough));
}

TEST(gpu_nests, what_is_left_of_a_flat_tensor) {
    const auto g = nest_code(binary(shape::float_type, {1003}, {1}, {1}, {1}), hopper(), "n");
    EXPECT_TRUE(has(g.source, "elements<1, false>(x0, x1, y0, p, p.items * 4, p.rest)"))
        << g.source;
}

TEST(gpu_nests, transposed_inputs_go_through_tiles) {
    const auto g =
        nest_code(binary(shape::float_type, {64, 96}, {1, 64}, {96, 1}, {96, 1}), hopper(), "n");
    EXPECT_TRUE(has(g.source, "__shared__ float tile0[32][33]")) << g.source;
    EXPECT_FALSE(has(g.source, "tile1"));
    EXPECT_EQ(g.launch.grid.x, 6u);
}

TEST(gpu_nests, large_tensors_have_wide_indices) {
    const int64_t n = int64_t{1} << 32;
    EXPECT_TRUE(has(nest_code(binary(shape::int8_type, {n}, {1}, {0}, {1}), hopper(), "n").source,
                    "using Index = u64"));
    EXPECT_TRUE(has(nest_code(binary(shape::int8_type, {99}, {1}, {0}, {1}), hopper(), "n").source,
                    "using Index = u32"));
}

TEST(gpu_nests, rows_print_and_simplify) {
    row_builder b;
    b.result.kept = {2, 3};
    b.result.reduced = {4, 5};
    const int x = b.input({shape::half_type, {60, 20, 5, 1}});
    const int sum = b.reduce(fold::sum, x);
    const int y = b.op("sub", {r(x), r(sum)}, shape::half_type);
    b.result.outputs.push_back({{shape::half_type, {60, 20, 5, 1}}, y});
    EXPECT_EQ(to_string(simplify(b.result)), "rows {6} of {20}\n"
                                             "%0 = load half_type {20, 1}\n"
                                             "%1 = fold sum(%0) half_type\n"
                                             "%2 = sub(%0, %1) half_type\n"
                                             "store %2 half_type {20, 1}\n");
    EXPECT_EQ(b.result.levels(), (std::vector<int>{0, 1, 1}));
    EXPECT_EQ(b.result.of_elements(), (std::vector<bool>{true, false, true}));
    b.result.outputs.front().access.strides = {60, 20, 0, 1};
    EXPECT_THROW(validate(b.result), migraphx::exception);
}

TEST(gpu_nests, a_normalisation_of_short_rows_is_one_launch_and_one_read) {
    const auto stages = row_code(norm_rows(shape::half_type, 128, 768), hopper(), "r");
    ASSERT_EQ(stages.size(), 1u);
    EXPECT_EQ(stages[0].launch.grid.x, 128u);
    EXPECT_EQ(stages[0].launch.block.x, 32u);
    EXPECT_EQ(stages[0].scratch, 0u);
    EXPECT_TRUE(stages[0].writes_over);
    EXPECT_EQ(stages[0].source.find("ax0[c] = load_run"),
              stages[0].source.rfind("ax0[c] = load_run"));
}

TEST(gpu_nests, rows_that_indices_choose_are_one_launch) {
    auto n = norm_rows(shape::half_type, 128, 768);
    const auto plain = row_code(n, hopper(), "r").front();
    n.inputs[0] = {shape::half_type, {0, 1}};
    const int index = int(n.inputs.size());
    n.inputs[0].gathered = {index, 768, 1000};
    n.inputs.push_back({shape::int32_type, {1, 0}});
    for (auto& o : n.body)
        for (auto& x : o.op.operands)
            x.number += x.number >= index ? 1 : 0;
    for (auto& o : n.outputs)
        o.reg++;
    EXPECT_EQ(row_reads_refusal(n, hopper()), "");
    const auto stages = row_code(n, hopper(), "r");
    ASSERT_EQ(stages.size(), 1u);
    EXPECT_EQ(stages[0].launch.grid.x, plain.launch.grid.x);
    EXPECT_FALSE(stages[0].writes_over);
    const auto x = "x" + std::to_string(index);
    EXPECT_TRUE(has(stages[0].source,
                    "chosen<Index>(" + x + "[at_k_" + x + "], p.extent_x0) * p.chosen_x0"));
    n.inputs.back().strides = {0, 1};
    EXPECT_EQ(row_reads_refusal(n, hopper()), "indices that change along vectors");
}

TEST(gpu_nests, few_long_rows_are_shared_by_blocks) {
    const auto stages = row_code(sums(2, 1 << 22, 1 << 22, 1), hopper(), "r");
    ASSERT_EQ(stages.size(), 2u);
    EXPECT_GE(stages[0].launch.grid.y, 64u);
    EXPECT_EQ(stages[1].launch.grid.y, 1u);
    EXPECT_GT(stages[0].scratch, 0u);
    // Many of them have a block each.
    EXPECT_EQ(row_code(sums(500, 1 << 16, 1 << 16, 1), hopper(), "r").size(), 1u);
}

TEST(gpu_nests, rows_of_no_elements_have_registers) {
    // C++ compilers of devices refuse arrays of none.
    for (const auto& n : {sums(2, 0, 1, 1), sums(3, 0, 1, 3)}) {
        const auto g = row_code(n, hopper(), "r").front();
        EXPECT_FALSE(has(g.source, "[0];")) << g.source;
        EXPECT_EQ(g.launch.grid.x, 1u);
    }
}

TEST(gpu_nests, rows_side_by_side_are_columns) {
    const auto n = simplify(sums(4096, 300, 1, 4096));
    const auto f = row_form_of(n, hopper());
    EXPECT_TRUE(f.columns);
    EXPECT_EQ(f.vector * f.across * 4 % 32, 0) << "whole sectors of memory";
    EXPECT_FALSE(row_form_of(simplify(sums(300, 4096, 4096, 1)), hopper()).columns);
}
