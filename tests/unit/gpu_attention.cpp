// SPDX-License-Identifier: MIT
// Attention on the gpu target: every cut into tiles gives what the reference gives. The target's
// own choice for the host device is one of them only.
#include <migraphx/generate.hpp>
#include <migraphx/make_op.hpp>

#include "ops/tensor.hpp"
#include "targets/gpu/lower/attention_tiles.hpp"
#include "targets/gpu/lowering.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <string>
#include <vector>

using namespace migraphx;
using namespace migraphx::gpu;

namespace {

using lens = std::vector<std::size_t>;

device_problem problem_of(const operation& op, const std::vector<argument>& in) {
    device_problem p;
    p.op = op;
    for (const auto& a : in)
        p.inputs.push_back(a.get_shape());
    p.output = op.compute_shape(p.inputs);
    p.constants.resize(in.size());
    p.on = host_device();
    return p;
}

struct ran {
    std::string name;
    std::vector<double> values;
};

ran run(const device_problem& p, const std::vector<argument>& in) {
    const auto k = gpu::lower(p);
    EXPECT_FALSE(runs_on_host(*k));
    auto out = argument::uninitialized(p.output);
    std::vector<char> scratch(k->scratch_bytes() + 256);
    std::vector<char*> inputs;
    for (const auto& a : in)
        inputs.push_back(a.data());
    char* const outputs[] = {out.data()};
    k->run({inputs.data(), outputs, scratch.data()});
    return {k->name(), load<double>(out)};
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
    EXPECT_EQ(a.size(), b.size());
    double most = 0;
    for (std::size_t i = 0; i < a.size(); i++)
        most = std::max(most, std::isnan(a[i]) ? INFINITY : std::fabs(a[i] - b[i]));
    return most;
}

struct sizes {
    std::size_t batch, heads, kv_heads, queries, keys, q_size, v_size;
};

std::vector<argument> operands(shape::type_t t, const sizes& s) {
    return {generate_argument({t, lens{s.batch, s.heads, s.queries, s.q_size}}, 1),
            generate_argument({t, lens{s.batch, s.kv_heads, s.keys, s.q_size}}, 2),
            generate_argument({t, lens{s.batch, s.kv_heads, s.keys, s.v_size}}, 3)};
}

void expect_right(const operation& op, const std::vector<argument>& in, double tolerance,
                  const std::vector<int>& variants = {0, 1, 2, 3, 4}) {
    auto p = problem_of(op, in);
    const auto expected = load<double>(op.compute(p.output, in));
    for (int v : variants) {
        p.variant = v;
        const auto r = run(p, in);
        EXPECT_LE(largest_difference(r.values, expected), tolerance) << r.name << ", variant " << v;
    }
}

} // namespace

TEST(gpu_attention, every_cut_on_matrix_units) {
    expect_right(make_op("attention", {{"causal", true}}),
                 operands(shape::half_type, {1, 4, 2, 45, 150, 40, 24}), 2e-3);
    expect_right(make_op("attention"), operands(shape::bf16_type, {2, 2, 2, 70, 40, 64, 64}), 1e-2,
                 {1, 3});
}

TEST(gpu_attention, every_cut_in_float_and_double) {
    expect_right(make_op("attention", {{"causal", true}}),
                 operands(shape::float_type, {1, 4, 2, 45, 150, 36, 20}), 1e-6);
    expect_right(make_op("attention"), operands(shape::double_type, {1, 2, 1, 20, 150, 8, 8}),
                 1e-13, {3, 4});
}

TEST(gpu_attention, wide_heads) {
    // Queries stay in shared memory; the columns of v are shared among blocks.
    expect_right(make_op("attention"), operands(shape::half_type, {1, 1, 1, 20, 70, 264, 520}),
                 2e-3, {0});
    expect_right(make_op("attention"), operands(shape::float_type, {1, 1, 1, 20, 70, 264, 300}),
                 1e-6, {0});
}

TEST(gpu_attention, masks_and_sinks_in_every_cut) {
    auto in = operands(shape::half_type, {2, 4, 2, 20, 150, 32, 32});
    in.push_back(generate_argument({shape::half_type, lens{2, 1, 20, 150}}, 4));
    in.push_back(generate_argument({shape::half_type, lens{4}}, 5));
    expect_right(make_op("attention", {{"softcap", 2.0f}}), in, 2e-3, {2, 4});
    // One row for all queries: it is read once.
    in.resize(3);
    std::vector<char> seen(2 * 150);
    for (std::size_t i = 0; i < seen.size(); i++)
        seen[i] = i % 3 != 0 and i % 150 < 100;
    in.emplace_back(shape{shape::bool_type, lens{2, 1, 1, 150}}, seen.data());
    expect_right(make_op("attention"), in, 2e-3, {1, 4});
}

TEST(gpu_attention, rows_of_lowest_numbers_weigh_all_keys_alike) {
    auto in = operands(shape::float_type, {1, 1, 1, 3, 5, 8, 8});
    std::vector<float> mask(15, -3.4028234663852886e38f);
    in.emplace_back(shape{shape::float_type, lens{1, 1, 3, 5}}, mask.data());
    expect_right(make_op("attention"), in, 1e-6, {0});
}

TEST(gpu_attention, packed_heads_and_misaligned_rows) {
    // q, k and v side by side in rows of 3 * 2 * 10 numbers, which begin at odd addresses.
    const lens packed{1, 30, 60};
    auto all = generate_argument({shape::half_type, packed}, 7);
    std::vector<argument> in;
    for (std::size_t i = 0; i < 3; i++)
        in.push_back(all.view(shape{shape::half_type, lens{1, 2, 30, 10}, lens{1800, 10, 60, 1}},
                              i * 20 * 2));
    const auto op = make_op("attention");
    auto p = problem_of(op, in);
    EXPECT_LT(p.output.strides()[1], p.output.strides()[2]);
    expect_right(op, in, 2e-3, {1, 3});
    // Keys as they lie before a transposition.
    in[1] = generate_argument({shape::half_type, lens{1, 2, 10, 30}}, 8)
                .view(shape{shape::half_type, lens{1, 2, 30, 10}, lens{600, 300, 1, 30}}, 0);
    expect_right(op, in, 2e-3, {1});
}

TEST(gpu_attention, no_keys_give_zeros) {
    const auto op = make_op("attention");
    const auto in = operands(shape::float_type, {1, 2, 2, 3, 0, 8, 8});
    const auto r = run(problem_of(op, in), in);
    EXPECT_EQ(r.values, std::vector<double>(2 * 3 * 8, 0.0));
}

TEST(gpu_attention, tiles_suit_the_sizes_and_the_device) {
    device_properties h100;
    h100.kind = platform::cuda;
    h100.multiprocessors = 132;
    h100.shared = 227 * 1024;
    attention_sizes s;
    s.element = 2;
    s.matrix_units = true;
    s.q_size = s.v_size = 64;
    s.rows = s.keys = 128;
    s.products = 12; // BERT, batch 1: small tiles, so that there is a block for most processors
    auto t = choose_attention_tiles(s, h100, 0);
    ASSERT_TRUE(t);
    EXPECT_EQ(t->rows(), 16);
    EXPECT_EQ(t->splits, 1);
    s.products = 12 * 32;
    t = choose_attention_tiles(s, h100, 0);
    ASSERT_TRUE(t);
    EXPECT_EQ(t->rows(), 64);
    s.products = 8; // one token, four heads for each of 8, 8192 keys
    s.rows = 4;
    s.keys = 8192;
    t = choose_attention_tiles(s, h100, 0);
    ASSERT_TRUE(t);
    EXPECT_GE(t->splits * s.products, 132);
    EXPECT_EQ(t->stages, 2);
    s.element = s.sum = 8; // what no block could hold
    s.matrix_units = false;
    s.q_size = 4096;
    EXPECT_FALSE(choose_attention_tiles(s, h100, 0));
}
