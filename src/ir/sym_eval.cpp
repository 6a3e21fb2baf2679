// SPDX-License-Identifier: MIT
// Values of symbolic expressions for given variables, and replacement of sub-expressions.
#include "ir/sym_node.hpp"

#include <limits>
#include <unordered_map>

#include <migraphx/errors.hpp>

namespace migraphx {
namespace sym {

namespace {

constexpr std::int64_t largest_value = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t max_points = 1024;

using symbol_values = std::unordered_map<expr, std::size_t>;

struct evaluator {
    const symbol_values& values;
    std::unordered_map<const node*, std::int64_t> seen = {};

    std::int64_t number(const expr& e) {
        const node& n = checked_node(e);
        if (n.kind == node_kind::literal)
            return n.number;
        if (auto it = seen.find(&n); it != seen.end())
            return it->second;
        return seen[&n] = compute(e, n);
    }

    std::int64_t compute(const expr& e, const node& n) {
        if (auto it = values.find(e); it != values.end()) {
            if (it->second > static_cast<std::size_t>(largest_value))
                sym_error("expected a value below 2^63 for " + e.to_string() + ", got " +
                          std::to_string(it->second));
            return static_cast<std::int64_t>(it->second);
        }
        switch (n.kind) {
        case node_kind::literal:
            return n.number;
        case node_kind::variable:
            if (n.range.min != n.range.max)
                sym_error("expected a value for " + n.name + ", got none");
            return n.range.min;
        case node_kind::sum: {
            std::int64_t result = n.number;
            for (const auto& [term, coefficient] : n.parts)
                result = checked_add(result, checked_mul(number(term), coefficient));
            return result;
        }
        case node_kind::product: {
            std::int64_t result = n.number;
            for (const auto& [factor, exponent] : n.parts) {
                const std::int64_t x = number(factor);
                if (x == 0)
                    return 0;
                for (std::int64_t i = 0; i < exponent && x != 1; ++i)
                    result = checked_mul(result, x);
            }
            return result;
        }
        case node_kind::quotient:
            return checked_div(number(n.num()), number(n.den()));
        }
        return 0;
    }
};

struct replacer {
    const std::unordered_map<expr, expr>& values;
    std::unordered_map<const node*, expr> seen = {};

    expr replace(const expr& e) {
        const node& n = checked_node(e);
        if (auto it = values.find(e); it != values.end())
            return it->second;
        if (n.kind == node_kind::literal || n.kind == node_kind::variable)
            return e;
        if (auto it = seen.find(&n); it != seen.end())
            return it->second;
        expr result;
        if (n.kind == node_kind::quotient) {
            result = replace(n.num()) / replace(n.den());
        } else if (n.kind == node_kind::sum) {
            result = lit(n.number);
            for (const auto& [term, coefficient] : n.parts)
                result = result + replace(term) * coefficient;
        } else {
            result = lit(n.number);
            for (const auto& [factor, exponent] : n.parts) {
                const expr x = replace(factor);
                for (std::int64_t i = 0; i < exponent; ++i)
                    result = result * x;
            }
        }
        seen.emplace(&n, result);
        return result;
    }
};

void collect_variables(const expr& e, std::set<const node*>& seen, std::set<expr>& result) {
    if (e.empty() || !seen.insert(e.get()).second)
        return;
    if (e.get()->kind == node_kind::variable)
        result.insert(e);
    for (const auto& p : e.get()->parts)
        collect_variables(p.first, seen, result);
}

} // namespace

std::set<expr> expr::variables() const {
    std::set<const node*> seen;
    std::set<expr> result;
    collect_variables(*this, seen, result);
    return result;
}

interval expr::eval_interval() const {
    return checked_node(*this).range;
}

std::int64_t expr::eval_int(const std::unordered_map<expr, std::size_t>& symbol_map) const {
    return evaluator{symbol_map}.number(*this);
}

std::size_t expr::eval_uint(const std::unordered_map<expr, std::size_t>& symbol_map) const {
    const std::int64_t result = eval_int(symbol_map);
    if (result < 0)
        sym_error("expected a non-negative value of " + to_string() + ", got " +
                  std::to_string(result));
    return static_cast<std::size_t>(result);
}

expr expr::subs(const std::unordered_map<expr, expr>& symbol_map) const {
    return replacer{symbol_map}.replace(*this);
}

std::set<std::size_t> expr::eval_optimals() const {
    checked_node(*this);
    std::vector<std::unordered_map<expr, std::size_t>> points = {{}};
    bool any = false;
    for (const expr& v : variables()) {
        const node& n = *v.get();
        if (n.range.min == n.range.max)
            continue;
        if (n.optimals.empty() || points.size() * n.optimals.size() > max_points)
            return {};
        any = true;
        std::vector<std::unordered_map<expr, std::size_t>> next;
        for (const auto& point : points) {
            for (std::int64_t x : n.optimals) {
                if (x < 0)
                    continue;
                next.push_back(point);
                next.back()[v] = static_cast<std::size_t>(x);
            }
        }
        points = std::move(next);
    }
    std::set<std::size_t> result;
    if (!any)
        return result;
    for (const auto& point : points) {
        const std::int64_t x = eval_int(point);
        if (x >= 0)
            result.insert(static_cast<std::size_t>(x));
    }
    return result;
}

} // namespace sym
} // namespace migraphx
