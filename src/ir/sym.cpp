// SPDX-License-Identifier: MIT
// Canonical arithmetic on symbolic expressions. An expression is a polynomial with integer
// coefficients over atoms (variables and quotients): terms of higher degree first, then by name.
// A quotient is made only where the division is not exact, with what both sides share cancelled:
//   (a*k)/(b*k) -> a/b        (x*d + r)/d -> x + r/d  for x*d + r >= 0 and r >= 0
//   (x/a + c)/b -> (x + a*c)/(a*b)  for non-negative x and x/a + c
//   (-x)/d -> -(x/d)
#include "ir/sym_node.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <unordered_map>

#include <migraphx/errors.hpp>

namespace migraphx {
namespace sym {

namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t max_terms = 1024;
constexpr std::size_t max_weight = 8192;
constexpr std::size_t max_depth = 256;

std::int64_t saturate(__int128 x) {
    return static_cast<std::int64_t>(std::clamp<__int128>(x, lowest, highest));
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
    return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

void mix(std::size_t& seed, std::size_t x) {
    seed ^= x + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2);
}

template <class T>
int compare_values(const T& a, const T& b) {
    return a < b ? -1 : b < a ? 1 : 0;
}

interval power(const interval& x, std::int64_t n) {
    interval result{1, 1};
    for (std::int64_t i = 0; i < n; ++i) {
        interval next = mul(result, x);
        if (next == result)
            break;
        result = next;
    }
    if (n % 2 == 0 && result.min < 0)
        result.min = 0;
    return result;
}

interval range_of(const node& n) {
    switch (n.kind) {
    case node_kind::literal:
        return {n.number, n.number};
    case node_kind::variable:
        return n.range;
    case node_kind::sum: {
        interval result{n.number, n.number};
        for (const auto& [term, coefficient] : n.parts)
            result = add(result, mul(term.get()->range, {coefficient, coefficient}));
        return result;
    }
    case node_kind::product: {
        interval result{n.number, n.number};
        for (const auto& [factor, exponent] : n.parts)
            result = mul(result, power(factor.get()->range, exponent));
        return result;
    }
    case node_kind::quotient:
        return div(n.num().get()->range, n.den().get()->range);
    }
    return {};
}

expr make_node(node n) {
    n.range = range_of(n);
    std::size_t h = static_cast<std::size_t>(n.kind) + 1;
    mix(h, static_cast<std::size_t>(n.number));
    if (n.kind == node_kind::variable) {
        mix(h, std::hash<std::string>{}(n.name));
        mix(h, static_cast<std::size_t>(n.range.min));
        mix(h, static_cast<std::size_t>(n.range.max));
        for (auto x : n.optimals)
            mix(h, static_cast<std::size_t>(x));
    }
    for (const auto& [e, x] : n.parts) {
        mix(h, e.hash());
        mix(h, static_cast<std::size_t>(x));
        n.weight += e.get()->weight;
        n.depth = std::max(n.depth, e.get()->depth + 1);
    }
    if (n.weight > max_weight || n.depth > max_depth)
        sym_error("expected at most " + std::to_string(max_weight) + " parts nested at most " +
                  std::to_string(max_depth) + " deep, got more");
    n.hash = h;
    return expr{std::make_shared<const node>(std::move(n))};
}

bool is_number(const expr& e, std::int64_t x) {
    return e.get()->kind == node_kind::literal && e.get()->number == x;
}

// ---- polynomials ------------------------------------------------------------------------------

using monomial = std::vector<std::pair<expr, std::int64_t>>; // atoms in order, exponents > 0

std::int64_t degree(const monomial& m) {
    std::int64_t result = 0;
    for (const auto& p : m)
        result += p.second;
    return result;
}

// Graded lexicographic, larger first; compatible with multiplication.
struct before {
    bool operator()(const monomial& a, const monomial& b) const {
        if (auto x = degree(a), y = degree(b); x != y)
            return x > y;
        for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
            if (int c = compare_form(a[i].first, b[i].first); c != 0)
                return c < 0;
            if (a[i].second != b[i].second)
                return a[i].second > b[i].second;
        }
        return a.size() > b.size();
    }
};

using polynomial = std::map<monomial, std::int64_t, before>;

void accumulate_term(polynomial& p, const monomial& m, std::int64_t coefficient) {
    if (coefficient == 0)
        return;
    auto [it, fresh] = p.try_emplace(m, coefficient);
    if (fresh)
        return;
    it->second = checked_add(it->second, coefficient);
    if (it->second == 0)
        p.erase(it);
}

monomial monomial_of(const expr& e) {
    const node& n = *e.get();
    if (n.kind == node_kind::product)
        return n.parts;
    return {{e, 1}};
}

polynomial to_polynomial(const expr& e) {
    const node& n = checked_node(e);
    polynomial p;
    switch (n.kind) {
    case node_kind::literal:
        accumulate_term(p, {}, n.number);
        break;
    case node_kind::sum:
        accumulate_term(p, {}, n.number);
        for (const auto& [term, coefficient] : n.parts)
            accumulate_term(p, monomial_of(term), coefficient);
        break;
    case node_kind::product:
        accumulate_term(p, n.parts, n.number);
        break;
    case node_kind::variable:
    case node_kind::quotient:
        accumulate_term(p, {{e, 1}}, 1);
        break;
    }
    return p;
}

expr from_monomial(const monomial& m, std::int64_t coefficient) {
    if (m.empty())
        return lit(coefficient);
    if (coefficient == 1 && m.size() == 1 && m[0].second == 1)
        return m[0].first;
    node n;
    n.kind = node_kind::product;
    n.number = coefficient;
    n.parts = m;
    return make_node(std::move(n));
}

expr from_polynomial(const polynomial& p) {
    if (p.empty())
        return lit(0);
    if (p.size() == 1)
        return from_monomial(p.begin()->first, p.begin()->second);
    node n;
    n.kind = node_kind::sum;
    for (const auto& [m, coefficient] : p) {
        if (m.empty())
            n.number = coefficient;
        else
            n.parts.emplace_back(from_monomial(m, 1), coefficient);
    }
    return make_node(std::move(n));
}

monomial multiply(const monomial& a, const monomial& b) {
    monomial result;
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a.size() || j < b.size()) {
        int c = i == a.size() ? 1 : j == b.size() ? -1 : compare_form(a[i].first, b[j].first);
        if (c < 0) {
            result.push_back(a[i++]);
        } else if (c > 0) {
            result.push_back(b[j++]);
        } else {
            result.emplace_back(a[i].first, checked_add(a[i].second, b[j].second));
            ++i;
            ++j;
        }
    }
    return result;
}

// a / b where every atom of b is in a often enough.
std::optional<monomial> divide(const monomial& a, const monomial& b) {
    monomial result;
    std::size_t j = 0;
    for (const auto& [atom, exponent] : a) {
        std::int64_t left = exponent;
        if (j < b.size() && b[j].first == atom)
            left -= b[j++].second;
        if (left < 0)
            return std::nullopt;
        if (left > 0)
            result.emplace_back(atom, left);
    }
    if (j != b.size())
        return std::nullopt;
    return result;
}

polynomial multiply(const polynomial& a, const polynomial& b) {
    polynomial result;
    for (const auto& [m1, c1] : a)
        for (const auto& [m2, c2] : b)
            accumulate_term(result, multiply(m1, m2), checked_mul(c1, c2));
    return result;
}

// The quotient when b divides a without remainder.
std::optional<polynomial> divide_exactly(polynomial a, const polynomial& b) {
    polynomial quotient;
    const auto& [lead, lead_coefficient] = *b.begin();
    for (std::size_t steps = 0; !a.empty(); ++steps) {
        const auto& [m, c] = *a.begin();
        auto q = divide(m, lead);
        if (!q || c % lead_coefficient != 0 || steps > max_terms)
            return std::nullopt;
        const std::int64_t qc = c / lead_coefficient;
        accumulate_term(quotient, *q, qc);
        const monomial qm = *q;
        for (const auto& [bm, bc] : b)
            accumulate_term(a, multiply(qm, bm), checked_mul(checked_mul(qc, bc), -1));
    }
    return quotient;
}

// What divides every term of both.
std::pair<monomial, std::int64_t> common_factor(const polynomial& a, const polynomial& b) {
    std::int64_t g = 0;
    std::optional<monomial> common;
    for (const polynomial* p : {&a, &b}) {
        for (const auto& [m, c] : *p) {
            g = c == lowest ? 1 : std::gcd(g, c);
            if (!common) {
                common = m;
                continue;
            }
            monomial shared;
            for (const auto& [atom, exponent] : *common)
                for (const auto& [other, e] : m)
                    if (atom == other)
                        shared.emplace_back(atom, std::min(exponent, e));
            common = std::move(shared);
        }
    }
    return {common.value_or(monomial{}), g == 0 ? 1 : g};
}

polynomial divide_terms(const polynomial& p, const monomial& m, std::int64_t c) {
    polynomial result;
    for (const auto& [pm, pc] : p)
        accumulate_term(result, *divide(pm, m), pc / c);
    return result;
}

expr make_quotient(const expr& a, const expr& b) {
    node n;
    n.kind = node_kind::quotient;
    n.parts = {{a, 1}, {b, 1}};
    const interval range = range_of(n);
    if (range.min == range.max && b.get()->range != interval{0, 0})
        return lit(range.min);
    return make_node(std::move(n));
}

// (x/a + c)/b -> (x + a*c)/(a*b) for literals a, b > 0.
std::optional<expr> merge_nested(const expr& num, std::int64_t b) {
    const node& n = *num.get();
    expr inner = num;
    std::int64_t c = 0;
    if (n.kind == node_kind::sum && n.parts.size() == 1 && n.parts[0].second == 1) {
        inner = n.parts[0].first;
        c = n.number;
    }
    const node& q = *inner.get();
    if (q.kind != node_kind::quotient || q.den().get()->kind != node_kind::literal)
        return std::nullopt;
    const std::int64_t a = q.den().get()->number;
    if (a <= 0 || (c != 0 && (q.num().get()->range.min < 0 || n.range.min < 0)))
        return std::nullopt;
    std::int64_t ab = 0;
    std::int64_t ac = 0;
    if (__builtin_mul_overflow(a, b, &ab) || __builtin_mul_overflow(a, c, &ac))
        return std::nullopt;
    return (q.num() + lit(ac)) / lit(ab);
}

// Whole multiples of the monomial d leave the quotient: p = d * whole + rest.
std::optional<std::pair<polynomial, polynomial>>
split_multiples(const polynomial& p, const monomial& d, std::int64_t dc) {
    polynomial whole;
    polynomial rest;
    for (const auto& [m, c] : p) {
        auto q = divide(m, d);
        if (q && c % dc == 0) {
            accumulate_term(whole, *q, c / dc);
        } else if (m.empty() && d.empty()) {
            const std::int64_t f = floor_div(c, dc);
            accumulate_term(whole, {}, f);
            accumulate_term(rest, {}, c - f * dc);
        } else {
            accumulate_term(rest, m, c);
        }
    }
    if (whole.empty())
        return std::nullopt;
    return std::pair{whole, rest};
}

} // namespace

// ---- checks ------------------------------------------------------------------------------------

void sym_error(const std::string& message) {
    fail(error_kind::invalid_argument, "symbolic expression: " + message);
}

std::int64_t checked_add(std::int64_t a, std::int64_t b) {
    std::int64_t r = 0;
    if (__builtin_add_overflow(a, b, &r))
        sym_error("expected a sum that fits 64 bits, got " + std::to_string(a) + " + " +
                  std::to_string(b));
    return r;
}

std::int64_t checked_mul(std::int64_t a, std::int64_t b) {
    std::int64_t r = 0;
    if (__builtin_mul_overflow(a, b, &r))
        sym_error("expected a product that fits 64 bits, got " + std::to_string(a) + " * " +
                  std::to_string(b));
    return r;
}

std::int64_t checked_div(std::int64_t a, std::int64_t b) {
    if (b == 0)
        sym_error("expected a divisor other than 0, got " + std::to_string(a) + " / 0");
    if (a == lowest && b == -1)
        sym_error("expected a quotient that fits 64 bits, got " + std::to_string(a) + " / -1");
    return a / b;
}

const node& checked_node(const expr& e) {
    if (e.empty())
        sym_error("expected an expression, got an empty one");
    return *e.get();
}

// ---- intervals --------------------------------------------------------------------------------

interval add(const interval& a, const interval& b) {
    return {saturate(static_cast<__int128>(a.min) + b.min),
            saturate(static_cast<__int128>(a.max) + b.max)};
}

interval mul(const interval& a, const interval& b) {
    const __int128 x[] = {
        static_cast<__int128>(a.min) * b.min, static_cast<__int128>(a.min) * b.max,
        static_cast<__int128>(a.max) * b.min, static_cast<__int128>(a.max) * b.max};
    return {saturate(*std::min_element(x, x + 4)), saturate(*std::max_element(x, x + 4))};
}

interval div(const interval& a, const interval& b) {
    std::vector<std::int64_t> divisors;
    for (std::int64_t x : {b.min, b.max, std::int64_t{1}, std::int64_t{-1}})
        if (x != 0 && b.min <= x && x <= b.max)
            divisors.push_back(x);
    if (divisors.empty())
        return {0, 0};
    interval result{highest, lowest};
    for (std::int64_t d : divisors) {
        for (std::int64_t n : {a.min, a.max}) {
            const std::int64_t q = saturate(static_cast<__int128>(n) / d);
            result.min = std::min(result.min, q);
            result.max = std::max(result.max, q);
        }
    }
    return result;
}

// ---- order and equality -----------------------------------------------------------------------

int compare_form(const expr& a, const expr& b) {
    if (a.get() == b.get())
        return 0;
    if (a.empty() || b.empty())
        return a.empty() ? -1 : 1;
    const node& x = *a.get();
    const node& y = *b.get();
    if (int c = compare_values(x.kind, y.kind))
        return c;
    if (int c = compare_values(x.name, y.name))
        return c;
    if (int c = compare_values(x.number, y.number))
        return c;
    if (x.kind == node_kind::variable) {
        if (int c = compare_values(std::pair(x.range.min, x.range.max),
                                   std::pair(y.range.min, y.range.max)))
            return c;
        return compare_values(x.optimals, y.optimals);
    }
    for (std::size_t i = 0; i < x.parts.size() && i < y.parts.size(); ++i) {
        if (int c = compare_form(x.parts[i].first, y.parts[i].first))
            return c;
        if (int c = compare_values(x.parts[i].second, y.parts[i].second))
            return c;
    }
    return compare_values(x.parts.size(), y.parts.size());
}

bool expr::equal(const expr& a, const expr& b) {
    return a.hash() == b.hash() && compare_form(a, b) == 0;
}

bool operator<(const expr& a, const expr& b) {
    if (a.get() == b.get())
        return false;
    if (a.empty() || b.empty())
        return a.empty();
    const interval& x = a.get()->range;
    const interval& y = b.get()->range;
    if (x.max != y.max)
        return x.max < y.max;
    if (x.min != y.min)
        return x.min < y.min;
    return compare_form(a, b) < 0;
}

// ---- construction -----------------------------------------------------------------------------

expr lit(std::int64_t n) {
    static const std::vector<expr> small = [] {
        std::vector<expr> result;
        for (std::int64_t i = 0; i < 64; ++i) {
            node x;
            x.number = i;
            result.push_back(make_node(std::move(x)));
        }
        return result;
    }();
    if (n >= 0 && n < static_cast<std::int64_t>(small.size()))
        return small[static_cast<std::size_t>(n)];
    node x;
    x.number = n;
    return make_node(std::move(x));
}

expr var(const std::string& name, interval bounds, std::set<std::int64_t> optimals) {
    if (name.empty())
        sym_error("expected a variable's name, got an empty one");
    if (bounds.min > bounds.max)
        sym_error("expected bounds in order for " + name + ", got [" + std::to_string(bounds.min) +
                  ".." + std::to_string(bounds.max) + "]");
    node x;
    x.kind = node_kind::variable;
    x.name = name;
    x.range = bounds;
    if (bounds.min != bounds.max)
        x.optimals = std::move(optimals);
    return make_node(std::move(x));
}

expr var(const std::string& name) {
    return var(name, {0, highest});
}

expr operator+(const expr& a, const expr& b) {
    const node& x = checked_node(a);
    const node& y = checked_node(b);
    if (x.kind == node_kind::literal && y.kind == node_kind::literal)
        return lit(checked_add(x.number, y.number));
    if (is_number(a, 0))
        return b;
    if (is_number(b, 0))
        return a;
    polynomial p = to_polynomial(a);
    for (const auto& [m, c] : to_polynomial(b))
        accumulate_term(p, m, c);
    return from_polynomial(p);
}

expr operator-(const expr& a) {
    return a * lit(-1);
}

expr operator-(const expr& a, const expr& b) {
    return a + b * lit(-1);
}

expr operator*(const expr& a, const expr& b) {
    const node& x = checked_node(a);
    const node& y = checked_node(b);
    if (x.kind == node_kind::literal && y.kind == node_kind::literal)
        return lit(checked_mul(x.number, y.number));
    if (is_number(a, 1) || is_number(b, 0))
        return b;
    if (is_number(b, 1) || is_number(a, 0))
        return a;
    const polynomial p = to_polynomial(a);
    const polynomial q = to_polynomial(b);
    if (p.size() * q.size() > max_terms)
        sym_error("expected a product of at most " + std::to_string(max_terms) +
                  " terms, got more");
    return from_polynomial(multiply(p, q));
}

expr operator/(const expr& a, const expr& b) {
    const node& x = checked_node(a);
    const node& y = checked_node(b);
    if (is_number(b, 0))
        sym_error("expected a divisor other than 0, got " + a.to_string() + " / 0");
    if (x.kind == node_kind::literal && y.kind == node_kind::literal)
        return lit(checked_div(x.number, y.number));
    if (is_number(b, 1) || is_number(a, 0))
        return a;
    polynomial p = to_polynomial(a);
    polynomial q = to_polynomial(b);
    if (q.begin()->second < 0 && q.begin()->second != lowest)
        return -(a / -b);
    const std::int64_t lead = p.begin()->second;
    const bool negative =
        x.range.min < 0 ? x.range.max <= 0 || lead < 0 : x.range.max == 0 && lead < 0;
    if (negative && lead != lowest)
        return -(-a / b);
    if (auto exact = divide_exactly(p, q))
        return from_polynomial(*exact);
    const auto [m, c] = common_factor(p, q);
    if (!m.empty() || c != 1)
        return from_polynomial(divide_terms(p, m, c)) / from_polynomial(divide_terms(q, m, c));
    if (q.size() == 1 && y.range.min > 0 && x.range.min >= 0) {
        if (auto parts = split_multiples(p, q.begin()->first, q.begin()->second)) {
            const expr rest = from_polynomial(parts->second);
            if (rest.get()->range.min >= 0)
                return from_polynomial(parts->first) + rest / b;
        }
    }
    if (y.kind == node_kind::literal)
        if (auto merged = merge_nested(a, y.number))
            return *merged;
    return make_quotient(a, b);
}

// ---- observers --------------------------------------------------------------------------------

bool expr::is_literal() const {
    return root && root->kind == node_kind::literal;
}
bool expr::is_variable() const {
    return root && root->kind == node_kind::variable;
}

const std::string& expr::name() const {
    static const std::string none;
    return root ? root->name : none;
}

std::size_t expr::hash() const {
    return root ? root->hash : 0;
}

} // namespace sym
} // namespace migraphx
