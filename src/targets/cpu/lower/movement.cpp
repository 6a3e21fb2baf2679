// SPDX-License-Identifier: MIT
// Operators that only move elements: copies into another order, concat, pad, reverse, tile, fills.
#include "targets/cpu/lower/axis_runs.hpp"
#include "targets/cpu/lowering.hpp"

#include "ir/shape_rules.hpp"
#include "runtime/constant_operands.hpp"
#include "runtime/implementation_table.hpp"

#include <cstring>

namespace migraphx::cpu {

namespace {

constexpr const char* too_many_axes = "more than 8 axes, or elements of another size";

// ---- contiguous, layout, reshape, flatten: the elements in logical order

lowered copy(const problem& p) {
    const auto& in = p.inputs[0];
    const auto& out = p.output;
    if (in.type() != out.type())
        return lowered::refuse("another element type");
    if (in.elements() != out.elements())
        return lowered::refuse("another number of elements");
    std::optional<strided_copy> c;
    if (in.elements() == 0)
        c = strided_copy{};
    else if (in.lens() == out.lens())
        c = strided_copy::make(in, out);
    else if (is_dense(out))
        c = strided_copy::make(in, shape{in.type(), in.lens()});
    else if (is_dense(in))
        c = strided_copy::make(shape{out.type(), out.lens()}, out);
    else if (const auto seen = reshape_without_copy(out, in.lens()))
        c = strided_copy::make(in, *seen);
    if (c)
        return make_kernel("copy", 0, [c = *c](const kernel_args& args) {
            c.run(args.inputs[0], args.outputs[0]);
        });
    // Through a row-major copy.
    scratch_layout scratch;
    const auto dense = dense_input::make(p, 0, scratch);
    const auto rest = strided_copy::make(shape{out.type(), out.lens()}, out);
    if (not dense or not rest)
        return lowered::refuse(too_many_axes);
    return make_kernel("copy (twice)", scratch.bytes(),
                       [dense = *dense, rest = *rest](const kernel_args& args) {
                           rest.run(dense.get(args), args.outputs[0]);
                       });
}

// Broadcasts whose dimensions come from a second operand: the memory of the first, as it is.
lowered copy_memory(const problem& p) {
    const auto strides = strides_of(p.output);
    auto lens = lens_of(p.output);
    for (std::size_t i = 0; i < lens.size(); i++)
        if (strides[i] == 0)
            lens[i] = std::min<int64_t>(lens[i], 1);
    const auto c = strided_copy::make(p.output.type_size(), lens, strides, strides);
    if (not c)
        return lowered::refuse(too_many_axes);
    return make_kernel(
        "copy", 0, [c = *c](const kernel_args& args) { c.run(args.inputs[0], args.outputs[0]); });
}

// ---- concat

struct concat_part {
    std::size_t input = 0, to = 0;
    strided_copy copy;
};

lowered concat(const problem& p) {
    const auto axis = p.op.get<std::size_t>("axis");
    std::vector<concat_part> parts;
    std::size_t at = 0;
    for (std::size_t i = 0; i < p.inputs.size(); i++) {
        const auto& in = p.inputs[i];
        const auto c =
            strided_copy::make(in.type_size(), lens_of(in), strides_of(in), strides_of(p.output));
        if (not c)
            return lowered::refuse(too_many_axes);
        if (not c->empty())
            parts.push_back({i, at * p.output.strides()[axis] * in.type_size(), *c});
        at += in.lens()[axis];
    }
    return make_kernel("concat", 0, [parts = std::move(parts)](const kernel_args& args) {
        for (const auto& part : parts)
            if (args.inputs[part.input] != args.outputs[0] + part.to) // else it lies there already
                part.copy.run(args.inputs[part.input], args.outputs[0] + part.to);
    });
}

// ---- pad

lowered pad_with(const problem& p, const std::vector<int64_t>& pads, op::pad::pad_op_mode_t mode,
                 std::vector<char> element) {
    const auto rank = p.output.ndim();
    if (p.output.elements() == 0)
        return copy_by_runs(p, std::vector<axis_runs>(rank, same_run(0)), "pad");
    std::vector<axis_runs> axes;
    for (std::size_t d = 0; d < rank; d++)
        axes.push_back(
            runs_of(padded_positions(p.inputs[0].lens()[d], pads[d], pads[d + rank], mode)));
    return copy_by_runs(p, axes, "pad", std::move(element));
}

lowered pad(const problem& p) {
    auto known = padding_of(p);
    if (not known.refusal.empty())
        return lowered::refuse(known.refusal);
    return pad_with(p, known.pads, known.mode, std::move(known.element));
}

// ---- reverse, tile, stepped slices

lowered reverse(const problem& p) {
    std::vector<axis_runs> axes;
    for (auto n : lens_of(p.output))
        axes.push_back(same_run(n));
    for (auto a : p.op.get_vector<std::size_t>("axes"))
        axes[a] = {{0, int64_t(p.output.lens()[a]),
                    std::max<int64_t>(int64_t(p.output.lens()[a]) - 1, 0), -1, false}};
    return copy_by_runs(p, axes, "reverse");
}

lowered tile(const problem& p) {
    const auto lens = lens_of(p.inputs[0]), in = strides_of(p.inputs[0]),
               out = strides_of(p.output);
    sizes n, from, to;
    for (std::size_t d = 0; d < lens.size(); d++) {
        if (lens[d] == 0)
            return copy_memory(p);
        n.insert(n.end(), {int64_t(p.output.lens()[d]) / lens[d], lens[d]});
        from.insert(from.end(), {0, in[d]});
        to.insert(to.end(), {lens[d] * out[d], out[d]});
    }
    const auto c = strided_copy::make(p.output.type_size(), n, from, to);
    if (not c)
        return lowered::refuse(too_many_axes);
    return make_kernel(
        "tile", 0, [c = *c](const kernel_args& args) { c.run(args.inputs[0], args.outputs[0]); });
}

lowered slice_dynamic(const problem& p) {
    const auto known = slice_of(p);
    if (not known.refusal.empty())
        return lowered::refuse(known.refusal);
    std::vector<axis_runs> axes;
    for (std::size_t d = 0; d < p.output.ndim(); d++)
        axes.push_back({{0, int64_t(p.output.lens()[d]), known.starts[d], known.steps[d], false}});
    return copy_by_runs(p, axes, "slice (copy)");
}

// ---- fills

std::optional<strided_copy> plan_fill(const shape& out) {
    return strided_copy::make(out.type_size(), lens_of(out), sizes(out.ndim(), 0), strides_of(out));
}

lowered fill_from_input(const problem& p) {
    const auto c = plan_fill(p.output);
    if (not c)
        return lowered::refuse(too_many_axes);
    return make_kernel(
        "fill", 0, [c = *c](const kernel_args& args) { c.run(args.inputs[0], args.outputs[0]); });
}

lowered constant_of_shape(const problem& p) {
    const auto c = plan_fill(p.output);
    if (not c)
        return lowered::refuse(too_many_axes);
    argument one(shape{shape::int64_type, {1}});
    *reinterpret_cast<int64_t*>(one.data()) = 1;
    const auto element = bytes_of(p.op.compute(shape{p.output.type(), {1}}, {one}));
    return make_kernel("fill", 0, [c = *c, element](const kernel_args& args) {
        c.run(element.data(), args.outputs[0]);
    });
}

lowered allocate(const problem& p) {
    if (p.output.type() == shape::tuple_type)
        return lowered::refuse("a tuple");
    return make_kernel("allocate", 0, [bytes = p.output.bytes()](const kernel_args& args) {
        std::memset(args.outputs[0], 0, bytes);
    });
}

// ---- an operator whose output shape is known already

lowered with_shape(const problem& p) {
    operation inner;
    from_value(p.op.attribute("op"), inner);
    problem q = p;
    q.op = inner.normalized(p.inputs);
    return first_that_takes(q, implementations_of(q.op.name()));
}

const implementations copy_choices{
    {"contiguous", "layout", "reshape", "flatten", "squeeze", "unsqueeze", "reshape_dynamic"},
    {{"copy", copy}}};
const implementations broadcast_choices{{"multibroadcast", "broadcast"}, {{"copy", copy_memory}}};
const implementations concat_choices{{"concat"}, {{"concat", concat}}};
const implementations pad_choices{{"pad", "pad_dynamic", "fixed_pad"}, {{"pad", pad}}};
const implementations reverse_choices{{"reverse"}, {{"reverse", reverse}}};
const implementations tile_choices{{"tile_dynamic"}, {{"tile", tile}}};
const implementations slice_choices{{"slice_dynamic"}, {{"slice", slice_dynamic}}};
const implementations fill_choices{{"fill"}, {{"fill", fill_from_input}}};
const implementations constant_choices{{"constant_of_shape"}, {{"fill", constant_of_shape}}};
const implementations allocate_choices{{"allocate"}, {{"allocate", allocate}}};
const implementations with_shape_choices{{"with_shape"}, {{"the operator itself", with_shape}}};

} // namespace

} // namespace migraphx::cpu
