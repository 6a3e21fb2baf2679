// SPDX-License-Identifier: MIT
// Convolutions as products of windows that are read where they lie, against double loops, on every
// instruction set of this machine.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_windows.hpp"

#include "base/parallel.hpp"

#include <gtest/gtest.h>

#include <cmath>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

struct window_case {
    int64_t images, height, width, channels, outputs;
    int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
    int64_t pad_top = 0, pad_left = 0, dilation_h = 1, dilation_w = 1;
    bool bias = false, sum = false;
    int64_t gap = 0; // floats between the positions of the image and of the result
};

struct window_run {
    window_params p{};
    std::vector<float> x, w, packed, bias, more, zeros, y;

    window_run(const window_case& c, const kernel_table& table) {
        auto& g = p.windows;
        g.channels = c.channels;
        g.height = c.height, g.width = c.width;
        const auto out = [](int64_t n, int64_t k, int64_t s, int64_t pad, int64_t d) {
            return (n + 2 * pad - (k - 1) * d - 1) / s + 1;
        };
        g.out_height = out(c.height, c.kernel_h, c.stride_h, c.pad_top, c.dilation_h);
        g.out_width = out(c.width, c.kernel_w, c.stride_w, c.pad_left, c.dilation_w);
        g.kernel_w = c.kernel_w;
        g.stride_h = c.stride_h, g.stride_w = c.stride_w;
        g.dilation_h = c.dilation_h, g.dilation_w = c.dilation_w;
        g.pad_top = c.pad_top, g.pad_left = c.pad_left;
        g.x_col = c.channels + c.gap;
        g.x_row = c.width * g.x_col + c.gap;
        g.x_image = c.height * g.x_row + c.gap;
        p.rows = c.images * g.out_height * g.out_width;
        p.outputs = c.outputs;
        p.places = c.kernel_h * c.kernel_w;
        p.y_row = c.outputs + c.gap;
        const auto depth = p.places * c.channels;
        const auto columns = window_columns(c.outputs, table);
        x = random_floats(size_t(c.images * g.x_image), 1);
        w = random_floats(size_t(c.outputs * depth), 2);
        bias = random_floats(size_t(columns), 3);
        more = random_floats(size_t(p.rows * c.outputs), 4);
        zeros.resize(size_t(c.channels));
        y.assign(size_t(p.rows * p.y_row) + 1, 77.0f);
        packed.assign(size_t(columns * depth), std::nanf(""));
        pack_window_weights(w.data(), depth, c.outputs, depth, packed.data(), table);
        p.x = x.data(), p.w = packed.data(), p.zeros = zeros.data(), p.y = y.data();
        p.epilogue.bias = c.bias ? bias.data() : nullptr;
        if (c.sum) { // clamp(x + more, -1, 1.5)
            p.epilogue.count = 2;
            p.epilogue.steps[0] = {row_op::add, 0, 0, more.data(), 0, c.outputs, 1};
            p.epilogue.steps[1].op = row_op::clamp;
            p.epilogue.steps[1].alpha = -1;
            p.epilogue.steps[1].beta = 1.5f;
        }
    }
    void run(int64_t threads, const kernel_table& table) {
        block_windows(p, threads, table);
        run_windows(p, threads, table);
    }
};

double wanted(const window_case& c, const window_run& r, int64_t row, int64_t o) {
    const auto& g = r.p.windows;
    const auto line = row / g.out_width, image = line / g.out_height;
    double sum = c.bias ? double(r.bias[size_t(o)]) : 0;
    for (int64_t i = 0; i < r.p.places; ++i) {
        const auto h = line % g.out_height * g.stride_h - g.pad_top + i / g.kernel_w * g.dilation_h;
        const auto v = row % g.out_width * g.stride_w - g.pad_left + i % g.kernel_w * g.dilation_w;
        if (h < 0 or h >= g.height or v < 0 or v >= g.width)
            continue;
        for (int64_t k = 0; k < c.channels; ++k)
            sum += double(r.x[size_t(image * g.x_image + h * g.x_row + v * g.x_col + k)]) *
                   double(r.w[size_t((o * r.p.places + i) * c.channels + k)]);
    }
    if (c.sum)
        sum = std::min(1.5, std::max(-1.0, sum + double(r.more[size_t(row * c.outputs + o)])));
    return sum;
}

void check(const window_case& c) {
    for (isa level : levels()) {
        const auto& table = kernels_for(level);
        window_run r(c, table);
        r.run(migraphx::num_threads(), table);
        const auto what = std::string(to_string(level)) + ": " + std::to_string(r.p.rows) + " of " +
                          std::to_string(c.channels) + " to " + std::to_string(c.outputs);
        for (int64_t row = 0; row < r.p.rows; ++row) {
            for (int64_t o = 0; o < c.outputs; ++o)
                ASSERT_NEAR(double(r.y[size_t(row * r.p.y_row + o)]), wanted(c, r, row, o), 1e-4)
                    << what << ", row " << row << ", output " << o;
            ASSERT_EQ(r.y[size_t(row * r.p.y_row + c.outputs)],
                      row + 1 == r.p.rows or c.gap > 0 ? 77.0f : r.y[size_t((row + 1) * r.p.y_row)])
                << what;
        }
    }
}

TEST(kernels_window_tiles, rows) {
    for (int64_t width : {1, 2, 5, 6, 7, 11, 23, 100})
        for (int64_t outputs : {1, 7, 8, 15, 16, 17, 33, 48, 60, 64, 65, 100})
            for (int64_t channels : {1, 3, 4, 21})
                check({2, 1, width, channels, outputs, 1, 1, 1, 1, 0, 0, 1, 1, width % 2 == 0,
                       outputs % 2 == 0, channels == 3 ? 5 : 0});
}

TEST(kernels_window_tiles, windows_over_edges) {
    check({2, 9, 7, 20, 24, 3, 3, 1, 1, 1, 1, 1, 1, true, true});
    check({3, 8, 9, 5, 40, 3, 3, 2, 2, 1, 1, 1, 1, false, true, 3});
    check({1, 1, 40, 50, 60, 1, 3, 1, 1, 0, 1, 1, 1, true, false});
    check({2, 7, 6, 4, 70, 5, 5, 1, 2, 2, 2, 1, 1, true, false});
    check({1, 13, 12, 9, 31, 3, 3, 1, 1, 6, 6, 6, 6, true, false, 1}); // mostly padding
    check({1, 2, 2, 3, 17, 3, 3, 1, 1, 5, 4, 1, 1, true, false});      // windows of padding alone
    check({1, 40, 30, 2, 16, 11, 11, 4, 3, 0, 0, 1, 1, false, false}); // many places
}

// Sums in parts of places, and of channels.
TEST(kernels_window_tiles, long_sums) {
    check({1, 1, 31, 480, 60, 1, 3, 1, 1, 0, 1, 1, 1, true, true});
    check({1, 3, 5, 1000, 37, 3, 2, 1, 1, 1, 1, 1, 1, true, true, 2});
    check({2, 1, 9, 1537, 16});
    const window_case c{1, 1, 1, 3072, 1};
    float chain = 0;
    for (int i = 0; i < 3072; ++i)
        chain = std::fma(0.1f, 0.7f, chain);
    const double want = 3072 * double(0.1f) * double(0.7f);
    for (isa level : levels()) {
        const auto& table = kernels_for(level);
        window_run r(c, table);
        r.x.assign(r.x.size(), 0.1f);
        r.w.assign(r.w.size(), 0.7f);
        pack_window_weights(r.w.data(), 3072, 1, 3072, r.packed.data(), table);
        r.run(1, table);
        EXPECT_LT(std::fabs(double(r.y[0]) - want), std::fabs(double(chain) - want) / 2);
    }
}

// An output has the same bits in every tile, block and thread.
TEST(kernels_window_tiles, bits_do_not_depend_on_the_size) {
    for (isa level : levels()) {
        const auto& table = kernels_for(level);
        const window_case all{1, 6, 50, 300, 75, 3, 3, 1, 1, 1, 1, 1, 1, true, true};
        window_run whole(all, table), halves(all, table);
        whole.run(1, table);
        halves.run(4, table);
        EXPECT_EQ(whole.y, halves.y) << to_string(level);
        for (int64_t rows : {1, 2, 5, 9, 13}) {
            window_run parts(all, table);
            block_windows(parts.p, 1, table);
            parts.p.block_rows = rows;
            run_windows(parts.p, 3, table);
            EXPECT_EQ(whole.y, parts.y) << to_string(level) << ' ' << rows;
        }
    }
}

} // namespace
