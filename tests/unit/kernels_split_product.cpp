// SPDX-License-Identifier: MIT
// Products and convolutions on matrix tiles against sums in double: sizes round the tiles, windows,
// strides, dilations, images in any order, epilogues, several threads, values that have no parts.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_split_product.hpp"

#include "base/parallel.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

struct window_case {
    int64_t images, channels, height, width, outputs, kernel_height, kernel_width;
    int64_t stride_y = 1, stride_x = 1, dilation_y = 1, dilation_x = 1, top = 0, left = 0;
    int64_t bottom = 0, right = 0;
    bool channels_first = false, epilogue = false, merge = false;
    int threads = 2;
};

struct operands {
    split_convolution c{};
    std::vector<float> x, w, bias, residual;

    double sum(int64_t image, int64_t y, int64_t x_at, int64_t output, double& magnitude) const {
        double s = 0;
        magnitude = 0;
        for (int64_t i = 0; i < c.kernel_height; ++i)
            for (int64_t j = 0; j < c.kernel_width; ++j) {
                const int64_t line = y * c.stride_y + i * c.dilation_y - c.top;
                const int64_t column = x_at * c.stride_x + j * c.dilation_x - c.left;
                if (line < 0 or column < 0 or line >= c.height or column >= c.width)
                    continue;
                for (int64_t k = 0; k < c.channels; ++k) {
                    const double term =
                        double(x[size_t(image * c.x_image + line * c.x_row + column * c.x_column +
                                        k * c.x_channel)]) *
                        double(w[size_t(((output * c.channels + k) * c.kernel_height + i) *
                                            c.kernel_width +
                                        j)]);
                    s += term;
                    magnitude += std::abs(term);
                }
            }
        return s;
    }
};

operands make(const window_case& t) {
    operands o;
    auto& c = o.c;
    c.images = t.images, c.channels = t.channels, c.height = t.height, c.width = t.width;
    c.outputs = t.outputs;
    c.kernel_height = t.kernel_height, c.kernel_width = t.kernel_width;
    c.stride_y = t.stride_y, c.stride_x = t.stride_x;
    c.dilation_y = t.dilation_y, c.dilation_x = t.dilation_x;
    c.top = t.top, c.left = t.left;
    c.out_height =
        (t.height + t.top + t.bottom - (t.kernel_height - 1) * t.dilation_y - 1) / t.stride_y + 1;
    c.out_width =
        (t.width + t.left + t.right - (t.kernel_width - 1) * t.dilation_x - 1) / t.stride_x + 1;
    c.x_channel = t.channels_first ? t.height * t.width : 1;
    c.x_column = t.channels_first ? 1 : t.channels;
    c.x_row = t.width * c.x_column;
    c.x_image = t.height * t.width * t.channels;
    c.y_position = t.outputs + 3;
    c.merge_images = t.merge;
    o.x = random_floats(size_t(t.images * c.x_image), 1);
    o.w = random_floats(size_t(t.outputs * t.channels * t.kernel_height * t.kernel_width), 2);
    o.bias = random_floats(size_t(t.outputs), 3);
    o.residual =
        random_floats(size_t(t.images * c.out_height * c.out_width * t.outputs), 4);
    return o;
}

// Result with what lies between the rows; NaN there stays.
std::vector<float> run(const window_case& t, const operands& o) {
    const auto& c = o.c;
    const migraphx::thread_count_guard guard(t.threads);
    const auto& k = kernels_for(isa::amx).amx;
    const auto s = schedule_split(c, t.threads, k);
    std::vector<float> panels(split_panel_floats(c), std::nanf(""));
    EXPECT_TRUE(pack_split(c,
                           {o.w.data(), c.channels * c.kernel_height * c.kernel_width,
                            c.kernel_height * c.kernel_width, c.kernel_width, 1},
                           panels.data(), kernels_for(isa::amx)));
    row_epilogue e{};
    if (t.epilogue) {
        e.bias = o.bias.data();
        e.first = row_op::clamp;
        e.high = std::numeric_limits<float>::infinity();
        e.count = 1;
        e.steps[0] = {row_op::add, 0, 0, o.residual.data(),
                      c.out_height * c.out_width * c.outputs, c.outputs, 1};
    }
    std::vector<float> y(size_t(c.images * c.out_height * c.out_width * c.y_position), std::nanf(""));
    // Bytes of 0xff are NaN, whether floats or parts: nothing may read what nobody wrote.
    struct aligned { alignas(64) char bytes[64]; };
    std::vector<aligned> scratch(s.scratch_bytes() / 64 + 1);
    std::fill_n(scratch.front().bytes, scratch.size() * 64, char(0xff));
    run_split(s, o.x.data(), panels.data(), y.data(), e, scratch.front().bytes, k);
    return y;
}

void check(const window_case& t, operands o) {
    const auto& c = o.c;
    SCOPED_TRACE(testing::Message() << t.images << ' ' << t.channels << ' ' << t.height << 'x'
                                    << t.width << " to " << t.outputs << ", window "
                                    << t.kernel_height << 'x' << t.kernel_width << ", strides "
                                    << t.stride_y << ' ' << t.stride_x << ", " << t.threads
                                    << " threads");
    const auto y = run(t, o);
    double worst = 0;
    for (int64_t n = 0, at = 0; n < c.images; ++n)
        for (int64_t i = 0; i < c.out_height; ++i)
            for (int64_t j = 0; j < c.out_width; ++j, ++at) {
                for (int64_t k = 0; k < c.outputs; ++k) {
                    double magnitude = 0;
                    double want = o.sum(n, i, j, k, magnitude);
                    if (t.epilogue) {
                        want += double(o.bias[size_t(k)]);
                        want = (want < 0 ? 0 : want) +
                               double(o.residual[size_t(at * c.outputs + k)]);
                        magnitude += 2;
                    }
                    const float got = y[size_t(at * c.y_position + k)];
                    if (std::isfinite(want))
                        worst = std::max(worst, std::abs(want - double(got)) / (magnitude + 1e-30));
                    else
                        EXPECT_TRUE(std::isnan(want) ? std::isnan(got) : double(got) == want)
                            << want << ' ' << got;
                    EXPECT_TRUE(not std::isfinite(want) or std::isfinite(got)) << n << i << j << k;
                }
                for (int64_t k = c.outputs; k < c.y_position; ++k)
                    ASSERT_TRUE(std::isnan(y[size_t(at * c.y_position + k)]));
            }
    // The products left out are at most 2^-21 of each term.
    EXPECT_LE(worst, std::ldexp(1.0, -20));
}

struct split_product : ::testing::Test {
    void SetUp() override {
        if (not isa_supported(isa::amx))
            GTEST_SKIP() << "this processor has no matrix tiles";
    }
};

window_case matrix(int64_t rows, int64_t depth, int64_t columns, bool epilogue = false) {
    window_case t{1, depth, rows, 1, columns, 1, 1};
    t.epilogue = epilogue;
    return t;
}

} // namespace

TEST_F(split_product, matrices_round_the_tiles) {
    for (int64_t rows : {1, 15, 17, 33, 100})
        for (int64_t depth : {1, 31, 32, 33, 512})
            for (int64_t columns : {1, 16, 17, 32, 70})
                check(matrix(rows, depth, columns, rows % 2 == 0), make(matrix(rows, depth, columns)));
}

TEST_F(split_product, long_rows_are_summed_in_chunks) {
    check(matrix(300, 3000, 40, true), make(matrix(300, 3000, 40)));
}

TEST_F(split_product, many_rows_go_in_strips) {
    check(matrix(2100, 700, 33), make(matrix(2100, 700, 33)));
}

TEST_F(split_product, windows) {
    for (int64_t stride : {1, 2, 3})
        for (int64_t channels : {1, 3, 24, 32})
            for (int64_t size : {1, 2, 3, 5}) {
                window_case t{2, channels, 9, 11, 37, size, 3};
                t.stride_y = stride;
                t.stride_x = stride == 3 ? 1 : stride;
                t.top = size / 2, t.left = 1, t.bottom = 1, t.right = 2;
                t.epilogue = channels == 24;
                check(t, make(t));
            }
}

TEST_F(split_product, dilated_windows) {
    for (int64_t stride : {1, 2}) {
        window_case t{1, 20, 13, 14, 33, 3, 3};
        t.stride_y = t.stride_x = stride;
        t.dilation_y = 2, t.dilation_x = 3;
        t.top = t.bottom = 2, t.left = t.right = 3;
        check(t, make(t));
    }
}

TEST_F(split_product, single_positions_with_strides) {
    for (bool merge : {false, true})
        for (int64_t stride : {1, 2}) {
            window_case t{3, 40, 8, 8, 64, 1, 1};
            t.stride_y = t.stride_x = stride;
            t.merge = merge;
            check(t, make(t));
        }
}

TEST_F(split_product, channels_first) {
    window_case t{2, 3, 30, 31, 16, 7, 7, 2, 2};
    t.top = t.left = 3, t.bottom = t.right = 3;
    t.channels_first = true;
    check(t, make(t));
}

TEST_F(split_product, one_thread_and_many) {
    for (int threads : {1, 3, 8}) {
        window_case t{1, 16, 20, 20, 100, 3, 3};
        t.top = t.left = t.bottom = t.right = 1;
        t.threads = threads;
        check(t, make(t));
    }
}

TEST_F(split_product, infinities_and_not_a_number) {
    for (float value : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
        window_case t{2, 8, 6, 6, 33, 3, 3};
        t.top = t.left = t.bottom = t.right = 1;
        t.epilogue = true;
        auto o = make(t);
        o.x[size_t(o.c.x_image + 70)] = value;
        check(t, o);
    }
}

TEST_F(split_product, weights_that_are_not_finite) {
    for (float value : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
        auto o = make(matrix(1, 40, 33));
        o.w[40 * 32 + 7] = value;
        std::vector<float> panels(split_panel_floats(o.c));
        EXPECT_FALSE(
            pack_split(o.c, {o.w.data(), 40, 1, 1, 1}, panels.data(), kernels_for(isa::amx)));
    }
}

// Parts of such numbers are below what tiles tell from zero.
TEST_F(split_product, magnitudes_near_the_smallest) {
    const auto t = matrix(40, 64, 40);
    auto o = make(t);
    for (size_t i = 0; i < o.x.size(); ++i)
        o.x[i] = std::ldexp(o.x[i], -120 - int(i % 40));
    const auto y = run(t, o);
    for (int64_t i = 0; i < 40; ++i)
        for (int64_t k = 0; k < 40; ++k) {
            double magnitude = 0;
            EXPECT_NEAR(y[size_t(i * o.c.y_position + k)], o.sum(0, i, 0, k, magnitude),
                        std::ldexp(64.0, -126) + std::ldexp(magnitude, -20));
        }
}

TEST_F(split_product, large_and_small_magnitudes) {
    auto t = matrix(20, 64, 40);
    auto o = make(t);
    for (size_t i = 0; i < o.x.size(); ++i)
        o.x[i] = std::ldexp(o.x[i], int(i % 60) - 30);
    o.x[5] = std::numeric_limits<float>::max();
    for (size_t i = 0; i < o.w.size(); ++i)
        o.w[i] = std::ldexp(o.w[i], int(i % 7) - 8);
    check(t, o);
}
