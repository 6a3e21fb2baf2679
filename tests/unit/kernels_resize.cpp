// SPDX-License-Identifier: MIT
// Resize against the definition in double, on every instruction set of this machine.
#include "kernels_support.hpp"
#include "ops/resize_axis.hpp"
#include "targets/cpu/kernels/dispatch/run_resize.hpp"

#include <gtest/gtest.h>

using namespace migraphx::cpu;
using namespace kernel_test;

namespace {

struct tap {
    int64_t low, high;
    double weight;
};

// Positions are the operator's own; what is done with them is tested here.
std::vector<tap> taps_of(const resize_problem& r, int64_t in, int64_t out, float scale) {
    std::vector<tap> taps;
    if (r.linear) {
        const auto t = migraphx::linear_taps(r.coordinate_mode, scale, size_t(in), size_t(out));
        for (size_t i = 0; i < size_t(out); ++i)
            taps.push_back(
                {int64_t(t.position[2 * i]), int64_t(t.position[2 * i + 1]), t.weight[2 * i + 1]});
    } else
        for (int64_t at : migraphx::nearest_positions(r.coordinate_mode, r.nearest_mode, scale,
                                                      size_t(in), size_t(out)))
            taps.push_back({at, at, 0});
    return taps;
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
    const auto taps_h = taps_of(r, r.in_h, r.out_h, r.scale_h);
    const auto taps_w = taps_of(r, r.in_w, r.out_w, r.scale_w);
    for (isa level : levels()) {
        std::vector<T> y(size_t(images * r.y_steps[0]) + 1, T(77));
        plan.run(x.data(), y.data(), kernels_for(level));
        ASSERT_EQ(y.back(), T(77));
        for_each_index({images, planes, r.out_h, r.out_w, r.channels}, [&](const dims& i) {
            const tap h = taps_h[size_t(i[2])];
            const tap w = taps_w[size_t(i[3])];
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
