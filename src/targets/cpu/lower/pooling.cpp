// SPDX-License-Identifier: MIT
// Pooling: windows over everything are reductions, the rest goes to oneDNN where it has vector
// code, else to own kernels (up to three spatial axes), else to whatever oneDNN has.
#include "targets/cpu/dnnl_kernel.hpp"
#include "targets/cpu/kernels/dispatch/run_pooling.hpp"
#include "targets/cpu/kernels/dispatch/run_reduce.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lowering.hpp"

#include "base/str.hpp"
#include "ops/window.hpp"

#include <migraphx/op/pooling.hpp>

#include <array>
#include <string_view>

namespace migraphx::cpu {

namespace {

struct pooling_windows {
    op::pooling_mode mode = op::pooling_mode::average;
    bool count_include_pad = false;
    int order = 2;
    std::vector<pooling_axis> axes;

    bool has(int64_t pooling_axis::*what) const {
        return std::any_of(axes.begin(), axes.end(), [&](const auto& a) { return a.*what > 0; });
    }
    /// Beyond data and padding, from the last window.
    static int64_t overhang(const pooling_axis& a) {
        return std::max<int64_t>(0, (a.out - 1) * a.stride + (a.kernel - 1) * a.dilation + 1 -
                                        a.before - a.in - a.after);
    }
};

pooling_windows windows_of(const problem& p) {
    pooling_windows w;
    const auto spatial = p.output.ndim() - 2;
    w.mode = op::pooling_mode(p.op.get<int>("mode"));
    w.count_include_pad = p.op.get<bool>("count_include_pad");
    w.order = p.op.get<int>("lp_order");
    std::vector<window> given(spatial);
    if (not p.op.get<bool>("dyn_global"))
        given = make_windows(
            p.op.get_vector<std::size_t>("lengths"), p.op.get_vector<std::size_t>("padding"),
            p.op.get_vector<std::size_t>("stride"), p.op.get_vector<std::size_t>("dilations"),
            op::padding_mode_t(p.op.get<int>("padding_mode")), "lengths");
    for (std::size_t i = 0; i < spatial; i++) {
        const auto in = p.inputs[0].lens()[i + 2];
        auto& g = given[i];
        if (p.op.get<bool>("dyn_global"))
            g.kernel = std::max<std::size_t>(1, in);
        const auto [before, after] = g.padding(in);
        pooling_axis a;
        a.in = int64_t(in);
        a.out = int64_t(p.output.lens()[i + 2]);
        a.kernel = int64_t(g.kernel);
        a.stride = int64_t(g.stride);
        a.dilation = g.kernel == 1 ? 1 : int64_t(g.dilation);
        a.before = int64_t(before);
        a.after = int64_t(after);
        w.axes.push_back(a);
    }
    return w;
}

std::string pooling_refusal(const problem& p) {
    if (p.inputs[0].elements() == 0 or p.output.elements() == 0)
        return "nothing to compute";
    if (p.output.broadcasted() and p.output.elements() > 1)
        return "a broadcast result";
    return "";
}

// One window over all positions.
lowered whole(const problem& p) {
    if (auto why = pooling_refusal(p); not why.empty())
        return lowered::refuse(why);
    const auto w = windows_of(p);
    const auto rank = p.inputs[0].ndim();
    const auto type = element_of(p.inputs[0].type());
    if (w.mode == op::pooling_mode::lpnorm)
        return lowered::refuse("an Lp norm");
    if (not type or not is_floating(*type) or rank > 8)
        return lowered::refuse("type " + p.inputs[0].type_string() + " or more than 8 axes");
    for (const auto& a : w.axes)
        if (a.out != 1 or a.before + a.after != 0 or a.kernel != a.in or a.dilation != 1)
            return lowered::refuse("windows over parts of the data");
    const auto op = w.mode == op::pooling_mode::max ? reduce_op::max : reduce_op::mean;
    const auto mask = ((1u << rank) - 1) & ~3u;
    return make_kernel("pooling (reduce)", 0,
                       [=, type = *type, lens = lens_of(p.inputs[0]), x = strides_of(p.inputs[0]),
                        y = strides_of(p.output)](const kernel_args& args) {
                           run_reduce(op, type, int(lens.size()), lens.data(), mask, args.inputs[0],
                                      x.data(), args.outputs[0], y.data());
                       });
}

lowered with_library(const problem& p, bool only_vectorised) {
    if (auto why = pooling_refusal(p); not why.empty())
        return lowered::refuse(why);
    const auto& x = p.inputs[0];
    if (x.type() != shape::float_type)
        return lowered::refuse("type " + x.type_string());
    if (x.ndim() < 3 or x.ndim() > 5 or x.broadcasted())
        return lowered::refuse("broadcast data, or another number of axes");
    const auto w = windows_of(p);
    if (w.mode == op::pooling_mode::lpnorm)
        return lowered::refuse("an Lp norm");
    dnnl::memory::dims kernel, stride, dilation, before, after;
    for (const auto& a : w.axes) {
        const auto beyond = pooling_windows::overhang(a);
        if (beyond > 0 and w.mode == op::pooling_mode::average and w.count_include_pad)
            return lowered::refuse("averages whose windows reach beyond the padding");
        kernel.push_back(a.kernel);
        stride.push_back(a.stride);
        dilation.push_back(a.dilation - 1);
        before.push_back(a.before);
        after.push_back((a.out - 1) * a.stride + (a.kernel - 1) * a.dilation + 1 - a.before - a.in);
        if (a.before >= a.kernel or after.back() >= a.kernel + a.stride)
            return lowered::refuse("windows that see only padding");
    }
    const auto algorithm = w.mode == op::pooling_mode::max ? dnnl::algorithm::pooling_max
                           : w.count_include_pad ? dnnl::algorithm::pooling_avg_include_padding
                                                 : dnnl::algorithm::pooling_avg_exclude_padding;
    try {
        dnnl::primitive_attr attr;
        attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
        const auto src = dnnl_desc(x), dst = dnnl_desc(p.output);
        const dnnl::pooling_forward::primitive_desc pd(
            dnnl_engine(), dnnl::prop_kind::forward_inference, algorithm, src, dst, stride, kernel,
            dilation, before, after, attr);
        const std::string info = pd.impl_info_str();
        if (only_vectorised and info.find("jit") == std::string::npos)
            return lowered::refuse("only " + info);
        using place = dnnl_kernel::operand::place;
        std::vector<dnnl_kernel::operand> operands;
        operands.push_back({DNNL_ARG_SRC, src, place::input, 0});
        operands.push_back({DNNL_ARG_DST, dst, place::output, 0});
        return std::make_unique<dnnl_kernel>("dnnl::pooling " + info, dnnl::pooling_forward(pd),
                                             pd.scratchpad_desc(), std::move(operands));
    } catch (const dnnl::error& error) {
        return lowered::refuse(str("oneDNN: ", error.what()));
    }
}

lowered library_vectorised(const problem& p) {
    return with_library(p, true);
}
lowered library_any(const problem& p) {
    if (windows_of(p).mode == op::pooling_mode::max)
        return lowered::refuse("plain code that loses the NaN of a window");
    return with_library(p, false);
}

// What the own kernels compute, or why they decline.
struct own_pooling {
    pooling_problem q;
    std::string refusal;
};

own_pooling own_problem(const problem& p) {
    own_pooling r;
    const auto decline = [&](std::string why) {
        r.refusal = std::move(why);
        return r;
    };
    if (auto why = pooling_refusal(p); not why.empty())
        return decline(why);
    const auto& x = p.inputs[0];
    const auto& y = p.output;
    const auto type = element_of(x.type());
    if (not type or x.ndim() < 3 or x.ndim() > 5)
        return decline("type " + x.type_string() + ", or another number of axes");
    const auto w = windows_of(p);
    auto& q = r.q;
    q.type = *type;
    q.kind = w.mode == op::pooling_mode::max       ? pooling_kind::max
             : w.mode == op::pooling_mode::average ? pooling_kind::average
                                                   : pooling_kind::lp;
    q.order = float(w.order);
    q.count_include_pad = w.count_include_pad;
    if (q.kind == pooling_kind::lp and w.order <= 0)
        return decline("an Lp norm of order 0");
    const auto last = x.ndim() - 1;
    const auto spatial = w.axes.size();
    q.w = w.axes.back();
    if (spatial > 1)
        q.h = w.axes[spatial - 2];
    if (spatial > 2)
        q.d = w.axes.front();
    const auto xs = strides_of(x), ys = strides_of(y);
    const auto channels = int64_t(x.lens()[1]);
    q.lens[0] = int64_t(x.lens()[0]);
    q.x_steps[0] = xs[0];
    q.y_steps[0] = ys[0];
    q.rank = 1;
    if (spatial > 1) {
        q.x_row = xs[last - 1];
        q.y_row = ys[last - 1];
    }
    if (spatial > 2) {
        q.x_slice = xs[2];
        q.y_slice = ys[2];
    }
    if (channels > 1 and xs[1] == 1 and ys[1] == 1) {
        q.channels = channels;
        q.x_col = xs[last];
        q.y_col = ys[last];
    } else if ((q.w.in == 1 or xs[last] == 1) and (q.w.out == 1 or ys[last] == 1)) {
        q.lens[1] = channels;
        q.x_steps[1] = xs[1];
        q.y_steps[1] = ys[1];
        q.rank = 2;
    } else
        return decline("neither planes nor pixels are contiguous");
    if (const auto* why = pooling_plan::refusal(q))
        return decline(why);
    return r;
}

lowered own(const problem& p) {
    const auto r = own_problem(p);
    if (not r.refusal.empty())
        return lowered::refuse(r.refusal);
    return make_kernel(r.q.channels > 1 ? "pooling_pixels" : "pooling_planes", 0,
                       [plan = pooling_plan(r.q)](const kernel_args& args) {
                           plan.run(args.inputs[0], args.outputs[0]);
                       });
}

const implementations pooling_choices{{"pooling"},
                                      {{"reduce", whole},
                                       {"dnnl::pooling (jit)", library_vectorised},
                                       {"pooling", own},
                                       {"dnnl::pooling", library_any}}};

} // namespace

bool pools_pixels(const problem& p) {
    const auto r = own_problem(p);
    return r.refusal.empty() and r.q.channels > 1;
}

} // namespace migraphx::cpu
