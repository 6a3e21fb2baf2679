// SPDX-License-Identifier: MIT
// softmax against double loops, on every instruction set of this machine.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_softmax.hpp"

#include <gtest/gtest.h>

#include <limits>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();

struct softmax_case {
    dims lens;
    int axis;
    dims perm; // memory order; empty: row-major
    dims mask; // strides of the mask; empty: none
    bool log = false;
    elem_type type = elem_type::f32;
    float scale = 0.37f;
};

dims permuted(const dims& lens, const dims& perm) {
    if (perm.empty())
        return packed(lens);
    dims s(lens.size());
    int64_t n = 1;
    for (size_t i = perm.size(); i-- > 0;) {
        s[size_t(perm[i])] = n;
        n *= lens[size_t(perm[i])];
    }
    return s;
}

void check_softmax(const softmax_case& c) {
    const dims strides = permuted(c.lens, c.perm);
    const size_t n = size_t(count(c.lens));
    const bool half = c.type == elem_type::f16;
    std::vector<float> x = random_floats(n + 1, 11, -6, 6);
    std::vector<_Float16> h(x.begin(), x.end());
    if (half)
        for (size_t i = 0; i <= n; ++i)
            x[i] = float(h[i]);
    const auto mask = random_floats(n + 1, 12, -3, 3);
    const float scale = c.scale;
    std::vector<double> want(n);
    dims line = c.lens;
    const int64_t len = c.lens[size_t(c.axis)];
    line[size_t(c.axis)] = 1;
    for_each_index(line, [&](dims i) {
        std::vector<double> v;
        double top = -inf, sum = 0;
        for (int64_t k = 0; k < len; ++k) {
            i[size_t(c.axis)] = k;
            double t = double(x[size_t(dot(i, strides)) + 1]) * double(scale);
            if (!c.mask.empty())
                t += double(mask[size_t(dot(i, c.mask))]);
            v.push_back(t);
            top = std::max(top, t);
        }
        for (double t : v)
            sum += std::exp(t - top);
        for (int64_t k = 0; k < len; ++k) {
            i[size_t(c.axis)] = k;
            want[size_t(dot(i, strides))] =
                c.log ? v[size_t(k)] - top - std::log(sum) : std::exp(v[size_t(k)] - top) / sum;
        }
    });
    for (isa level : levels()) {
        std::vector<float> y(n + 2, 77.0f);
        std::vector<_Float16> hy(n + 2, _Float16(77));
        softmax_problem s;
        s.type = c.type;
        s.log = c.log;
        s.rank = int(c.lens.size());
        s.axis = c.axis;
        s.lens = c.lens.data();
        s.x = half ? static_cast<const void*>(h.data() + 1) : x.data() + 1;
        s.x_strides = s.y_strides = strides.data();
        s.y = half ? static_cast<void*>(hy.data() + 1) : y.data() + 1;
        s.scale = scale;
        if (!c.mask.empty()) {
            s.mask = mask.data();
            s.mask_strides = c.mask.data();
        }
        run_softmax(s, kernels_for(level));
        if (half)
            y.assign(hy.begin(), hy.end());
        ASSERT_EQ(y.front(), 77.0f);
        ASSERT_EQ(y.back(), 77.0f);
        for (size_t i = 0; i < n; ++i)
            ASSERT_NEAR(double(y[i + 1]), want[i],
                        (half ? 1e-3 : 1e-6) * std::max(1.0, std::abs(want[i])) *
                            (half && !c.log ? std::abs(want[i]) + 1e-4 : 1))
                << to_string(level) << " " << show(c.lens) << " axis " << c.axis << " perm "
                << show(c.perm) << " at " << i;
    }
}

TEST(kernels_softmax, rows_of_every_length) {
    for (bool log : {false, true})
        for (int64_t n = 1; n < 150; ++n)
            check_softmax({{3, n}, 1, {}, {}, log});
    for (int64_t n : {255, 256, 257, 511, 1000, 5000, 20011})
        for (float scale : {0.37f, 1.0f})
            for (bool log : {false, true})
                check_softmax({{3, n}, 1, {}, {}, log, elem_type::f32, scale});
}

TEST(kernels_softmax, any_axis_and_layout) {
    for (bool log : {false, true})
        for (int axis = 0; axis < 4; ++axis)
            for (const dims& perm : {dims{}, dims{0, 2, 3, 1}, dims{3, 2, 1, 0}, dims{1, 0, 3, 2}})
                check_softmax({{2, 5, 3, 21}, axis, perm, {}, log});
    check_softmax({{2, 21, 65, 65}, 1, {}, {}});
    check_softmax({{1, 1, 1, 1}, 2, {}, {}});
    check_softmax({{4, 0}, 1, {}, {}});
    check_softmax({{0, 4}, 1, {}, {}});
}

TEST(kernels_softmax, masks_broadcast) {
    for (int64_t n : {1, 7, 16, 33, 64, 128, 200}) {
        check_softmax({{2, 3, 5, n}, 3, {}, {n, 0, 0, 1}});
        check_softmax({{2, 3, 5, n}, 3, {}, {0, 0, n, 1}, true});
        check_softmax({{2, 3, 5, n}, 3, {}, {0, 0, 1, 0}});
        check_softmax({{2, 3, n, 5}, 2, {}, {0, 0, 1, 0}});
        check_softmax({{2, 3, n, 5}, 2, {}, {5 * n, 0, 5, 1}});
        check_softmax({{2, 3, 5, n}, 3, {}, {0, 0, 0, 3}});
    }
}

TEST(kernels_softmax, halves) {
    for (int64_t n : {1, 8, 15, 40, 100, 333}) {
        check_softmax({{3, n}, 1, {}, {}, false, elem_type::f16});
        check_softmax({{3, n}, 1, {}, {}, true, elem_type::f16});
        check_softmax({{n, 3}, 0, {}, {}, false, elem_type::f16});
    }
}

TEST(kernels_softmax, extremes) {
    const dims lens{40}, one{1};
    for (isa level : levels()) {
        std::vector<float> x(40, -inf), y(40);
        x[3] = 1e38f;
        x[4] = -1e38f;
        softmax_problem s;
        s.rank = 1;
        s.lens = lens.data();
        s.x = x.data();
        s.x_strides = s.y_strides = one.data();
        s.y = y.data();
        run_softmax(s, kernels_for(level));
        EXPECT_EQ(y[3], 1.0f);
        EXPECT_EQ(y[4], 0.0f);
        EXPECT_EQ(y[39], 0.0f);
        x[7] = std::numeric_limits<float>::quiet_NaN();
        run_softmax(s, kernels_for(level));
        EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[7]) && std::isnan(y[39]));
        s.y = x.data(); // in place
        x.assign(40, 2.0f);
        run_softmax(s, kernels_for(level));
        EXPECT_FLOAT_EQ(x[39], 1.0f / 40);
    }
}

} // namespace
