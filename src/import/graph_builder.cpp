// SPDX-License-Identifier: MIT
#include "import/graph_builder.hpp"

#include <migraphx/common.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/op/builder/insert.hpp>

#include "import/quote.hpp"

#include <numeric>
#include <utility>

namespace migraphx {

void graph_builder::malformed(const std::string& message) const {
    fail(error_kind::invalid_argument, printable(kind) + ": " + message);
}

void graph_builder::unsupported(const std::string& message) const {
    fail(error_kind::unsupported, printable(kind) + ": " + message);
}

operation graph_builder::named(const std::string& op) {
    return make_op(op);
}

instruction_ref graph_builder::add(const operation& op, instructions in) const {
    return target.add_instruction(op, std::move(in));
}

instruction_ref graph_builder::add(const operation& op, instructions in,
                                   std::vector<module_ref> mods) const {
    return target.add_instruction(op, std::move(in), std::move(mods));
}

instruction_ref graph_builder::literal(migraphx::literal l) const {
    return target.add_literal(std::move(l));
}

instruction_ref graph_builder::scalar(shape::type_t t, double v) const {
    return target.add_literal(migraphx::literal{shape{t}, std::vector<double>{v}});
}

instruction_ref graph_builder::add_common(const std::string& op, instructions in) const {
    return add_common(make_op(op), std::move(in));
}

instruction_ref graph_builder::add_common(const operation& op, instructions in) const {
    return add_common_op(target, op, std::move(in));
}

instruction_ref graph_builder::convert(instruction_ref x, shape::type_t t) const {
    return x->get_shape().type() == t ? x : add(make_op("convert", {{"target_type", t}}), {x});
}

instruction_ref graph_builder::contiguous(instruction_ref x) const {
    const auto& s = x->get_shape();
    return s.dynamic() or s.standard() ? x : add("contiguous", x);
}

instruction_ref graph_builder::along_axis(instruction_ref x, std::size_t axis,
                                          std::size_t rank) const {
    std::vector<int64_t> axes;
    for (std::size_t i = 0; i < rank; i++)
        if (i != axis)
            axes.push_back(int64_t(i));
    return axes.empty() ? x : add(make_op("unsqueeze", {{"axes", axes}}), {x});
}

instruction_ref graph_builder::broadcast_like(instruction_ref x, instruction_ref like) const {
    const auto& s = like->get_shape();
    if (s.dynamic() or x->get_shape().dynamic())
        return add("multibroadcast", x, like);
    if (x->get_shape().lens() == s.lens())
        return x;
    return add(make_op("multibroadcast", {{"out_lens", s.lens()}}), {x});
}

instruction_ref graph_builder::stretch_along(instruction_ref x, std::size_t axis,
                                             instruction_ref like) const {
    const auto& s = like->get_shape();
    if (s.dynamic())
        return add(make_op("broadcast", {{"axis", axis}}), {x, like});
    return add(make_op("broadcast", {{"axis", axis}, {"out_lens", s.lens()}}), {x});
}

instruction_ref graph_builder::with_number(const std::string& op, instruction_ref x,
                                           double v) const {
    return add(op, x, broadcast_like(scalar(x->get_shape().type(), v), x));
}

instruction_ref graph_builder::expand(const std::string& recipe, instructions in,
                                      const value& options) const {
    return op::builder::add(recipe, target, in, options).at(0);
}

instruction_ref graph_builder::put_literal(module& m, migraphx::literal l) {
    return m.add_literal(std::move(l));
}

instruction_ref graph_builder::to_scalar(instruction_ref x) const {
    const auto& s = x->get_shape();
    if (is_scalar(s))
        return x;
    std::vector<int64_t> axes(s.ndim());
    std::iota(axes.begin(), axes.end(), 0);
    return add(make_op("squeeze", {{"axes", axes}}), {x});
}

int64_t graph_builder::known_size(instruction_ref x, int64_t a) const {
    const auto& s = x->get_shape();
    const auto at = axis(a, s.ndim());
    const auto lo = s.min_lens()[at], hi = s.max_lens()[at];
    if (lo != hi)
        unsupported(
            str("a size of dimension ", at, " that is known at import was expected, got ", s));
    return int64_t(hi);
}

std::size_t graph_builder::axis(int64_t a, std::size_t rank) const {
    const auto n = int64_t(rank);
    if (a < -n or a >= n)
        malformed(str("axis in [", -n, ", ", n - 1, "] was expected, got ", a));
    return std::size_t(a < 0 ? a + n : a);
}

} // namespace migraphx
