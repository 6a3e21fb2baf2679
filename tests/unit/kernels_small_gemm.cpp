// SPDX-License-Identifier: MIT
// Thin and tiny products against double loops, on every instruction set of this machine.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_small_gemm.hpp"

#include <gtest/gtest.h>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

struct gemm_case {
    int64_t m, n, k;
    bool transposed_a, transposed_b, bias;
    bool relu = false;
};

void check_gemm(const gemm_case& c) {
    const auto a = random_floats(size_t(c.m * c.k) + 1, 1),
               b = random_floats(size_t(c.n * c.k) + 1, 2), bias = random_floats(size_t(c.n), 3);
    small_gemm_params p{};
    p.a = a.data() + 1;
    p.b = b.data() + 1;
    p.bias = c.bias ? bias.data() : nullptr;
    p.m = c.m;
    p.n = c.n;
    p.k = c.k;
    p.a_row = c.transposed_a ? 1 : c.k;
    p.a_k = c.transposed_a ? c.m : 1;
    p.b_k = c.transposed_b ? 1 : c.n;
    p.b_n = c.transposed_b ? c.k : 1;
    p.c_row = c.n + 2;
    p.relu = c.relu;
    std::vector<double> want;
    for (int64_t r = 0; r < c.m; ++r)
        for (int64_t j = 0; j < c.n; ++j) {
            double s = c.bias ? double(bias[size_t(j)]) : 0;
            for (int64_t k = 0; k < c.k; ++k)
                s += double(p.a[r * p.a_row + k * p.a_k]) * double(p.b[k * p.b_k + j * p.b_n]);
            want.push_back(c.relu ? std::max(s, 0.0) : s);
        }
    for (isa level : levels()) {
        const auto& table = kernels_for(level);
        const auto compare = [&](const std::vector<float>& got, const char* what) {
            for (int64_t r = 0; r < c.m; ++r) {
                for (int64_t j = 0; j < c.n; ++j)
                    ASSERT_NEAR(double(got[size_t(r * p.c_row + j)]), want[size_t(r * c.n + j)],
                                3e-5)
                        << what << " " << to_string(level) << " " << c.m << "x" << c.n << "x"
                        << c.k;
                ASSERT_EQ(got[size_t(r * p.c_row + c.n)], 77.0f) << what;
            }
        };
        std::vector<float> got(size_t(c.m * p.c_row), 77.0f), fresh = got;
        p.c = got.data();
        if (run_thin_gemm(p, table))
            compare(got, "thin");
        else
            ASSERT_TRUE(c.transposed_b && c.transposed_a);
        if (!c.relu) {
            got = fresh;
            p.c = got.data();
            ASSERT_EQ(run_batched_gemm(p, table),
                      !c.transposed_b || c.k <= small_gemm_params::tiny);
            if (!c.transposed_b || c.k <= small_gemm_params::tiny)
                compare(got, "batched");
        }
        std::vector<float> panels(size_t(packed_gemm_size(p, table)));
        pack_gemm(p, panels.data(), table);
        got = fresh;
        auto q = p;
        q.c = got.data();
        q.b = panels.data();
        run_packed_gemm(q, table);
        compare(got, "packed");
    }
}

TEST(kernels_small_gemm, sizes_around_the_tiles) {
    for (int64_t m : {1, 2, 5, 6, 7, 8, 13})
        for (int64_t n : {1, 3, 4, 15, 16, 17, 33, 64, 65, 300})
            for (int64_t k : {1, 7, 8, 16, 31, 65})
                check_gemm({m, n, k, false, (m + n + k) % 2 == 0, k % 2 == 0});
    for (bool ta : {false, true})
        for (bool tb : {false, true})
            for (bool bias : {false, true}) {
                check_gemm({2, 301, 90, ta, tb, bias, true});
                check_gemm({5, 301, 90, ta, tb, bias, true});
                check_gemm({4, 20, 30, ta, tb, bias});
                check_gemm({1, 1000, 200, ta, tb, bias});
                check_gemm({6, 700, 333, ta, tb, bias});
            }
    check_gemm({0, 5, 3, false, false, false});
    check_gemm({2, 5, 0, false, false, true});
}

TEST(kernels_small_gemm, equal_columns_are_packed_from_one) {
    const auto column = random_floats(70, 3);
    for (isa level : levels())
        for (const int64_t n : {1, 31, 32, 64, 100})
            for (const int64_t k_step : {0, 1}) {
                const auto& table = kernels_for(level);
                small_gemm_params p{};
                p.m = 1;
                p.n = n;
                p.k = 70;
                std::vector<float> written;
                for (int64_t k = 0; k < p.k; ++k)
                    written.insert(written.end(), size_t(n), column[size_t(k * k_step)]);
                const auto size = size_t(packed_gemm_size(p, table));
                std::vector<float> got(size, 1), want(size, 2);
                p.b = column.data();
                p.b_k = k_step;
                p.b_n = 0;
                pack_gemm(p, got.data(), table);
                p.b = written.data();
                p.b_k = n;
                p.b_n = 1;
                pack_gemm(p, want.data(), table);
                ASSERT_EQ(got, want) << to_string(level) << ' ' << n;
            }
}

TEST(kernels_small_gemm, batches_broadcast) {
    const int64_t n = 16;
    const auto a = random_floats(size_t(3 * n * n), 1), b = random_floats(size_t(5 * n * n), 2);
    for (isa level : levels()) {
        std::vector<float> c(size_t(15 * n * n));
        small_gemm_params p{};
        p.a = a.data();
        p.b = b.data();
        p.c = c.data();
        p.m = p.n = p.k = n;
        p.a_row = p.b_k = p.c_row = n;
        p.a_k = p.b_n = 1;
        p.rank = 2;
        p.lens[0] = 3;
        p.lens[1] = 5;
        p.a_steps[0] = n * n;
        p.b_steps[1] = n * n;
        p.c_steps[0] = 5 * n * n;
        p.c_steps[1] = n * n;
        ASSERT_TRUE(run_batched_gemm(p, kernels_for(level)));
        for (int64_t i = 0; i < 3; ++i)
            for (int64_t j = 0; j < 5; ++j)
                for (int64_t r = 0; r < n; ++r)
                    for (int64_t s = 0; s < n; ++s) {
                        double want = 0;
                        for (int64_t k = 0; k < n; ++k)
                            want += double(a[size_t(i * n * n + r * n + k)]) *
                                    double(b[size_t(j * n * n + k * n + s)]);
                        ASSERT_NEAR(double(c[size_t((i * 5 + j) * n * n + r * n + s)]), want, 1e-5);
                    }
    }
}

} // namespace
