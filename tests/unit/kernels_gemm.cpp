// SPDX-License-Identifier: MIT
// Products by rows with packed weights against double loops, on every instruction set of this
// machine.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_gemm.hpp"

#include "base/parallel.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

struct gemm_case {
    int64_t m, n, k;
    bool transposed_b = false, bias = false, scaled_sum = false;
    int64_t block_rows = 0, block_depth = 0;
    int64_t a_gap = 3;
    bool halved = false;
    bool paired = false;
};

void run(gemm_params p, const kernel_table& table, int64_t rows = 0, int64_t depth = 0) {
    const auto threads = migraphx::num_threads();
    block_gemm(p, threads, table);
    if (rows > 0)
        p.block_rows = rows;
    if (depth > 0) {
        p.block_depth = depth;
        if (not p.paired)
            p.sum_depth = depth;
    }
    std::vector<float> scratch(size_t(gemm_scratch(p, threads, table)), std::nanf(""));
    run_gemm(p, scratch.data(), threads, table);
}

// Rows of a times weights packed for one instruction set, without gaps.
struct packed_product {
    std::vector<float> panels, pairs, result;
    gemm_params params{};

    packed_product(const std::vector<float>& a, const std::vector<float>& b, int64_t m, int64_t n,
                   int64_t k, const kernel_table& table)
        : panels(size_t(packed_weights_size(k, n, table))), result(size_t(m * n)) {
        pack_gemm_weights({b.data(), k, n, n, 1}, panels.data(), table);
        params.a = a.data();
        params.b = panels.data();
        params.c = result.data();
        params.m = m;
        params.n = params.c_row = n;
        params.k = params.a_row = k;
    }
    bool pair(const kernel_table& table) {
        pairs.resize(size_t(weight_pairs_size(params.k, params.n, table)));
        sum_weight_pairs(panels.data(), params.k, params.n, pairs.data(), table);
        params.paired = can_pair(params, pairs.data());
        return params.paired;
    }
};

// Row r of a times column j of b, k x n.
double sum_in_double(const std::vector<float>& a, const std::vector<float>& b, int64_t n, int64_t k,
                     int64_t r, int64_t j) {
    double sum = 0;
    for (int64_t i = 0; i < k; ++i)
        sum += double(a[size_t(r * k + i)]) * double(b[size_t(i * n + j)]);
    return sum;
}

void check(const gemm_case& c, isa level) {
    const auto& table = kernels_for(level);
    const int64_t a_row = c.k + c.a_gap, c_row = c.n + 2;
    const auto a = random_floats(size_t(c.m * a_row) + 1, 1),
               b = random_floats(size_t(c.n * c.k) + 1, 2), bias = random_floats(size_t(c.n), 3),
               more = random_floats(size_t(c.m * c.n), 4);
    const gemm_weights w{b.data() + 1, c.k, c.n, c.transposed_b ? 1 : c.n,
                         c.transposed_b ? c.k : 1};
    std::vector<float> panels(size_t(packed_weights_size(c.k, c.n, table)));
    pack_gemm_weights(w, panels.data(), table);
    std::vector<float> got(size_t(c.m * c_row), 77.0f);
    gemm_params p{};
    p.a = a.data() + 1;
    p.b = panels.data();
    p.c = got.data();
    p.m = c.m;
    p.n = c.n;
    p.k = c.k;
    p.a_row = a_row;
    p.c_row = c_row;
    p.epilogue.bias = c.bias ? bias.data() : nullptr;
    if (c.scaled_sum) { // clamp(2 x + more, -1, 1.5)
        p.epilogue.count = 3;
        p.epilogue.steps[0].op = row_op::linear;
        p.epilogue.steps[0].alpha = 2;
        p.epilogue.steps[1].op = row_op::add;
        p.epilogue.steps[1].operand = more.data();
        p.epilogue.steps[1].row = c.n;
        p.epilogue.steps[1].channel = 1;
        p.epilogue.steps[2].op = row_op::clamp;
        p.epilogue.steps[2].alpha = -1;
        p.epilogue.steps[2].beta = 1.5f;
    }
    p.halved = c.halved;
    std::vector<float> pairs(size_t(weight_pairs_size(c.k, c.n, table)));
    if (c.paired) {
        sum_weight_pairs(panels.data(), c.k, c.n, pairs.data(), table);
        p.paired = can_pair(p, pairs.data());
        ASSERT_TRUE(p.paired);
    }
    run(p, table, c.block_rows, c.block_depth);
    const auto what = std::string(to_string(level)) + " " + std::to_string(c.m) + "x" +
                      std::to_string(c.n) + "x" + std::to_string(c.k);
    for (int64_t r = 0; r < c.m; ++r) {
        for (int64_t j = 0; j < c.n; ++j) {
            double want = c.bias ? double(bias[size_t(j)]) : 0;
            for (int64_t k = 0; k < c.k; ++k)
                want += double(p.a[r * a_row + k]) * double(w.b[k * w.b_k + j * w.b_n]);
            if (c.scaled_sum)
                want = std::min(1.5, std::max(-1.0, 2 * want + double(more[size_t(r * c.n + j)])));
            ASSERT_NEAR(double(got[size_t(r * c_row + j)]), want, 1e-4) << what;
        }
        ASSERT_EQ(got[size_t(r * c_row + c.n)], 77.0f) << what;
    }
}

void check(const gemm_case& c) {
    for (isa level : levels())
        check(c, level);
}

TEST(kernels_gemm, sizes_around_the_tiles) {
    for (int64_t m : {1, 2, 5, 6, 7, 13, 14, 15, 16, 29, 43})
        for (int64_t n : {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 65})
            for (int64_t k : {1, 3, 4, 5, 31, 64})
                check({m, n, k, (m + n + k) % 2 == 0, k % 2 == 0, (m + n) % 3 == 0});
}

TEST(kernels_gemm, parts_of_rows_and_depth) {
    for (int64_t rows : {1, 10, 40, 64})
        for (int64_t depth : {1, 7, 32, 50, 100})
            for (bool more : {false, true})
                check({71, 75, 100, false, true, more, rows, depth});
}

// Rows that are packed and rows that are not: few panels, and sums of one part or more.
TEST(kernels_gemm, few_panels) {
    for (int64_t n : {1, 16, 17, 32, 33, 64, 65})
        for (int64_t m : {9, 57, 131})
            for (int64_t k : {20, 1024, 1600})
                check({m, n, k, m == 57, true, n % 2 == 0, 0, 0, n == 32 ? 0 : 3});
}

TEST(kernels_gemm, shared_between_threads) {
    check({129, 301, 200, true, true, true});
    check({300, 40, 513, false, true, false});
    check({20, 1000, 64, false, false, true});
    check({60, 100, 1024, false, true, true, 0, 0, 0}); // rows a page apart
}

// Blocks of rows have as many units each: 98 rows would be seven tiles of 14, 99 are eight.
TEST(kernels_gemm, half_of_the_units_are_half_of_the_blocks) {
    const int64_t m = 197, n = 70, k = 40, rows = 99;
    const auto a = random_floats(size_t(m * k), 1), b = random_floats(size_t(k * n), 2);
    for (isa level : levels()) {
        const auto& table = kernels_for(level);
        std::vector<float> panels(size_t(packed_weights_size(k, n, table)));
        pack_gemm_weights({b.data(), k, n, n, 1}, panels.data(), table);
        std::vector<float> got(size_t(m * n), 77.0f);
        gemm_params p{};
        p.a = a.data();
        p.b = panels.data();
        p.c = got.data();
        p.m = m;
        p.n = p.c_row = n;
        p.k = p.a_row = p.block_depth = p.sum_depth = k;
        p.block_rows = rows;
        std::vector<float> scratch(size_t(table.gemm.direct.scratch(p)));
        table.gemm.direct.run(p, scratch.data(), 0, table.gemm.direct.units(p) / 2);
        for (int64_t r = 0; r < m; ++r)
            for (int64_t j = 0; j < n; ++j)
                ASSERT_EQ(got[size_t(r * n + j)] != 77.0f, r < rows)
                    << to_string(level) << " row " << r << " column " << j;
    }
}

// Lines of the result and of what is added to it are asked for a tile ahead, and rows of the next
// block.
TEST(kernels_gemm, results_beyond_the_caches) {
    check({2803, 501, 17, true, true, true});
    check({30000, 33, 40, false, true, true});
    check({5000, 300, 30, false, true, true, 50, 16});
}

// Seven products of halves: odd rows, blocks and parts of the depth, an odd number of panels, part
// of a panel, epilogues.
TEST(kernels_gemm, by_halves) {
    for (int64_t m : {1, 2, 3, 13, 26, 27, 29, 57})
        for (int64_t n : {1, 16, 17, 32, 40, 64, 70, 97})
            for (int64_t k : {16, 32, 48})
                check({m, n, k, (m + n + k) % 2 == 0, n % 2 == 0, m % 2 == 0, 0, 0, 3, true});
    for (int64_t rows : {1, 2, 23, 60})
        for (int64_t depth : {16, 32, 112})
            for (bool more : {false, true})
                check({119, 130, 112, false, true, more, rows, depth, 3, true});
    check({197, 1050, 784, true, true, true, 0, 0, 0, true});
    check({300, 1536, 400, false, true, false, 0, 0, 3, true});
}

// Products in pairs: sums of rows and columns, parts of the depth, strips that are multiplied
// plainly.
TEST(kernels_gemm, in_pairs) {
    for (isa level : levels()) {
        if (not kernels_for(level).gemm.pairs)
            continue;
        const auto in_pairs = [&](gemm_case c) {
            c.paired = true;
            check(c, level);
        };
        for (int64_t m : {1, 2, 11, 12, 13, 25, 57})
            for (int64_t n : {1, 16, 17, 32, 40, 64, 97})
                for (int64_t k : {8, 16, 24, 64})
                    in_pairs({m, n, k, (m + n + k) % 2 == 0, n % 2 == 0, m % 2 == 0});
        for (int64_t rows : {1, 23, 60})
            for (int64_t depth : {264, 528, 784}) // one sum, two, three
                in_pairs({67, 70, 784, false, true, rows == 23, rows, depth});
        in_pairs({197, 1050, 784, true, true, true, 0, 0, 0});
        in_pairs({30, 40, 1608, true, true, true, 0, 0, 0});

        // Rows of any size, and weights.
        const int64_t m = 40, n = 130, k = 64;
        auto a = random_floats(size_t(m * k), 1), b = random_floats(size_t(n * k), 2);
        for (int64_t r = 0; r < m; ++r)
            for (int64_t i = 0; i < k; ++i)
                a[size_t(r * k + i)] *= r < 20 ? 1e-9f : 1e20f;
        for (float& x : b)
            x *= 1e-3f;
        a[size_t(39 * k + 5)] = std::numeric_limits<float>::infinity();
        packed_product product(a, b, m, n, k, kernels_for(level));
        EXPECT_FALSE(gains_by_pairs(product.params, kernels_for(level), false));
        EXPECT_TRUE(gains_by_pairs(product.params, kernels_for(level), true));
        ASSERT_TRUE(product.pair(kernels_for(level)));
        EXPECT_EQ(product.params.weight_exponent, -11); // uniform below 2^-10
        run(product.params, kernels_for(level));
        for (int64_t r = 0; r < m; ++r)
            for (int64_t j = 0; j < n; ++j) {
                const double want = sum_in_double(a, b, n, k, r, j);
                const double got = double(product.result[size_t(r * n + j)]);
                if (r == 39) {
                    ASSERT_FALSE(std::isfinite(got)) << j;
                } else {
                    ASSERT_NEAR(got, want, r < 20 ? 1e-16 : 1e13) << r << ' ' << j;
                }
            }
        b[3] = std::numeric_limits<float>::infinity();
        packed_product infinite(a, b, m, n, k, kernels_for(level));
        EXPECT_FALSE(infinite.pair(kernels_for(level)));
    }
}

// Squared errors of the rows that counts(r) is true for, plainly and in pairs.
template <class Counts>
void squared_errors(const std::vector<float>& a, const std::vector<float>& b, int64_t n, int64_t k,
                    isa level, Counts counts, double (&errors)[2]) {
    const auto m = int64_t(a.size()) / k;
    for (const bool paired : {false, true}) {
        packed_product product(a, b, m, n, k, kernels_for(level));
        if (paired) {
            ASSERT_TRUE(product.pair(kernels_for(level)));
        }
        run(product.params, kernels_for(level));
        errors[paired] = 0;
        for (int64_t r = 0; r < m; ++r)
            for (int64_t j = 0; j < n && counts(r); ++j)
                errors[paired] += std::pow(
                    double(product.result[size_t(r * n + j)]) - sum_in_double(a, b, n, k, r, j), 2);
    }
}

// In pairs they are less than `most` times those of plain sums.
template <class Counts>
void expect_errors_of_pairs(const std::vector<float>& a, const std::vector<float>& b, int64_t n,
                            int64_t k, double most, Counts counts) {
    for (isa level : levels()) {
        if (not kernels_for(level).gemm.pairs)
            continue;
        double errors[2];
        ASSERT_NO_FATAL_FAILURE(squared_errors(a, b, n, k, level, counts, errors));
        EXPECT_LT(errors[1], most * errors[0]);
        EXPECT_GT(errors[0], 0);
    }
}

constexpr auto all_rows = [](int64_t) { return true; };

// Trained weights have single large numbers, which say little of most sums: with scales by the
// largest numbers errors would be a hundred times these.
TEST(kernels_gemm, pairs_and_single_large_weights) {
    const int64_t m = 48, n = 160, k = 384;
    const auto a = random_floats(size_t(m * k), 1);
    auto b = random_floats(size_t(n * k), 2);
    for (std::size_t i = 0; i < b.size(); i += 997)
        b[i] *= 100;
    expect_errors_of_pairs(a, b, n, k, 9, all_rows);
}

// What is never negative makes sums of pairs grow, unless every other pair is subtracted: 7 times
// the errors of plain sums.
TEST(kernels_gemm, pairs_of_numbers_that_are_not_negative) {
    const int64_t m = 48, n = 128, k = 384;
    auto a = random_floats(size_t(m * k), 1);
    for (float& x : a)
        x = std::abs(x);
    expect_errors_of_pairs(a, random_floats(size_t(n * k), 2), n, k, 2, all_rows);
}

// Rows are tokens or samples: large ones (the first token of a language model, say) cost their
// neighbours no digits (with one scale for twelve rows errors would be a hundred thousand times
// these), and nothing but zeros gives the bias to the last bit.
TEST(kernels_gemm, pairs_and_rows_of_any_size) {
    const int64_t m = 36, n = 128, k = 384;
    auto a = random_floats(size_t(m * k), 1);
    const auto b = random_floats(size_t(n * k), 2);
    const auto zeros = [](int64_t r) { return r % 12 == 5; };
    const auto large = [](int64_t r) { return r % 4 == 0; };
    for (int64_t r = 0; r < m; ++r)
        for (int64_t i = 0; i < k; ++i)
            a[size_t(r * k + i)] *= zeros(r) ? 0.0f : large(r) ? 1000.0f : 1.0f;
    expect_errors_of_pairs(a, b, n, k, 9, [&](int64_t r) { return not zeros(r) and not large(r); });
    for (isa level : levels())
        if (kernels_for(level).gemm.pairs) {
            double errors[2];
            ASSERT_NO_FATAL_FAILURE(squared_errors(a, b, n, k, level, zeros, errors));
            EXPECT_EQ(errors[1], 0);
        }
}

// A thread's part of the scratch begins with a line, as the first one's does: sums of panels are
// whole vectors.
TEST(kernels_gemm, scratch_of_halves_in_lines) {
    for (isa level : levels()) {
        for (int64_t m : {28, 100, 128, 197}) {
            gemm_params p{};
            p.m = m, p.n = 64, p.k = 96;
            p.halved = true;
            block_gemm(p, 2, kernels_for(level));
            EXPECT_EQ(kernels_for(level).gemm.halved.scratch(p) % 16, 0) << m;
        }
    }
}

// Any share of the units gives the same bits.
TEST(kernels_gemm, shares_of_halves) {
    const int64_t m = 119, n = 130, k = 96;
    const auto a = random_floats(size_t(m * k), 1), b = random_floats(size_t(k * n), 2);
    for (isa level : levels()) {
        const auto& table = kernels_for(level);
        packed_product whole(a, b, m, n, k, table);
        auto& p = whole.params;
        p.halved = true;
        p.block_rows = 60;
        p.block_depth = 64;
        const gemm_form& form = table.gemm.form(p);
        const int64_t units = form.units(p);
        std::vector<float> scratch(size_t(form.scratch(p)), std::nanf(""));
        form.run(p, scratch.data(), 0, units);
        std::vector<float> got(size_t(m * n));
        for (int64_t parts : {2, 3, 7}) {
            std::fill(got.begin(), got.end(), std::nanf(""));
            p.c = got.data();
            for (int64_t i = 0; i < parts; ++i) {
                std::fill(scratch.begin(), scratch.end(), std::nanf(""));
                form.run(p, scratch.data(), units * i / parts, units * (i + 1) / parts);
            }
            EXPECT_EQ(got, whole.result) << to_string(level) << ' ' << parts;
        }
    }
}

// An infinity or NaN stays in its row.
TEST(kernels_gemm, rows_that_are_not_finite_by_halves) {
    const int64_t m = 120, n = 70, k = 96;
    auto a = random_floats(size_t(m * k), 1);
    const auto b = random_floats(size_t(k * n), 2);
    a[size_t(3 * k + 90)] = std::nanf("");
    a[size_t(40 * k)] = std::numeric_limits<float>::infinity();
    for (isa level : levels()) {
        const auto& table = kernels_for(level);
        packed_product product(a, b, m, n, k, table);
        product.params.halved = true;
        run(product.params, table, 60, 64);
        const auto& got = product.result;
        for (int64_t r = 0; r < m; ++r)
            for (int64_t j = 0; j < n; ++j)
                ASSERT_EQ(std::isfinite(got[size_t(r * n + j)]), r != 3 && r != 40)
                    << to_string(level) << " row " << r << " column " << j;
    }
}

// It is a different sum, and its error stays within 4 times that of the direct one.
TEST(kernels_gemm, error_of_halves) {
    const int64_t m = 112, n = 64, k = 768;
    const auto a = random_floats(size_t(m * k), 1), b = random_floats(size_t(k * n), 2);
    for (isa level : levels()) {
        const auto& table = kernels_for(level);
        packed_product product(a, b, m, n, k, table);
        double error[2] = {};
        for (bool halved : {false, true}) {
            product.params.halved = halved;
            run(product.params, table);
            for (int64_t r = 0; r < m; ++r)
                for (int64_t j = 0; j < n; ++j) {
                    double want = 0;
                    for (int64_t i = 0; i < k; ++i)
                        want += double(a[size_t(r * k + i)]) * double(b[size_t(i * n + j)]);
                    error[halved] = std::max(
                        error[halved], std::fabs(double(product.result[size_t(r * n + j)]) - want));
                }
        }
        EXPECT_NE(error[0], error[1]) << to_string(level);
        EXPECT_LT(error[1], 4 * error[0]) << to_string(level);
    }
}

TEST(kernels_gemm, sizes_that_gain_by_halves) {
    bool adds_beside = false;
    const auto gains = [&](int64_t m, int64_t n, int64_t k) {
        gemm_params p{};
        p.m = m, p.n = n, p.k = k;
        return gains_by_halves(p, kernels_for(isa::avx2), adds_beside);
    };
    if (!isa_supported(isa::avx2))
        GTEST_SKIP() << "the rule is that of AVX2's panels, which this machine has not";
    EXPECT_TRUE(gains(128, 3072, 768));
    EXPECT_TRUE(gains(197, 2304, 768));
    EXPECT_TRUE(gains(1500, 1536, 384));
    EXPECT_TRUE(gains(128, 50257, 768));
    EXPECT_FALSE(gains(128, 768, 3072)); // few columns for what packing takes
    EXPECT_FALSE(gains(64, 3072, 768));  // few rows for the sums of panels
    EXPECT_FALSE(gains(150, 3072, 768)); // the same: blocks of 75
    EXPECT_FALSE(gains(128, 3072, 256));
    EXPECT_FALSE(gains(128, 3072, 776)); // halves of 388
    EXPECT_FALSE(gains(128, 2048, 768)); // threads share the only block
    adds_beside = true;                  // sums cost nothing
    EXPECT_TRUE(gains(128, 768, 3072));
    EXPECT_TRUE(gains(128, 768, 768));
    EXPECT_TRUE(gains(56, 384, 384));
    EXPECT_FALSE(gains(55, 384, 384));
    EXPECT_FALSE(gains(56, 368, 384));
    EXPECT_FALSE(gains(56, 384, 368));
    EXPECT_FALSE(gains(56, 384, 392)); // halves of 196
    EXPECT_TRUE(gains(56, 1000, 384));
}

// GELU of a product by one: its error, and what becomes of infinities and NaN.
void check_gelu(row_op op, double (*want)(double)) {
    constexpr auto inf = std::numeric_limits<float>::infinity();
    std::vector<float> x;
    for (float v = -20; v <= 20; v += 0.001f)
        x.push_back(v);
    const auto finite = x.size();
    x.insert(x.end(), {1e30f, inf, -1e30f, -inf, std::nanf("")});
    const float one = 1;
    for (isa level : levels()) {
        const auto& table = kernels_for(level);
        std::vector<float> panels(size_t(packed_weights_size(1, 1, table))), got(x.size());
        pack_gemm_weights({&one, 1, 1, 1, 1}, panels.data(), table);
        gemm_params p{};
        p.a = x.data();
        p.b = panels.data();
        p.c = got.data();
        p.m = int64_t(x.size());
        p.n = p.k = p.a_row = p.c_row = 1;
        p.epilogue.count = 1;
        p.epilogue.steps[0].op = op;
        run(p, table);
        for (size_t i = 0; i < finite; ++i)
            ASSERT_NEAR(double(got[i]), want(double(x[i])),
                        3e-7 + 2e-7 * std::max(0.0, double(x[i])))
                << to_string(level) << " at " << x[i];
        EXPECT_EQ(got[finite], 1e30f);
        EXPECT_EQ(got[finite + 1], inf);
        EXPECT_NEAR(double(got[finite + 2]), 0, 1e-30);
        EXPECT_NEAR(double(got[finite + 3]), 0, 1e-30);
        EXPECT_TRUE(std::isnan(got[finite + 4]));
    }
}

TEST(kernels_gemm, gelu_of_any_value) {
    check_gelu(row_op::gelu_erf, [](double x) { return 0.5 * x * std::erfc(-x * std::sqrt(0.5)); });
    check_gelu(row_op::gelu_tanh, [](double x) {
        return x / (1 + std::exp(-std::sqrt(8 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
    });
}

// Long sums are sums of parts: closer than one chain.
TEST(kernels_gemm, sums_of_parts_are_closer) {
    const int64_t k = 3072;
    const std::vector<float> a(size_t(k), 0.1f), b(size_t(k), 0.7f);
    float chain = 0;
    for (int64_t i = 0; i < k; ++i)
        chain = std::fma(a[size_t(i)], b[size_t(i)], chain);
    const double want = double(k) * double(0.1f) * double(0.7f);
    for (isa level : levels()) {
        const auto& table = kernels_for(level);
        std::vector<float> panels(size_t(packed_weights_size(k, 1, table))), got(1);
        pack_gemm_weights({b.data(), k, 1, 1, 1}, panels.data(), table);
        gemm_params p{};
        p.a = a.data();
        p.b = panels.data();
        p.c = got.data();
        p.m = p.n = p.c_row = 1;
        p.k = p.a_row = k;
        run(p, table);
        EXPECT_LT(std::fabs(double(got[0]) - want), std::fabs(double(chain) - want) / 2)
            << to_string(level);
    }
}

} // namespace
