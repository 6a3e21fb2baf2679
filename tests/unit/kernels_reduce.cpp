// SPDX-License-Identifier: MIT
// Reductions and argmax against double loops, on every instruction set of this machine.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_reduce.hpp"

#include <gtest/gtest.h>

#include <limits>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

double naive_reduce(reduce_op op, const std::vector<double>& x) {
    const double inf = std::numeric_limits<double>::infinity();
    double a = op == reduce_op::max                            ? -inf
               : op == reduce_op::min                          ? inf
               : op == reduce_op::prod || op == reduce_op::all ? 1
                                                               : 0;
    for (double v : x) {
        switch (op) {
        case reduce_op::max:
            a = v > a ? v : a;
            break;
        case reduce_op::min:
            a = v < a ? v : a;
            break;
        case reduce_op::prod:
            a *= v;
            break;
        case reduce_op::all:
            a = a != 0 && v != 0;
            break;
        case reduce_op::any:
            a = a != 0 || v != 0;
            break;
        default:
            a += v;
        }
    }
    return op == reduce_op::mean ? a / double(x.size()) : a;
}

template <class T>
void check_reduce(reduce_op op, elem_type type, const dims& lens, const dims& perm, uint32_t mask,
                  double tolerance) {
    // Memory order `perm` gives non-standard strides.
    dims strides(lens.size());
    int64_t s = 1;
    for (size_t i = perm.size(); i-- > 0;) {
        strides[size_t(perm[i])] = s;
        s *= lens[size_t(perm[i])];
    }
    std::vector<T> x(size_t(count(lens)) + 1);
    const auto f = random_floats(x.size(), 3, 0.5f, 2.0f);
    for (size_t i = 0; i < x.size(); ++i)
        x[i] =
            std::is_integral_v<T> ? T(int(f[i] * 8) % 7 - (std::is_signed_v<T> ? 3 : 0)) : T(f[i]);
    dims out = lens;
    for (size_t i = 0; i < lens.size(); ++i)
        if (mask >> i & 1)
            out[i] = 1;
    const dims ds = packed(out);
    std::vector<std::vector<double>> groups(size_t(count(out)));
    for_each_index(lens, [&](const dims& i) {
        dims o = i;
        for (size_t d = 0; d < o.size(); ++d)
            if (mask >> d & 1)
                o[d] = 0;
        groups[size_t(dot(o, ds))].push_back(double(x[size_t(dot(i, strides)) + 1]));
    });
    for (isa level : levels()) {
        std::vector<T> got(size_t(count(out)) + 2, T(77));
        run_reduce(op, type, int(lens.size()), lens.data(), mask, x.data() + 1, strides.data(),
                   got.data() + 1, ds.data(), kernels_for(level));
        ASSERT_EQ(got.front(), T(77));
        ASSERT_EQ(got.back(), T(77));
        for (size_t i = 0; i < groups.size(); ++i) {
            const double want = naive_reduce(op, groups[i]);
            const double value = std::is_integral_v<T> ? double(T(want)) : want;
            ASSERT_NEAR(double(got[i + 1]), value, tolerance * std::max(1.0, std::abs(value)))
                << to_string(level) << " op " << int(op) << " lens " << show(lens) << " perm "
                << show(perm) << " mask " << mask << " at " << i;
        }
    }
}

const reduce_op all_ops[] = {reduce_op::sum,  reduce_op::mean, reduce_op::max, reduce_op::min,
                             reduce_op::prod, reduce_op::all,  reduce_op::any};

TEST(kernels_reduce, every_set_of_axes) {
    for (auto op : all_ops)
        for (uint32_t mask = 0; mask < 16; ++mask) {
            if (op == reduce_op::prod && mask == 15)
                continue;
            check_reduce<float>(op, elem_type::f32, {2, 3, 5, 7}, {0, 1, 2, 3}, mask, 1e-6);
            check_reduce<float>(op, elem_type::f32, {2, 17, 3, 4}, {0, 2, 3, 1}, mask, 1e-5);
            check_reduce<double>(op, elem_type::f64, {2, 3, 5, 4}, {3, 1, 0, 2}, mask, 1e-12);
            check_reduce<int32_t>(op, elem_type::i32, {2, 3, 5, 4}, {0, 1, 2, 3}, mask, 0);
            check_reduce<int64_t>(op, elem_type::i64, {2, 3, 5, 4}, {2, 1, 0, 3}, mask, 0);
        }
    check_reduce<uint8_t>(reduce_op::max, elem_type::u8, {300, 3}, {0, 1}, 1, 0);
    check_reduce<int8_t>(reduce_op::min, elem_type::i8, {3, 300}, {0, 1}, 2, 0);
    check_reduce<uint64_t>(reduce_op::max, elem_type::u64, {3, 30}, {0, 1}, 2, 0);
}

TEST(kernels_reduce, lengths_around_the_vector_width) {
    for (auto op : {reduce_op::sum, reduce_op::max, reduce_op::min, reduce_op::mean})
        for (int64_t n :
             {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 200, 700, 9000}) {
            check_reduce<float>(op, elem_type::f32, {3, n}, {0, 1}, 2, 1e-6);
            check_reduce<float>(op, elem_type::f32, {n, 3}, {0, 1}, 1, 1e-6);
            check_reduce<float>(op, elem_type::f32, {5, n}, {0, 1}, 1, 1e-6);
            check_reduce<float>(op, elem_type::f32, {70, n}, {0, 1}, 1, 1e-6);
        }
}

TEST(kernels_reduce, pooling_shapes) {
    check_reduce<float>(reduce_op::mean, elem_type::f32, {2, 64, 7, 7}, {0, 1, 2, 3}, 12, 1e-6);
    check_reduce<float>(reduce_op::mean, elem_type::f32, {2, 64, 7, 7}, {0, 2, 3, 1}, 12, 1e-6);
    check_reduce<float>(reduce_op::mean, elem_type::f32, {1, 16, 112, 112}, {0, 2, 3, 1}, 12, 1e-6);
    check_reduce<float>(reduce_op::max, elem_type::f32, {1, 3, 200, 200}, {0, 1, 2, 3}, 12, 0);
    // One image of many channels is summed in slices of its rows.
    for (auto op : {reduce_op::sum, reduce_op::mean, reduce_op::max, reduce_op::min})
        for (const dims& lens : {dims{1, 672, 14, 14}, dims{1, 120, 28, 28}, dims{1, 301, 9, 25}})
            check_reduce<float>(op, elem_type::f32, lens, {0, 2, 3, 1}, 12, 1e-6);
}

TEST(kernels_reduce, a_million_values_sum_accurately) {
    check_reduce<float>(reduce_op::sum, elem_type::f32, {1 << 20}, {0}, 1, 1e-7);
    check_reduce<float>(reduce_op::sum, elem_type::f32, {1 << 20, 1}, {0, 1}, 1, 1e-7);
    check_reduce<float>(reduce_op::sum, elem_type::f32, {1 << 18, 4}, {0, 1}, 1, 2e-7);
    check_reduce<float>(reduce_op::sum, elem_type::f32, {1 << 12, 256}, {0, 1}, 1, 2e-7);
    check_reduce<float>(reduce_op::mean, elem_type::f32, {64, 1 << 14}, {1, 0}, 2, 2e-7);
    check_reduce<float>(reduce_op::sum, elem_type::f32, {1 << 13, 2, 64}, {2, 0, 1}, 1, 2e-7);
}

// A classifier whose logits are equal ends in equal probabilities, whichever block of channels a
// logit lies in.
TEST(kernels_reduce, equal_columns_have_equal_sums) {
    for (int64_t rows : {7, 169, 1000}) {
        const int64_t width = 1000;
        const auto column = random_floats(size_t(rows), 1);
        std::vector<float> x, got(size_t(width), 0.0f);
        for (int64_t i = 0; i < rows; ++i)
            x.insert(x.end(), size_t(width), 1e8f * column[size_t(i)]);
        const dims lens{rows, width}, from{width, 1}, to{0, 1};
        for (isa level : levels()) {
            run_reduce(reduce_op::mean, elem_type::f32, 2, lens.data(), 1, x.data(), from.data(),
                       got.data(), to.data(), kernels_for(level));
            EXPECT_EQ(std::count(got.begin(), got.end(), got[0]), width) << rows;
        }
    }
}

TEST(kernels_reduce, nothing_to_reduce) {
    float out[3] = {5, 5, 5};
    const dims lens{3, 0}, strides{0, 1}, ds{1, 1};
    for (isa level : levels()) {
        run_reduce(reduce_op::sum, elem_type::f32, 2, lens.data(), 2, nullptr, strides.data(), out,
                   ds.data(), kernels_for(level));
        EXPECT_EQ(out[0] + out[1] + out[2], 0);
        run_reduce(reduce_op::prod, elem_type::f32, 2, lens.data(), 2, nullptr, strides.data(), out,
                   ds.data(), kernels_for(level));
        EXPECT_EQ(out[2], 1);
        run_reduce(reduce_op::sum, elem_type::f32, 2, lens.data(), 1, nullptr, strides.data(), out,
                   ds.data(), kernels_for(level));
    }
}

TEST(kernels_reduce, infinities) {
    std::vector<float> x(100, -std::numeric_limits<float>::infinity());
    const dims lens{100}, one{1};
    for (isa level : levels()) {
        float out = 0;
        run_reduce(reduce_op::max, elem_type::f32, 1, lens.data(), 1, x.data(), one.data(), &out,
                   one.data(), kernels_for(level));
        EXPECT_EQ(out, -std::numeric_limits<float>::infinity());
        run_reduce(reduce_op::sum, elem_type::f32, 1, lens.data(), 1, x.data(), one.data(), &out,
                   one.data(), kernels_for(level));
        EXPECT_EQ(out, -std::numeric_limits<float>::infinity());
    }
}

TEST(kernels_reduce, a_nan_shows_in_every_result) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (auto op : {reduce_op::sum, reduce_op::mean, reduce_op::max, reduce_op::min})
        for (int64_t at : {0, 3, 40, 129, 4999})
            for (isa level : levels())
                for (uint32_t mask : {2u, 1u, 3u}) {
                    std::vector<float> x(10000, 1.0f), out(5000, 0.0f);
                    x[size_t(at)] = nan;
                    const dims lens{2, 5000}, ss{5000, 1}, ds{mask == 2 ? 1 : 0, mask == 1 ? 1 : 0};
                    run_reduce(op, elem_type::f32, 2, lens.data(), mask, x.data(), ss.data(),
                               out.data(), ds.data(), kernels_for(level));
                    EXPECT_TRUE(std::isnan(out[mask == 1 ? size_t(at) : 0]))
                        << int(op) << " " << mask;
                    if (mask != 3) {
                        EXPECT_FALSE(std::isnan(out[1]));
                    }
                }
}

void check_arg(const dims& lens, int axis, bool with_nan) {
    const dims ss = packed(lens);
    dims out = lens;
    out[size_t(axis)] = 1;
    const dims ds = packed(out);
    std::vector<float> x(size_t(count(lens)));
    std::mt19937 gen(5);
    for (auto& v : x) {
        v = float(gen() % 50);
        if (with_nan && gen() % 40 == 0)
            v = std::numeric_limits<float>::quiet_NaN();
    }
    std::vector<int32_t> ints(x.begin(), x.end());
    for (bool largest : {true, false})
        for (bool last : {true, false})
            for (isa level : levels()) {
                std::vector<int64_t> got(size_t(count(out)), -1), got_int = got;
                run_arg(largest, last, elem_type::f32, int(lens.size()), lens.data(), axis,
                        x.data(), ss.data(), got.data(), kernels_for(level));
                if (!with_nan)
                    run_arg(largest, last, elem_type::i32, int(lens.size()), lens.data(), axis,
                            ints.data(), ss.data(), got_int.data(), kernels_for(level));
                for_each_index(out, [&](dims i) {
                    int64_t best = 0;
                    float top = x[size_t(dot(i, ss))];
                    for (int64_t k = 1; k < lens[size_t(axis)]; ++k) {
                        i[size_t(axis)] = k;
                        const float v = x[size_t(dot(i, ss))];
                        const auto precedes = [&](float a, float b) {
                            if (std::isnan(a) || std::isnan(b))
                                return std::isnan(a) && !std::isnan(b);
                            return largest ? a > b : a < b;
                        };
                        if (last ? !precedes(top, v) : precedes(v, top)) {
                            top = v;
                            best = k;
                        }
                    }
                    i[size_t(axis)] = 0;
                    ASSERT_EQ(got[size_t(dot(i, ds))], best)
                        << to_string(level) << show(lens) << axis;
                    if (!with_nan) {
                        ASSERT_EQ(got_int[size_t(dot(i, ds))], best);
                    }
                });
            }
}

TEST(kernels_reduce, argmax_and_argmin) {
    for (bool with_nan : {false, true}) {
        check_arg({1000}, 0, with_nan);
        check_arg({3, 257}, 1, with_nan);
        check_arg({4, 21, 33}, 1, with_nan);
        check_arg({21, 5, 9}, 0, with_nan);
        check_arg({7, 3}, 1, with_nan);
        check_arg({2, 1, 3}, 1, with_nan);
        check_arg({2, 300, 300}, 0, with_nan);
    }
}

} // namespace
