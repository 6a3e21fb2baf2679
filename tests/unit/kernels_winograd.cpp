// SPDX-License-Identifier: MIT
// Winograd convolutions against direct sums in double, on every instruction set of this machine:
// maps that are no multiple of a tile, channels and outputs round the vectors, padding, strides,
// residuals, both ways to split, plain products and such in pairs.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_winograd.hpp"

#include "base/str.hpp"

#include <gtest/gtest.h>

#include <limits>

using namespace migraphx::cpu;
using namespace kernel_test;
using migraphx::str;

namespace {

struct image_case {
    int64_t images, channels, outputs, height, width, pad;
    bool bias = false, residual = false;
    float low = -std::numeric_limits<float>::infinity();
    float high = std::numeric_limits<float>::infinity();
    int64_t stride = 1;
    float of_image = 1, of_weights = 1; // magnitudes
};

// Whether products may go in pairs.
std::vector<bool> forms(const kernel_table& table) {
    if (table.winograd.paired_narrow_tiles > 0)
        return {false, true};
    return {false};
}

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
    const auto random = [](int64_t n, unsigned seed, float magnitude) {
        auto values = random_floats(size_t(n), seed);
        for (float& v : values)
            v *= magnitude;
        return values;
    };
    const float of_results = c.of_image * c.of_weights;
    const auto x = random(c.images * c.height * c.width * (c.channels + beside), 1, c.of_image);
    const auto w = random(c.outputs * c.channels * 9, 2, c.of_weights);
    const auto bias = random(c.outputs, 3, of_results);
    const auto residual = random(c.images * oh * ow * c.outputs, 4, of_results);
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
    const auto run = [&](const kernel_table& table, int threads) {
        const auto s = schedule_winograd(p, c.images, threads, table);
        std::vector<float> u(s.weight_floats()), scratch(s.scratch_floats());
        transform_winograd(s, {w.data(), c.channels * 9, 9, 3, 1}, u.data(), table);
        std::vector<float> y(size_t(c.images * p.y_image), 77.0f);
        auto q = s.params;
        q.u = u.data();
        q.y = y.data();
        run_winograd(s, q, scratch.data(), table);
        return y;
    };
    for (isa level : levels())
        for (int32_t tile : {2, 4})
            for (bool paired : forms(kernels_for(level))) {
                if (c.stride == 2 and tile == 4)
                    continue;
                std::vector<float> alone; // what one thread gave
                for (int threads : {1, 2, 5}) {
                    p.tile = tile;
                    p.paired = paired;
                    const auto y = run(kernels_for(level), threads);
                    const auto where = [&] {
                        return str(to_string(level), " F(", tile, ",3)",
                                   paired ? " in pairs, " : ", ", threads, " threads");
                    };
                    size_t at = 0;
                    for (int64_t pixel = 0; pixel < c.images * oh * ow; ++pixel) {
                        const float* row = y.data() + pixel * p.y_col;
                        for (int64_t k = 0; k < c.outputs; ++k, ++at)
                            ASSERT_NEAR(double(row[k]),
                                        std::min(std::max(want[at], double(c.low)), double(c.high)),
                                        4e-6 * largest)
                                << where() << ", pixel " << pixel << ", output " << k;
                        for (int64_t k = c.outputs; k < p.y_col; ++k)
                            ASSERT_EQ(row[k], 77.0f) << "written beside the outputs";
                    }
                    if (threads == 1)
                        alone = y;
                    ASSERT_EQ(y, alone) << where();
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
                p.paired = forms(table).back();
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

// Pairs need factors of about one magnitude: whatever that of the image and of the weights is.
TEST(kernels_winograd, pairs_of_large_and_small_numbers) {
    for (float image : {1e-12f, 1e-4f, 1e5f, 1e12f})
        for (float weights : {1e-9f, 1e4f}) {
            image_case c{1, 40, 36, 9, 10, 1, true, true};
            c.of_image = image;
            c.of_weights = weights;
            check(c);
        }
}

// Parts of an image differ, and so do outputs.
TEST(kernels_winograd, pairs_of_dark_tiles_and_small_outputs) {
    constexpr int64_t channels = 48, outputs = 64, size = 16;
    std::vector<float> x = random_floats(size * size * channels, 1), bias(outputs, 0.25f);
    const auto dark = [](int64_t row) { return row > 6; };
    for (int64_t row = 0; row < size; ++row)
        for (int64_t i = 0; i < size * channels; ++i)
            x[size_t(row * size * channels + i)] *= dark(row) ? 1e-5f : 1.0f;
    std::vector<float> w = random_floats(outputs * channels * 9, 2);
    const auto small = [](int64_t output) { return output % 3 == 0; };
    for (int64_t k = 0; k < outputs; ++k)
        for (int64_t i = 0; i < channels * 9; ++i)
            w[size_t(k * channels * 9 + i)] *= small(k) ? 1e-6f : 1.0f;
    for (isa level : levels())
        for (const bool black : {false, true}) {
            const auto& table = kernels_for(level);
            winograd_params p{};
            p.channels = channels;
            p.outputs = outputs;
            p.height = p.width = p.out_height = p.out_width = size;
            p.pad_top = p.pad_left = 1;
            p.x_col = channels;
            p.y_col = outputs;
            p.x_row = p.x_image = size * channels;
            p.y_row = p.y_image = size * outputs;
            p.tile = 4;
            p.low = -std::numeric_limits<float>::infinity();
            p.high = -p.low;
            p.stride = 1;
            p.paired = forms(table).back();
            auto image = x;
            if (black)
                std::fill(image.begin() + 7 * size * channels, image.end(), 0.0f);
            const auto s = schedule_winograd(p, 1, 1, table);
            std::vector<float> u(s.weight_floats()), scratch(s.scratch_floats());
            transform_winograd(s, {w.data(), channels * 9, 9, 3, 1}, u.data(), table);
            std::vector<float> y(size * size * outputs);
            auto q = s.params;
            q.x = image.data();
            q.u = u.data();
            q.y = y.data();
            q.bias = black ? bias.data() : nullptr;
            run_winograd(s, q, scratch.data(), table);
            image_case c{1, channels, outputs, size, size, 1, black};
            const auto want = direct(c, q, w);
            double largest[2][2]{}, error[2][2]{};
            // Tiles of four rows that see only dark ones.
            const auto row_of = [&](size_t i) { return int64_t(i) / (size * outputs); };
            for (size_t i = 0; i < y.size(); ++i) {
                const bool few = row_of(i) >= 8;
                const int64_t k = int64_t(i) % outputs;
                auto& most = largest[few ? 1 : 0][small(k) ? 1 : 0];
                auto& worst = error[few ? 1 : 0][small(k) ? 1 : 0];
                most = std::max(most, std::fabs(want[i]));
                worst = std::max(worst, std::fabs(double(y[i]) - want[i]));
                if (black and few) {
                    ASSERT_EQ(y[i], bias[size_t(k)]) << to_string(level);
                }
            }
            for (int few : {0, black ? 0 : 1})
                for (int k : {0, 1})
                    ASSERT_LE(error[few][k], 4e-6 * largest[few][k])
                        << to_string(level) << ' ' << few << k;
        }
}

TEST(kernels_winograd, pairs_where_they_gain) {
    const auto gain = [](int64_t channels, int64_t outputs, isa level, bool adds_beside) {
        winograd_params p{};
        p.channels = channels;
        p.outputs = outputs;
        return winograd_gains_by_pairs(p, kernels_for(level), adds_beside);
    };
    EXPECT_FALSE(gain(64, 64, isa::baseline, true));
    if (isa_supported(isa::avx512)) {
        EXPECT_TRUE(gain(32, 64, isa::avx512, true));
        EXPECT_FALSE(gain(16, 64, isa::avx512, true));
        EXPECT_FALSE(gain(128, 32, isa::avx512, true));
        EXPECT_FALSE(gain(64, 64, isa::avx512, false));
    }
}

} // namespace
