// SPDX-License-Identifier: MIT
// Window tables of a pooling, and its split over output rows.
#include "targets/cpu/kernels/dispatch/run_pooling.hpp"

#include "base/parallel.hpp"

#include <algorithm>

namespace migraphx::cpu {

namespace {

// Length of a row with padding, as far as its windows reach.
int64_t pooling_padded(const pooling_axis& a) {
    return std::max(a.before + a.in + a.after,
                    (a.out - 1) * a.stride + (a.kernel - 1) * a.dilation + 1);
}

} // namespace

const char* pooling_plan::refusal(const pooling_problem& p) {
    if (p.type != elem_type::f32 and p.type != elem_type::f16 and p.type != elem_type::bf16)
        return "only float, half and bf16";
    if (p.d.in > INT32_MAX or p.h.in > INT32_MAX or p.w.in > INT32_MAX)
        return "spatial length out of range";
    if (p.channels == 1 and pooling_padded(p.w) > pooling_params::max_width)
        return "rows above 8192";
    return nullptr;
}

pooling_plan::axis_tables pooling_plan::tables_of(const pooling_axis& a, bool count_include_pad) {
    axis_tables t;
    for (int64_t i = 0; i < a.out; ++i) {
        int64_t first = 0, inside = 0, counted = 0;
        for (int64_t k = 0; k < a.kernel; ++k) {
            const int64_t at = i * a.stride + k * a.dilation - a.before;
            counted += at < a.in + a.after;
            if (at >= 0 and at < a.in and inside++ == 0)
                first = at;
        }
        t.first.push_back(int32_t(first));
        t.count.push_back(int32_t(inside));
        t.factor.push_back(1.0f / float(count_include_pad ? counted : inside));
    }
    return t;
}

pooling_plan::pooling_plan(const pooling_problem& p)
    : problem(p), d(tables_of(p.d, p.count_include_pad)), h(tables_of(p.h, p.count_include_pad)),
      w(tables_of(p.w, p.count_include_pad)) {}

void pooling_plan::run(const void* x, void* y, const kernel_table& table) const {
    const pooling_problem& s = problem;
    pooling_params p{};
    p.x = static_cast<const char*>(x);
    p.y = static_cast<char*>(y);
    p.type = s.type;
    p.kind = s.kind;
    p.order = s.order;
    p.in_w = s.w.in;
    p.out_d = s.d.out;
    p.out_h = s.h.out;
    p.out_w = s.w.out;
    p.channels = s.channels;
    p.d = {d.first.data(), d.count.data(), d.factor.data()};
    p.h = {h.first.data(), h.count.data(), h.factor.data()};
    p.w = {w.first.data(), w.count.data(), w.factor.data()};
    p.dilation_d = s.d.dilation;
    p.dilation_h = s.h.dilation;
    p.dilation_w = s.w.dilation;
    p.kernel_w = s.w.kernel;
    p.stride_w = s.w.stride;
    p.before_w = s.w.before;
    p.padded_w = pooling_padded(s.w);
    p.rank = s.rank;
    int64_t outer = 1;
    for (int i = 0; i < s.rank; ++i) {
        p.lens[i] = s.lens[i];
        p.x_steps[i] = s.x_steps[i];
        p.y_steps[i] = s.y_steps[i];
        outer *= s.lens[i];
    }
    p.x_slice = s.x_slice;
    p.y_slice = s.y_slice;
    p.x_row = s.x_row;
    p.y_row = s.y_row;
    p.x_col = s.x_col;
    p.y_col = s.y_col;
    const int64_t row = s.w.out * s.channels * s.d.kernel * s.h.kernel * s.w.kernel;
    const int64_t rows = outer * s.d.out * s.h.out;
    if (rows * row <= 0)
        return;
    parallel_for(rows, std::max<int64_t>(1, 64 * 1024 / row),
                 [&](int64_t begin, int64_t end) { table.pooling.rows(p, begin, end); });
}

} // namespace migraphx::cpu
