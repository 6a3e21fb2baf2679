// SPDX-License-Identifier: MIT
// shape::dynamic_dimension: ranges with saturating arithmetic, and symbolic dimensions.
#include <algorithm>
#include <ostream>

#include <migraphx/errors.hpp>
#include <migraphx/shape.hpp>

namespace migraphx {

namespace {

using dimension = shape::dynamic_dimension;

constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

std::size_t combine_sizes(char op, std::size_t x, std::size_t y) {
    std::size_t r = 0;
    switch (op) {
    case '+':
        return __builtin_add_overflow(x, y, &r) ? no_limit : r;
    case '-':
        return x > y ? x - y : 0;
    case '*':
        return __builtin_mul_overflow(x, y, &r) ? no_limit : r;
    default:
        return y == 0 ? no_limit : x / y;
    }
}

dimension::interval combine_ranges(char op, const dimension::interval& x,
                                   const dimension::interval& y) {
    if (op == '+' || op == '*')
        return {combine_sizes(op, x.min, y.min), combine_sizes(op, x.max, y.max)};
    return {combine_sizes(op, x.min, y.max), combine_sizes(op, x.max, y.min)};
}

sym::expr expression_of(const dimension& d) {
    if (d.is_symbolic())
        return d.sym_expr;
    const std::size_t n = d.get_interval().min;
    if (n > static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max()))
        fail(error_kind::invalid_argument,
             "dynamic dimension: expected a size below 2^63, got " + std::to_string(n));
    return sym::lit(static_cast<std::int64_t>(n));
}

} // namespace

dimension::dynamic_dimension(std::size_t min_v, std::size_t max_v)
    : dynamic_dimension(min_v, max_v, std::set<std::size_t>{}) {}

dimension::dynamic_dimension(std::size_t min_v, std::size_t max_v, std::set<std::size_t> opt)
    : range(interval{min_v, max_v}) {
    if (min_v > max_v)
        fail(error_kind::invalid_argument, "dynamic dimension: expected min <= max, got [" +
                                               std::to_string(min_v) + ".." +
                                               std::to_string(max_v) + "]");
    if (min_v != max_v)
        optimals = std::move(opt);
}

dimension::dynamic_dimension(std::size_t min_v, std::size_t max_v, std::size_t opt)
    : dynamic_dimension(min_v, max_v,
                        opt == 0 ? std::set<std::size_t>{} : std::set<std::size_t>{opt}) {}

dimension::dynamic_dimension(sym::expr s)
    : range(std::nullopt), optimals(std::nullopt), sym_expr(std::move(s)) {
    if (sym_expr.empty())
        fail(error_kind::invalid_argument,
             "dynamic dimension: expected a symbolic expression, got an empty one");
}

dimension::interval dimension::get_interval() const {
    if (!is_symbolic())
        return range.value_or(interval{});
    const sym::interval bounds = sym_expr.eval_interval();
    return {static_cast<std::size_t>(std::max<std::int64_t>(0, bounds.min)),
            static_cast<std::size_t>(std::max<std::int64_t>(0, bounds.max))};
}

std::set<std::size_t> dimension::get_optimals() const {
    return is_symbolic() ? sym_expr.eval_optimals() : optimals.value_or(std::set<std::size_t>{});
}

bool dimension::is_fixed() const {
    const interval bounds = get_interval();
    return bounds.min == bounds.max;
}

bool dimension::has_optimal() const {
    return !get_optimals().empty();
}

std::optional<dimension> dimension::intersection(const dynamic_dimension& other) const {
    if (is_symbolic() && other.is_symbolic())
        return sym_expr == other.sym_expr ? std::optional<dynamic_dimension>(*this) : std::nullopt;
    const interval x = get_interval();
    const interval y = other.get_interval();
    const interval both{std::max(x.min, y.min), std::min(x.max, y.max)};
    if (both.min > both.max)
        return std::nullopt;
    const std::set<std::size_t> mine = get_optimals();
    const std::set<std::size_t> theirs = other.get_optimals();
    std::set<std::size_t> result;
    for (std::size_t n : mine.empty() ? theirs : mine)
        if (both.min <= n && n <= both.max &&
            (mine.empty() || theirs.empty() || theirs.count(n) != 0))
            result.insert(n);
    return dynamic_dimension{both.min, both.max, std::move(result)};
}

bool dimension::equal(const dynamic_dimension& x, const dynamic_dimension& y) {
    if (x.is_symbolic() && y.is_symbolic())
        return x.sym_expr == y.sym_expr;
    const interval a = x.get_interval();
    if (a != y.get_interval())
        return false;
    if (a.min == a.max)
        return true;
    return !x.is_symbolic() && !y.is_symbolic() && x.get_optimals() == y.get_optimals();
}

std::ostream& dimension::print(std::ostream& os, const dynamic_dimension& x) {
    const interval bounds = x.get_interval();
    if (x.is_symbolic())
        os << x.sym_expr;
    else if (bounds.min == bounds.max)
        os << bounds.min;
    if (bounds.min != bounds.max)
        os << '[' << bounds.min << ".." << bounds.max << ']';
    return os;
}

dimension dimension::apply(char op, const dynamic_dimension& x, const dynamic_dimension& y) {
    if ((x.is_symbolic() || y.is_symbolic()) && (x.is_symbolic() || x.is_fixed()) &&
        (y.is_symbolic() || y.is_fixed()) && !(op == '/' && y == 0)) {
        const sym::expr a = expression_of(x);
        const sym::expr b = expression_of(y);
        const sym::expr r = op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : a / b;
        return r.eval_interval().max < 0 ? sym::lit(0) : r;
    }
    const interval a = x.get_interval();
    const interval b = y.get_interval();
    const interval bounds = combine_ranges(op, a, b);
    std::set<std::size_t> optimals;
    if (y.is_fixed())
        for (std::size_t n : x.get_optimals())
            optimals.insert(combine_sizes(op, n, b.min));
    else if (x.is_fixed())
        for (std::size_t n : y.get_optimals())
            optimals.insert(combine_sizes(op, a.min, n));
    return {bounds.min, bounds.max, std::move(optimals)};
}

} // namespace migraphx
