// SPDX-License-Identifier: MIT
// 1x1 and depthwise convolutions, and both in one, against sums in double on every instruction set
// of this machine: channels round the vectors, windows, steps, dilations and paddings of all kinds,
// several images, both ways to cut.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_gemm.hpp"
#include "targets/cpu/kernels/dispatch/run_separable.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

struct window {
    int64_t kernel_h, kernel_w, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1, top = 0,
                                left = 0, below = 0, right = 0;
};

// N, H, W, C with `beside` more channels between neighbours.
struct image {
    int64_t images, height, width, channels, beside = 0;
    int64_t col() const { return channels + beside; }
    int64_t row() const { return width * col(); }
    int64_t step() const { return height * row(); }
    size_t floats() const { return size_t(images * step()); }
};

using floats = std::vector<float>;
using doubles = std::vector<double>; // packed

doubles packed(const image& s, const floats& x) {
    doubles y;
    for (int64_t i = 0; i < s.images * s.height * s.width; ++i)
        for (int64_t c = 0; c < s.channels; ++c)
            y.push_back(double(x[size_t(i * s.col() + c)]));
    return y;
}

doubles times(const doubles& x, int64_t channels, const floats& w, const floats& bias) {
    doubles y;
    const auto outputs = int64_t(bias.size());
    for (size_t i = 0; i < x.size() / size_t(channels); ++i)
        for (int64_t o = 0; o < outputs; ++o) {
            double s = double(bias[size_t(o)]);
            for (int64_t c = 0; c < channels; ++c)
                s += x[i * size_t(channels) + size_t(c)] * double(w[size_t(o * channels + c)]);
            y.push_back(s);
        }
    return y;
}

doubles each_channel(const doubles& x, const image& s, const image& out, const window& v,
                     const floats& w, const floats& bias) {
    doubles y;
    for (int64_t n = 0; n < s.images; ++n)
        for (int64_t i = 0; i < out.height; ++i)
            for (int64_t j = 0; j < out.width; ++j)
                for (int64_t c = 0; c < out.channels; ++c) {
                    double sum = double(bias[size_t(c)]);
                    for (int64_t a = 0; a < v.kernel_h; ++a)
                        for (int64_t b = 0; b < v.kernel_w; ++b) {
                            const auto row = i * v.stride_h - v.top + a * v.dilation_h;
                            const auto col = j * v.stride_w - v.left + b * v.dilation_w;
                            if (row < 0 || row >= s.height || col < 0 || col >= s.width)
                                continue;
                            sum += x[size_t(((n * s.height + row) * s.width + col) * out.channels +
                                            c)] *
                                   double(w[size_t((c * v.kernel_h + a) * v.kernel_w + b)]);
                        }
                    y.push_back(sum);
                }
    return y;
}

// The steps of the tests: hard-swish or a clamp, then the product with a value for each channel,
// the sum with a residual, another clamp.
struct tail {
    bool hard_swish = false, steps = false;
    floats scale, residual;
    tail(bool h, bool s, const image& out)
        : hard_swish(h), steps(s), scale(random_floats(size_t(out.channels), 7)),
          residual(random_floats(size_t(out.images * out.height * out.width * out.channels), 8)) {}
    void set(row_epilogue& e, const image& out) const {
        e.first = hard_swish ? row_op::hard_swish : row_op::clamp;
        e.alpha = 1.0f / 6;
        e.beta = 0.5f;
        e.low = hard_swish ? 0.0f : -0.5f;
        e.high = hard_swish ? 1.0f : 0.75f;
        e.shift = 0.25f;
        if (not steps)
            return;
        const row_step product{row_op::multiply, 0, 0, scale.data(), 0, 0, 1},
            sum{row_op::add,  0, 0, residual.data(), out.height * out.width * out.channels,
                out.channels, 1},
            clamp{row_op::clamp, -0.3f, 0.6f, nullptr, 0, 0, 0};
        // The sum with a residual first, as the kernels do it in registers, or last.
        e.count = 4;
        e.steps[0] = hard_swish ? product : sum;
        e.steps[1] = hard_swish ? sum : clamp;
        e.steps[2] = hard_swish ? clamp : product;
        e.steps[3] = {row_op::swish, 1.5f, 0, nullptr, 0, 0, 0};
    }
    void apply(doubles& y) const {
        for (size_t i = 0; i < y.size(); ++i) {
            y[i] = hard_swish ? y[i] * std::min(1.0, std::max(0.0, y[i] / 6 + 0.5)) + 0.25
                              : std::min(0.75, std::max(-0.5, y[i]));
            const auto s = double(scale[i % scale.size()]), r = double(residual[i]);
            const auto clamped = [](double v) {
                return std::min(double(0.6f), std::max(double(-0.3f), v));
            };
            if (steps)
                y[i] = hard_swish ? clamped(y[i] * s + r) : clamped(y[i] + r) * s;
            if (steps)
                y[i] /= 1 + std::exp(-1.5 * y[i]);
        }
    }
};

void expect_near(const image& out, const floats& got, const doubles& want,
                 double tolerance = 5e-6) {
    double top = 1e-9;
    for (auto x : want)
        top = std::max(top, std::abs(x));
    size_t i = 0;
    for (int64_t p = 0; p < out.images * out.height * out.width; ++p)
        for (int64_t c = 0; c < out.col(); ++c) {
            const auto value = got[size_t(p * out.col() + c)];
            if (c >= out.channels)
                ASSERT_EQ(value, 77) << "written beside channel " << c << " of position " << p;
            else
                ASSERT_NEAR(value, want[i++], tolerance * top) << "channel " << c << " of " << p;
        }
}

// What products in pairs have of weights as packed, or nothing.
struct paired_weights {
    floats memory;
    gemm_params product{};
    bool usual;
    paired_weights(const floats& panels, int64_t channels, int64_t outputs,
                   const kernel_table& table) {
        const auto depth = table.separable.pair_depth;
        memory.resize(size_t(weight_pairs_size(channels, outputs, table, depth)));
        sum_weight_pairs(panels.data(), channels, outputs, memory.data(), table, depth);
        usual = can_pair(product, memory.data());
    }
    void set(pointwise_params& p) const {
        p.pairs = product.pairs;
        p.weight_exponent = product.weight_exponent;
    }
};

// With `extra`: gaps, factors of the channels (of some shifts too, then nothing below -0.1), steps
// of the epilogue.
void check_pointwise(const kernel_table& table, int64_t channels, int64_t outputs, int64_t rows,
                     int threads, bool extra, bool paired = false) {
    const image in{2, 1, rows, channels, extra ? 3 : 0}, out{2, 1, rows, outputs, extra ? 5 : 0};
    const auto x = random_floats(in.floats(), 1), w = random_floats(size_t(channels * outputs), 2),
               bias = random_floats(size_t(outputs), 3),
               scale = random_floats(size_t(2 * channels), 4),
               shift = random_floats(size_t(channels), 5);
    const bool shifted = (outputs + rows) % 2 == 0;
    const tail end(outputs % 2 == 0, extra, out);
    pointwise_params p{};
    p.channels = channels, p.outputs = outputs, p.rows = rows;
    p.x_image = in.step(), p.x_row = in.col();
    p.y_image = out.step(), p.y_row = out.col();
    end.set(p.epilogue, out);
    if (extra) {
        p.map.scale = scale.data();
        p.scale_image = channels;
        if (shifted) { // the same for both images
            p.map.shift = shift.data();
            p.map.least = -0.1f;
        }
    }
    floats packed_w(size_t(packed_weights_size(channels, outputs, table))),
        b(size_t(packed_weights_size(1, outputs, table))), y(out.floats(), 77);
    pack_gemm_weights({w.data(), channels, outputs, 1, channels}, packed_w.data(), table);
    const paired_weights pairs(packed_w, channels, outputs, table);
    if (paired)
        pairs.set(p);
    auto s = schedule_pointwise(p, 2, threads, table);
    if (threads == 2 and rows > 14) { // both cuts
        s.threads = 2;
        s.row_parts = rows == 29 ? 3 : 1;
        s.panel_parts = rows == 29 ? 1 : 2;
        s.scratch_floats =
            std::max(s.scratch_floats, size_t(packed_weights_size(channels, outputs, table) +
                                              pointwise_block * channels));
    }
    floats scratch(s.scratch_bytes() / 4 + 1);
    std::copy(bias.begin(), bias.end(), b.begin());
    p.x = x.data(), p.w = packed_w.data(), p.bias = b.data();
    p.y = y.data();
    run_pointwise(s, p, scratch.data(), table);
    auto from = packed(in, x);
    if (extra)
        for (size_t i = 0; i < from.size(); ++i) {
            const auto c = i % size_t(channels);
            from[i] *= double(scale[i / size_t(rows * channels) * size_t(channels) + c]);
            if (shifted)
                from[i] = std::max(from[i] + double(shift[c]), double(-0.1f));
        }
    auto want = times(from, channels, w, bias);
    end.apply(want);
    expect_near(out, y, want, (paired ? 3 : 1) * (channels < 100 ? 5e-6 : 2e-5));
}

TEST(kernels_separable, pointwise) {
    for (auto level : levels())
        for (int64_t channels : {1, 3, 16, 43})
            for (int64_t outputs : {1, 7, 16, 17, 24, 32, 40, 75, 120, 140})
                for (int64_t rows : {1, 5, 14, 15, 29, 90})
                    for (int threads : {1, 2})
                        for (bool extra : {false, true})
                            ASSERT_NO_FATAL_FAILURE(check_pointwise(kernels_for(level), channels,
                                                                    outputs, rows, threads, extra))
                                << to_string(level) << ' ' << channels << "->" << outputs << " x "
                                << rows;
}

// More than the caches keep: read for more rows at once.
TEST(kernels_separable, pointwise_with_many_weights) {
    for (auto level : levels())
        for (int threads : {1, 2})
            for (bool extra : {false, true})
                ASSERT_NO_FATAL_FAILURE(
                    check_pointwise(kernels_for(level), 603, 250, 90, threads, extra))
                    << to_string(level);
}

// Rows of any size, of zeros and of what is not finite, sums of several parts, with factors.
TEST(kernels_separable, pointwise_in_pairs) {
    for (auto level : levels()) {
        const auto& table = kernels_for(level);
        if (not table.gemm.pairs)
            continue;
        for (int64_t channels : {16, 24, 32, 40, 72, 384, 392, 800})
            for (int64_t outputs : {16, 33, 64, 75, 140})
                for (int64_t rows : {1, 11, 13, 29, 90})
                    for (int threads : {1, 2})
                        for (bool extra : {false, true})
                            ASSERT_NO_FATAL_FAILURE(check_pointwise(table, channels, outputs, rows,
                                                                    threads, extra, true))
                                << to_string(level) << ' ' << channels << "->" << outputs << " x "
                                << rows;

        constexpr int64_t channels = 400, outputs = 70, rows = 36;
        auto x = random_floats(size_t(rows * channels), 1),
             w = random_floats(size_t(channels * outputs), 2);
        const auto row = [&](int64_t r) { return x.data() + r * channels; };
        std::transform(row(0), row(1), row(0), [](float v) { return v * 1e9f; });
        std::transform(row(1), row(2), row(1), [](float v) { return v * 1e-9f; });
        std::fill(row(2), row(3), 0.0f);
        row(14)[7] = std::numeric_limits<float>::infinity();
        const floats bias(size_t(outputs), 0.75f);
        floats panels(size_t(packed_weights_size(channels, outputs, table))),
            b(size_t(packed_weights_size(1, outputs, table)), 0.75f), y(size_t(rows * outputs));
        pack_gemm_weights({w.data(), channels, outputs, 1, channels}, panels.data(), table);
        const paired_weights pairs(panels, channels, outputs, table);
        pointwise_params p{};
        p.x = x.data(), p.w = panels.data(), p.bias = b.data(), p.y = y.data();
        pairs.set(p);
        EXPECT_EQ(p.weight_exponent, -1); // uniform below 1
        p.channels = p.x_row = channels;
        p.outputs = p.y_row = outputs;
        p.rows = rows;
        const auto s = schedule_pointwise(p, 1, 1, table);
        floats scratch(s.scratch_floats);
        run_pointwise(s, p, scratch.data(), table);
        const auto want = times(doubles(x.begin(), x.end()), channels, w, bias);
        for (int64_t i = 0; i < rows * outputs; i++) {
            const auto got = double(y[size_t(i)]);
            const auto r = i / outputs;
            const auto tolerance = r == 0 ? 1e5 : r == 1 ? 1e-7 : 1e-4;
            ASSERT_EQ(std::isfinite(got), r != 14);
            if (r != 14) {
                ASSERT_NEAR(got, want[size_t(i)], r == 2 ? 0 : tolerance) << r;
            }
        }
        w[3] = std::numeric_limits<float>::infinity();
        pack_gemm_weights({w.data(), channels, outputs, 1, channels}, panels.data(), table);
        EXPECT_FALSE(paired_weights(panels, channels, outputs, table).usual);
    }
}

TEST(kernels_separable, sizes_in_pairs) {
    for (auto level : levels()) {
        const auto& table = kernels_for(level);
        const auto gains = [&](int64_t rows, int64_t channels, int64_t outputs,
                               bool beside = true) {
            return gains_by_pairs(rows, channels, outputs, table, beside);
        };
        EXPECT_EQ(gains(49, 576, 160), table.gemm.pairs);
        EXPECT_FALSE(gains(49, 576, 160, false));
        EXPECT_FALSE(gains(1, 576, 160)); // rows are few
        EXPECT_FALSE(gains(784, 120, 40));
        EXPECT_FALSE(gains(784, 12, 160));
        EXPECT_FALSE(gains(784, 58, 160)); // no whole parts of a strip
    }
}

// A row of many weights, which come from memory, is worth a second thread; few products are not.
// x * sigmoid(a x) as an epilogue, over all that floats reach.
TEST(kernels_separable, swish_of_rows) {
    std::vector<float> x{0,     -0.0f, 1e-30f, -1e-30f,
                         1e30f, 3e38f, -3e38f, std::nanf(""),
                         -86,   -60,   100,    std::numeric_limits<float>::infinity()};
    for (float v = -20; v < 20; v += 0.0137f)
        x.push_back(v);
    const auto check = [&](isa level, float alpha, int64_t outputs, bool divides) {
        const auto& table = kernels_for(level);
        const std::vector<float> ones(size_t(outputs), 1);
        std::vector<float> w(size_t(packed_weights_size(1, outputs, table))), bias(w.size());
        std::vector<float> y(x.size() * size_t(outputs));
        pack_gemm_weights({ones.data(), 1, outputs, 1, 1}, w.data(), table);
        pointwise_params p{};
        p.x = x.data(), p.w = w.data(), p.bias = bias.data(), p.y = y.data();
        p.channels = p.x_row = 1;
        p.outputs = p.y_row = outputs;
        p.rows = int64_t(x.size());
        p.epilogue.divides = divides;
        p.epilogue.count = 1;
        p.epilogue.steps[0].op = row_op::swish;
        p.epilogue.steps[0].alpha = alpha;
        const auto s = schedule_pointwise(p, 1, 1, table);
        floats scratch(s.scratch_floats);
        run_pointwise(s, p, scratch.data(), table);
        for (size_t i = 0; i < y.size(); i++) {
            const auto v = double(x[i / size_t(outputs)]);
            const auto want = v / (1 + std::exp(-double(alpha) * v));
            if (std::isnan(want))
                ASSERT_TRUE(std::isnan(y[i])) << v;
            else if (std::isinf(want))
                ASSERT_EQ(double(y[i]), want);
            else if (v < -1e5) // of the bound that keeps the power finite
                ASSERT_LT(std::abs(double(y[i])), std::abs(v) * 1.3e-35) << v;
            else // the argument's own rounding counts with its size
                ASSERT_NEAR(double(y[i]), want, std::abs(want) * 2.5e-7 * (1 + std::abs(v)) + 1e-32)
                    << to_string(level) << ": " << v;
        }
    };
    // In registers, in tiles that fill them, and with columns that do not exist.
    for (isa level : levels())
        for (float alpha : {1.0f, 1.702f})
            for (int64_t outputs : {1, 20, 32})
                for (bool divides : {false, true})
                    ASSERT_NO_FATAL_FAILURE(check(level, alpha, outputs, divides))
                        << outputs << " outputs, " << (divides ? "divided" : "by reciprocals");
}

// Results that are near, and that the processor may take from another core if they are fetched.
TEST(kernels_separable, fetches_of_results) {
    processor p;
    EXPECT_TRUE(fetches_results(196, 64, 384, p));
    p.fetches_beyond = true;
    EXPECT_FALSE(fetches_results(196, 64, 384, p));
    EXPECT_TRUE(fetches_results(112 * 112, 64, 192, p));
}

TEST(kernels_separable, threads_of_one_row) {
    pointwise_params p{};
    p.rows = 1;
    p.channels = 960, p.outputs = 240;
    EXPECT_EQ(schedule_pointwise(p, 1, 2).threads, 2);
    EXPECT_EQ(schedule_pointwise(p, 1, 2).scratch_floats, 0u); // not packed
    p.channels = 96, p.outputs = 24;
    EXPECT_EQ(schedule_pointwise(p, 1, 2).threads, 1);
}

TEST(kernels_separable, threads_of_depthwise) {
    const auto threads = [](int64_t channels, int64_t side) {
        depthwise_params p{};
        p.channels = p.x_col = channels;
        p.height = p.width = p.out_height = p.out_width = side;
        p.kernel_h = p.kernel_w = 3;
        p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = 1;
        return schedule_depthwise(p, 1, 2).threads;
    };
    EXPECT_EQ(threads(184, 14), 2);
    EXPECT_EQ(threads(576, 7), 2);
    EXPECT_EQ(threads(184, 7), 1);
}

constexpr int64_t as_scheduled = -1; // ring_rows: what the schedule says, blocks too

// With `outputs` a 1x1 follows.
void check_depthwise(const kernel_table& table, const image& in, int64_t channels, const window& v,
                     bool fused, int64_t ring_rows, int64_t row_parts, bool extra,
                     int64_t outputs = 0) {
    const image middle{in.images, in.height, in.width, channels, fused ? 0 : in.beside};
    const image out{
        in.images,
        (in.height + v.top + v.below - (v.kernel_h - 1) * v.dilation_h - 1) / v.stride_h + 1,
        (in.width + v.left + v.right - (v.kernel_w - 1) * v.dilation_w - 1) / v.stride_w + 1,
        channels, extra and outputs == 0 ? 2 : 0};
    const image result{out.images, out.height, out.width, outputs > 0 ? outputs : channels,
                       extra ? 2 : 0};
    const auto taps = v.kernel_h * v.kernel_w;
    const auto x = random_floats(in.floats(), 1),
               w1 = random_floats(size_t(in.channels * channels), 2),
               b1 = random_floats(size_t(channels), 3),
               w2 = random_floats(size_t(channels * taps), 4),
               b2 = random_floats(size_t(channels), 5),
               w3 = random_floats(size_t(channels * outputs), 9),
               b3 = random_floats(size_t(outputs), 10);
    const tail between(extra, false, middle), end(not extra, extra, out),
        last(extra, not extra, result);
    depthwise_params p{};
    p.x_image = in.step(), p.x_row = in.row(), p.x_col = in.col();
    p.channels = channels;
    p.height = in.height, p.width = in.width;
    p.out_height = out.height, p.out_width = out.width;
    p.kernel_h = v.kernel_h, p.kernel_w = v.kernel_w;
    p.stride_h = v.stride_h, p.stride_w = v.stride_w;
    p.dilation_h = v.dilation_h, p.dilation_w = v.dilation_w;
    p.pad_top = v.top, p.pad_left = v.left;
    p.y_image = result.step(), p.y_row = result.row(), p.y_col = result.col();
    p.depth = in.channels;
    p.outputs = outputs;
    between.set(p.between, middle);
    end.set(p.epilogue, out);
    floats panels(size_t(packed_weights_size(in.channels, channels, table))),
        panel_bias(size_t(packed_weights_size(1, channels, table))),
        taps_w(depthwise_weight_floats(channels, taps, table)),
        taps_b(depthwise_weight_floats(channels, 1, table)), y(result.floats(), 77),
        last_panels(size_t(packed_weights_size(channels, outputs, table))),
        last_bias(size_t(packed_weights_size(1, outputs, table)));
    pack_gemm_weights({w1.data(), in.channels, channels, 1, in.channels}, panels.data(), table);
    std::copy(b1.begin(), b1.end(), panel_bias.begin());
    pack_depthwise(w2.data(), taps, v.kernel_w, 1, channels, v.kernel_h, v.kernel_w, fused,
                   taps_w.data(), table);
    pack_depthwise(b2.data(), 1, 1, 1, channels, 1, 1, fused, taps_b.data(), table);
    p.x = x.data(), p.w = taps_w.data(), p.bias = taps_b.data(), p.y = y.data();
    if (fused)
        p.panels = panels.data(), p.panel_bias = panel_bias.data();
    if (outputs > 0) {
        pack_gemm_weights({w3.data(), channels, outputs, 1, channels}, last_panels.data(), table);
        std::copy(b3.begin(), b3.end(), last_bias.begin());
        last.set(p.last, result);
        p.last_panels = last_panels.data(), p.last_bias = last_bias.data();
    }
    auto s = schedule_depthwise(p, in.images, 2, table);
    s.threads = 2;
    s.row_parts = std::min(row_parts, out.height);
    s.panel_parts = fused or outputs > 0 or extra or channels < 2 * table.separable.vector ? 1 : 2;
    const auto whole = packed_weights_size(1, channels, table);
    if (ring_rows != as_scheduled)
        s.scratch_floats = 0;
    if (extra and outputs == 0 and ring_rows != as_scheduled) {
        p.block_rows = 2;
        p.block_columns = 3;
        p.block_vectors = fused ? table.gemm.panel / table.separable.vector : 1;
    }
    if (fused and ring_rows != as_scheduled) {
        p.ring_rows = (v.kernel_h - 1) * v.dilation_h + 1 + ring_rows;
        s.scratch_floats = size_t(p.ring_rows * p.width * whole);
    }
    if (outputs > 0 and ring_rows != as_scheduled) {
        p.strip_rows = 1 + ring_rows;
        s.scratch_floats += size_t(p.strip_rows * p.out_width * whole + packed_floats(p, table));
    }
    floats scratch(s.scratch_bytes() / 4 + 1, std::numeric_limits<float>::quiet_NaN());
    run_depthwise(s, p, scratch.data(), table);
    auto want = packed(in, x);
    if (fused) {
        want = times(want, in.channels, w1, b1);
        between.apply(want);
    }
    want = each_channel(want, middle, out, v, w2, b2);
    end.apply(want);
    if (outputs > 0) {
        want = times(want, channels, w3, b3);
        last.apply(want);
    }
    expect_near(result, y, want, outputs > 0 ? 1e-5 : 5e-6); // of two or three sums
}

const window windows[] = {
    {3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, {3, 3, 2, 2, 1, 1, 1, 1, 1, 1}, {3, 3, 2, 2, 1, 1, 0, 0, 1, 1},
    {5, 5, 1, 1, 1, 1, 2, 2, 2, 2}, {5, 5, 2, 2, 1, 1, 2, 2, 2, 2}, {3, 3, 2, 1, 1, 1, 1, 1, 1, 1},
    {5, 3, 1, 2, 1, 1, 2, 0, 2, 0}, {3, 3, 1, 1, 2, 3, 2, 3, 2, 3}, {1, 7, 1, 1, 1, 1, 0, 3, 0, 3},
    {2, 2, 3, 3, 1, 1, 3, 3, 2, 2}, {3, 1, 4, 2, 1, 1, 0, 0, 0, 0}, {4, 4, 1, 1, 1, 1, 5, 4, 3, 6}};

TEST(kernels_separable, depthwise) {
    for (auto level : levels()) {
        const auto& table = kernels_for(level);
        for (const auto& v : windows)
            for (int64_t channels : {16, 17, 40, 64})
                for (int64_t width : {5, 7, 9, 16, 26})
                    for (bool extra : {false, true})
                        ASSERT_NO_FATAL_FAILURE(
                            check_depthwise(table, {2, 8, width, channels, extra ? 1 : 0}, channels,
                                            v, false, 0, extra ? 3 : 1, extra))
                            << to_string(level) << ' ' << channels << " channels, " << v.kernel_h
                            << 'x' << v.kernel_w << ", width " << width;
    }
}

TEST(kernels_separable, depthwise_then_pointwise) {
    for (auto level : levels()) {
        const auto& table = kernels_for(level);
        for (const auto& v : windows)
            for (const auto& [channels, outputs] :
                 {std::pair{16, 5}, std::pair{33, 40}, std::pair{132, 130}})
                for (bool fused : {false, true})
                    for (bool extra : {false, true})
                        ASSERT_NO_FATAL_FAILURE(check_depthwise(
                            table, {2, 9, 14, fused ? 10 : channels, extra ? 3 : 0}, channels, v,
                            fused, extra ? 0 : 3, extra ? 2 : 1, extra, outputs))
                            << to_string(level) << ' ' << channels << " channels to " << outputs
                            << (fused ? ", fused, " : ", ") << v.kernel_h << 'x' << v.kernel_w;
    }
}

TEST(kernels_separable, pointwise_then_depthwise) {
    for (auto level : levels()) {
        const auto& table = kernels_for(level);
        for (const auto& v : windows)
            for (int64_t channels : {3, 16, 33, 72})
                for (int64_t width : {5, 14, 17})
                    for (bool extra : {false, true})
                        ASSERT_NO_FATAL_FAILURE(
                            check_depthwise(table, {2, 9, width, 10, extra ? 3 : 0}, channels, v,
                                            true, extra ? 0 : 3, extra ? 2 : 1, extra))
                            << to_string(level) << ' ' << channels << " channels, " << v.kernel_h
                            << 'x' << v.kernel_w << ", width " << width;
    }
}

// Images that are gone through in blocks, with what the schedule keeps of them.
TEST(kernels_separable, depthwise_in_blocks) {
    for (auto level : levels()) {
        const auto& table = kernels_for(level);
        for (const auto& v : {windows[0], windows[4], windows[7]})
            for (const auto& [height, width, depth] : {std::tuple{7, 113, 6}, {19, 150, 3}})
                for (int64_t outputs : {0, 7})
                    for (bool fused : {false, true})
                        ASSERT_NO_FATAL_FAILURE(
                            check_depthwise(table, {1, height, width, fused ? depth : 40, 1}, 40, v,
                                            fused, as_scheduled, 2, true, outputs))
                            << to_string(level) << ' ' << height << 'x' << width << ", "
                            << v.kernel_h << 'x' << v.kernel_w << (fused ? " fused" : "");
    }
}

TEST(kernels_separable, depthwise_blocks_fit_caches) {
    depthwise_params p{};
    float any = 0;
    p.channels = 96, p.depth = 16, p.x_col = 16;
    p.height = p.width = 112, p.out_height = p.out_width = 56;
    p.kernel_h = p.kernel_w = 3, p.stride_h = p.stride_w = 2, p.dilation_h = p.dilation_w = 1;
    p.panels = &any;
    for (auto level : levels()) {
        const auto& table = kernels_for(level);
        const auto s = schedule_depthwise(p, 1, 2, table);
        EXPECT_EQ(p.block_vectors * table.separable.vector, table.gemm.panel);
        EXPECT_LT(p.block_columns, 57);
        EXPECT_LE(s.scratch_floats * 4, size_t(32) * 1024);
        EXPECT_GE(p.ring_rows, 3);
    }
    p.panels = nullptr;
    p.channels = 2048;
    p.width = p.out_width = 14;
    for (auto level : levels()) {
        const auto& table = kernels_for(level);
        schedule_depthwise(p, 1, 2, table);
        EXPECT_LT(p.block_vectors * table.separable.vector, 2048);
        EXPECT_GE(p.block_vectors, 2);
    }
}

} // namespace
