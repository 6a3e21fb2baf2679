// SPDX-License-Identifier: MIT
// resize, resample: the host lists each position's taps (ops/resize_axis.hpp), device code sums
// them. Nearest is a copy whose sources are looked up.
#include "targets/gpu/lower/copy.hpp"

#include "base/str.hpp"
#include "ops/resize_axis.hpp"
#include "ops/shape_input.hpp"

#include <algorithm>

namespace migraphx::gpu {

namespace {

template <class T>
void append(std::vector<char>& table, T x) {
    const auto* bytes = reinterpret_cast<const char*>(&x);
    table.insert(table.end(), bytes, bytes + sizeof(T));
}

generated nearest(const device_problem& p, const std::vector<resampled_axis>& axes) {
    std::vector<axis_source> from(p.output.ndim());
    for (const auto& a : axes)
        from[a.axis].assign(a.taps.position.begin(), a.taps.position.end());
    return mapped_copy(*p.on, p.output.type_size(),
                       {lens_of(p.output), {strides_of(p.output), strides_of(p.inputs[0])}}, from,
                       std::vector<char>(p.output.type_size()));
}

generated interpolated(const device_problem& p, const std::vector<resampled_axis>& axes,
                       float value) {
    const auto &x = p.inputs[0], &y = p.output;
    const auto in = strides_of(x);
    auto rest = in;
    for (const auto& a : axes)
        rest[a.axis] = 0;
    box b{lens_of(y), {strides_of(y), rest}};
    for (const auto& a : axes) {
        sizes along(y.ndim(), 0);
        along[a.axis] = 1;
        b.strides.push_back(along);
    }
    b.simplify();
    auto wide = b.widest_access(x.type_size(), 2);
    while (not std::all_of(axes.begin(), axes.end(),
                           [&](const auto& a) { return in[a.axis] % wide == 0; }))
        wide /= 2;
    b.widen(wide, 2);
    box reach{lens_of(x), {in}};
    index_params params{b.is_large() or reach.is_large()};
    params.add(b);
    generated g;
    int64_t entries = 0;
    for (const auto& a : axes) {
        params.add(int64_t(a.taps.taps));
        params.add(entries);
        entries += int64_t(a.taps.position.size());
        for (std::size_t i = 0; i < a.taps.position.size(); i++) {
            const bool outside = not a.outside.empty() and a.outside[i / a.taps.taps];
            const auto at = outside ? int64_t{1} << (params.large() ? 62 : 30)
                                    : int64_t(a.taps.position[i]) * in[a.axis] / wide;
            params.large() ? append(g.table, at) : append(g.table, int32_t(at));
        }
    }
    g.table.resize((g.table.size() + 7) / 8 * 8);
    const auto weights = int64_t(g.table.size());
    const auto type = x.type();
    const bool is_double =
        type == shape::double_type or shape::is_integral(type) or type == shape::bool_type;
    for (const auto& a : axes)
        for (auto w : a.taps.weight)
            is_double ? append(g.table, w) : append(g.table, float(w));
    params.add(b.elements());
    params.add(weights);
    params.add_float(value);
    g.name = p.op.name();
    g.entry = "resample";
    const auto name = device_type(type);
    g.source = entry_text("resample.cuh", g.entry,
                          str("const ", name, "* x, ", name,
                              "* y, const char* table, const resample_params<", b.rank(), ", ",
                              axes.size(), ", ", params.type(), "> p"),
                          str("resample_elements<", wide, ", ",
                              shape::is_integral(type) ? "true" : "false", ">(y, x, table, p);"));
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    g.inputs = {0};
    return g;
}

lowered resize(const device_problem& p) {
    const auto& x = p.inputs[0];
    if (not is_movable(x) or device_type(x.type()).empty())
        return lowered::refuse("type " + x.type_string());
    for (std::size_t i = 1; i < p.inputs.size(); i++)
        if (not is_absent(p.inputs, i) and not p.is_constant(i))
            return lowered::refuse("sizes, scales or a roi that are not constant");
    if (x.elements() == 0 and p.output.elements() > 0)
        return lowered::refuse("nothing to resample");
    std::vector<resampled_axis> axes;
    if (p.output.elements() > 0)
        axes = resampled_axes(p.op, x, p.output, p.constants);
    const bool extrapolates =
        std::any_of(axes.begin(), axes.end(), [](const auto& a) { return not a.outside.empty(); });
    if (p.op.get<std::string>("mode") == "nearest" and not extrapolates)
        return one_launch(p, nearest(p, axes));
    if (axes.empty())
        return one_launch(p, copy_between(*p.on, x, p.output, 0));
    return one_launch(
        p, interpolated(p, axes, extrapolates ? p.op.get<float>("extrapolation_value") : 0.0f));
}

const implementations resize_choices{{"resize", "resample"}, {{"taps", resize}}};

} // namespace

} // namespace migraphx::gpu
