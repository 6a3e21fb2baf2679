// SPDX-License-Identifier: MIT
#include "runtime/constant_operands.hpp"

#include <migraphx/make_op.hpp>

#include "ir/shape_rules.hpp"
#include "ops/shape_input.hpp"

#include <algorithm>

namespace migraphx {

std::vector<char> bytes_of(const argument& element) {
    return {element.data(), element.data() + element.get_shape().type_size()};
}

namespace {

known_padding attributes_of_pad(const problem& p) {
    // The operator itself rounds the value to the element type.
    const auto type = p.output.type();
    const auto padded =
        make_op("pad", {{"pads", std::vector<int64_t>{1, 0}}, {"value", p.op.get<float>("value")}})
            .compute(shape{type, {2}}, {argument{shape{type, {1}}}});
    return {p.op.get_vector<int64_t>("pads"), op::pad::pad_op_mode_t(p.op.get<int>("mode")),
            bytes_of(padded), ""};
}

known_padding refused(std::string why) {
    known_padding r;
    r.refusal = std::move(why);
    return r;
}

known_padding operands_of_pad(const problem& p) {
    const auto rank = p.output.ndim();
    if (not p.is_constant(1) or (not is_absent(p.inputs, 3) and not p.is_constant(3)) or
        (not is_absent(p.inputs, 2) and p.inputs[2].elements() > 0 and not p.is_constant(2)))
        return refused("paddings that are not constant");
    const auto given = read_integers(p.constants[1]);
    std::vector<std::size_t> axes;
    if (not is_absent(p.inputs, 3))
        axes = normalize_axes(read_integers(p.constants[3]), rank, "axes");
    else
        for (std::size_t d = 0; d < rank and not given.empty(); d++)
            axes.push_back(d);
    if (given.size() != 2 * axes.size())
        return refused("paddings for other axes");
    std::vector<int64_t> pads(2 * rank, 0);
    for (std::size_t i = 0; i < axes.size(); i++) {
        pads[axes[i]] = given[i];
        pads[axes[i] + rank] = given[i + axes.size()];
    }
    const bool has_value = p.is_constant(2) and p.inputs[2].elements() > 0;
    return {std::move(pads), op::pad::pad_op_mode_t(p.op.get<int>("mode")),
            bytes_of(has_value ? p.constants[2] : argument{shape{p.output.type()}}), ""};
}

known_padding up_to_result(const problem& p) {
    const auto rank = p.output.ndim();
    std::vector<int64_t> pads(2 * rank, 0);
    for (std::size_t d = 0; d < rank; d++)
        pads[d + rank] = int64_t(p.output.lens()[d]) - int64_t(p.inputs[0].lens()[d]);
    return {std::move(pads), op::pad::constant_pad, bytes_of(argument{shape{p.output.type()}}), ""};
}

} // namespace

known_padding padding_of(const problem& p) {
    const auto name = p.op.name();
    return name == "pad"           ? attributes_of_pad(p)
           : name == "pad_dynamic" ? operands_of_pad(p)
                                   : up_to_result(p);
}

known_slice slice_of(const problem& p) {
    known_slice result;
    for (std::size_t i = 1; i < p.inputs.size(); i++)
        if (not is_absent(p.inputs, i) and not p.is_constant(i)) {
            result.refusal = "bounds that are not constant";
            return result;
        }
    const auto bounds = read_integers(p.constants[1]);
    std::vector<int64_t> at(bounds.size()), by(bounds.size(), 1);
    for (std::size_t i = 0; i < at.size(); i++)
        at[i] = int64_t(i);
    if (not is_absent(p.inputs, 3))
        at = read_integers(p.constants[3]);
    if (not is_absent(p.inputs, 4))
        by = read_integers(p.constants[4]);
    result.starts.assign(p.output.ndim(), 0);
    result.steps.assign(p.output.ndim(), 1);
    for (std::size_t i = 0; i < bounds.size(); i++) {
        const auto axis = normalize_axis(at.at(i), p.output.ndim(), "slice");
        const auto len = int64_t(p.inputs[0].lens()[axis]);
        const bool up = by.at(i) > 0;
        const auto first = bounds[i] < 0 ? std::max(bounds[i], -len - 1) + len : bounds[i];
        result.starts[axis] = std::clamp<int64_t>(first, up ? 0 : -1, up ? len : len - 1);
        result.steps[axis] = by[i];
    }
    return result;
}

} // namespace migraphx
