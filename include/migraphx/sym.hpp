// SPDX-License-Identifier: MIT
// Symbolic integer expressions for dimensions: literals, named variables with bounds, sums,
// products and truncating quotients. Expressions are immutable, cheap to copy, and kept in a
// canonical form (expanded polynomial over variables and quotients), so that equal forms compare
// equal: n + n == 2 * n, (n * 2) / 2 == n.
#ifndef MIGRAPHX_SYM_HPP
#define MIGRAPHX_SYM_HPP

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

namespace migraphx {
class value;
namespace sym {
struct expr;
struct node;
} // namespace sym
} // namespace migraphx

namespace std {
template <>
struct hash<migraphx::sym::expr> {
    std::size_t operator()(const migraphx::sym::expr& e) const;
};
} // namespace std

namespace migraphx {
namespace sym {

/// Closed range of integers. Arithmetic on it saturates at the limits of int64_t.
struct interval {
    std::int64_t min = 0;
    std::int64_t max = 0;

    interval() = default;
    interval(std::int64_t low, std::int64_t high) : min(low), max(high) {}

    friend bool operator==(const interval& x, const interval& y) {
        return x.min == y.min && x.max == y.max;
    }
    friend bool operator!=(const interval& x, const interval& y) { return !(x == y); }
};

struct expr {
    /// The empty expression: no value. Every operation but comparison and hash() rejects it.
    expr() = default;
    /// Takes a node made by this library; users start from lit, var and parse.
    explicit expr(std::shared_ptr<const node> n) : root(std::move(n)) {}

    bool empty() const { return root == nullptr; }
    bool is_literal() const;
    /// True for a bare variable.
    bool is_variable() const;
    /// The variable's name; empty when this is no bare variable.
    const std::string& name() const;
    /// All variables in it, in the canonical order.
    std::set<expr> variables() const;

    /// Value for these values of the variables. Throws for a variable that is not in the map
    /// (unless its bounds are one number), for a negative result, for a division by zero and when
    /// a value does not fit.
    std::size_t eval_uint(const std::unordered_map<expr, std::size_t>& symbol_map = {}) const;
    std::int64_t eval_int(const std::unordered_map<expr, std::size_t>& symbol_map = {}) const;
    /// Bounds that hold for all values of the variables within their bounds.
    interval eval_interval() const;
    /// Values at the optimals of the variables; empty when a non-fixed variable has none.
    std::set<std::size_t> eval_optimals() const;
    /// Replaces every sub-expression that is a key of the map.
    expr subs(const std::unordered_map<expr, expr>& symbol_map) const;

    /// "2*n + m*k - 1", "(n + 1)/2".
    std::string to_string() const;
    /// As to_string, with every variable followed by its bounds and optimals: "2*n[1..8]{2, 4}".
    /// `parse` gives the same expression back.
    std::string to_declaration() const;
    std::size_t hash() const;

    const node* get() const { return root.get(); }

    friend bool operator==(const expr& a, const expr& b) { return a.root == b.root || equal(a, b); }
    friend bool operator!=(const expr& a, const expr& b) { return !(a == b); }

private:
    static bool equal(const expr& a, const expr& b);
    std::shared_ptr<const node> root;
};

expr lit(std::int64_t n);
/// A variable. Two variables are the same when name, bounds and optimals are.
expr var(const std::string& name, interval bounds, std::set<std::int64_t> optimals = {});
/// A variable that may be any non-negative number.
expr var(const std::string& name);
/// Reads the text of to_string and to_declaration. A variable without bounds gets those of an
/// earlier mention in the same text, else it is var(name).
expr parse(const std::string& s);

expr operator+(const expr& a, const expr& b);
expr operator-(const expr& a, const expr& b);
expr operator*(const expr& a, const expr& b);
/// Quotient truncated toward zero, as in C++.
expr operator/(const expr& a, const expr& b);
expr operator-(const expr& a);

inline expr operator+(const expr& a, std::int64_t b) {
    return a + lit(b);
}
inline expr operator-(const expr& a, std::int64_t b) {
    return a - lit(b);
}
inline expr operator*(const expr& a, std::int64_t b) {
    return a * lit(b);
}
inline expr operator/(const expr& a, std::int64_t b) {
    return a / lit(b);
}
inline expr operator+(std::int64_t a, const expr& b) {
    return lit(a) + b;
}
inline expr operator-(std::int64_t a, const expr& b) {
    return lit(a) - b;
}
inline expr operator*(std::int64_t a, const expr& b) {
    return lit(a) * b;
}
inline expr operator/(std::int64_t a, const expr& b) {
    return lit(a) / b;
}
inline expr& operator+=(expr& a, const expr& b) {
    return a = a + b;
}
inline expr& operator-=(expr& a, const expr& b) {
    return a = a - b;
}
inline expr& operator*=(expr& a, const expr& b) {
    return a = a * b;
}
inline expr& operator/=(expr& a, const expr& b) {
    return a = a / b;
}

/// Total order by upper bound, then lower bound, then form. When a is less than b for all values
/// of their variables, a < b holds (n < n + 1, n < 2 * n for n >= 1). The empty one comes first.
bool operator<(const expr& a, const expr& b);
inline bool operator>(const expr& a, const expr& b) {
    return b < a;
}
inline bool operator<=(const expr& a, const expr& b) {
    return !(b < a);
}
inline bool operator>=(const expr& a, const expr& b) {
    return !(a < b);
}

std::ostream& operator<<(std::ostream& os, const expr& e);

/// The tagged tree of saved programs; null for the empty expression.
void migraphx_to_value(value& v, const expr& e);
void migraphx_from_value(const value& v, expr& e);

} // namespace sym
} // namespace migraphx

inline std::size_t std::hash<migraphx::sym::expr>::operator()(const migraphx::sym::expr& e) const {
    return e.hash();
}

#endif
