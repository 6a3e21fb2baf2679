// SPDX-License-Identifier: MIT
// Coordinate tables of a resize, and its split over rows.
#include "targets/cpu/kernels/dispatch/run_resize.hpp"

#include "base/parallel.hpp"
#include "ops/resize_axis.hpp"

#include <algorithm>
#include <cstdint>

namespace migraphx::cpu {

namespace {

void fill_resize_axis(const resize_problem& r, int64_t in, int64_t out, float scale,
                      std::vector<int32_t>& low, std::vector<int32_t>& high,
                      std::vector<float>& weight) {
    low.resize(size_t(out));
    high.resize(size_t(out));
    weight.resize(size_t(out));
    if (not r.linear) {
        const auto at =
            nearest_positions(r.coordinate_mode, r.nearest_mode, scale, size_t(in), size_t(out));
        std::copy(at.begin(), at.end(), low.begin());
        return;
    }
    const auto taps = linear_taps(r.coordinate_mode, scale, size_t(in), size_t(out));
    for (size_t i = 0; i < size_t(out); ++i) {
        low[i] = int32_t(taps.position[2 * i]);
        high[i] = int32_t(taps.position[2 * i + 1]);
        weight[i] = float(taps.weight[2 * i + 1]);
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
