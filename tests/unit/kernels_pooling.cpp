// SPDX-License-Identifier: MIT
// Pooling against the definition in double, on every instruction set of this machine.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_pooling.hpp"

#include <gtest/gtest.h>

#include <limits>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

pooling_axis axis_of(int64_t in, int64_t kernel, int64_t stride, int64_t before, int64_t after,
                     int64_t dilation, bool ceil) {
    pooling_axis a{in, 0, kernel, stride, dilation, before, after};
    const int64_t room = in + before + after - ((kernel - 1) * dilation + 1);
    a.out = (ceil ? room + stride - 1 : room) / stride + 1;
    return a;
}

template <class T>
void check_pooling(pooling_problem p, int64_t images, int64_t planes) {
    p.type = sizeof(T) == 2 ? elem_type::f16 : elem_type::f32;
    p.rank = 2;
    // Pixels may have others beside them, as parts of a larger tensor.
    p.x_col = p.channels + (p.channels > 1 ? 5 : 0);
    p.y_col = p.channels + (p.channels > 1 ? 2 : 0);
    p.x_row = p.w.in * p.x_col;
    p.y_row = p.w.out * p.y_col;
    p.lens[0] = images;
    p.lens[1] = planes;
    p.x_slice = p.h.in * p.x_row;
    p.y_slice = p.h.out * p.y_row;
    p.x_steps[1] = p.d.in * p.x_slice;
    p.x_steps[0] = planes * p.x_steps[1];
    p.y_steps[1] = p.d.out * p.y_slice;
    p.y_steps[0] = planes * p.y_steps[1];
    ASSERT_EQ(pooling_plan::refusal(p), nullptr);
    const auto f = random_floats(size_t(images * p.x_steps[0]), 1, -2, 2);
    const std::vector<T> x(f.begin(), f.end());
    const pooling_plan plan(p);
    for (isa level : levels()) {
        std::vector<T> y(size_t(images * p.y_steps[0]) + 1, T(77));
        plan.run(x.data(), y.data(), kernels_for(level));
        ASSERT_EQ(y.back(), T(77));
        for_each_index({images, planes, p.d.out, p.h.out, p.w.out, p.channels}, [&](const dims& i) {
            double acc = p.kind == pooling_kind::max ? -std::numeric_limits<double>::infinity() : 0;
            int64_t inside = 0, padded = 0;
            for_each_index({p.d.kernel, p.h.kernel, p.w.kernel}, [&](const dims& k) {
                const int64_t z = i[2] * p.d.stride + k[0] * p.d.dilation - p.d.before;
                const int64_t r = i[3] * p.h.stride + k[1] * p.h.dilation - p.h.before;
                const int64_t c = i[4] * p.w.stride + k[2] * p.w.dilation - p.w.before;
                padded +=
                    z < p.d.in + p.d.after && r < p.h.in + p.h.after && c < p.w.in + p.w.after;
                if (z < 0 || r < 0 || c < 0 || z >= p.d.in || r >= p.h.in || c >= p.w.in)
                    return;
                ++inside;
                const double v =
                    double(x[size_t(i[0] * p.x_steps[0] + i[1] * p.x_steps[1] + z * p.x_slice +
                                    r * p.x_row + c * p.x_col + i[5])]);
                if (p.kind == pooling_kind::max)
                    acc = std::max(acc, v);
                else
                    acc += p.kind == pooling_kind::lp ? std::pow(std::abs(v), double(p.order)) : v;
            });
            if (p.kind == pooling_kind::average)
                acc /= double(p.count_include_pad ? padded : inside);
            if (p.kind == pooling_kind::lp)
                acc = std::pow(acc, 1 / double(p.order));
            const double got =
                double(y[size_t(i[0] * p.y_steps[0] + i[1] * p.y_steps[1] + i[2] * p.y_slice +
                                i[3] * p.y_row + i[4] * p.y_col + i[5])]);
            if (std::isnan(acc)) // no tap
                ASSERT_TRUE(std::isnan(got));
            else if (std::isinf(acc))
                ASSERT_EQ(got, acc);
            else
                ASSERT_NEAR(got, acc, sizeof(T) == 2 ? 4e-3 : 3e-6)
                    << to_string(level) << " kind " << int(p.kind) << " channels " << p.channels
                    << show(i);
        });
    }
}

TEST(kernels_pooling, windows_layouts_and_kinds) {
    for (auto kind : {pooling_kind::average, pooling_kind::max, pooling_kind::lp})
        for (int64_t channels : {1, 3, 16, 70})
            for (int64_t stride : {1, 2, 3})
                for (int64_t dilation : {1, 2})
                    for (bool ceil : {false, true}) {
                        pooling_problem p;
                        p.kind = kind;
                        p.channels = channels;
                        p.h = axis_of(7, 3, stride, 1, 1, dilation, ceil);
                        p.w = axis_of(38, 3, stride, 1, 0, dilation, ceil);
                        check_pooling<float>(p, 1, 2);
                        p.count_include_pad = true;
                        check_pooling<float>(p, 1, 1);
                        p.order = 3;
                        check_pooling<_Float16>(p, 1, 1);
                    }
}

TEST(kernels_pooling, three_axes) {
    for (auto kind : {pooling_kind::average, pooling_kind::max, pooling_kind::lp})
        for (int64_t channels : {1, 20})
            for (bool counted : {false, true}) {
                pooling_problem p;
                p.kind = kind;
                p.count_include_pad = counted;
                p.channels = channels;
                p.d = axis_of(6, 3, 2, 1, 1, 1, true);
                p.h = axis_of(5, 2, 1, 0, 1, 2, false);
                p.w = axis_of(19, 3, 2, 1, 0, 1, true);
                check_pooling<float>(p, 2, 2);
                check_pooling<_Float16>(p, 1, 1);
            }
}

TEST(kernels_pooling, one_axis_whole_image_and_tiny) {
    for (int64_t channels : {1, 20}) {
        pooling_problem p;
        p.kind = pooling_kind::average;
        p.channels = channels;
        p.w = axis_of(100, 4, 4, 0, 0, 1, false);
        check_pooling<float>(p, 2, 3);
        p.h = axis_of(7, 7, 1, 0, 0, 1, false);
        p.w = axis_of(7, 7, 1, 0, 0, 1, false);
        check_pooling<float>(p, 1, 5);
        p.kind = pooling_kind::max;
        p.h = axis_of(2, 2, 2, 0, 0, 1, false);
        p.w = axis_of(1, 1, 1, 0, 0, 1, false);
        check_pooling<float>(p, 1, 2);
        p.h = axis_of(56, 2, 2, 0, 0, 1, false);
        p.w = axis_of(56, 2, 2, 0, 0, 1, false);
        check_pooling<float>(p, 1, 16);
        p.h = p.w = axis_of(13, 5, 1, 2, 2, 1, false);
        check_pooling<float>(p, 1, 4);
    }
}

TEST(kernels_pooling, maximum_of_nan_is_nan) {
    pooling_problem p;
    p.w = axis_of(40, 3, 1, 1, 1, 1, false);
    p.x_row = p.y_row = 40;
    std::vector<float> x(40, 1.0f), y(40);
    x[20] = std::numeric_limits<float>::quiet_NaN();
    for (isa level : levels()) {
        pooling_plan(p).run(x.data(), y.data(), kernels_for(level));
        EXPECT_TRUE(std::isnan(y[19]) && std::isnan(y[20]) && std::isnan(y[21]));
        EXPECT_EQ(y[18], 1.0f);
        EXPECT_EQ(y[22], 1.0f);
    }
}

} // namespace
