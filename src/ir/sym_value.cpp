// SPDX-License-Identifier: MIT
// Symbolic expressions in saved programs, tagged by "type":
//   int {value}  sym {name, min, max[, optimals]}  add {constant, terms: [{expr, coeff}]}
//   mul {coeff, factors: [{expr, exp}]}  tdiv {num, den}
#include "ir/sym_node.hpp"

#include <limits>

#include <migraphx/errors.hpp>
#include <migraphx/value.hpp>

namespace migraphx {
namespace sym {

namespace {

constexpr int max_value_depth = 200;

value pairs_to_value(const node& n, const char* weight) {
    value result = value::array{};
    for (const auto& [e, x] : n.parts) {
        value item = value::object{};
        value inner;
        migraphx_to_value(inner, e);
        item["expr"] = inner;
        item[weight] = x;
        result.push_back(item);
    }
    return result;
}

expr read_expr(const value& v, int depth);

const value& member(const value& v, const char* key) {
    if (const value* x = v.find(key); x != v.end())
        return *x;
    fail(error_kind::invalid_argument,
         std::string("symbolic expression: expected the member '") + key + "', got none");
}

std::int64_t integer(const value& v, const char* key) {
    return member(v, key).to<std::int64_t>();
}

expr read_power(const value& v, int depth) {
    const expr base = read_expr(member(v, "expr"), depth);
    const std::int64_t exponent = integer(v, "exp");
    if (exponent < 0 || exponent > 64)
        fail(error_kind::invalid_argument,
             "symbolic expression: expected an exponent from 0 to 64, got " +
                 std::to_string(exponent));
    expr result = lit(1);
    for (std::int64_t i = 0; i < exponent; ++i)
        result = result * base;
    return result;
}

expr read_expr(const value& v, int depth) {
    if (depth > max_value_depth)
        fail(error_kind::invalid_argument, "symbolic expression: expected less nesting, got more "
                                           "than " +
                                               std::to_string(max_value_depth) + " levels");
    if (v.is_int64() || v.is_uint64())
        return lit(v.to<std::int64_t>());
    if (v.is_string())
        return parse(v.get_string());
    if (!v.is_object())
        fail(error_kind::invalid_argument,
             "symbolic expression: expected an object, a number or text, got another kind");
    const std::string type = member(v, "type").to<std::string>();
    if (type == "int")
        return lit(integer(v, "value"));
    if (type == "sym") {
        std::set<std::int64_t> optimals;
        if (const value* list = v.find("optimals"); list != v.end())
            for (const value& x : *list)
                optimals.insert(x.to<std::int64_t>());
        return var(member(v, "name").to<std::string>(), {integer(v, "min"), integer(v, "max")},
                   std::move(optimals));
    }
    if (type == "add") {
        expr result = lit(integer(v, "constant"));
        for (const value& x : member(v, "terms"))
            result = result + read_expr(member(x, "expr"), depth + 1) * integer(x, "coeff");
        return result;
    }
    if (type == "mul") {
        expr result = lit(integer(v, "coeff"));
        for (const value& x : member(v, "factors"))
            result = result * read_power(x, depth + 1);
        return result;
    }
    if (type == "tdiv")
        return read_expr(member(v, "num"), depth + 1) / read_expr(member(v, "den"), depth + 1);
    fail(error_kind::invalid_argument,
         "symbolic expression: expected the type int, sym, add, mul or tdiv, got " + type);
}

} // namespace

void migraphx_to_value(value& v, const expr& e) {
    if (e.empty()) {
        v = nullptr;
        return;
    }
    const node& n = *e.get();
    value result = value::object{};
    switch (n.kind) {
    case node_kind::literal:
        result["type"] = "int";
        result["value"] = n.number;
        break;
    case node_kind::variable:
        result["type"] = "sym";
        result["name"] = n.name;
        result["min"] = n.range.min;
        result["max"] = n.range.max;
        if (!n.optimals.empty())
            result["optimals"] = n.optimals;
        break;
    case node_kind::sum:
        result["type"] = "add";
        result["constant"] = n.number;
        result["terms"] = pairs_to_value(n, "coeff");
        break;
    case node_kind::product:
        result["type"] = "mul";
        result["coeff"] = n.number;
        result["factors"] = pairs_to_value(n, "exp");
        break;
    case node_kind::quotient: {
        value num;
        value den;
        migraphx_to_value(num, n.num());
        migraphx_to_value(den, n.den());
        result["type"] = "tdiv";
        result["num"] = num;
        result["den"] = den;
        break;
    }
    }
    v = result;
}

void migraphx_from_value(const value& v, expr& e) {
    e = v.is_null() ? expr{} : read_expr(v, 0);
}

} // namespace sym
} // namespace migraphx
