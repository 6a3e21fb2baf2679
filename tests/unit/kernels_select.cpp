// SPDX-License-Identifier: MIT
// topk, non-maximum suppression, nonzero, running sums and local response normalisation against
// their definitions, on every instruction set of this machine.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_select.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

template <class T>
bool better(T a, T b, bool largest) {
    if constexpr (!std::is_integral_v<T>)
        if (a != a || b != b)
            return largest ? a != a && b == b : a == a && b != b;
    return largest ? a > b : a < b;
}

template <class T>
void check_topk(elem_type type, const dims& lens, int axis, int64_t k, bool named) {
    std::mt19937 gen(9);
    std::vector<T> x;
    for (int64_t i = 0; i < count(lens); ++i)
        x.push_back(T(int(gen() % 41) - (std::is_unsigned_v<T> ? 0 : 20)));
    if constexpr (!std::is_integral_v<T>)
        for (size_t i = 5; i < x.size(); i += 37)
            x[i] = T(std::numeric_limits<float>::quiet_NaN());
    std::vector<int64_t> names(x.size());
    std::iota(names.begin(), names.end(), 1000);
    dims out = lens;
    out[size_t(axis)] = k;
    const dims xs = packed(lens), ys = packed(out);
    for (bool largest : {true, false}) {
        std::vector<T> y(size_t(count(out)));
        std::vector<int64_t> idx(y.size(), -1);
        topk_problem p;
        p.type = type;
        p.largest = largest;
        p.k = k;
        p.rank = int(lens.size());
        p.axis = axis;
        p.lens = lens.data();
        p.x = x.data();
        p.x_strides = xs.data();
        p.y = y.data();
        p.y_strides = p.idx_strides = ys.data();
        p.idx = idx.data();
        p.names = named ? names.data() : nullptr;
        run_topk(p);
        dims lines = lens;
        lines[size_t(axis)] = 1;
        for_each_index(lines, [&](const dims& i) {
            const int64_t from = dot(i, xs), to = dot(i, ys), step = xs[size_t(axis)];
            std::vector<int64_t> order(static_cast<size_t>(lens[size_t(axis)]));
            std::iota(order.begin(), order.end(), 0);
            std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
                return better(x[size_t(from + a * step)], x[size_t(from + b * step)], largest);
            });
            for (int64_t j = 0; j < k; ++j) {
                const int64_t at = from + order[size_t(j)] * step;
                const size_t here = size_t(to + j * ys[size_t(axis)]);
                ASSERT_EQ(idx[here], named ? names[size_t(at)] : order[size_t(j)])
                    << show(lens) << j;
                const T got = y[here], want = x[size_t(at)];
                ASSERT_TRUE(got == want || (got != got && want != want));
            }
        });
    }
}

TEST(kernels_select, topk) {
    for (int64_t k : {0, 1, 5, 100})
        for (bool named : {false, true}) {
            check_topk<float>(elem_type::f32, {3, 100}, 1, k, named);
            check_topk<float>(elem_type::f32, {2, 100, 3}, 1, k, named);
            check_topk<double>(elem_type::f64, {2, 100, 3}, 1, k, named);
            check_topk<_Float16>(elem_type::f16, {100, 3}, 0, k, named);
            check_topk<int32_t>(elem_type::i32, {2, 100}, 1, k, named);
            check_topk<int64_t>(elem_type::i64, {2, 100}, 1, k, named);
            check_topk<int8_t>(elem_type::i8, {2, 100}, 1, k, named);
            check_topk<uint8_t>(elem_type::u8, {2, 100}, 1, k, named);
        }
    check_topk<float>(elem_type::f32, {4, 20000}, 1, 300, false);
    EXPECT_ANY_THROW(check_topk<float>(elem_type::f32, {3, 4}, 1, 5, false));
}

std::vector<float> corners_of(const suppression_problem& p, int64_t b, int64_t i) {
    const float* q = p.boxes + (b * p.count + i) * 4;
    if (p.center_point_box)
        return {q[0] - q[2] / 2, q[1] - q[3] / 2, q[0] + q[2] / 2, q[1] + q[3] / 2};
    return {std::min(q[0], q[2]), std::min(q[1], q[3]), std::max(q[0], q[2]),
            std::max(q[1], q[3])};
}

// The definition.
std::vector<int64_t> suppressed(const suppression_problem& p) {
    const auto area = [](const std::vector<float>& a) {
        return std::max(0.0f, a[2] - a[0]) * std::max(0.0f, a[3] - a[1]);
    };
    std::vector<int64_t> want;
    for (int64_t b = 0; b < p.batches; ++b)
        for (int64_t c = 0; c < p.classes; ++c) {
            const float* s = p.scores + (b * p.classes + c) * p.count;
            std::vector<int64_t> order, kept;
            for (int64_t i = 0; i < p.count; ++i)
                if (!p.has_threshold || s[i] > p.threshold)
                    order.push_back(i);
            std::stable_sort(order.begin(), order.end(),
                             [&](int64_t i, int64_t j) { return s[i] > s[j]; });
            for (auto i : order) {
                if (int64_t(kept.size()) >= p.most)
                    break;
                const auto a = corners_of(p, b, i);
                bool keep = true;
                for (auto j : kept) {
                    const auto o = corners_of(p, b, j);
                    const float shared = area({std::max(a[0], o[0]), std::max(a[1], o[1]),
                                               std::min(a[2], o[2]), std::min(a[3], o[3])});
                    const float all = area(a) + area(o) - shared;
                    keep = keep && !((all > 0 ? shared / all : 0) > p.iou);
                }
                if (keep) {
                    kept.push_back(i);
                    want.insert(want.end(), {b, c, i});
                }
            }
        }
    return want;
}

void check_suppression(const suppression_problem& p) {
    const auto want = suppressed(p);
    for (isa level : levels())
        ASSERT_EQ(run_suppression(p, kernels_for(level)), want)
            << to_string(level) << p.most << p.iou;
}

TEST(kernels_select, suppression) {
    for (bool center : {false, true})
        for (int64_t most : {0, 3, 1000})
            for (float iou : {0.0f, 0.3f, 0.9f}) {
                suppression_problem p;
                const auto boxes = random_floats(2 * 300 * 4, 1, 0.1f, 1);
                auto scores = random_floats(2 * 3 * 300, 2, 0, 1);
                for (size_t i = 0; i < scores.size(); i += 5)
                    scores[i] = 0.5f; // ties
                p.boxes = boxes.data();
                p.scores = scores.data();
                p.batches = 2;
                p.classes = 3;
                p.count = 300;
                p.center_point_box = center;
                p.most = most;
                p.iou = iou;
                p.has_threshold = true;
                p.threshold = 0.4f;
                check_suppression(p);
            }
}

// Boxes in ranges of their own along x, as detectors with one call for all classes have them.
TEST(kernels_select, suppression_of_groups) {
    constexpr int64_t n = 2000;
    for (int groups : {1, 7})
        for (int64_t most : {10, 500, 5000})
            for (float iou : {-0.1f, 0.4f}) {
                auto boxes = random_floats(n * 4, 3, 0, 1);
                auto scores = random_floats(n, 4, -1, 1);
                for (int64_t i = 0; i < n; ++i)
                    for (int64_t j = 0; j < 4; ++j)
                        boxes[size_t(i * 4 + j)] += float(i % groups - 3);
                for (size_t i = 0; i < scores.size(); i += 7)
                    scores[i] = i % 2 ? 0.0f : -0.0f;
                boxes[5 * 4] = std::numeric_limits<float>::infinity();
                boxes[6 * 4 + 1] = -std::numeric_limits<float>::infinity();
                suppression_problem p;
                p.boxes = boxes.data();
                p.scores = scores.data();
                p.batches = p.classes = 1;
                p.count = n;
                p.most = most;
                p.iou = iou;
                check_suppression(p);
                p.center_point_box = true;
                check_suppression(p);
            }
}

TEST(kernels_select, nonzero) {
    std::vector<float> x(700000, 0.0f);
    std::vector<int64_t> want;
    std::mt19937 gen(4);
    for (size_t i = 0; i < x.size(); ++i)
        if (gen() % 3 == 0) {
            x[i] = i % 2 ? -1.0f : std::numeric_limits<float>::quiet_NaN();
            want.push_back(int64_t(i));
        } else if (gen() % 2)
            x[i] = -0.0f;
    EXPECT_EQ(run_nonzero(elem_type::f32, x.data(), int64_t(x.size())), want);
    const uint8_t b[5] = {0, 1, 0, 255, 0};
    EXPECT_EQ(run_nonzero(elem_type::boolean, b, 5), (std::vector<int64_t>{1, 3}));
    const uint16_t h[3] = {0x8000, 1, 0};
    EXPECT_EQ(run_nonzero(elem_type::f16, h, 3), (std::vector<int64_t>{1}));
    EXPECT_TRUE(run_nonzero(elem_type::i64, nullptr, 0).empty());
}

template <class T>
void check_scan(elem_type type, const dims& lens, int axis) {
    std::vector<T> x;
    for (float f : random_floats(size_t(count(lens)), 3, -9, 9))
        x.push_back(T(int(f)));
    const dims s = packed(lens);
    for (bool exclusive : {false, true})
        for (bool reverse : {false, true})
            for (isa level : levels()) {
                std::vector<T> y(x.size());
                run_scan(type, exclusive, reverse, int(lens.size()), axis, lens.data(), x.data(),
                         s.data(), y.data(), s.data(), kernels_for(level));
                dims lines = lens;
                lines[size_t(axis)] = 1;
                for_each_index(lines, [&](const dims& i) {
                    T total = T(0);
                    for (int64_t k = 0; k < lens[size_t(axis)]; ++k) {
                        const size_t at =
                            size_t(dot(i, s) +
                                   (reverse ? lens[size_t(axis)] - 1 - k : k) * s[size_t(axis)]);
                        const T before = total;
                        total = T(total + x[at]);
                        ASSERT_EQ(y[at], exclusive ? before : total);
                    }
                });
            }
}

TEST(kernels_select, running_sums) {
    for (int axis = 0; axis < 3; ++axis) {
        check_scan<float>(elem_type::f32, {3, 70, 5}, axis);
        check_scan<double>(elem_type::f64, {3, 7, 130}, axis);
        check_scan<int32_t>(elem_type::i32, {3, 7, 130}, axis);
        check_scan<int8_t>(elem_type::i8, {3, 7, 13}, axis);
        check_scan<int64_t>(elem_type::i64, {1, 1, 1000}, axis);
    }
    check_scan<float>(elem_type::f32, {3, 0, 5}, 1);
}

TEST(kernels_select, local_response_normalisation) {
    for (int64_t size : {1, 2, 3, 5, 8})
        for (float beta : {0.75f, 0.5f})
            for (int64_t channels : {1, 3, 16, 37})
                for (bool last : {false, true}) {
                    const int64_t images = 2, inner = 35;
                    const auto x = random_floats(size_t(images * inner * channels), 1, -3, 3);
                    lrn_params p{};
                    p.x = x.data();
                    p.alpha = 0.3f;
                    p.beta = beta;
                    p.bias = 1.5f;
                    p.size = size;
                    p.channels = channels;
                    p.inner = inner;
                    for (isa level : levels()) {
                        std::vector<float> y(x.size());
                        p.y = y.data();
                        run_lrn(p, images, last, kernels_for(level));
                        for_each_index({images, channels, inner}, [&](const dims& i) {
                            const auto at = [&](int64_t c) {
                                return size_t(last ? (i[0] * inner + i[2]) * channels + c
                                                   : (i[0] * channels + c) * inner + i[2]);
                            };
                            double squares = 0;
                            for (int64_t c = i[1] - (size - 1) / 2; c <= i[1] + size / 2; ++c)
                                if (c >= 0 && c < channels)
                                    squares += double(x[at(c)]) * double(x[at(c)]);
                            const double want =
                                double(x[at(i[1])]) *
                                std::pow(1.5 + double(p.alpha) / double(size) * squares,
                                         -double(beta));
                            ASSERT_NEAR(double(y[at(i[1])]), want, 3e-6)
                                << to_string(level) << size << show(i);
                        });
                    }
                }
}

} // namespace
