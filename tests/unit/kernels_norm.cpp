// SPDX-License-Identifier: MIT
// Normalisations against double loops, on every instruction set of this machine.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_norm.hpp"

#include <gtest/gtest.h>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

// Rows of n of T (float or _Float16) with gaps, residual, gamma, beta and sum each present or not
// by `parts`.
template <class T>
void check_rows(int64_t rows, int64_t n, unsigned parts, bool rms, bool one_residual_row) {
    const bool half = sizeof(T) == 2;
    const int64_t stride = n + 3;
    const auto make = [](int64_t size, unsigned seed) {
        const auto f = random_floats(size_t(size), seed, -2, 3);
        return std::vector<T>(f.begin(), f.end());
    };
    const auto x = make(rows * stride + 1, 1), residual = make(rows * stride, 2),
               gamma = make(n, 3), beta = make(n, 4);
    const bool has_residual = parts & 1, has_gamma = parts & 2, has_beta = parts & 4,
               has_sum = parts & 8;
    norm_params p{};
    p.type = p.param_type = half ? elem_type::f16 : elem_type::f32;
    p.rms = rms;
    p.epsilon = 1e-5f;
    p.x = x.data() + 1;
    p.residual = has_residual ? residual.data() : nullptr;
    p.gamma = has_gamma ? gamma.data() : nullptr;
    p.beta = has_beta ? beta.data() : nullptr;
    p.n = n;
    p.x_row = p.y_row = p.sum_row = stride;
    p.residual_row = one_residual_row ? 0 : stride;
    for (isa level : levels()) {
        std::vector<T> y(size_t(rows * stride), T(77)), sum = y;
        p.y = y.data();
        p.sum = has_sum ? sum.data() : nullptr;
        run_norm_rows(p, rows, kernels_for(level));
        for (int64_t r = 0; r < rows; ++r) {
            std::vector<double> v;
            double mean = 0, var = 0;
            for (int64_t i = 0; i < n; ++i)
                v.push_back(double(x[size_t(r * stride + i + 1)]) +
                            (has_residual ? double(residual[size_t(r * p.residual_row + i)]) : 0));
            for (double t : v)
                mean += rms ? 0 : t / double(n);
            for (double t : v)
                var += (t - mean) * (t - mean) / double(n);
            for (int64_t i = 0; i < n; ++i) {
                const size_t at = size_t(r * stride + i);
                const double want = (v[size_t(i)] - mean) / std::sqrt(var + 1e-5) *
                                        (has_gamma ? double(gamma[size_t(i)]) : 1) +
                                    (has_beta ? double(beta[size_t(i)]) : 0);
                ASSERT_NEAR(double(y[at]), want,
                            (half ? 2e-3 : 2e-6) * std::max(1.0, std::abs(want)))
                    << to_string(level) << " n " << n << " parts " << parts << " row " << r;
                if (has_sum) {
                    ASSERT_NEAR(double(sum[at]), v[size_t(i)], half ? 4e-3 : 1e-6);
                }
            }
            for (int64_t i = n; i < stride; ++i)
                ASSERT_EQ(y[size_t(r * stride + i)], T(77));
        }
    }
}

TEST(kernels_norm, rows_of_every_length) {
    for (int64_t n = 1; n < 100; ++n)
        check_rows<float>(3, n, 15, false, false);
    for (int64_t n : {255, 768, 1000, 5000, 70000})
        check_rows<float>(2, n, 6, false, false);
}

TEST(kernels_norm, every_combination_of_inputs) {
    for (unsigned parts = 0; parts < 16; ++parts)
        for (bool rms : {false, true}) {
            check_rows<float>(4, 37, parts, rms, false);
            check_rows<float>(300, 512, parts, rms, true);
            check_rows<_Float16>(4, 37, parts, rms, false);
        }
}

TEST(kernels_norm, result_may_overwrite_its_inputs) {
    for (isa level : levels()) {
        auto x = random_floats(100, 1), residual = random_floats(100, 2), want = x, sum = x;
        norm_params p{};
        p.epsilon = 1e-3f;
        p.n = 50;
        p.x_row = p.y_row = p.residual_row = p.sum_row = 50;
        p.x = x.data();
        p.residual = residual.data();
        p.y = want.data();
        p.sum = sum.data();
        run_norm_rows(p, 2, kernels_for(level));
        p.y = residual.data();
        p.sum = x.data();
        run_norm_rows(p, 2, kernels_for(level));
        EXPECT_EQ(residual, want);
        EXPECT_EQ(x, sum);
    }
}

void check_groups(int64_t images, int64_t groups, int64_t channels, int64_t inner) {
    const int64_t n = images * groups * channels * inner;
    const auto x = random_floats(size_t(n), 1, -1, 4);
    const auto gamma = random_floats(size_t(groups * channels), 2);
    const auto beta = random_floats(size_t(groups * channels), 3);
    norm_params p{};
    p.epsilon = 1e-5f;
    p.x = x.data();
    p.gamma = gamma.data();
    p.beta = beta.data();
    for (isa level : levels()) {
        std::vector<float> y(size_t(n) + 1, 77.0f);
        p.y = y.data();
        run_norm_groups(p, images, groups, channels, inner, kernels_for(level));
        ASSERT_EQ(y.back(), 77.0f);
        for (int64_t u = 0; u < images * groups; ++u) {
            const float* v = x.data() + u * channels * inner;
            double mean = 0, var = 0;
            for (int64_t i = 0; i < channels * inner; ++i)
                mean += double(v[i]) / double(channels * inner);
            for (int64_t i = 0; i < channels * inner; ++i)
                var += (double(v[i]) - mean) * (double(v[i]) - mean) / double(channels * inner);
            for (int64_t i = 0; i < channels * inner; ++i) {
                const size_t c = size_t(u % groups * channels + i / inner);
                const double want =
                    (double(v[i]) - mean) / std::sqrt(var + 1e-5) * double(gamma[c]) +
                    double(beta[c]);
                ASSERT_NEAR(double(y[size_t(u * channels * inner + i)]), want, 4e-6);
            }
        }
    }
}

TEST(kernels_norm, groups_and_instances) {
    check_groups(2, 3, 4, 49);
    check_groups(1, 32, 2, 30);
    check_groups(2, 5, 1, 100);
    check_groups(1, 1, 3, 1);
    check_groups(3, 4, 16, 1024);
}

} // namespace
