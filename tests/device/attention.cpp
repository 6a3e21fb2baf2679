// SPDX-License-Identifier: MIT
// Attention on the gpu target: every cut into tiles gives what the reference gives. The target's
// own choice for the host device is one of them only.
#include "targets/gpu/lower/attention_tiles.hpp"

#include "device/kernels.hpp"

#include <migraphx/generate.hpp>
#include <migraphx/make_op.hpp>
#include <vector>

namespace device_test {

namespace {

using lens = std::vector<std::size_t>;

struct gpu_attention : on_device {
    void expect_right(const operation& op, const std::vector<argument>& in, double tolerance,
                      const std::vector<int>& variants = {0, 1, 2, 3, 4, 5}) const {
        auto p = problem_of(d, op, in);
        const auto expected = reference(p, in);
        for (int v : variants) {
            p.variant = v;
            const auto k = gpu::lower(p);
            EXPECT_FALSE(runs_on_host(*k));
            device_arguments a(p, in, s);
            a.run(*k);
            EXPECT_LE(largest_difference(a.results(), expected), tolerance)
                << k->name() << ", variant " << v;
        }
    }
};
ON_EACH_DEVICE(gpu_attention);

struct sizes {
    std::size_t batch, heads, kv_heads, queries, keys, q_size, v_size;
};

std::vector<argument> operands(shape::type_t t, const sizes& s) {
    return {generate_argument({t, lens{s.batch, s.heads, s.queries, s.q_size}}, 1),
            generate_argument({t, lens{s.batch, s.kv_heads, s.keys, s.q_size}}, 2),
            generate_argument({t, lens{s.batch, s.kv_heads, s.keys, s.v_size}}, 3)};
}

} // namespace

TEST_P(gpu_attention, every_cut_on_matrix_units) {
    expect_right(make_op("attention", {{"causal", true}}),
                 operands(shape::half_type, {1, 4, 2, 45, 150, 40, 24}), 2e-3);
    expect_right(make_op("attention"), operands(shape::bf16_type, {2, 2, 2, 70, 40, 64, 64}), 1e-2,
                 {1, 3});
}

TEST_P(gpu_attention, every_cut_in_float_and_double) {
    expect_right(make_op("attention", {{"causal", true}}),
                 operands(shape::float_type, {1, 4, 2, 45, 150, 36, 20}), 1e-6);
    expect_right(make_op("attention"), operands(shape::double_type, {1, 2, 1, 20, 150, 8, 8}),
                 1e-13, {3, 5});
}

TEST_P(gpu_attention, wide_heads) {
    // Queries stay in shared memory; the columns of v are shared among blocks.
    expect_right(make_op("attention"), operands(shape::half_type, {1, 1, 1, 20, 70, 264, 520}),
                 2e-3, {0});
    expect_right(make_op("attention"), operands(shape::float_type, {1, 1, 1, 20, 70, 264, 300}),
                 1e-6, {0});
}

TEST_P(gpu_attention, masks_and_sinks_in_every_cut) {
    auto in = operands(shape::half_type, {2, 4, 2, 20, 150, 32, 32});
    in.push_back(generate_argument({shape::half_type, lens{2, 1, 20, 150}}, 4));
    in.push_back(generate_argument({shape::half_type, lens{4}}, 5));
    expect_right(make_op("attention", {{"softcap", 2.0f}}), in, 2e-3, {2, 5});
    // One row for all queries: it is read once.
    in.resize(3);
    std::vector<char> seen(2 * 150);
    for (std::size_t i = 0; i < seen.size(); i++)
        seen[i] = i % 3 != 0 and i % 150 < 100;
    in.emplace_back(shape{shape::bool_type, lens{2, 1, 1, 150}}, seen.data());
    expect_right(make_op("attention"), in, 2e-3, {1, 4});
}

TEST_P(gpu_attention, rows_of_lowest_numbers_weigh_all_keys_alike) {
    auto in = operands(shape::float_type, {1, 1, 1, 3, 5, 8, 8});
    std::vector<float> mask(15, -3.4028234663852886e38f);
    in.emplace_back(shape{shape::float_type, lens{1, 1, 3, 5}}, mask.data());
    expect_right(make_op("attention"), in, 1e-6, {0});
}

TEST_P(gpu_attention, packed_heads_and_misaligned_rows) {
    // q, k and v side by side in rows of 3 * 2 * 10 numbers, which begin at odd addresses.
    const lens packed{1, 30, 60};
    auto all = generate_argument({shape::half_type, packed}, 7);
    std::vector<argument> in;
    for (std::size_t i = 0; i < 3; i++)
        in.push_back(all.view(shape{shape::half_type, lens{1, 2, 30, 10}, lens{1800, 10, 60, 1}},
                              i * 20 * 2));
    const auto op = make_op("attention");
    const auto p = problem_of(d, op, in);
    EXPECT_LT(p.output.strides()[1], p.output.strides()[2]);
    expect_right(op, in, 2e-3, {1, 3});
    // Keys as they lie before a transposition.
    in[1] = generate_argument({shape::half_type, lens{1, 2, 10, 30}}, 8)
                .view(shape{shape::half_type, lens{1, 2, 30, 10}, lens{600, 300, 1, 30}}, 0);
    expect_right(op, in, 2e-3, {1});
}

TEST_P(gpu_attention, no_keys_give_zeros) {
    const auto op = make_op("attention");
    const auto in = operands(shape::float_type, {1, 2, 2, 3, 0, 8, 8});
    expect_right(op, in, 0, {0});
}

TEST(gpu_attention_tiles, suit_the_sizes_and_the_device) {
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
    // ViT in float: two blocks on each of some processors, at once.
    attention_sizes vit;
    vit.q_size = vit.v_size = 64;
    vit.rows = vit.keys = 197;
    vit.products = 12;
    t = choose_attention_tiles(vit, h100, 0);
    ASSERT_TRUE(t);
    EXPECT_LE(2 * (t->shared + 1024), h100.shared + 1024);
    s.element = s.sum = 8; // what no block could hold
    s.matrix_units = false;
    s.q_size = 4096;
    EXPECT_FALSE(choose_attention_tiles(s, h100, 0));
}

TEST_P(gpu_attention, of_the_library) {
    const auto& by_library = implementations_of("attention").at(1);
    ASSERT_STREQ(by_library.name, "library");
    auto in = operands(shape::half_type, {2, 4, 2, 96, 160, 64, 64});
    const auto p = problem_of(d, make_op("attention"), in);
    const auto made = by_library.make(p);
    if (not made and is_gpu())
        GTEST_SKIP() << made.reason;
    ASSERT_TRUE(made) << made.reason;
    device_arguments a(p, in, s);
    a.run(*made.k);
    EXPECT_LE(largest_difference(a.results(), reference(p, in)), 2e-3) << made.k->name();
    // A mask, heads at odd places: the own kernel's.
    EXPECT_FALSE(by_library.make(problem_of(d, make_op("attention", {{"causal", true}}), in)));
    in = operands(shape::half_type, {2, 4, 2, 96, 160, 60, 64});
    EXPECT_FALSE(by_library.make(problem_of(d, make_op("attention"), in)));
    in = operands(shape::half_type, {2, 4, 2, 96, 160, 64, 64});
    in.push_back(generate_argument({shape::half_type, lens{1, 1, 96, 160}}, 4));
    EXPECT_FALSE(by_library.make(problem_of(d, make_op("attention"), in)));
}

// Milliseconds of every cut, for whoever chooses among them: not a test of anything.
TEST_P(gpu_attention, DISABLED_times) {
    if (not is_gpu())
        GTEST_SKIP() << "of a gpu only";
    const auto time = [&](const char* title, shape::type_t t, const sizes& n, bool causal) {
        const auto in = operands(t, n);
        auto p = problem_of(d, make_op("attention", {{"causal", causal}}), in);
        device_arguments a(p, in, s);
        for (int v = 0; v <= 6; v++) {
            p.variant = v;
            auto made =
                v <= 5 ? lowered(gpu::lower(p)) : implementations_of("attention").at(1).make(p);
            if (not made) {
                std::printf("%-16s %d  %s\n", title, v, made.reason.c_str());
                continue;
            }
            const auto k = std::move(made.k);
            a.run(*k);
            d->synchronize(s);
            const auto start = d->make_event(), end = d->make_event();
            constexpr int rounds = 50;
            d->begin_recording(s);
            for (int i = 0; i < rounds; i++)
                a.run(*k);
            const auto graph = d->end_recording(s);
            graph->launch(s);
            start->record(s);
            graph->launch(s);
            end->record(s);
            end->synchronize();
            std::printf("%-16s %d  %8.4f ms  %s\n", title, v, double(end->since(*start)) / rounds,
                        k->name().c_str());
        }
    };
    const auto half = shape::half_type, single = shape::float_type;
    time("bert", half, {1, 12, 12, 128, 128, 64, 64}, false);
    time("bert x 32", half, {32, 12, 12, 128, 128, 64, 64}, false);
    time("vit", half, {1, 12, 12, 197, 197, 64, 64}, false);
    time("vit x 32", half, {32, 12, 12, 197, 197, 64, 64}, false);
    time("gpt2", half, {1, 12, 12, 128, 128, 64, 64}, true);
    time("gpt2 x 32", half, {32, 12, 12, 128, 128, 64, 64}, true);
    time("prefill 4096", half, {1, 32, 8, 4096, 4096, 128, 128}, true);
    time("decode 4096", half, {1, 32, 8, 1, 4096, 128, 128}, false);
    time("decode 4096 x 16", half, {16, 32, 8, 1, 4096, 128, 128}, false);
    time("bert f32", single, {1, 12, 12, 128, 128, 64, 64}, false);
    time("vit f32", single, {1, 12, 12, 197, 197, 64, 64}, false);
    time("gpt2 f32", single, {1, 12, 12, 128, 128, 64, 64}, true);
}

} // namespace device_test
