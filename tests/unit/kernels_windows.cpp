// SPDX-License-Identifier: MIT
// Products whose rows are windows of images.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_gemm.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

struct window_case {
    int64_t images, height, width, channels, outputs;
    int64_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, top, left;
    int64_t out_height, out_width;
};

void check(const window_case& c, isa level) {
    const auto& table = kernels_for(level);
    gemm_windows w;
    w.channels = c.channels;
    w.height = c.height, w.width = c.width;
    w.out_height = c.out_height, w.out_width = c.out_width;
    w.kernel_w = c.kernel_w;
    w.stride_h = c.stride_h, w.stride_w = c.stride_w;
    w.dilation_h = c.dilation_h, w.dilation_w = c.dilation_w;
    w.pad_top = c.top, w.pad_left = c.left;
    w.x_col = c.channels + 3; // gaps between pixels, rows and images hold what must not be read
    w.x_row = w.x_col * c.width + 5;
    w.x_image = w.x_row * c.height + 7;
    std::vector<float> x(size_t(c.images * w.x_image), std::nanf(""));
    const auto noise = random_floats(size_t(c.images * c.height * c.width * c.channels), 1);
    const auto pixel = [&](int64_t n, int64_t i, int64_t j) {
        return n * w.x_image + i * w.x_row + j * w.x_col;
    };
    size_t next = 0;
    for (int64_t n = 0; n < c.images; n++)
        for (int64_t i = 0; i < c.height; i++)
            for (int64_t j = 0; j < c.width; j++)
                for (int64_t k = 0; k < c.channels; k++)
                    x[size_t(pixel(n, i, j) + k)] = noise[next++];
    gemm_params p{};
    p.windows = w;
    p.m = c.images * c.out_height * c.out_width;
    p.n = c.outputs;
    p.k = c.kernel_h * c.kernel_w * c.channels;
    p.c_row = p.n + 1;
    const auto b = random_floats(size_t(p.k * p.n), 2), bias = random_floats(size_t(p.n), 3);
    std::vector<float> packed(size_t(packed_weights_size(p.k, p.n, table))),
        y(size_t(p.m * p.c_row), 77);
    pack_gemm_weights({b.data(), p.k, p.n, p.n, 1}, packed.data(), table);
    p.a = x.data(), p.b = packed.data(), p.c = y.data();
    p.epilogue.bias = bias.data();
    block_gemm(p, 2, table);
    std::vector<float> scratch(size_t(gemm_scratch(p, 2, table)), std::nanf(""));
    run_gemm(p, scratch.data(), 2, table);
    for (int64_t r = 0; r < p.m; r++) {
        const auto n = r / (c.out_height * c.out_width);
        const auto top = r / c.out_width % c.out_height * c.stride_h - c.top;
        const auto left = r % c.out_width * c.stride_w - c.left;
        for (int64_t o = 0; o < p.n; o++) {
            double want = double(bias[size_t(o)]);
            for (int64_t k = 0; k < p.k; k++) {
                const auto tap = k / c.channels;
                const auto i = top + tap / c.kernel_w * c.dilation_h;
                const auto j = left + tap % c.kernel_w * c.dilation_w;
                if (i >= 0 and i < c.height and j >= 0 and j < c.width)
                    want += double(x[size_t(pixel(n, i, j) + k % c.channels)]) *
                            double(b[size_t(k * p.n + o)]);
            }
            ASSERT_NEAR(double(y[size_t(r * p.c_row + o)]), want, 1e-4)
                << to_string(level) << ", row " << r << ", output " << o;
        }
        ASSERT_EQ(y[size_t(r * p.c_row + p.n)], 77) << "gaps in the result";
    }
}

TEST(kernels_windows, sizes) {
    const window_case cases[] = {
        {1, 7, 7, 16, 33, 3, 3, 1, 1, 1, 1, 1, 1, 7, 7},     // windows of an even map
        {2, 9, 11, 40, 20, 3, 3, 2, 2, 1, 1, 1, 1, 5, 6},    // stride 2, uneven
        {1, 8, 8, 70, 64, 1, 1, 2, 2, 1, 1, 0, 0, 4, 4},     // every second pixel
        {3, 5, 6, 17, 5, 2, 4, 3, 1, 1, 1, 2, 3, 3, 9},      // most windows reach outside
        {1, 12, 10, 130, 31, 3, 2, 1, 2, 2, 3, 2, 1, 12, 5}, // dilated, channels in parts
        {1, 1, 300, 19, 40, 1, 5, 1, 4, 1, 1, 0, 2, 1, 75},  // one row
        {1, 6, 6, 200, 36, 3, 3, 1, 1, 1, 1, -1, -2, 3, 2},  // cropped, sums in parts
        {1, 3, 3, 1, 1, 3, 3, 1, 1, 1, 1, 9, 9, 2, 2},       // nothing but padding
    };
    for (auto level : levels())
        for (const auto& c : cases)
            ASSERT_NO_FATAL_FAILURE(check(c, level));
}

} // namespace
