// SPDX-License-Identifier: MIT
// Convolutions of few channels in planes, against double loops, on every instruction set of this
// machine.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_gemm.hpp"
#include "targets/cpu/kernels/dispatch/run_planes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

struct plane_case {
    int64_t images, channels, height, width, outputs;
    int64_t kernel_h, kernel_w, stride_h = 1, stride_w = 1;
    int64_t top = 0, left = 0, bottom = 0, right = 0, dilation_h = 1, dilation_w = 1;
    int64_t column = 1; // floats between columns of the image
};

void check(const plane_case& c, isa level) {
    const auto& table = kernels_for(level);
    plane_params p{};
    auto& w = p.windows;
    w.channels = c.channels;
    w.height = c.height, w.width = c.width;
    const auto out = [](int64_t n, int64_t k, int64_t s, int64_t d) {
        return (n - (k - 1) * d - 1) / s + 1;
    };
    w.out_height = out(c.height + c.top + c.bottom, c.kernel_h, c.stride_h, c.dilation_h);
    w.out_width = out(c.width + c.left + c.right, c.kernel_w, c.stride_w, c.dilation_w);
    w.kernel_w = c.kernel_w, p.kernel_h = c.kernel_h;
    w.stride_h = c.stride_h, w.stride_w = c.stride_w;
    w.dilation_h = c.dilation_h, w.dilation_w = c.dilation_w;
    w.pad_top = c.top, w.pad_left = c.left;
    // Gaps hold what must not be read.
    w.x_col = c.column;
    w.x_row = w.x_col * c.width + 5;
    p.x_channel = w.x_row * c.height + 3;
    w.x_image = p.x_channel * c.channels + 7;
    p.outputs = c.outputs;
    p.y_col = c.outputs + 1;
    p.y_row = p.y_col * w.out_width + 2;
    p.y_image = p.y_row * w.out_height + 3;
    std::vector<float> x(size_t(c.images * w.x_image), std::nanf(""));
    const auto noise = random_floats(x.size(), 1);
    const auto place = [&](int64_t n, int64_t k, int64_t i, int64_t j) {
        return size_t(n * w.x_image + k * p.x_channel + i * w.x_row + j * w.x_col);
    };
    for (int64_t n = 0; n < c.images; n++)
        for (int64_t k = 0; k < c.channels; k++)
            for (int64_t i = 0; i < c.height; i++)
                for (int64_t j = 0; j < c.width; j++)
                    x[place(n, k, i, j)] = noise[place(n, k, i, j)];
    const auto depth = c.channels * c.kernel_h * c.kernel_w;
    const auto weights = random_floats(size_t(depth * c.outputs), 2);
    const auto bias = random_floats(size_t(packed_weights_size(1, c.outputs, table)), 3);
    std::vector<float> packed(size_t(packed_weights_size(depth, c.outputs, table)));
    pack_gemm_weights({weights.data(), depth, c.outputs, 1, depth}, packed.data(), table);
    std::vector<float> y(size_t(c.images * p.y_image), 77), first;
    p.x = x.data(), p.w = packed.data(), p.bias = bias.data(), p.y = y.data();
    p.epilogue.first = row_op::clamp;
    p.epilogue.low = -1, p.epilogue.high = 1.5f;
    for (int64_t threads : {1, 2, 5}) {
        std::vector<float> scratch(size_t(planes_scratch(p, threads)), std::nanf(""));
        run_planes(p, scratch.data(), c.images, threads, table);
        if (threads == 1)
            first = y;
        else
            ASSERT_EQ(y, first) << threads << " threads give other bits";
    }
    size_t untouched = y.size();
    for (int64_t n = 0; n < c.images; n++)
        for (int64_t i = 0; i < w.out_height; i++)
            for (int64_t j = 0; j < w.out_width; j++)
                for (int64_t o = 0; o < c.outputs; o++, untouched--) {
                    double want = double(bias[size_t(o)]);
                    for (int64_t k = 0; k < depth; k++) {
                        const auto row =
                            i * c.stride_h - c.top + k / c.kernel_w % c.kernel_h * c.dilation_h;
                        const auto col = j * c.stride_w - c.left + k % c.kernel_w * c.dilation_w;
                        if (row >= 0 and row < c.height and col >= 0 and col < c.width)
                            want += double(x[place(n, k / c.kernel_w / c.kernel_h, row, col)]) *
                                    double(weights[size_t(o * depth + k)]);
                    }
                    want = std::min(1.5, std::max(-1.0, want));
                    ASSERT_NEAR(double(y[size_t(n * p.y_image + i * p.y_row + j * p.y_col + o)]),
                                want, 1e-5 * double(depth))
                        << to_string(level) << ", row " << i << ", column " << j << ", output "
                        << o;
                }
    ASSERT_EQ(size_t(std::count(y.begin(), y.end(), 77.0f)), untouched) << "gaps in the result";
}

void check(const plane_case& c) {
    for (isa level : levels())
        ASSERT_NO_FATAL_FAILURE(check(c, level));
}

TEST(kernels_planes, widths_and_outputs) {
    for (int64_t width : {1, 2, 3, 4, 7, 9, 12, 14, 17, 26, 40})
        for (int64_t outputs : {1, 7, 8, 16, 17, 32, 33, 70})
            check({1, 3, 5, width, outputs, 3, 3, 1, 1, 1, 1, 1, 1});
}

TEST(kernels_planes, steps_and_windows) {
    for (int64_t step : {1, 2, 3, 4})
        for (int64_t kernel : {2, 3, 5, 7})
            check({2, 3, 23, 37, 24, kernel, kernel, step, step, kernel / 2, kernel / 2, 1, 1});
}

TEST(kernels_planes, odd_cases) {
    // Windows higher than steps and lower, dilated, with columns apart, padding on one side.
    check({1, 2, 30, 31, 20, 1, 4, 3, 2, 0, 1, 0, 0});
    check({1, 1, 30, 31, 20, 3, 5, 2, 1, 3, 4, 3, 4, 2, 2, 1});
    check({3, 3, 12, 13, 33, 3, 3, 2, 2, 0, 0, 1, 1, 1, 1, 3});
    check({1, 4, 9, 9, 16, 4, 4, 4, 4});
    // Windows that see nothing but padding, and an image of one position.
    check({1, 3, 1, 1, 16, 3, 3, 1, 1, 5, 20, 5, 20});
    check({2, 1, 1, 1, 1, 1, 1});
}

} // namespace
