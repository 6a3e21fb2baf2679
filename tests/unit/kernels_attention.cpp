// SPDX-License-Identifier: MIT
// Tiled attention against double loops, on every instruction set of this machine.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_attention.hpp"

#include <gtest/gtest.h>

#include <limits>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();

struct attention_case {
    int64_t batches, heads, queries, keys, dim, v_dim;
    bool interleaved = true; // {batch, position, head, dim}, else {batch, head, position, dim}
    bool transposed_keys = false;
    int mask = 0; // 1: by key, 2: by query and key with hidden entries, 3: and a hidden row,
                  // 4: bytes by query and key, 5: one value for each query
    bool causal = false;
    int64_t heads_per_kv = 1;
    float softcap = 0;
    bool sink = false;
    int64_t threads = 2;
    int64_t splits = 0; // expected; 0: any
    bool grows = false; // scores with the number of the key
    bool pairs = false;
    float key_scale = 1;
    bool hidden_by_infinity = false; // the first head's last key
};

void check_attention(const attention_case& c) {
    const int64_t kv_heads = c.heads / c.heads_per_kv;
    attention_params p{};
    const auto lay = [&](int64_t heads, int64_t rows, int64_t dim, int64_t& batch, int64_t& head,
                         int64_t& row) {
        batch = heads * rows * dim;
        head = c.interleaved ? dim : rows * dim;
        row = c.interleaved ? heads * dim : dim;
        return c.batches * batch;
    };
    auto q = random_floats(size_t(lay(c.heads, c.queries, c.dim, p.q_batch, p.q_head, p.q_row)), 1,
                           -2, 2);
    auto k =
        random_floats(size_t(lay(kv_heads, c.keys, c.dim, p.k_batch, p.k_head, p.k_row)), 2, -2, 2);
    if (c.grows)
        for (size_t i = 0; i < k.size(); ++i)
            k[i] *= float(i / size_t(p.k_row) % size_t(c.keys)) * 12 / float(c.keys);
    for (float& x : k)
        x *= c.key_scale;
    const auto v = random_floats(
        size_t(lay(kv_heads, c.keys, c.v_dim, p.v_batch, p.v_head, p.v_row)), 3, -2, 2);
    const auto n = size_t(lay(c.heads, c.queries, c.v_dim, p.out_batch, p.out_head, p.out_row));
    p.k_dim = 1;
    if (c.transposed_keys) {
        p.k_batch = kv_heads * c.keys * c.dim;
        p.k_head = c.keys * c.dim;
        p.k_row = 1;
        p.k_dim = c.keys;
    }
    if (c.hidden_by_infinity) {
        k[size_t((c.keys - 1) * p.k_row + (c.dim - 1) * p.k_dim)] = -inf;
        for (size_t i = size_t(c.dim) - 1; i < q.size(); i += size_t(c.dim))
            q[i] = std::abs(q[i]);
    }
    auto mask = random_floats(size_t(c.batches * c.queries * c.keys), 4, -1, 1);
    if (c.mask >= 2)
        for (size_t i = 0; i < mask.size(); ++i)
            if (i % 3 == 1 || i % size_t(c.keys) > size_t(c.keys) / 2 + 1 ||
                (c.mask == 3 && i / size_t(c.keys) % 3 == 2))
                mask[i] = -inf;
    std::vector<uint8_t> hides(mask.size());
    for (size_t i = 0; i < mask.size(); ++i) {
        hides[i] = i % 3 != 1 && i / size_t(c.keys) % 5 != 4;
        if (c.mask == 4)
            mask[i] = hides[i] != 0 ? 0 : -inf;
    }
    const auto sinks = random_floats(size_t(c.heads), 5, -1, 3);
    if (c.mask != 0) {
        p.mask = mask.data();
        p.mask_batch = c.queries * c.keys;
        p.mask_row = c.mask >= 2 ? c.keys : 0;
        p.mask_key = 1;
    }
    if (c.mask == 4) {
        p.mask = nullptr;
        p.hides = hides.data();
    }
    if (c.mask == 5) {
        p.mask_batch = c.queries;
        p.mask_row = 1;
        p.mask_key = 0;
    }
    p.scale = 0.3f / c.key_scale;
    p.pairs = c.pairs;
    p.softcap = c.softcap;
    p.sink = c.sink ? sinks.data() : nullptr;
    p.causal = c.causal;
    p.causal_offset = c.keys - c.queries;
    p.batches = c.batches;
    p.heads = c.heads;
    p.queries = c.queries;
    p.keys = c.keys;
    p.q_dim = c.dim;
    p.v_dim = c.v_dim;
    p.heads_per_kv = c.heads_per_kv;
    p.q = q.data();
    p.k = k.data();
    p.v = v.data();
    ASSERT_EQ(attention_refusal(p), nullptr);
    std::vector<double> want(n);
    for (int64_t b = 0; b < c.batches; ++b)
        for (int64_t h = 0; h < c.heads; ++h)
            for (int64_t i = 0; i < c.queries; ++i) {
                const int64_t g = h / c.heads_per_kv;
                std::vector<double> s;
                const double drain = c.sink ? double(sinks[size_t(h)]) : -double(inf);
                double top = drain, sum = 0;
                for (int64_t j = 0; j < c.keys; ++j) {
                    double t = 0;
                    for (int64_t d = 0; d < c.dim; ++d)
                        t += double(q[size_t(b * p.q_batch + h * p.q_head + i * p.q_row + d)]) *
                             double(k[size_t(b * p.k_batch + g * p.k_head + j * p.k_row +
                                             d * p.k_dim)]);
                    t *= double(p.scale);
                    if (c.softcap > 0)
                        t = double(c.softcap) * std::tanh(t / double(c.softcap));
                    if (c.mask != 0)
                        t += double(
                            mask[size_t(b * p.mask_batch + i * p.mask_row + j * p.mask_key)]);
                    if (c.causal && j > i + p.causal_offset)
                        t = -inf;
                    s.push_back(t);
                    top = std::max(top, t);
                }
                const bool blind = top == -double(inf);
                sum = blind ? 1 : std::exp(drain - top);
                for (double& t : s)
                    sum += t = blind ? 0 : std::exp(t - top);
                for (int64_t d = 0; d < c.v_dim; ++d) {
                    double t = 0;
                    for (int64_t j = 0; j < c.keys; ++j)
                        t += s[size_t(j)] / sum *
                             double(v[size_t(b * p.v_batch + g * p.v_head + j * p.v_row + d)]);
                    want[size_t(b * p.out_batch + h * p.out_head + i * p.out_row + d)] = t;
                }
            }
    for (isa level : levels()) {
        std::vector<float> out(n + 1, 77.0f);
        p.out = out.data();
        const auto planned = planned_attention(p, c.threads, kernels_for(level));
        if (c.splits > 0) {
            ASSERT_EQ(planned.splits, c.splits);
        }
        const auto floats = size_t(attention_scratch(planned, c.threads));
        std::vector<float> scratch(floats + 1, std::numeric_limits<float>::quiet_NaN());
        scratch.back() = 77.0f;
        run_attention(planned, scratch.data(), c.threads, kernels_for(level));
        ASSERT_EQ(scratch.back(), 77.0f);
        ASSERT_EQ(out.back(), 77.0f);
        for (size_t i = 0; i < n; ++i)
            ASSERT_NEAR(double(out[i]), want[i], 1e-5)
                << to_string(level) << " queries " << c.queries << " keys " << c.keys << " dim "
                << c.dim << " at " << i;
    }
}

TEST(kernels_attention, sizes_around_the_tiles) {
    for (int64_t queries : {1, 2, 3, 5, 6, 7, 13, 65, 66, 67, 128})
        for (int64_t keys : {1, 5, 16, 17, 63, 64, 65, 130})
            check_attention({1, 2, queries, keys, 32, 32});
    for (int64_t dim : {1, 3, 8, 15, 16, 17, 40, 64, 80, 128, 256})
        check_attention({2, 2, 9, 37, dim, dim});
    check_attention({1, 2, 10, 40, 24, 72});
}

TEST(kernels_attention, long_sequences_are_joined) {
    check_attention({1, 1, 7, 513, 16, 16});
    check_attention({1, 2, 70, 1100, 64, 64});
    check_attention({1, 2, 1, 1500, 64, 64});
    check_attention({1, 2, 70, 1100, 16, 16, true, false, 2});
}

TEST(kernels_attention, layouts_masks_causal_and_shared_heads) {
    for (bool interleaved : {false, true})
        for (bool transposed : {false, true})
            for (int mask : {0, 1, 2})
                for (bool causal : {false, true})
                    for (int64_t share : {1, 2}) {
                        if (causal && mask == 2)
                            continue;
                        check_attention(
                            {2, 4, 20, 100, 16, 16, interleaved, transposed, mask, causal, share});
                        check_attention(
                            {1, 2, 70, 70, 33, 20, interleaved, transposed, mask, causal, share});
                        check_attention(
                            {1, 2, 1, 70, 64, 64, interleaved, transposed, mask, causal, share});
                    }
    check_attention({1, 1, 600, 600, 8, 8, true, false, 0, true});
    check_attention({1, 1, 30, 600, 8, 8, true, false, 0, true});
}

TEST(kernels_attention, bytes_that_hide_and_masks_of_queries) {
    for (int mask : {4, 5})
        for (int64_t queries : {1, 9, 20, 70})
            for (int64_t keys : {13, 400})
                for (int64_t share : {1, 2})
                    check_attention({2, 4, queries, keys, 16, 24, true, false, mask, false, share});
}

// Maxima that come late, and of keys that lie far apart: what was summed before is scaled.
TEST(kernels_attention, scores_that_grow) {
    for (int64_t keys : {40, 500})
        for (int64_t queries : {10, 33}) {
            attention_case c{1, 2, queries, keys, 4, 20};
            c.grows = true;
            check_attention(c);
        }
}

TEST(kernels_attention, hidden_rows_give_zero) {
    for (int64_t keys : {1, 7, 64, 600})
        for (int64_t queries : {1, 3, 70})
            check_attention({2, 2, queries, keys, 16, 16, true, false, 3});
    check_attention(
        {1, 1, 70, 30, 8, 8, true, false, 0, true}); // the first ones come before all keys
}

TEST(kernels_attention, bounds_and_sinks) {
    for (float cap : {0.0f, 0.7f, 20.0f})
        for (bool sink : {false, true})
            for (int mask : {0, 1, 3}) {
                check_attention({2, 4, 9, 37, 16, 16, true, false, mask, false, 2, cap, sink});
                check_attention(
                    {1, 2, 70, 600, 24, 20, true, false, mask, mask == 0, 1, cap, sink});
                check_attention({1, 2, 1, 70, 64, 64, true, true, mask, false, 1, cap, sink});
            }
}

// A cache of keys that few queries see: threads share the keys.
TEST(kernels_attention, keys_are_split_over_threads) {
    const auto few = [](int64_t heads, int64_t queries, int64_t keys, int64_t threads,
                        int64_t splits) {
        attention_case c{1, heads, queries, keys, 64, 64};
        c.threads = threads;
        c.splits = splits;
        return c;
    };
    check_attention(few(1, 1, 8192, 2, 2));
    check_attention(few(1, 1, 8191, 7, 7));
    check_attention(few(3, 1, 4097, 2, 2)); // whole heads would leave a thread idle half the time
    check_attention(few(4, 1, 4096, 2, 1));
    check_attention(few(2, 2, 2050, 16, 7)); // whole panels of keys
    check_attention(few(1, 1, 400, 8, 1));   // too few keys
    check_attention(few(1, 132, 600, 2, 2));
    check_attention(few(1, 133, 600, 2, 1)); // blocks of queries instead
    for (int mask : {0, 1, 2, 3})
        for (bool sink : {false, true})
            for (float cap : {0.0f, 5.0f}) {
                attention_case c{2,         4,    3,        1600, 24,  20,  true,
                                 mask == 1, mask, mask < 2, 4,    cap, sink};
                c.threads = 5;
                c.splits = 5;
                check_attention(c);
            }
    // The first queries see nothing of the later parts.
    attention_case c{1, 2, 100, 900, 40, 17, false, false, 0, true, 1};
    c.threads = 6;
    c.splits = 3;
    check_attention(c);
}

// Fewer keys in the cache than queries, and a part that no query sees.
TEST(kernels_attention, parts_without_keys_give_nothing) {
    attention_case c{1, 1, 120, 1024, 16, 16, true, false, 2};
    c.threads = 4;
    c.splits = 4; // the mask hides the second half
    check_attention(c);
    c.mask = 3;
    check_attention(c);
}

// Scores by fewer multiplications, where both sides are packed for many.
TEST(kernels_attention, scores_by_pairs) {
    const auto check = [](attention_case c) {
        c.pairs = true;
        check_attention(c);
    };
    for (isa level : levels()) {
        attention_params p{};
        p.heads = p.heads_per_kv = p.batches = p.k_dim = 1;
        p.queries = p.keys = 96;
        p.q_dim = p.v_dim = 64;
        EXPECT_FALSE(planned_attention(p, 2, kernels_for(level)).pairs);
        p.pairs = true;
        EXPECT_EQ(planned_attention(p, 2, kernels_for(level)).pairs,
                  vector_level(level) == isa::avx512);
        p.keys = 95;
        EXPECT_FALSE(planned_attention(p, 2, kernels_for(level)).pairs);
    }
    for (int64_t dim : {1, 2, 3, 4, 5, 16, 64, 65, 256})
        check({1, 2, 100, 98, dim, 20});
    for (int64_t queries : {96, 97, 113, 129})
        for (int64_t keys : {96, 107, 168, 169, 500})
            check({1, 2, queries, keys, 32, 32});
    for (bool transposed : {false, true})
        for (int mask : {0, 1, 2, 3, 4, 5})
            for (int64_t share : {1, 2})
                check({2, 4, 110, 200, 16, 24, true, transposed, mask, mask == 0, share});
    check({1, 2, 100, 300, 24, 20, false, false, 1, false, 2, 0.7f, true});
    for (bool grows : {false, true})
        for (float scale : {1e-6f, 3.0f, 1e6f, 1e30f}) {
            attention_case c{1, 3, 130, 400, 12, 20};
            c.grows = grows;
            c.key_scale = scale;
            check(c);
        }
    // A head with an infinity is multiplied plainly.
    attention_case c{1, 2, 100, 130, 16, 16};
    c.hidden_by_infinity = true;
    check(c);
}

TEST(kernels_attention, refusals) {
    attention_params p{};
    p.heads = p.heads_per_kv = 1;
    p.q_dim = 257;
    EXPECT_NE(attention_refusal(p), nullptr);
    p.q_dim = p.v_dim = 256;
    EXPECT_EQ(attention_refusal(p), nullptr);
}

} // namespace
