// SPDX-License-Identifier: MIT
// Output shapes shared by the operators.
#include "ir/shape_rules.hpp"

#include <algorithm>

#include <migraphx/errors.hpp>

namespace migraphx {

namespace {

using rule_dims = std::vector<shape::dynamic_dimension>;

shape::dynamic_dimension literal_dim(std::size_t n) {
    return sym::lit(static_cast<std::int64_t>(n));
}

bool is_range(const shape& s) {
    return s.dynamic() && !s.symbolic();
}

// The same dimensions, packed in this memory order.
shape packed_in_order(const shape& s, shape::type_t t, const std::vector<std::int64_t>& perm) {
    return s.dynamic() ? shape::from_permutation(t, s.dyn_dims(), perm)
                       : shape::from_permutation(t, s.lens(), perm);
}

std::string list_shapes(const std::vector<shape>& shapes) {
    std::string result;
    for (const shape& s : shapes)
        result += (result.empty() ? "{" : " and {") + s.to_string() + "}";
    return result;
}

std::size_t one_of(std::size_t) {
    return 1;
}
sym::expr one_of(const sym::expr&) {
    return sym::lit(1);
}

// Strides for other dimensions over the same memory: runs of axes with equal products, in which the
// old axes are contiguous. Axes of one element belong to no run.
template <class T>
std::optional<std::vector<T>> regrouped_strides(const std::vector<T>& old_lens,
                                                const std::vector<T>& old_strides,
                                                const std::vector<T>& lens) {
    const T one = one_of(T{});
    std::vector<std::size_t> from;
    std::vector<std::size_t> to;
    for (std::size_t i = 0; i < old_lens.size(); ++i)
        if (!(old_lens[i] == one))
            from.push_back(i);
    for (std::size_t i = 0; i < lens.size(); ++i)
        if (!(lens[i] == one))
            to.push_back(i);
    std::vector<T> result(lens.size(), one);
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < from.size() && j < to.size()) {
        const std::size_t i0 = i;
        const std::size_t j0 = j;
        T old_product = old_lens[from[i++]];
        T product = lens[to[j++]];
        while (!(product == old_product)) {
            if (product < old_product) {
                if (j == to.size())
                    return std::nullopt;
                product = product * lens[to[j++]];
            } else {
                if (i == from.size())
                    return std::nullopt;
                old_product = old_product * old_lens[from[i++]];
            }
        }
        for (std::size_t k = i0; k + 1 < i; ++k)
            if (!(old_strides[from[k]] == old_strides[from[k + 1]] * old_lens[from[k + 1]]))
                return std::nullopt;
        T stride = old_strides[from[i - 1]];
        for (std::size_t k = j; k-- > j0;) {
            result[to[k]] = stride;
            stride = stride * lens[to[k]];
        }
    }
    if (i != from.size() || j != to.size())
        return std::nullopt;
    for (std::size_t k = lens.size(); k-- > 0;)
        if (lens[k] == one && k + 1 < lens.size())
            result[k] = result[k + 1] * lens[k + 1];
    return result;
}

std::vector<sym::expr> expressions_of(const rule_dims& dims) {
    std::vector<sym::expr> result;
    for (const auto& d : dims)
        result.push_back(d.is_symbolic()
                             ? d.sym_expr
                             : sym::lit(static_cast<std::int64_t>(d.get_interval().min)));
    return result;
}

} // namespace

shape demote_to_range(const shape& s) {
    if (s.is_sequence() || s.is_optional() || !s.has_rank())
        return s;
    if (s.type() == shape::tuple_type) {
        std::vector<shape> result;
        for (const shape& x : s.sub_shapes())
            result.push_back(demote_to_range(x));
        return shape{result};
    }
    if (!s.symbolic())
        return s.to_dynamic();
    rule_dims dims;
    for (const auto& d : s.dyn_dims())
        dims.emplace_back(d.get_interval().min, d.get_interval().max, d.get_optimals());
    return {s.type(), std::move(dims)};
}

shape joined_shape(const shape& a, const shape& b) {
    if (a == b)
        return a;
    const bool tuples = a.type() == shape::tuple_type;
    if (a.type() != b.type() || a.is_sequence() != b.is_sequence() ||
        a.is_optional() != b.is_optional() ||
        (tuples && a.sub_shapes().size() != b.sub_shapes().size()))
        fail(error_kind::invalid_argument, "values of one type were expected, got {" +
                                               a.to_string() + "} and {" + b.to_string() + "}");
    if (a.is_sequence())
        return shape::sequence(joined_shape(a.element(), b.element()));
    if (a.is_optional())
        return shape::optional(joined_shape(a.element(), b.element()));
    if (tuples) {
        std::vector<shape> members;
        for (std::size_t i = 0; i < a.sub_shapes().size(); ++i)
            members.push_back(joined_shape(a.sub_shapes()[i], b.sub_shapes()[i]));
        return shape{members};
    }
    if (a.is_absent() || b.is_absent())
        return a.is_absent() ? b : a;
    if (!a.has_rank() || !b.has_rank() || a.ndim() != b.ndim())
        return shape::unranked(a.type());
    if (!a.dynamic() && !b.dynamic() && a.lens() == b.lens())
        return a.scalar() && b.scalar() ? a : a.as_standard();
    const bool symbolic = a.symbolic() || b.symbolic();
    const auto x = dims_of(a, symbolic), y = dims_of(b, symbolic);
    rule_dims dims;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const auto u = x[i].get_interval(), v = y[i].get_interval();
        if (x[i] == y[i])
            dims.push_back(x[i]);
        else
            dims.emplace_back(std::min(u.min, v.min), std::max(u.max, v.max));
    }
    return {a.type(), std::move(dims)};
}

std::vector<shape> align_kinds(const std::vector<shape>& shapes) {
    if (std::none_of(shapes.begin(), shapes.end(), [](const shape& s) { return s.dynamic(); }))
        return shapes;
    const bool symbolic =
        std::any_of(shapes.begin(), shapes.end(), [](const shape& s) { return s.symbolic(); }) &&
        std::none_of(shapes.begin(), shapes.end(),
                     [](const shape& s) { return is_range(s) && !s.is_fixed(); });
    std::vector<shape> result;
    for (const shape& s : shapes)
        result.push_back(symbolic ? s.to_symbolic() : demote_to_range(s));
    return result;
}

rule_dims dims_of(const shape& s, bool symbolic) {
    rule_dims result;
    if (s.dynamic())
        result = s.dyn_dims();
    else
        for (std::size_t n : s.lens())
            result.emplace_back(n, n);
    if (symbolic)
        for (auto& d : result)
            if (!d.is_symbolic() && d.is_fixed())
                d = literal_dim(d.get_interval().min);
    return result;
}

shape keep_permutation(const shape& in, shape::type_t t) {
    if (is_range(in) || (in.packed() && !in.broadcasted()))
        return in.with_type(t);
    return packed_in_order(in, t, find_permutation(in));
}

shape keep_permutation_or_standard(const shape& in, shape::type_t t) {
    return in.broadcasted() ? in.as_standard().with_type(t) : keep_permutation(in, t);
}

shape unary_shape(const shape& in, shape::type_t t) {
    if (in.dynamic() && !in.broadcasted())
        return in.with_type(t);
    if (in.scalar())
        return in.with_type(t);
    return keep_permutation_or_standard(in, t);
}

shape pointwise_shape(const std::vector<shape>& ins, shape::type_t t, const std::string& subject) {
    if (ins.empty())
        fail(error_kind::invalid_argument, subject + ": expected operands, got none");
    if (ins.size() == 1)
        return unary_shape(ins.front(), t);
    const std::vector<shape> shapes = align_kinds(ins);
    const shape& first = shapes.front();
    for (const shape& s : shapes)
        if (s.type() == shape::tuple_type || !shape::same_lens(first, s))
            fail(error_kind::invalid_argument,
                 subject + ": expected operands of equal dimensions, got " + list_shapes(ins));
    if (is_range(first))
        return first.with_type(t);
    std::vector<shape> voters;
    for (auto counts :
         {+[](const shape& s) { return s.packed(); },
          +[](const shape& s) { return !s.broadcasted(); }, +[](const shape&) { return true; }}) {
        std::copy_if(shapes.begin(), shapes.end(), std::back_inserter(voters), counts);
        if (!voters.empty())
            break;
    }
    const bool same = std::all_of(voters.begin(), voters.end(), [&](const shape& s) {
        return s.with_type(t) == voters.front().with_type(t);
    });
    if (same && voters.front().packed())
        return voters.front().with_type(t);
    return packed_in_order(first, t, find_permutation(voters));
}

shape reduce_shape(const shape& in, const std::vector<std::int64_t>& axes) {
    return reduce_shape(in, axes, in.type());
}

shape reduce_shape(const shape& in, const std::vector<std::int64_t>& axes, shape::type_t t) {
    const auto reduced = normalize_axes(axes, in.ndim(), "reduce");
    if (!in.dynamic()) {
        std::vector<std::size_t> lens = in.lens();
        for (std::size_t axis : reduced)
            lens[axis] = 1;
        return {t, std::move(lens)};
    }
    rule_dims dims = in.dyn_dims();
    for (std::size_t axis : reduced)
        dims[axis] = in.symbolic() ? literal_dim(1) : shape::dynamic_dimension{1, 1};
    return {t, std::move(dims)};
}

shape majority_shape(const std::vector<shape>& ins, shape::type_t t,
                     const std::vector<std::size_t>& lens) {
    return shape::from_permutation(t, lens, find_permutation(ins));
}

shape majority_shape(const std::vector<shape>& ins, shape::type_t t, const rule_dims& dims) {
    return shape::from_permutation(t, dims, find_permutation(ins));
}

std::size_t normalize_axis(std::int64_t axis, std::size_t rank, const std::string& subject) {
    const auto r = static_cast<std::int64_t>(rank);
    if (axis < -r || axis >= r)
        fail(error_kind::invalid_argument, subject + ": expected an axis from " +
                                               std::to_string(-r) + " to " + std::to_string(r - 1) +
                                               ", got " + std::to_string(axis));
    return static_cast<std::size_t>(axis < 0 ? axis + r : axis);
}

std::vector<std::size_t> normalize_axes(const std::vector<std::int64_t>& axes, std::size_t rank,
                                        const std::string& subject) {
    std::vector<std::size_t> result;
    for (std::int64_t axis : axes)
        result.push_back(normalize_axis(axis, rank, subject));
    return result;
}

shape transpose_shape(const shape& in, const std::vector<std::int64_t>& perm) {
    if (!is_permutation_of_axes(perm, in.ndim()))
        fail(error_kind::invalid_argument, "transpose: expected a permutation of " +
                                               std::to_string(in.ndim()) +
                                               " axes, got another list");
    return reorder_shape(in, perm);
}

std::optional<shape> reshape_without_copy(const shape& in, const std::vector<std::size_t>& lens) {
    if (in.dynamic())
        return reshape_without_copy(in, dims_of(shape{in.type(), lens}));
    const shape packed{in.type(), lens};
    if (packed.elements() != in.elements())
        return std::nullopt;
    if (in.standard() || in.elements() == 0)
        return packed;
    auto strides = regrouped_strides(in.lens(), in.strides(), lens);
    if (!strides)
        return std::nullopt;
    return shape{in.type(), lens, std::move(*strides)};
}

std::optional<shape> reshape_without_copy(const shape& in, const rule_dims& dims) {
    const shape target = shape{in.type(), dims};
    if (is_range(in) || (is_range(target) && !target.is_fixed()))
        return std::nullopt;
    const shape from = in.to_symbolic();
    const shape to = target.to_symbolic();
    if (from.sym_elements() != to.sym_elements())
        return std::nullopt;
    if (from.standard())
        return to;
    auto strides = regrouped_strides(expressions_of(from.dyn_dims()), from.dyn_strides(),
                                     expressions_of(to.dyn_dims()));
    if (!strides)
        return std::nullopt;
    return shape{in.type(), to.dyn_dims(), std::move(*strides)};
}

shape reshape_shape(const shape& in, const std::vector<std::size_t>& lens) {
    if (!in.dynamic() && !in.broadcasted())
        if (auto kept = reshape_without_copy(keep_permutation(in, in.type()), lens))
            return shape::from_permutation(in.type(), lens, find_permutation(*kept));
    return {in.type(), lens};
}

shape reshape_shape(const shape& in, const rule_dims& dims) {
    if (!is_range(in) && !in.broadcasted())
        if (auto kept = reshape_without_copy(keep_permutation(in, in.type()), dims))
            return shape::from_permutation(in.type(), kept->dyn_dims(), find_permutation(*kept));
    return {in.type(), dims};
}

} // namespace migraphx
