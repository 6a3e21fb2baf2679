// SPDX-License-Identifier: MIT
// Resize of the last two axes, nearest or linear; data of another order than the result's is copied
// into that order on the smaller side.
#include "targets/cpu/kernels/dispatch/run_resize.hpp"
#include "targets/cpu/lower/axis_runs.hpp"
#include "targets/cpu/lowering.hpp"

#include "base/str.hpp"
#include "ops/resize_axis.hpp"

#include <migraphx/permutation.hpp>

namespace migraphx::cpu {

namespace {

std::vector<float> resize_scales(const problem& p) {
    auto scales = p.op.get_vector<float>("scales");
    if (scales.empty())
        for (std::size_t d = 0; d < p.output.ndim(); d++)
            scales.push_back(float(p.output.lens()[d]) /
                             float(std::max<std::size_t>(1, p.inputs[0].lens()[d])));
    return scales;
}

// Images N, C, H, W (W alone for one spatial axis) as the kernel walks them; a reason when it
// cannot.
std::string describe_images(const shape& x, const shape& y, resize_problem& r) {
    const auto rank = x.ndim();
    const auto xs = strides_of(x), ys = strides_of(y);
    const auto last = rank - 1, channel = rank == 3 ? rank : rank - 3;
    auto packed = [](std::size_t len, int64_t stride, int64_t wanted) {
        return len == 1 or stride == wanted;
    };
    r.rank = 0;
    auto outer = [&](std::size_t d) {
        if (x.lens()[d] == 1)
            return true;
        if (r.rank == 6)
            return false;
        r.lens[r.rank] = int64_t(x.lens()[d]);
        r.x_steps[r.rank] = xs[d];
        r.y_steps[r.rank] = ys[d];
        r.rank++;
        return true;
    };
    const bool planes = packed(x.lens()[last], xs[last], 1) and packed(y.lens()[last], ys[last], 1);
    const auto c = channel < rank ? int64_t(x.lens()[channel]) : 1;
    const bool pixels = c > 1 and xs[channel] == 1 and ys[channel] == 1 and
                        packed(x.lens()[last], xs[last], c) and packed(y.lens()[last], ys[last], c);
    if (not planes and not pixels)
        return "neither planes nor pixels are contiguous";
    r.channels = pixels ? c : 1;
    for (std::size_t d = 0; d + 2 < rank; d++)
        if (not(pixels and d == channel) and not outer(d))
            return "too many axes";
    r.x_row = xs[rank - 2];
    r.y_row = ys[rank - 2];
    return "";
}

lowered resize_images(const problem& p) {
    const auto& x = p.inputs[0];
    const auto& y = p.output;
    const auto rank = x.ndim();
    const auto type = element_of(x.type());
    const auto mode = p.op.get<std::string>("mode");
    if (p.inputs.size() != 1)
        return lowered::refuse("sizes that are not attributes");
    if (not type)
        return lowered::refuse("type " + x.type_string());
    if (mode != "nearest" and mode != "linear")
        return lowered::refuse("mode " + mode);
    if (rank < 2 or x.elements() == 0 or y.elements() == 0)
        return lowered::refuse("fewer than two axes, or nothing to compute");
    const auto scales = resize_scales(p);
    for (std::size_t d = 0; d + 2 < rank; d++)
        if (x.lens()[d] != y.lens()[d] or scales[d] != 1)
            return lowered::refuse("resized axes before the last two");
    resize_problem r;
    r.type = *type;
    r.linear = mode == "linear";
    r.coordinate_mode = p.op.get<std::string>("coordinate_transformation_mode");
    r.nearest_mode = p.op.get<std::string>("nearest_mode");
    r.in_h = int64_t(x.lens()[rank - 2]);
    r.in_w = int64_t(x.lens()[rank - 1]);
    r.out_h = int64_t(y.lens()[rank - 2]);
    r.out_w = int64_t(y.lens()[rank - 1]);
    r.scale_h = scales[rank - 2];
    r.scale_w = scales[rank - 1];
    // The order in which both sides are walked: the result's, or the data's when the result is
    // smaller.
    scratch_layout scratch;
    shape from = x, to = y;
    std::optional<strided_copy> first, last;
    std::size_t first_at = 0, last_at = 0;
    if (not describe_images(x, y, r).empty()) {
        if (x.elements() <= y.elements() or not x.packed()) {
            from = shape::from_permutation(x.type(), x.lens(), find_permutation(y));
            first = strided_copy::make(x, from);
            first_at = scratch.take(from.bytes());
        } else {
            to = shape::from_permutation(y.type(), y.lens(), find_permutation(x));
            last = strided_copy::make(to, y);
            last_at = scratch.take(to.bytes());
        }
        if (not first and not last)
            return lowered::refuse("more than 8 axes");
        if (auto why = describe_images(from, to, r); not why.empty())
            return lowered::refuse(why);
    }
    if (const auto* why = resize_plan::refusal(r))
        return lowered::refuse(why);
    return make_kernel(str("resize_", mode, first or last ? " (reordered)" : ""), scratch.bytes(),
                       [=, plan = resize_plan(r)](const kernel_args& args) {
                           const char* in = args.inputs[0];
                           char* out = args.outputs[0];
                           if (first) {
                               first->run(in, args.scratch + first_at);
                               in = args.scratch + first_at;
                           }
                           if (last)
                               out = args.scratch + last_at;
                           plan.run(in, out);
                           if (last)
                               last->run(out, args.outputs[0]);
                       });
}

// Nearest along any axes whose positions form few runs.
lowered resize_runs(const problem& p) {
    if (p.inputs.size() != 1 or p.op.get<std::string>("mode") != "nearest" or
        p.output.elements() == 0)
        return lowered::refuse("not nearest with constant sizes");
    const auto scales = resize_scales(p);
    std::vector<axis_runs> axes;
    for (std::size_t d = 0; d < p.output.ndim(); d++)
        axes.push_back(
            runs_of(nearest_positions(p.op.get<std::string>("coordinate_transformation_mode"),
                                      p.op.get<std::string>("nearest_mode"), scales[d],
                                      p.inputs[0].lens()[d], p.output.lens()[d])));
    return copy_by_runs(p, axes, "resize (copies)", {}, 4096);
}

const implementations resize_choices{{"resize"},
                                     {{"resize", resize_images}, {"copies", resize_runs}}};

} // namespace

} // namespace migraphx::cpu
