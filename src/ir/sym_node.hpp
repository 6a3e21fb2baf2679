// SPDX-License-Identifier: MIT
// The nodes behind sym::expr. Only canonical ones exist: see sym.cpp for the rules.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <migraphx/sym.hpp>

namespace migraphx {
namespace sym {

enum class node_kind { literal, variable, sum, product, quotient };

// literal:  number
// variable: name, range (its bounds), optimals
// sum:      number + sum of first * second over parts; a part's first is a variable, a quotient or
// a
//           product with number 1
// product:  number * product of first ^ second over parts; at least one part
// quotient: parts[0].first / parts[1].first, truncated
struct node {
    node_kind kind = node_kind::literal;
    std::int64_t number = 0;
    std::string name;
    std::set<std::int64_t> optimals;
    std::vector<std::pair<expr, std::int64_t>> parts;
    interval range;
    std::size_t hash = 0;
    std::size_t weight = 1; // nodes of the tree
    std::size_t depth = 1;

    const expr& num() const { return parts[0].first; }
    const expr& den() const { return parts[1].first; }
};

// Errors of this subject; arithmetic and access that throw them.
[[noreturn]] void sym_error(const std::string& message);
std::int64_t checked_add(std::int64_t a, std::int64_t b);
std::int64_t checked_mul(std::int64_t a, std::int64_t b);
std::int64_t checked_div(std::int64_t a, std::int64_t b);
const node& checked_node(const expr& e);

// Total order by form.
int compare_form(const expr& a, const expr& b);

// Saturating interval arithmetic.
interval add(const interval& a, const interval& b);
interval mul(const interval& a, const interval& b);
interval div(const interval& a, const interval& b);

} // namespace sym
} // namespace migraphx
