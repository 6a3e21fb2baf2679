// SPDX-License-Identifier: MIT
// pooling, pooling_indices: windows over everything are reductions, others device_code/pool.cuh.
#include "targets/gpu/lower/copy.hpp"

#include <migraphx/make_op.hpp>
#include <migraphx/op/pooling.hpp>

#include "base/str.hpp"
#include "ops/window.hpp"

#include <algorithm>

namespace migraphx::gpu {

namespace {

struct pool_axis {
    int64_t in = 0, out = 0, stride = 1, dilation = 1, before = 0, after = 0, taps = 1;
    int64_t step = 0, place = 0;

    bool is_whole() const {
        return out == 1 and before + after == 0 and taps == in and dilation == 1;
    }
};

std::vector<pool_axis> axes_of(const device_problem& p, bool dyn_global) {
    const auto spatial = p.output.ndim() - 2;
    std::vector<window> given(spatial);
    if (not dyn_global)
        given = make_windows(
            p.op.get_vector<std::size_t>("lengths"), p.op.get_vector<std::size_t>("padding"),
            p.op.get_vector<std::size_t>("stride"), p.op.get_vector<std::size_t>("dilations"),
            op::padding_mode_t(p.op.get<int>("padding_mode")), "lengths");
    const auto strides = strides_of(p.inputs[0]);
    std::vector<pool_axis> axes;
    for (std::size_t i = 0; i < spatial; i++) {
        const auto in = p.inputs[0].lens()[i + 2];
        auto& g = given[i];
        if (dyn_global)
            g.kernel = std::max<std::size_t>(1, in);
        const auto [before, after] = g.padding(in);
        axes.push_back({int64_t(in), int64_t(p.output.lens()[i + 2]), int64_t(g.stride),
                        g.kernel == 1 ? 1 : int64_t(g.dilation), int64_t(before), int64_t(after),
                        int64_t(g.kernel), strides[i + 2]});
    }
    return axes;
}

// Positions of the windows along each spatial axis, as tensors of the box.
void add_positions(box& b, std::size_t spatial) {
    for (std::size_t i = 0; i < spatial; i++) {
        sizes along(b.rank(), 0);
        along[i + 2] = 1;
        b.strides.push_back(along);
    }
}

bool reaches_far(const std::vector<pool_axis>& axes) {
    return std::any_of(axes.begin(), axes.end(), [](const auto& a) {
        return a.in + a.before + a.after + a.out * a.stride + a.taps * a.dilation >= int64_t{1}
                                                                                         << 30;
    });
}

void add_axes(index_params& params, const std::vector<pool_axis>& axes, int64_t wide = 1) {
    for (const auto& a : axes)
        for (auto x :
             {a.stride, a.dilation, a.before, a.after, a.taps, a.in, a.step / wide, a.place})
            params.add(x);
}

std::string pooling_refusal(const device_problem& p) {
    if (device_type(p.inputs[0].type()).empty())
        return "type " + p.inputs[0].type_string();
    if (p.output.ndim() > 10)
        return "more than 8 spatial axes";
    return {};
}

lowered whole(const device_problem& p) {
    const auto mode = op::pooling_mode(p.op.get<int>("mode"));
    const auto axes = axes_of(p, p.op.get<bool>("dyn_global"));
    if (mode == op::pooling_mode::lpnorm or p.output.elements() == 0 or
        p.inputs[0].elements() == 0 or
        not std::all_of(axes.begin(), axes.end(), [](const auto& a) { return a.is_whole(); }))
        return lowered::refuse("windows over parts of the data");
    std::vector<int64_t> spatial;
    for (std::size_t i = 0; i < axes.size(); i++)
        spatial.push_back(int64_t(i + 2));
    auto q = p;
    q.op =
        make_op(mode == op::pooling_mode::max ? "reduce_max" : "reduce_mean", {{"axes", spatial}});
    std::string reasons;
    for (const auto& choice : implementations_of(q.op.name())) {
        auto result = choice.make(q);
        if (result)
            return result;
        reasons += choice.name + std::string(": ") + result.reason + "; ";
    }
    return lowered::refuse("no reduction: " + reasons);
}

// Few taps are loaded all at once.
std::string window_text(const std::vector<pool_axis>& axes) {
    constexpr int64_t most_taps = 9;
    std::string text;
    int64_t taps = 1;
    bool empty = false;
    for (const auto& a : axes) {
        text += str(text.empty() ? "" : ", ", a.taps);
        taps *= a.taps;
        empty = empty or a.in == 0;
    }
    return "pool_window<" + (taps > most_taps or empty ? std::string() : text) + ">";
}

lowered windows(const device_problem& p) {
    if (auto why = pooling_refusal(p); not why.empty())
        return lowered::refuse(why);
    const auto mode = op::pooling_mode(p.op.get<int>("mode"));
    const auto& x = p.inputs[0];
    const auto axes = axes_of(p, p.op.get<bool>("dyn_global"));
    const auto spatial = axes.size();
    auto from = strides_of(x);
    std::fill(from.begin() + 2, from.end(), 0);
    box b{lens_of(p.output), {strides_of(p.output), from}};
    add_positions(b, spatial);
    b.simplify();
    auto wide = b.widest_access(x.type_size(), 2);
    while (not std::all_of(axes.begin(), axes.end(),
                           [&](const auto& a) { return a.step % wide == 0; }))
        wide /= 2;
    b.widen(wide, 2);
    box reach{lens_of(x), {strides_of(x)}};
    index_params params{b.is_large() or reach.is_large() or reaches_far(axes)};
    params.add(b);
    add_axes(params, axes, wide);
    params.add(b.elements());
    const auto order = p.op.get<int>("lp_order");
    const auto text = mode == op::pooling_mode::average ? std::string("pool_average{}")
                      : mode == op::pooling_mode::max   ? std::string("pool_max{}")
                                                        : str("pool_norm{", order, "}");
    generated g;
    g.name = "pooling";
    g.entry = "pooling";
    const auto type = device_type(x.type());
    g.source = entry_text("pool.cuh", g.entry,
                          str("const ", type, "* x, ", type, "* y, const pool_params<", b.rank(),
                              ", ", spatial, ", ", params.type(), "> p"),
                          str("pool_elements<", wide, ", ",
                              p.op.get<bool>("count_include_pad") ? "true" : "false", ", ",
                              window_text(axes), ">(y, x, p, ", text, ");"));
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    return one_launch(p, std::move(g));
}

lowered indices(const device_problem& p) {
    if (auto why = pooling_refusal(p); not why.empty())
        return lowered::refuse(why);
    const auto& x = p.inputs[0];
    auto axes = axes_of(p, false);
    const auto spatial = axes.size();
    int64_t image = 1;
    for (std::size_t i = 0; i < spatial; i++) {
        auto& a = axes[p.op.get<bool>("column_major") ? i : spatial - 1 - i];
        a.place = image;
        image *= a.in;
    }
    auto from = strides_of(x), place = sizes(x.ndim(), 0);
    std::fill(from.begin() + 2, from.end(), 0);
    place[0] = image * int64_t(x.lens()[1]);
    place[1] = image;
    box b{lens_of(p.output), {strides_of(p.output), from, place}};
    add_positions(b, spatial);
    b.simplify();
    box reach{lens_of(x), {strides_of(x)}};
    index_params params{b.is_large() or reach.is_large() or reaches_far(axes)};
    params.add(b);
    add_axes(params, axes);
    params.add(b.elements());
    generated g;
    g.name = g.entry = "pooling_indices";
    g.source =
        entry_text("pool.cuh", g.entry,
                   str("const ", device_type(x.type()), "* x, i64* y, const pool_indices_params<",
                       b.rank(), ", ", spatial, ", ", params.type(), "> p"),
                   "pool_indices(y, x, p);");
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    return one_launch(p, std::move(g));
}

const implementations pooling_choices{{"pooling"}, {{"reduction", whole}, {"windows", windows}}};
const implementations indices_choices{{"pooling_indices"}, {{"windows", indices}}};

} // namespace

} // namespace migraphx::gpu
