// SPDX-License-Identifier: MIT
// Operators that only move elements: copies into another order, pad, reverse, tile, slices with
// run-time bounds, fills.
#include "targets/gpu/lower/copy.hpp"

#include <migraphx/make_op.hpp>

#include "ir/shape_rules.hpp"
#include "ops/padding.hpp"
#include "ops/shape_input.hpp"

#include <algorithm>
#include <cstring>

namespace migraphx::gpu {

namespace {

constexpr const char* not_movable = "elements that are not of 1, 2, 4 or 8 bytes";

// ---- contiguous, layout, reshape, flatten: the elements in row-major order

lowered copy(const device_problem& p) {
    const auto& in = p.inputs[0];
    const auto& out = p.output;
    if (in.type() != out.type() or in.elements() != out.elements())
        return lowered::refuse("another type, or another number of elements");
    if (not is_movable(in))
        return lowered::refuse(not_movable);
    return one_launch(p, copy_between(*p.on, in, out, 0));
}

// Broadcasts whose dimensions come from a second operand: the memory of the first, as it is.
lowered copy_memory(const device_problem& p) {
    if (not is_movable(p.output))
        return lowered::refuse(not_movable);
    const auto strides = strides_of(p.output);
    auto lens = lens_of(p.output);
    for (std::size_t i = 0; i < lens.size(); i++)
        if (strides[i] == 0)
            lens[i] = std::min<int64_t>(lens[i], 1);
    return one_launch(p, strided_copy(*p.on, p.output.type_size(), {lens, {strides, strides}}, 0));
}

// ---- pad

lowered looked_up(const device_problem& p, const std::vector<axis_source>& from,
                  std::vector<char> element, const char* name) {
    if (not is_movable(p.output))
        return lowered::refuse(not_movable);
    if (element.empty())
        element.resize(p.output.type_size());
    if (p.inputs[0].elements() == 0) {
        auto g = fill_box(*p.on, {lens_of(p.output), {strides_of(p.output)}}, element);
        return one_launch(p, std::move(g));
    }
    // The stride of an axis of one element counts where its position is repeated.
    auto strides = strides_of(p.inputs[0]);
    auto g = mapped_copy(*p.on, p.output.type_size(),
                         {lens_of(p.output), {strides_of(p.output), strides}}, from, element);
    g.name = name;
    return one_launch(p, std::move(g));
}

lowered pad_with(const device_problem& p, const std::vector<int64_t>& pads,
                 op::pad::pad_op_mode_t mode, std::vector<char> element) {
    const auto rank = p.output.ndim();
    std::vector<axis_source> from(rank);
    for (std::size_t d = 0; d < rank; d++)
        if (pads[d] != 0 or pads[d + rank] != 0)
            from[d] = padded_positions(p.inputs[0].lens()[d], pads[d], pads[d + rank], mode);
    return looked_up(p, from, std::move(element), "pad");
}

std::vector<char> bytes_of(const argument& a) {
    return {a.data(), a.data() + a.get_shape().type_size()};
}

lowered pad(const device_problem& p) {
    // The operator itself rounds the value to the element type.
    const auto type = p.output.type();
    const auto padded =
        make_op("pad", {{"pads", std::vector<int64_t>{1, 0}}, {"value", p.op.get<float>("value")}})
            .compute(shape{type, {2}}, {argument{shape{type, {1}}}});
    return pad_with(p, p.op.get_vector<int64_t>("pads"),
                    op::pad::pad_op_mode_t(p.op.get<int>("mode")), bytes_of(padded));
}

lowered pad_dynamic(const device_problem& p) {
    const auto rank = p.output.ndim();
    if (not p.is_constant(1) or (not is_absent(p.inputs, 3) and not p.is_constant(3)) or
        (not is_absent(p.inputs, 2) and p.inputs[2].elements() > 0 and not p.is_constant(2)))
        return lowered::refuse("paddings that are not constant");
    const auto given = read_integers(p.constants[1]);
    std::vector<std::size_t> axes;
    if (not is_absent(p.inputs, 3))
        axes = normalize_axes(read_integers(p.constants[3]), rank, "axes");
    else
        for (std::size_t d = 0; d < rank and not given.empty(); d++)
            axes.push_back(d);
    if (given.size() != 2 * axes.size())
        return lowered::refuse("paddings for other axes");
    std::vector<int64_t> pads(2 * rank, 0);
    for (std::size_t i = 0; i < axes.size(); i++) {
        pads[axes[i]] = given[i];
        pads[axes[i] + rank] = given[i + axes.size()];
    }
    const bool has_value = p.is_constant(2) and p.inputs[2].elements() > 0;
    return pad_with(p, pads, op::pad::pad_op_mode_t(p.op.get<int>("mode")),
                    has_value ? bytes_of(p.constants[2]) : std::vector<char>{});
}

lowered fixed_pad(const device_problem& p) {
    std::vector<int64_t> pads(2 * p.output.ndim(), 0);
    for (std::size_t d = 0; d < p.output.ndim(); d++)
        pads[d + p.output.ndim()] = int64_t(p.output.lens()[d]) - int64_t(p.inputs[0].lens()[d]);
    return pad_with(p, pads, op::pad::constant_pad, {});
}

// ---- reverse, tile, stepped slices: strides of another sign or of none

lowered stepped(const device_problem& p, const char* name, const sizes& steps,
                const sizes& starts) {
    if (not is_movable(p.output))
        return lowered::refuse(not_movable);
    auto strides = strides_of(p.inputs[0]);
    int64_t from = 0;
    for (std::size_t d = 0; d < strides.size(); d++) {
        from += starts[d] * strides[d];
        strides[d] *= steps[d];
    }
    auto g = strided_copy(*p.on, p.output.type_size(),
                          {lens_of(p.output), {strides_of(p.output), strides}}, 0, from);
    g.name = name;
    return one_launch(p, std::move(g));
}

lowered reverse(const device_problem& p) {
    sizes steps(p.output.ndim(), 1), starts(p.output.ndim(), 0);
    for (auto a : p.op.get_vector<std::size_t>("axes")) {
        steps[a] = -1;
        starts[a] = std::max<int64_t>(int64_t(p.output.lens()[a]) - 1, 0);
    }
    return stepped(p, "reverse", steps, starts);
}

lowered tile(const device_problem& p) {
    if (not is_movable(p.output))
        return lowered::refuse(not_movable);
    const auto lens = lens_of(p.inputs[0]), in = strides_of(p.inputs[0]),
               out = strides_of(p.output);
    box b{{}, {{}, {}}};
    for (std::size_t d = 0; d < lens.size(); d++) {
        const auto repeats = lens[d] == 0 ? 0 : int64_t(p.output.lens()[d]) / lens[d];
        b.lens.insert(b.lens.end(), {repeats, lens[d]});
        b.strides[0].insert(b.strides[0].end(), {lens[d] * out[d], out[d]});
        b.strides[1].insert(b.strides[1].end(), {0, in[d]});
    }
    auto g = strided_copy(*p.on, p.output.type_size(), b, 0);
    g.name = "tile";
    return one_launch(p, std::move(g));
}

lowered slice_dynamic(const device_problem& p) {
    for (std::size_t i = 1; i < p.inputs.size(); i++)
        if (not is_absent(p.inputs, i) and not p.is_constant(i))
            return lowered::refuse("bounds that are not constant");
    const auto bounds = read_integers(p.constants[1]);
    std::vector<int64_t> at(bounds.size()), by(bounds.size(), 1);
    for (std::size_t i = 0; i < at.size(); i++)
        at[i] = int64_t(i);
    if (not is_absent(p.inputs, 3))
        at = read_integers(p.constants[3]);
    if (not is_absent(p.inputs, 4))
        by = read_integers(p.constants[4]);
    sizes steps(p.output.ndim(), 1), starts(p.output.ndim(), 0);
    for (std::size_t i = 0; i < bounds.size(); i++) {
        const auto axis = normalize_axis(at.at(i), p.output.ndim(), "slice");
        const auto len = int64_t(p.inputs[0].lens()[axis]);
        const bool up = by.at(i) > 0;
        const auto first = bounds[i] < 0 ? std::max(bounds[i], -len - 1) + len : bounds[i];
        starts[axis] = std::clamp<int64_t>(first, up ? 0 : -1, up ? len : len - 1);
        steps[axis] = by[i];
    }
    return stepped(p, "slice", steps, starts);
}

// ---- fills

lowered fill_from_input(const device_problem& p) {
    if (not is_movable(p.output))
        return lowered::refuse(not_movable);
    auto g =
        strided_copy(*p.on, p.output.type_size(),
                     {lens_of(p.output), {strides_of(p.output), sizes(p.output.ndim(), 0)}}, 0);
    g.name = "fill";
    return one_launch(p, std::move(g));
}

lowered fill_with(const device_problem& p, const std::vector<char>& element) {
    if (not is_movable(p.output))
        return lowered::refuse(not_movable);
    return one_launch(p, fill_box(*p.on, {lens_of(p.output), {strides_of(p.output)}}, element));
}

lowered constant_of_shape(const device_problem& p) {
    argument one(shape{shape::int64_type, {1}});
    *reinterpret_cast<int64_t*>(one.data()) = 1;
    return fill_with(p, bytes_of(p.op.compute(shape{p.output.type(), {1}}, {one})));
}

lowered allocate(const device_problem& p) {
    if (p.output.type() == shape::tuple_type)
        return lowered::refuse("a tuple");
    return fill_with(p, std::vector<char>(p.output.type_size()));
}

const implementations copy_choices{
    {"contiguous", "layout", "reshape", "flatten", "squeeze", "unsqueeze", "reshape_dynamic"},
    {{"copy", copy}}};
const implementations broadcast_choices{
    {"multibroadcast", "broadcast", "broadcast_for_dot", "broadcast_with_dims"},
    {{"copy", copy_memory}}};
const implementations pad_choices{{"pad"}, {{"pad", pad}}};
const implementations pad_dynamic_choices{{"pad_dynamic"}, {{"pad", pad_dynamic}}};
const implementations fixed_pad_choices{{"fixed_pad"}, {{"pad", fixed_pad}}};
const implementations reverse_choices{{"reverse"}, {{"reverse", reverse}}};
const implementations tile_choices{{"tile_dynamic"}, {{"tile", tile}}};
const implementations slice_choices{{"slice_dynamic"}, {{"slice", slice_dynamic}}};
const implementations fill_choices{{"fill"}, {{"fill", fill_from_input}}};
const implementations constant_choices{{"constant_of_shape"}, {{"fill", constant_of_shape}}};
const implementations allocate_choices{{"allocate"}, {{"allocate", allocate}}};

} // namespace

} // namespace migraphx::gpu
