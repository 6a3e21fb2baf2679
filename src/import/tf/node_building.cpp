// SPDX-License-Identifier: MIT
// Instructions that many TensorFlow operators are made of.
#include "import/tf/node_reader.hpp"

#include <migraphx/common.hpp>
#include <migraphx/make_op.hpp>

#include "ir/constant_value.hpp"

#include <algorithm>
#include <numeric>

namespace migraphx::tf {

namespace {

bool is_small(instruction_ref x, std::size_t rank, std::size_t elements) {
    const auto& s = x->get_shape();
    return s.ndim() < rank or s.elements() * 2 <= elements or x->name() == "@literal";
}

// The permutation that all large operands share, or none.
ints shared_permutation(const instructions& in) {
    std::size_t rank = 0, elements = 0;
    for (auto x : in) {
        if (x->get_shape().dynamic())
            return {};
        rank = std::max(rank, x->get_shape().ndim());
        elements = std::max(elements, x->get_shape().elements());
    }
    ints permutation;
    for (auto x : in)
        if (const auto s = see_through(x);
            s.is_transposed() and x->get_shape().ndim() == rank and permutation.empty())
            permutation = s.permutation;
    if (permutation.empty())
        return {};
    for (auto x : in)
        if (see_through(x).permutation != permutation and not is_small(x, rank, elements))
            return {};
    return permutation;
}

} // namespace

instruction_ref node_reader::ints_literal(const ints& v, shape::type_t t) const {
    return literal(migraphx::literal{shape{t, {v.size()}}, v});
}

instruction_ref node_reader::reshape(instruction_ref x, const ints& to) const {
    if (to.empty())
        return to_scalar(x);
    if (not x->get_shape().dynamic() and dims(x) == to)
        return x;
    // A size of 0 as an attribute would copy a dimension; a tensor of no elements is any other of
    // its shape.
    if (std::find(to.begin(), to.end(), 0) != to.end())
        return literal(migraphx::literal{
            shape{x->get_shape().type(), std::vector<std::size_t>(to.begin(), to.end())},
            std::vector<float>{}});
    return add(make_op("reshape", {{"dims", to}}), {x});
}

instruction_ref node_reader::unsqueeze(instruction_ref x, const ints& axes) const {
    return axes.empty() ? x : add(make_op("unsqueeze", {{"axes", axes}}), {x});
}

instruction_ref node_reader::squeeze(instruction_ref x, ints axes) const {
    if (axes.empty())
        return x;
    if (axes.size() == x->get_shape().ndim())
        return to_scalar(x);
    const auto s = see_through(x);
    if (not s.is_transposed()) {
        const auto y = add(make_op("squeeze", {{"axes", axes}}), {x});
        return is_scalar(y->get_shape()) ? unsqueeze(y, {0}) : y;
    }
    // On the other side of the transpose, which then is of fewer dimensions.
    std::sort(axes.begin(), axes.end());
    ints dropped, kept, order;
    for (std::size_t i = 0; i < s.permutation.size(); i++)
        (std::binary_search(axes.begin(), axes.end(), int64_t(i)) ? dropped : kept)
            .push_back(s.permutation[i]);
    std::sort(dropped.begin(), dropped.end());
    for (auto p : kept)
        order.push_back(p -
                        (std::lower_bound(dropped.begin(), dropped.end(), p) - dropped.begin()));
    const auto y = add(make_op("squeeze", {{"axes", dropped}}), {s.source});
    return transpose(is_scalar(y->get_shape()) ? unsqueeze(y, {0}) : y, order);
}

instruction_ref node_reader::slice(instruction_ref x, const ints& axes, const ints& starts,
                                   const ints& ends) const {
    if (axes.empty())
        return x;
    const auto y = add(make_op("slice", {{"axes", axes}, {"starts", starts}, {"ends", ends}}), {x});
    // One element of a vector would look like a scalar.
    return is_scalar(y->get_shape()) ? unsqueeze(y, {0}) : y;
}

instruction_ref node_reader::broadcast_to(instruction_ref x, const ints& to) const {
    if (to.empty() or (not x->get_shape().dynamic() and dims(x) == to))
        return x;
    if (is_scalar(x->get_shape()) and to == ints{1})
        return unsqueeze(x, {0});
    const auto y = add(make_op("multibroadcast", {{"out_lens", to}}), {x});
    return y;
}

instruction_ref node_reader::pointwise(const operation& op, instructions in) const {
    const bool scalar =
        std::all_of(in.begin(), in.end(), [](auto x) { return is_scalar(x->get_shape()); });
    const auto permutation = shared_permutation(in);
    if (permutation.empty()) {
        const auto y = in.size() == 1 ? add(op, in) : add_common(op, in);
        return scalar ? to_scalar(y) : y;
    }
    const auto rank = permutation.size();
    for (auto& x : in) {
        if (is_scalar(x->get_shape()))
            continue;
        if (const auto r = x->get_shape().ndim(); r < rank) {
            ints axes(rank - r);
            std::iota(axes.begin(), axes.end(), 0);
            x = unsqueeze(x, axes);
        }
        x = transpose(x, inverted(permutation));
    }
    return transpose(in.size() == 1 ? add(op, in) : add_common(op, in), permutation);
}

instruction_ref node_reader::pointwise(const std::string& op, instructions in) const {
    return pointwise(make_op(op), std::move(in));
}

instruction_ref node_reader::pointwise_number(const std::string& op, instruction_ref x,
                                              double v) const {
    return pointwise(op, {x, scalar(x->get_shape().type(), v)});
}

instruction_ref node_reader::select(instruction_ref condition, instruction_ref yes,
                                    instruction_ref no) const {
    common_options keep_types;
    keep_types.common_type = false;
    const instructions in{convert(condition, shape::bool_type), yes, no};
    const bool scalar =
        std::all_of(in.begin(), in.end(), [](auto x) { return is_scalar(x->get_shape()); });
    const auto y = add(make_op("where"), add_common_args(mod(), in, keep_types));
    return scalar ? to_scalar(y) : y;
}

instruction_ref node_reader::compare(const std::string& op, instruction_ref x,
                                     instruction_ref y) const {
    return convert(pointwise(op, {x, y}), shape::bool_type);
}

instruction_ref node_reader::reduce(const std::string& op, instruction_ref x, const ints& axes,
                                    bool keep) const {
    const auto r = rank(x);
    ints of;
    for (auto a : axes)
        if (const auto at = int64_t(axis(a, r)); std::find(of.begin(), of.end(), at) == of.end())
            of.push_back(at);
    if (of.empty())
        return x;
    std::sort(of.begin(), of.end());
    const auto s = see_through(x);
    auto source_axes = of;
    if (s.is_transposed())
        for (auto& a : source_axes)
            a = s.permutation[std::size_t(a)];
    std::sort(source_axes.begin(), source_axes.end());
    auto y = add(make_op(op, {{"axes", source_axes}}), {s.source});
    if (s.is_transposed())
        y = transpose(y, s.permutation);
    return keep ? y : squeeze(y, of);
}

} // namespace migraphx::tf
