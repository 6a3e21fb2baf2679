// SPDX-License-Identifier: MIT
// shape: index arithmetic and shapes derived from others.
#include <algorithm>

#include <migraphx/errors.hpp>
#include <migraphx/permutation.hpp>
#include <migraphx/shape.hpp>

namespace migraphx {

namespace {

using size_list = std::vector<std::size_t>;

[[noreturn]] void derived_error(const std::string& message) {
    fail(error_kind::invalid_argument, "shape: " + message);
}

template <class Range>
std::string list_sizes(const Range& xs) {
    std::string result = "{";
    for (auto x : xs)
        result += (result.size() > 1 ? ", " : "") + std::to_string(x);
    return result + "}";
}

// A tuple, a sequence or an optional of f(member).
template <class F>
shape with_members(const shape& s, F f) {
    if (s.is_sequence())
        return shape::sequence(f(s.element()));
    if (s.is_optional())
        return shape::optional(f(s.element()));
    std::vector<shape> result;
    for (const shape& x : s.sub_shapes())
        result.push_back(f(x));
    return shape{result};
}

} // namespace

// ---- index arithmetic -------------------------------------------------------------------------

std::size_t shape::index(std::initializer_list<std::size_t> l) const {
    if (l.size() > ndim())
        derived_error("expected at most " + std::to_string(ndim()) + " indices, got " +
                      list_sizes(l));
    return index(l.begin(), l.end());
}

std::size_t shape::index(const std::vector<std::size_t>& l) const {
    if (l.size() > ndim())
        derived_error("expected at most " + std::to_string(ndim()) + " indices, got " +
                      list_sizes(l));
    return index(l.begin(), l.end());
}

std::size_t shape::index(std::size_t i) const {
    const data& x = get_static("index");
    if (x.standard || x.elements == 0)
        return i;
    std::size_t result = 0;
    for (std::size_t axis = x.lens.size(); axis-- > 0;) {
        result += (i % x.lens[axis]) * x.strides[axis];
        i /= x.lens[axis];
    }
    return result;
}

void shape::multi_copy(std::size_t idx, std::size_t* start, const std::size_t* end) const {
    const data& x = get_static("multi");
    const auto room = static_cast<std::size_t>(end - start);
    if (room < x.lens.size())
        derived_error("expected room for " + std::to_string(x.lens.size()) + " indices, got " +
                      std::to_string(room));
    for (std::size_t axis = x.lens.size(); axis-- > 0;) {
        const std::size_t len = std::max<std::size_t>(1, x.lens[axis]);
        start[axis] = axis == 0 ? idx : idx % len;
        idx /= len;
    }
}

std::vector<std::size_t> shape::multi(std::size_t idx) const {
    size_list result(lens().size());
    multi_copy(idx, result.data(), result.data() + result.size());
    return result;
}

std::size_t shape::single(const std::vector<std::size_t>& idx) const {
    const size_list& l = lens();
    if (idx.size() != l.size())
        derived_error("expected " + std::to_string(l.size()) + " indices, got " + list_sizes(idx));
    std::size_t result = 0;
    for (std::size_t i = 0; i < l.size(); ++i)
        result = result * l[i] + idx[i];
    return result;
}

bool shape::multi_within_bounds(std::vector<std::size_t> multi) const {
    const size_list& l = lens();
    return multi.size() == l.size() &&
           std::equal(multi.begin(), multi.end(), l.begin(),
                      [](std::size_t i, std::size_t n) { return i < n; });
}

// ---- derived shapes ---------------------------------------------------------------------------

shape shape::normalize_standard() const {
    return standard() ? as_standard() : *this;
}

shape shape::as_standard() const {
    if (type() == tuple_type || !has_rank())
        return *this;
    return dynamic() ? shape{type(), dyn_dims()} : shape{type(), lens()};
}

shape shape::with_type(type_t t) const {
    if (type() == tuple_type || t == tuple_type) {
        if (type() == t)
            return *this;
        derived_error("expected element types for with_type(), got " + type_string() + " and " +
                      name(t));
    }
    if (!dynamic())
        return {t, lens(), strides()};
    if (!has_rank())
        return is_absent() ? absent(t) : unranked(t);
    return symbolic() ? shape{t, dyn_dims(), dyn_strides()} : shape{t, dyn_dims()};
}

shape shape::with_lens(const std::vector<std::size_t>& l) const {
    return with_lens(type(), l);
}

shape shape::with_lens(type_t t, const std::vector<std::size_t>& l) const {
    if (l.size() != ndim())
        derived_error("expected " + std::to_string(ndim()) + " lens for with_lens(), got " +
                      list_sizes(l));
    return from_permutation(t, l, find_permutation(*this));
}

shape shape::with_lens(const std::vector<dynamic_dimension>& dds) const {
    if (dds.size() != ndim())
        derived_error("expected " + std::to_string(ndim()) + " dimensions for with_lens(), got " +
                      std::to_string(dds.size()));
    return from_permutation(type(), dds, find_permutation(*this));
}

shape shape::to_dynamic() const {
    if (type() == tuple_type)
        return with_members(*this, [](const shape& s) { return s.to_dynamic(); });
    if (dynamic())
        return *this;
    std::vector<dynamic_dimension> dims;
    for (std::size_t n : lens())
        dims.emplace_back(n, n);
    return {type(), std::move(dims)};
}

std::vector<shape> shape::to_dynamic(const std::vector<shape>& shapes) {
    std::vector<shape> result;
    for (const shape& s : shapes)
        result.push_back(s.to_dynamic());
    return result;
}

shape shape::to_symbolic() const {
    if (type() == tuple_type)
        return with_members(*this, [](const shape& s) { return s.to_symbolic(); });
    if (symbolic())
        return *this;
    if (!is_fixed())
        derived_error("expected fixed dimensions for to_symbolic(), got " + to_string());
    const shape s = dynamic() ? shape{type(), max_lens()} : *this;
    std::vector<dynamic_dimension> dims;
    std::vector<sym::expr> strides;
    for (std::size_t n : s.lens())
        dims.emplace_back(sym::lit(static_cast<std::int64_t>(n)));
    for (std::size_t n : s.strides())
        strides.push_back(sym::lit(static_cast<std::int64_t>(n)));
    return {type(), std::move(dims), std::move(strides)};
}

shape shape::to_static(std::size_t x) const {
    if (type() == tuple_type)
        return with_members(*this, [&](const shape& s) { return s.to_static(x); });
    if (!dynamic() || !has_rank())
        return *this;
    size_list result;
    for (const auto& dim : dyn_dims())
        result.push_back(dim.is_fixed() ? dim.get_interval().min : x);
    return from_permutation(type(), result, find_permutation(*this));
}

shape shape::to_static(const std::unordered_map<sym::expr, std::size_t>& symbol_map) const {
    if (type() == tuple_type)
        return with_members(*this, [&](const shape& s) { return s.to_static(symbol_map); });
    if (!dynamic() || !has_rank())
        return *this;
    size_list result;
    for (const auto& dim : dyn_dims()) {
        if (!dim.is_symbolic() && !dim.is_fixed())
            derived_error("expected symbolic or fixed dimensions for to_static(), got " +
                          to_string());
        result.push_back(dim.is_symbolic() ? dim.sym_expr.eval_uint(symbol_map)
                                           : dim.get_interval().min);
    }
    const bool none = std::find(result.begin(), result.end(), 0) != result.end();
    if (!symbolic() || none)
        return from_permutation(type(), result, find_permutation(*this));
    size_list steps;
    for (const auto& s : dyn_strides())
        steps.push_back(s.eval_uint(symbol_map));
    return {type(), std::move(result), std::move(steps)};
}

} // namespace migraphx
