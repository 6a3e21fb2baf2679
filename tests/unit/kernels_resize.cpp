// SPDX-License-Identifier: MIT
// Resize against the definition in double, on every instruction set of this machine.
#include "kernels_support.hpp"
#include "targets/cpu/kernels/dispatch/run_resize.hpp"

#include <gtest/gtest.h>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

// Coordinates are single precision, as the operator defines them.
float source(const std::string& c, int64_t i, int64_t in, int64_t out, float s) {
    if (c == "align_corners")
        return out == 1 ? 0 : float(i) * float(in - 1) / float(out - 1);
    if (c == "asymmetric")
        return float(i) / s;
    if (c == "tf_half_pixel_for_nn")
        return (float(i) + 0.5f) / s;
    if (c == "pytorch_half_pixel" && out == 1)
        return 0;
    return (float(i) + 0.5f) / s - 0.5f;
}

struct tap {
    int64_t low, high;
    double weight;
};

tap tap_of(const resize_problem& r, int64_t i, int64_t in, int64_t out, float s) {
    const double v =
        double(std::min(std::max(source(r.coordinate_mode, i, in, out, s), 0.0f), float(in - 1)));
    if (!r.linear) {
        const double k = r.nearest_mode == "floor"                ? std::floor(v)
                         : r.nearest_mode == "ceil"               ? std::ceil(v)
                         : r.nearest_mode == "round_prefer_floor" ? std::ceil(v - 0.5)
                                                                  : std::floor(v + 0.5);
        return {int64_t(k), int64_t(k), 0};
    }
    const auto k = int64_t(std::floor(v));
    return {k, std::min(k + 1, in - 1), v - double(k)};
}

template <class T>
void check_resize(resize_problem r, elem_type type, int64_t images, int64_t planes) {
    r.type = type;
    r.scale_h = float(r.out_h) / float(r.in_h);
    r.scale_w = float(r.out_w) / float(r.in_w);
    r.rank = 2;
    r.x_row = r.in_w * r.channels + 1;
    r.y_row = r.out_w * r.channels;
    r.lens[0] = images;
    r.lens[1] = planes;
    r.x_steps[1] = r.in_h * r.x_row;
    r.x_steps[0] = planes * r.x_steps[1];
    r.y_steps[1] = r.out_h * r.y_row;
    r.y_steps[0] = planes * r.y_steps[1];
    ASSERT_EQ(resize_plan::refusal(r), nullptr);
    const auto f = random_floats(size_t(images * r.x_steps[0]), 1, 0, 100);
    const std::vector<T> x(f.begin(), f.end());
    const resize_plan plan(r);
    for (isa level : levels()) {
        std::vector<T> y(size_t(images * r.y_steps[0]) + 1, T(77));
        plan.run(x.data(), y.data(), kernels_for(level));
        ASSERT_EQ(y.back(), T(77));
        for_each_index({images, planes, r.out_h, r.out_w, r.channels}, [&](const dims& i) {
            const tap h = tap_of(r, i[2], r.in_h, r.out_h, r.scale_h);
            const tap w = tap_of(r, i[3], r.in_w, r.out_w, r.scale_w);
            const auto at = [&](int64_t a, int64_t b) {
                return double(x[size_t(i[0] * r.x_steps[0] + i[1] * r.x_steps[1] + a * r.x_row +
                                       b * r.channels + i[4])]);
            };
            const double want =
                (at(h.low, w.low) * (1 - w.weight) + at(h.low, w.high) * w.weight) *
                    (1 - h.weight) +
                (at(h.high, w.low) * (1 - w.weight) + at(h.high, w.high) * w.weight) * h.weight;
            const double got = double(y[size_t(i[0] * r.y_steps[0] + i[1] * r.y_steps[1] +
                                               i[2] * r.y_row + i[3] * r.channels + i[4])]);
            ASSERT_NEAR(got, want, r.linear ? (sizeof(T) == 2 ? 0.1 : 3e-5) : 0)
                << to_string(level) << show(i);
        });
    }
}

const char* const coordinates[] = {"half_pixel", "pytorch_half_pixel", "align_corners",
                                   "asymmetric", "tf_half_pixel_for_nn"};
const char* const roundings[] = {"floor", "ceil", "round_prefer_floor", "round_prefer_ceil"};

resize_problem sizes(int64_t in_h, int64_t in_w, int64_t out_h, int64_t out_w, int64_t channels) {
    resize_problem r;
    r.in_h = in_h;
    r.in_w = in_w;
    r.out_h = out_h;
    r.out_w = out_w;
    r.channels = channels;
    return r;
}

TEST(kernels_resize, every_mode) {
    for (auto c : coordinates)
        for (int64_t channels : {1, 3, 16, 21})
            for (auto r : {sizes(5, 7, 10, 14, channels), sizes(5, 7, 3, 4, channels),
                           sizes(4, 20, 9, 33, channels), sizes(6, 6, 1, 1, channels),
                           sizes(1, 1, 4, 4, channels)}) {
                r.coordinate_mode = c;
                r.linear = true;
                check_resize<float>(r, elem_type::f32, 2, 2);
                check_resize<_Float16>(r, elem_type::f16, 1, 2);
                r.linear = false;
                for (auto rounding : roundings) {
                    r.nearest_mode = rounding;
                    check_resize<float>(r, elem_type::f32, 2, 2);
                    check_resize<uint8_t>(r, elem_type::u8, 1, 2);
                    check_resize<double>(r, elem_type::f64, 1, 2);
                }
            }
}

TEST(kernels_resize, large_planes) {
    auto r = sizes(100, 90, 200, 180, 1);
    r.coordinate_mode = "asymmetric";
    check_resize<float>(r, elem_type::f32, 1, 8);
    r.linear = true;
    check_resize<float>(r, elem_type::f32, 1, 8);
}

} // namespace
