// SPDX-License-Identifier: MIT
// rotary on rows where they lie.
#include "targets/cpu/kernels/kernel_table.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lowering.hpp"

#include "base/parallel.hpp"

#include <migraphx/common_shape.hpp>

#include <algorithm>

namespace migraphx::cpu {

namespace {

// Rows of x, cos, sin and y by the steps of their leading axes; false unless they are contiguous.
bool row_steps(const shape& s, int64_t* steps) {
    const auto all = strides_of(s);
    std::copy(all.begin(), all.end() - 1, steps);
    return s.lens().back() == 1 or all.back() == 1;
}

lowered rotary(const problem& p) {
    const auto& x = p.inputs[0];
    if (x.type() != shape::float_type)
        return lowered::refuse("type " + x.type_string());
    if (x.elements() == 0 or x.ndim() > rotary_params::max_rank)
        return lowered::refuse("nothing to compute, or more than 8 axes");
    rotary_params q{};
    q.half = int64_t(x.lens().back() / 2);
    q.rank = int(x.ndim()) - 1;
    const auto angles = [&](std::size_t i, int64_t* steps, int64_t& second) {
        auto lens = x.lens();
        const auto& s = p.inputs[i];
        const bool shared = int64_t(s.lens().back()) == q.half;
        if (shared)
            lens.back() /= 2;
        second = shared ? 0 : q.half;
        return row_steps(make_bcast_shape(s, lens), steps);
    };
    if (not row_steps(x, q.x_steps) or not row_steps(p.output, q.y_steps) or
        not angles(1, q.cos_steps, q.cos_half) or not angles(2, q.sin_steps, q.sin_half))
        return lowered::refuse("rows that are not contiguous");
    const auto lens = lens_of(x);
    std::copy(lens.begin(), lens.end() - 1, q.lens);
    const auto rows = int64_t(x.elements() / x.lens().back());
    const auto grain = std::max<int64_t>(1, 32 * 1024 / (2 * q.half));
    return make_kernel("rotary_rows", 0, [=](const kernel_args& args) {
        auto r = q;
        r.x = reinterpret_cast<const float*>(args.inputs[0]);
        r.cos = reinterpret_cast<const float*>(args.inputs[1]);
        r.sin = reinterpret_cast<const float*>(args.inputs[2]);
        r.y = reinterpret_cast<float*>(args.outputs[0]);
        parallel_for(rows, grain,
                     [&](int64_t begin, int64_t end) { kernels().rotary.rows(r, begin, end); });
    });
}

const implementations rotary_choices{{"rotary"}, {{"rotary_rows", rotary}}};

} // namespace

} // namespace migraphx::cpu
