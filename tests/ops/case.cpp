// SPDX-License-Identifier: MIT
// Reads the lines of tests/ops/*.txt.
#include "case.hpp"

#include <migraphx/generate.hpp>

#include "ops/tensor.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

namespace op_cases {

using namespace migraphx;

namespace {

bool blank(char c) {
    return c == ' ' or c == '\t';
}

class scanner {
public:
    explicit scanner(std::string line) : text(std::move(line)) {}

    [[noreturn]] void fail(const std::string& wanted) const {
        throw std::runtime_error("expected " + wanted + ", got '" + text.substr(at) + "'");
    }
    bool end() {
        while (at < text.size() and blank(text[at]))
            ++at;
        return at == text.size();
    }
    char next() { return end() ? '\0' : text[at]; }
    bool take(const std::string& word) {
        if (end() or text.compare(at, word.size(), word) != 0)
            return false;
        at += word.size();
        return true;
    }
    std::string word() {
        end();
        const auto start = at;
        while (at < text.size() and not blank(text[at]) and
               std::string("{}()[];").find(text[at]) == std::string::npos)
            ++at;
        return text.substr(start, at - start);
    }
    /// Up to the blank that is outside of all brackets.
    std::string operation() {
        end();
        const auto start = at;
        int depth = 0;
        for (; at < text.size() and (depth > 0 or not blank(text[at])); ++at)
            depth += text[at] == '[' or text[at] == '{'   ? 1
                     : text[at] == ']' or text[at] == '}' ? -1
                                                          : 0;
        return text.substr(start, at - start);
    }
    bool number(double& x) {
        end();
        if (take("true") or take("false")) {
            x = text[at - 2] == 'u' ? 1 : 0;
            return true;
        }
        const char* start = text.c_str() + at;
        if (start[0] == '-' and (start[1] == '>' or start[1] == '\0'))
            return false;
        char* stop = nullptr;
        x = std::strtod(start, &stop);
        at += std::size_t(stop - start);
        if (stop != start)
            take(",");
        return stop != start;
    }
    std::vector<double> numbers() {
        std::vector<double> result;
        for (double x = 0; number(x);)
            result.push_back(x);
        return result;
    }
    std::vector<double> between(const char* open, const char* close) {
        if (not take(open))
            fail(std::string("'") + open + "'");
        auto result = numbers();
        if (not take(close))
            fail(std::string("'") + close + "'");
        return result;
    }
    std::vector<std::size_t> sizes() {
        std::vector<std::size_t> result;
        for (double x : between("{", "}"))
            result.push_back(std::size_t(x));
        return result;
    }
    /// A text in double quotes, with line ends in place of `;`.
    std::string quoted() {
        if (not take("\""))
            fail("a text in double quotes");
        const auto end_of_text = text.find('"', at);
        if (end_of_text == std::string::npos)
            fail("a closing quote");
        auto result = text.substr(at, end_of_text - at);
        std::replace(result.begin(), result.end(), ';', '\n');
        at = end_of_text + 1;
        return result;
    }
    std::string rest() { return end() ? "" : text.substr(std::exchange(at, text.size())); }
    std::size_t position() const { return at; }

private:
    std::string text;
    std::size_t at = 0;
};

class line_reader {
public:
    explicit line_reader(const std::string& line) : in(line) { result.text = line; }

    op_case read() {
        result.operation = in.operation();
        while (not in.end())
            item();
        return std::move(result);
    }

private:
    operand& last() {
        if (result.operands.empty())
            in.fail("an operand first");
        return result.operands.back();
    }
    void lens_of(operand& o) { o.type = shape{o.type.type(), in.sizes()}; }
    void item() {
        if (in.next() == '{') {
            if (result.operands.empty())
                in.fail("a type");
            operand o;
            o.type = shape{result.operands.front().type.type()};
            lens_of(o);
            result.operands.push_back(o);
        } else if (in.next() == '(')
            last().values = in.between("(", ")");
        else if (in.take("!!"))
            result.error = in.rest();
        else if (in.take("=>"))
            do {
                stated_shape s;
                if (in.next() != '{')
                    s.type = shape::parse_type(in.word());
                s.lens = in.sizes();
                result.shapes.push_back(s);
            } while (in.take(";"));
        else if (in.take("->"))
            do
                result.results.push_back(in.numbers());
            while (in.take(";"));
        else if (in.take("=")) {
            std::size_t i = 0;
            do {
                auto values = in.numbers();
                if (i >= result.operands.size())
                    in.fail("no more values than operands");
                if (not values.empty())
                    result.operands[i].values = values;
                ++i;
            } while (in.take(";"));
        } else
            word();
    }
    void word() {
        const auto w = in.word();
        if (w == "strides") {
            auto& o = last();
            o.type = shape{o.type.type(), o.type.lens(), in.sizes()};
        } else if (w == "in") {
            const auto r = in.between("[", "]");
            if (r.size() != 2)
                in.fail("a lower and an upper bound");
            last().range = {r[0], r[1]};
        } else if (w == "mod")
            result.modules.push_back(in.quoted());
        else if (w == "const")
            last().constant = true;
        else if (w == "none") {
            result.operands.emplace_back();
            result.operands.back().missing = true;
        } else if (w == "tol") {
            double x = 0;
            if (not in.number(x))
                in.fail("a number");
            result.tolerance = x;
        } else if (w == "packed")
            result.packed = true;
        else if (w == "static")
            result.fixed = true;
        else if (w == "writes")
            result.writes = true;
        else if (w == "batch")
            result.batch = true;
        else {
            if (w.empty())
                in.fail("an operand or a word");
            operand o;
            o.type = shape{shape::parse_type(w)};
            if (in.next() == '{')
                lens_of(o);
            result.operands.push_back(o);
        }
    }

    scanner in;
    op_case result;
};

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts(1);
    for (char c : text)
        if (c == at)
            parts.emplace_back();
        else
            parts.back() += c;
    return parts;
}

} // namespace

std::vector<op_case> read_cases(const std::string& line) {
    scanner start(line);
    start.operation();
    const auto begin = (start.end(), start.position());
    const auto first = start.word();
    const auto types = split(first, ',');
    if (types.size() == 1)
        return {line_reader(line).read()};
    // The tolerances stand in the order of the types.
    auto tail = line.substr(begin + first.size());
    std::vector<double> tolerances;
    if (const auto tol = tail.find(" tol "); tol != std::string::npos) {
        scanner s(tail.substr(tol + 5));
        tolerances = s.numbers();
        tail = tail.substr(0, tol) + " " + s.rest();
    }
    std::vector<op_case> result;
    for (std::size_t i = 0; i < types.size(); ++i) {
        auto text = line.substr(0, begin) + types[i] + tail;
        if (i < tolerances.size()) {
            char digits[32];
            std::snprintf(digits, sizeof digits, " tol %g ", tolerances[i]);
            const auto error = text.find("!!");
            text.insert(error == std::string::npos ? text.size() : error, digits);
        }
        while (not text.empty() and blank(text.back()))
            text.pop_back();
        result.push_back(line_reader(text).read());
    }
    return result;
}

argument make_operand(const operand& o, std::size_t position) {
    const auto& lens = o.type.lens();
    const shape packed =
        o.type.ndim() == 1 and o.type.scalar() ? o.type : shape{o.type.type(), lens};
    if (not o.values and not o.range)
        return generate_argument(packed, position, random_mode::random);
    std::vector<double> data;
    if (o.values) {
        data = *o.values;
        if (data.size() != packed.elements())
            throw std::runtime_error("expected " + std::to_string(packed.elements()) +
                                     " values of operand " + std::to_string(position) + ", got " +
                                     std::to_string(data.size()));
    } else {
        const auto [lo, hi] = *o.range;
        const bool whole = shape::is_integral(o.type.type()) or o.type.type() == shape::bool_type or
                           o.type.type() == shape::fp4x2_type;
        data = load<double>(generate_argument(shape{shape::double_type, {packed.elements()}},
                                              position, random_mode::random));
        for (auto& x : data) {
            const double u = std::min(std::max((x + 1) / 2, 0.0), 0.999999);
            x = whole ? std::floor(lo + u * (hi - lo + 1)) : lo + u * (hi - lo);
        }
    }
    auto result = argument::uninitialized(packed);
    // Pairs of 4-bit numbers are given as bytes.
    const bool pairs = packed.type() == shape::fp4x2_type;
    store(pairs ? argument{shape{shape::uint8_type, packed.lens(), packed.strides()}, result.data()}
                : result,
          data);
    return result;
}

} // namespace op_cases
