// SPDX-License-Identifier: MIT
// Operators that only move elements: copies into another order, pad, reverse, tile, slices with
// run-time bounds, fills.
#include "targets/gpu/lower/copy.hpp"

#include "ops/shape_input.hpp"
#include "runtime/constant_operands.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

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

lowered pad(const device_problem& p) {
    // A value that a run gives is read by the kernel.
    std::optional<std::size_t> value;
    auto q = p;
    if (p.op.name() == "pad_dynamic" and not is_absent(p.inputs, 2) and
        p.inputs[2].elements() > 0 and not p.is_constant(2)) {
        value = 2;
        q.constants.resize(p.inputs.size());
        q.constants[2] = argument{shape{p.output.type()}};
    }
    const auto known = padding_of(q);
    if (not known.refusal.empty())
        return lowered::refuse(known.refusal);
    if (not is_movable(p.output))
        return lowered::refuse(not_movable);
    const auto rank = p.output.ndim();
    if (p.inputs[0].elements() == 0) {
        auto g =
            value
                ? strided_copy(*p.on, p.output.type_size(),
                               {lens_of(p.output), {strides_of(p.output), sizes(rank, 0)}}, *value)
                : fill_box(*p.on, {lens_of(p.output), {strides_of(p.output)}}, known.element);
        return one_launch(p, std::move(g));
    }
    std::vector<axis_source> from(rank);
    for (std::size_t d = 0; d < rank; d++)
        if (known.pads[d] != 0 or known.pads[d + rank] != 0)
            from[d] = padded_positions(p.inputs[0].lens()[d], known.pads[d], known.pads[d + rank],
                                       known.mode);
    // The stride of an axis of one element counts where its position is repeated.
    auto g = mapped_copy(*p.on, p.output.type_size(),
                         {lens_of(p.output), {strides_of(p.output), strides_of(p.inputs[0])}}, from,
                         known.element, value);
    g.name = "pad";
    return one_launch(p, std::move(g));
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
    const auto known = slice_of(p);
    if (not known.refusal.empty())
        return lowered::refuse(known.refusal);
    return stepped(p, "slice", known.steps, known.starts);
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
const implementations pad_choices{{"pad", "pad_dynamic", "fixed_pad"}, {{"pad", pad}}};
const implementations reverse_choices{{"reverse"}, {{"reverse", reverse}}};
const implementations tile_choices{{"tile_dynamic"}, {{"tile", tile}}};
const implementations slice_choices{{"slice_dynamic"}, {{"slice", slice_dynamic}}};
const implementations fill_choices{{"fill"}, {{"fill", fill_from_input}}};
const implementations constant_choices{{"constant_of_shape"}, {{"fill", constant_of_shape}}};
const implementations allocate_choices{{"allocate"}, {{"allocate", allocate}}};

} // namespace

} // namespace migraphx::gpu
