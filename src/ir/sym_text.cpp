// SPDX-License-Identifier: MIT
// Text of symbolic expressions: printing, and a recursive-descent reader.
//   sum := product (('+' | '-') product)*      product := unary (('*' | '/') unary)*
//   unary := '-' unary | number | '(' sum ')' | name ['[' int '..' int ']'] ['{' int (',' int)*
//   '}']
// A name is letters, digits, '_', '.', ':' not starting with a digit, or any text in single quotes.
#include "ir/sym_node.hpp"

#include <limits>
#include <map>
#include <ostream>

#include <migraphx/errors.hpp>

namespace migraphx {
namespace sym {

namespace {

bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_name_char(char c) {
    return is_name_start(c) || (c >= '0' && c <= '9') || c == '.' || c == ':';
}

std::string quoted_name(const std::string& name) {
    bool plain = is_name_start(name.front()) && name.find("..") == std::string::npos;
    for (char c : name)
        plain = plain && is_name_char(c);
    if (plain)
        return name;
    std::string result = "'";
    for (char c : name) {
        if (c == '\'' || c == '\\')
            result += '\\';
        result += c;
    }
    return result + "'";
}

struct printer {
    bool declare = false;
    std::string out = {};

    void print(const expr& e) {
        if (e.empty())
            return;
        const node& n = *e.get();
        switch (n.kind) {
        case node_kind::literal:
            out += std::to_string(n.number);
            break;
        case node_kind::variable:
            variable(n);
            break;
        case node_kind::sum:
            for (const auto& [term, coefficient] : n.parts)
                addend(term, coefficient);
            if (n.number != 0) {
                out += n.number < 0 ? " - " : " + ";
                out += magnitude(n.number);
            }
            break;
        case node_kind::product:
            if (n.number == -1)
                out += '-';
            else if (n.number != 1)
                out += std::to_string(n.number) + '*';
            factors(n);
            break;
        case node_kind::quotient:
            operand(n.num(), false);
            out += '/';
            operand(n.den(), true);
            break;
        }
    }

    static std::string magnitude(std::int64_t x) {
        std::string text = std::to_string(x);
        return x < 0 ? text.substr(1) : text;
    }

    void addend(const expr& term, std::int64_t coefficient) {
        if (!out.empty() && !at_start)
            out += coefficient < 0 ? " - " : " + ";
        else if (coefficient < 0)
            out += '-';
        at_start = false;
        if (coefficient != 1 && coefficient != -1)
            out += magnitude(coefficient) + '*';
        if (term.get()->kind == node_kind::product)
            factors(*term.get());
        else if (term.get()->kind == node_kind::quotient && coefficient != 1 && coefficient != -1)
            parenthesised(term);
        else
            nested(term);
    }

    void factors(const node& n) {
        bool first = true;
        for (const auto& [factor, exponent] : n.parts) {
            for (std::int64_t i = 0; i < exponent; ++i) {
                if (!first)
                    out += '*';
                first = false;
                operand(factor, true);
            }
        }
    }

    // Something inside a product or a quotient; `tight` where a*b or a/b needs parentheses too.
    void operand(const expr& e, bool tight) {
        const node& n = *e.get();
        const bool compound =
            n.kind == node_kind::sum || (n.kind == node_kind::literal && n.number < 0);
        if (compound || (tight && (n.kind == node_kind::product || n.kind == node_kind::quotient)))
            parenthesised(e);
        else
            nested(e);
    }

    void parenthesised(const expr& e) {
        out += '(';
        nested(e);
        out += ')';
    }

    void nested(const expr& e) {
        const bool outer = at_start;
        at_start = true;
        print(e);
        at_start = outer;
    }

    void variable(const node& n) {
        out += quoted_name(n.name);
        if (!declare)
            return;
        out += '[' + std::to_string(n.range.min) + ".." + std::to_string(n.range.max) + ']';
        if (n.optimals.empty())
            return;
        const char* separator = "{";
        for (auto x : n.optimals) {
            out += separator + std::to_string(x);
            separator = ", ";
        }
        out += '}';
    }

    bool at_start = true;
};

struct reader {
    const std::string& text;
    std::size_t at = 0;
    std::size_t depth = 0;
    std::map<std::string, expr> known = {};

    [[noreturn]] void error(const std::string& expected) const {
        const std::string got =
            at < text.size() ? "'" + text.substr(at, 16) + "'" : std::string("the end");
        fail(error_kind::invalid_argument,
             "symbolic expression '" + text + "': expected " + expected + ", got " + got);
    }

    char peek() {
        while (at < text.size() && (text[at] == ' ' || text[at] == '\t'))
            ++at;
        return at < text.size() ? text[at] : '\0';
    }

    bool take(char c) {
        if (peek() != c)
            return false;
        ++at;
        return true;
    }

    void expect(char c) {
        if (!take(c))
            error(std::string("'") + c + "'");
    }

    std::int64_t number() {
        const bool negative = take('-');
        if (peek() < '0' || peek() > '9')
            error("a number");
        std::int64_t result = 0;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
            const int digit = text[at] - '0';
            if (__builtin_mul_overflow(result, std::int64_t{10}, &result) ||
                __builtin_sub_overflow(result, digit, &result))
                error("a number of 64 bits");
            ++at;
        }
        if (negative)
            return result;
        if (result == std::numeric_limits<std::int64_t>::min())
            error("a number of 64 bits");
        return -result;
    }

    std::string identifier() {
        std::string result;
        if (take('\'')) {
            while (at < text.size() && text[at] != '\'') {
                if (text[at] == '\\' && at + 1 < text.size())
                    ++at;
                result += text[at++];
            }
            expect('\'');
            return result;
        }
        if (!is_name_start(peek()))
            error("a name, a number or '('");
        while (at < text.size() && is_name_char(text[at]) && text.compare(at, 2, "..") != 0)
            result += text[at++];
        return result;
    }

    expr variable() {
        const std::string name = identifier();
        if (peek() != '[') {
            auto it = known.find(name);
            return it != known.end() ? it->second : var(name);
        }
        expect('[');
        const std::int64_t low = number();
        expect('.');
        expect('.');
        const std::int64_t high = number();
        expect(']');
        std::set<std::int64_t> optimals;
        if (take('{')) {
            do
                optimals.insert(number());
            while (take(','));
            expect('}');
        }
        const expr result = var(name, {low, high}, std::move(optimals));
        known[name] = result;
        return result;
    }

    expr unary() {
        if (++depth > 200)
            error("less nesting");
        expr result;
        const char c = peek();
        if (c == '-') {
            ++at;
            result = -unary();
        } else if (c == '(') {
            ++at;
            result = sum();
            expect(')');
        } else if (c >= '0' && c <= '9') {
            result = lit(number());
        } else {
            result = variable();
        }
        --depth;
        return result;
    }

    expr product() {
        expr result = unary();
        for (;;) {
            if (take('*'))
                result = result * unary();
            else if (take('/'))
                result = result / unary();
            else
                return result;
        }
    }

    expr sum() {
        expr result = product();
        for (;;) {
            if (take('+'))
                result = result + product();
            else if (take('-'))
                result = result - product();
            else
                return result;
        }
    }
};

} // namespace

std::string expr::to_string() const {
    printer p;
    p.print(*this);
    return p.out;
}

std::string expr::to_declaration() const {
    printer p{true};
    p.print(*this);
    return p.out;
}

expr parse(const std::string& s) {
    reader r{s};
    expr result = r.sum();
    if (r.peek() != '\0')
        r.error("an operator or the end");
    return result;
}

std::ostream& operator<<(std::ostream& os, const expr& e) {
    return os << e.to_string();
}

} // namespace sym
} // namespace migraphx
