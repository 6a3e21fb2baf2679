// SPDX-License-Identifier: MIT
// Coordinate tables of a resize, and its split over rows.
#include "targets/cpu/kernels/dispatch/run_resize.hpp"

#include "base/parallel.hpp"

#include <algorithm>
#include <cmath>

namespace migraphx::cpu {

namespace {

// Where output position i lies in the input.
double resize_source(resize_coordinate c, double i, double in, double out, double scale) {
    switch (c) {
    case resize_coordinate::half_pixel: return (i + 0.5) / scale - 0.5;
    case resize_coordinate::pytorch_half_pixel: return out > 1 ? (i + 0.5) / scale - 0.5 : 0;
    case resize_coordinate::align_corners: return out > 1 ? i * (in - 1) / (out - 1) : 0;
    case resize_coordinate::asymmetric: return i / scale;
    case resize_coordinate::tf_half_pixel_for_nn: return (i + 0.5) / scale;
    }
    return 0;
}

double resize_round(resize_rounding r, double v) {
    switch (r) {
    case resize_rounding::floor: return std::floor(v);
    case resize_rounding::ceil: return std::ceil(v);
    case resize_rounding::round_prefer_floor: return std::ceil(v - 0.5);
    case resize_rounding::round_prefer_ceil: return std::round(v);
    }
    return v;
}

void fill_resize_axis(const resize_problem& r, int64_t in, int64_t out, float scale,
                      std::vector<int32_t>& low, std::vector<int32_t>& high,
                      std::vector<float>& weight) {
    low.resize(size_t(out));
    high.resize(size_t(out));
    weight.resize(size_t(out));
    for (int64_t i = 0; i < out; ++i) {
        const double v = std::clamp(
            resize_source(r.coordinate, double(i), double(in), double(out), double(scale)), 0.0,
            double(in - 1));
        const double at = r.linear ? std::floor(v) : resize_round(r.rounding, v);
        const auto k = std::clamp<int64_t>(int64_t(at), 0, in - 1);
        low[size_t(i)] = int32_t(k);
        high[size_t(i)] = int32_t(std::min(k + 1, in - 1));
        weight[size_t(i)] = float(v - at);
    }
}

} // namespace

const char* resize_plan::refusal(const resize_problem& r) {
    if (r.in_h <= 0 or r.in_w <= 0 or r.in_h > INT32_MAX or r.in_w > INT32_MAX)
        return "spatial length out of range";
    if (r.linear and r.type != elem_type::f32 and r.type != elem_type::f16 and
        r.type != elem_type::bf16)
        return "linear resize of this type";
    if (r.linear and r.channels == 1 and r.in_w > resize_params::max_width)
        return "rows above 8192";
    return nullptr;
}

resize_plan::resize_plan(const resize_problem& r) : problem(r) {
    fill_resize_axis(r, r.in_h, r.out_h, r.scale_h, low_h, high_h, weight_h);
    fill_resize_axis(r, r.in_w, r.out_w, r.scale_w, low_w, high_w, weight_w);
    for (int64_t i = 0; i < r.out_w; ++i)
        doubles_w = doubles_w and low_w[size_t(i)] == i / 2;
}

void resize_plan::run(const void* x, void* y, const kernel_table& table) const {
    const resize_problem& r = problem;
    resize_params p{};
    p.x = static_cast<const char*>(x);
    p.y = static_cast<char*>(y);
    p.type = r.type;
    p.in_h = r.in_h;
    p.in_w = r.in_w;
    p.out_h = r.out_h;
    p.out_w = r.out_w;
    p.channels = r.channels;
    p.h = {low_h.data(), high_h.data(), weight_h.data()};
    p.w = {low_w.data(), high_w.data(), weight_w.data()};
    p.doubles_w = doubles_w;
    p.rank = r.rank;
    int64_t outer = 1;
    for (int i = 0; i < r.rank; ++i) {
        p.lens[i] = r.lens[i];
        p.x_steps[i] = r.x_steps[i];
        p.y_steps[i] = r.y_steps[i];
        outer *= r.lens[i];
    }
    p.x_row = r.x_row;
    p.y_row = r.y_row;
    const int64_t row = r.out_w * r.channels;
    if (outer * r.out_h * row <= 0)
        return;
    auto f = r.linear ? table.resize.linear : table.resize.nearest;
    parallel_for(outer * r.out_h, std::max<int64_t>(1, 32 * 1024 / row),
                 [&](int64_t begin, int64_t end) { f(p, begin, end); });
}

} // namespace migraphx::cpu
