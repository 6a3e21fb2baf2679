// SPDX-License-Identifier: MIT
// Winograd convolutions against direct sums in double, on every instruction set of this machine:
// maps that are no multiple of a tile, channels and outputs round the vectors, padding, strides,
// residuals, both ways to split.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_winograd.hpp"

#include <gtest/gtest.h>

#include <limits>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

struct image_case {
    int64_t images, channels, outputs, height, width, pad;
    bool bias = false, residual = false;
    float low = -std::numeric_limits<float>::infinity();
    float high = std::numeric_limits<float>::infinity();
    int64_t stride = 1;
};

// Before the clamp.
std::vector<double> direct(const image_case& c, const winograd_params& p,
                           const std::vector<float>& w) {
    std::vector<double> y;
    for (int64_t n = 0; n < c.images; ++n)
        for (int64_t i = 0; i < p.out_height; ++i)
            for (int64_t j = 0; j < p.out_width; ++j)
                for (int64_t k = 0; k < c.outputs; ++k) {
                    double s = c.bias ? double(p.bias[k]) : 0;
                    for (int64_t a = 0; a < 3; ++a)
                        for (int64_t b = 0; b < 3; ++b) {
                            const int64_t row = i * c.stride + a - c.pad;
                            const int64_t col = j * c.stride + b - c.pad;
                            if (row < 0 || row >= c.height || col < 0 || col >= c.width)
                                continue;
                            for (int64_t ch = 0; ch < c.channels; ++ch)
                                s += double(
                                         p.x[n * p.x_image + row * p.x_row + col * p.x_col + ch]) *
                                     double(w[size_t(((k * c.channels + ch) * 3 + a) * 3 + b)]);
                        }
                    if (c.residual)
                        s += double(p.residual[n * p.r_image + i * p.r_row + j * p.r_col + k]);
                    y.push_back(s);
                }
    return y;
}

// Errors are relative to the largest magnitude before the clamp: F(4,3) amplifies rounding by a few
// bits.
void check(const image_case& c) {
    const int64_t oh = (c.height + 2 * c.pad - 3) / c.stride + 1;
    const int64_t ow = (c.width + 2 * c.pad - 3) / c.stride + 1, beside = 3;
    const auto x = random_floats(size_t(c.images * c.height * c.width * (c.channels + beside)), 1);
    const auto w = random_floats(size_t(c.outputs * c.channels * 9), 2);
    const auto bias = random_floats(size_t(c.outputs), 3);
    const auto residual = random_floats(size_t(c.images * oh * ow * c.outputs), 4);
    winograd_params p{};
    p.x = x.data();
    p.bias = c.bias ? bias.data() : nullptr;
    p.residual = c.residual ? residual.data() : nullptr;
    p.channels = c.channels;
    p.outputs = c.outputs;
    p.height = c.height;
    p.width = c.width;
    p.stride = int32_t(c.stride);
    p.out_height = oh;
    p.out_width = ow;
    p.pad_top = p.pad_left = c.pad;
    p.x_col = c.channels + beside;
    p.x_row = c.width * p.x_col;
    p.x_image = c.height * p.x_row;
    p.r_col = c.outputs;
    p.r_row = ow * p.r_col;
    p.r_image = oh * p.r_row;
    p.y_col = c.outputs + beside;
    p.y_row = ow * p.y_col;
    p.y_image = oh * p.y_row;
    p.low = c.low;
    p.high = c.high;
    const auto want = direct(c, p, w);
    double largest = 0;
    for (double v : want)
        largest = std::max(largest, std::fabs(v));
    for (isa level : levels())
        for (int32_t tile : {2, 4}) {
            if (c.stride == 2 and tile == 4)
                continue;
            std::vector<float> alone; // what one thread gave
            for (int threads : {1, 2, 5}) {
                const auto& table = kernels_for(level);
                p.tile = tile;
                const auto s = schedule_winograd(p, c.images, threads, table);
                std::vector<float> u(s.weight_floats()), scratch(s.scratch_floats());
                transform_winograd(s, {w.data(), c.channels * 9, 9, 3, 1}, u.data(), table);
                std::vector<float> y(size_t(c.images * p.y_image), 77.0f);
                auto q = s.params;
                q.u = u.data();
                q.y = y.data();
                run_winograd(s, q, scratch.data(), table);
                size_t at = 0;
                for (int64_t pixel = 0; pixel < c.images * oh * ow; ++pixel) {
                    const float* row = y.data() + pixel * p.y_col;
                    for (int64_t k = 0; k < c.outputs; ++k, ++at)
                        ASSERT_NEAR(double(row[k]),
                                    std::min(std::max(want[at], double(c.low)), double(c.high)),
                                    4e-6 * largest)
                            << to_string(level) << " F(" << tile << ",3), " << threads
                            << " threads, pixel " << pixel << ", output " << k;
                    for (int64_t k = c.outputs; k < p.y_col; ++k)
                        ASSERT_EQ(row[k], 77.0f) << "written beside the outputs";
                }
                if (threads == 1)
                    alone = y;
                ASSERT_EQ(y, alone)
                    << to_string(level) << ' ' << tile << ", " << threads << " threads";
            }
        }
}

TEST(kernels_winograd, maps_and_channels_round_the_tiles) {
    for (int64_t size : {1, 3, 4, 7, 13})
        check({1, 16, 16, size, size + 1, 1});
    for (int64_t channels : {1, 15, 17, 70})
        for (int64_t outputs : {1, 31, 65, 130})
            check({1, channels, outputs, 6, 5, 1, true});
    check({3, 20, 36, 9, 11, 0});
    check({2, 20, 36, 4, 3, 2, true, true});
}

TEST(kernels_winograd, stride_2) {
    const float none = std::numeric_limits<float>::infinity();
    for (int64_t size : {3, 4, 7, 13})
        for (int64_t pad : {0, 1})
            check({2, 24, 40, size, size + 1, pad, true, false, -none, none, 2});
    for (int64_t channels : {1, 15, 17, 70})
        check({1, channels, 65, 10, 9, 1, true, true, 0, none, 2});
    check({1, 520, 150, 14, 13, 1, true, false, 0, 6, 2});
    check({1, 264, 70, 40, 22, 1, true, false, -none, none, 2});
}

TEST(kernels_winograd, adds_and_clamps) {
    check({2, 24, 40, 10, 10, 1, true, true, 0});
    check({1, 24, 40, 10, 10, 1, false, true, -0.5f, 0.5f});
    check({1, 24, 40, 10, 10, 1, true, false, 0, 6});
}

// Weights of stride 0 over outputs and channels give what the same windows written out give.
TEST(kernels_winograd, equal_windows_are_transformed_once) {
    const std::vector<float> window{1, -2, 3, 0.5f, 4, -1, 2, 0.25f, 7};
    for (const int64_t outputs : {1, 16, 40, 129})
        for (isa level : levels())
            for (int32_t tile : {2, 4}) {
                const auto& table = kernels_for(level);
                winograd_params p{};
                p.channels = 5;
                p.outputs = outputs;
                p.height = p.width = p.out_height = p.out_width = 8;
                p.pad_top = p.pad_left = 1;
                p.tile = tile;
                p.stride = 1;
                const auto s = schedule_winograd(p, 1, 1, table);
                std::vector<float> written;
                for (int64_t i = 0; i < outputs * p.channels; ++i)
                    written.insert(written.end(), window.begin(), window.end());
                std::vector<float> u(s.weight_floats(), 1), v(s.weight_floats(), 2);
                transform_winograd(s, {window.data(), 0, 0, 3, 1}, u.data(), table);
                transform_winograd(s, {written.data(), p.channels * 9, 9, 3, 1}, v.data(), table);
                ASSERT_EQ(u, v) << to_string(level) << ' ' << tile << ' ' << outputs;
            }
}

TEST(kernels_winograd, many_tiles_and_deep_channels) {
    check({1, 32, 64, 50, 46, 1, true});
    check({1, 520, 150, 7, 7, 1, true});
    check({1, 264, 70, 22, 20, 1, true}); // weights beyond a cache meet several strips
}

} // namespace
