// SPDX-License-Identifier: MIT
#include "ir/text_reader.hpp"

#include "base/str.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/op_info.hpp>
#include <migraphx/register_op.hpp>
#include <migraphx/serialize.hpp>

#include <algorithm>
#include <charconv>

namespace migraphx {

namespace {

constexpr std::size_t text_depth_limit = 64;

bool is_space(char c) { return c == ' ' or c == '\t'; }
bool is_digit(char c) { return c >= '0' and c <= '9'; }

std::string_view trimmed(std::string_view s) {
    while (not s.empty() and is_space(s.front()))
        s.remove_prefix(1);
    while (not s.empty() and is_space(s.back()))
        s.remove_suffix(1);
    return s;
}

template <class T>
bool read_whole(std::string_view text, T& x) {
    const auto r = std::from_chars(text.data(), text.data() + text.size(), x);
    return r.ec == std::errc{} and r.ptr == text.data() + text.size() and not text.empty();
}

int hex_digit(char c) {
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' and c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' and c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_type_name(std::string_view s) {
    const auto& types = shape::types();
    auto names = [&](shape::type_t t) { return shape::name(t) == s; };
    return names(shape::fp4x2_type) or std::any_of(types.begin(), types.end(), names);
}

} // namespace

text_reader::text_reader(std::string_view text, std::size_t number, text_symbols& known)
    : line(text), line_number(number), symbols(known) {}

void text_reader::fail_expected(const std::string& what) const {
    auto got = rest();
    const bool cut = got.size() > 40;
    fail(error_kind::invalid_argument,
         str("line ", line_number, ": expected ", what, ", got ",
             got.empty() ? std::string("the end of the line")
                         : str('\'', got.substr(0, 40), cut ? "…'" : "'")));
}

void text_reader::skip_spaces() {
    while (at < line.size() and is_space(line[at]))
        ++at;
}

bool text_reader::at_end() {
    skip_spaces();
    return at == line.size();
}

bool text_reader::starts(std::string_view text) {
    skip_spaces();
    return rest().starts_with(text);
}

bool text_reader::take(std::string_view text) {
    if (not starts(text))
        return false;
    at += text.size();
    return true;
}

void text_reader::expect(std::string_view text) {
    if (not take(text))
        fail_expected(str('\'', text, '\''));
}

std::string_view text_reader::until(std::string_view stops) {
    const auto start = at;
    at = std::min(line.find_first_of(stops, at), line.size());
    return from(start);
}

std::string text_reader::quoted() {
    expect("\"");
    std::string out;
    for (;;) {
        if (at == line.size())
            fail_expected("a closing quote");
        char c = line[at++];
        if (c == '"')
            return out;
        if (c == '\\') {
            if (at == line.size())
                fail_expected("a character after the backslash");
            c = line[at++];
            if (c == 'n')
                c = '\n';
            else if (c == 't')
                c = '\t';
            else if (c == 'x') {
                const int high = at < line.size() ? hex_digit(line[at]) : -1;
                const int low = at + 1 < line.size() ? hex_digit(line[at + 1]) : -1;
                if (high < 0 or low < 0)
                    fail_expected("two hexadecimal digits");
                c = static_cast<char>(high * 16 + low);
                at += 2;
            }
        }
        out += c;
    }
}

std::string text_reader::raw_name(const char* what) {
    skip_spaces();
    const auto start = at;
    while (at < line.size()) {
        if (line[at] == '"')
            quoted();
        else if (is_space(line[at]) or
                 std::string_view(",()[]{}=\\").find(line[at]) != std::string_view::npos)
            break;
        else
            ++at;
    }
    if (at == start)
        fail_expected(what);
    return std::string(from(start));
}

std::string text_reader::name(const char* what) {
    return starts("\"") ? quoted() : raw_name(what);
}

std::size_t text_reader::number(const char* what) {
    skip_spaces();
    std::size_t x = 0;
    const auto r = std::from_chars(line.data() + at, line.data() + line.size(), x);
    if (r.ec != std::errc{})
        fail_expected(what);
    at = static_cast<std::size_t>(r.ptr - line.data());
    return x;
}

// ---- shapes

bool text_reader::starts_shape() {
    const auto start = at;
    const auto word = until(", \t[]{}()=\"");
    const bool more = rest().starts_with(", ");
    at = start;
    return (is_type_name(word) and more) or ((word == "dynamic" or word == "symbolic") and more);
}

shape text_reader::read_shape() {
    if (not take("["))
        return read_tensor_shape();
    if (++depth > text_depth_limit)
        fail_expected("less nesting");
    std::vector<shape> subs;
    list(']', [&] { subs.push_back(read_shape()); });
    --depth;
    return shape{subs};
}

shape text_reader::read_tensor_shape() {
    const bool ranges = take("dynamic,");
    const bool symbols_only = not ranges and take("symbolic,");
    skip_spaces();
    const auto start = at;
    const auto word = trimmed(until(", \t[]{}()=\"#"));
    shape::type_t type{};
    try {
        type = shape::parse_type(std::string(word));
    } catch (const exception&) {
        at = start;
        fail_expected("an element type such as float_type");
    }
    auto braces = [&](auto item) {
        const auto before = at;
        if (take(",") and take("{")) {
            list('}', [&] { item(token()); });
            return true;
        }
        at = before;
        return false;
    };
    std::vector<shape::dynamic_dimension> dims;
    bool dynamic = ranges or symbols_only;
    bool symbolic = symbols_only;
    if (not braces([&](auto text) {
            dims.push_back(dimension(text));
            dynamic = dynamic or text.front() == '[' or dims.back().is_symbolic();
            symbolic = symbolic or dims.back().is_symbolic();
        }))
        return type;
    if (not dynamic) {
        std::vector<std::size_t> lens;
        for (const auto& d : dims)
            lens.push_back(d.get_interval().min);
        std::vector<std::size_t> strides;
        const bool has_strides = braces([&](auto text) {
            if (not read_whole(text, strides.emplace_back()))
                fail_expected("strides as numbers before this");
        });
        if (has_strides and strides.size() != lens.size())
            fail_expected(str(lens.size(), " strides before this"));
        return has_strides ? shape{type, lens, strides} : shape{type, lens};
    }
    if (not symbolic)
        return {type, dims};
    for (auto& d : dims)
        if (not d.is_symbolic() and d.is_fixed())
            d = sym::lit(static_cast<std::int64_t>(d.get_interval().min));
    std::vector<sym::expr> strides;
    const bool has_strides = braces([&](auto text) { strides.push_back(expression(text)); });
    if (has_strides and strides.size() != dims.size())
        fail_expected(str(dims.size(), " strides before this"));
    return has_strides ? shape{type, dims, strides} : shape{type, dims};
}

shape::dynamic_dimension text_reader::range_dimension(std::string_view text) const {
    // [min..max] and maybe {optimal, …}
    const auto dots = text.find("..");
    const auto close = text.find(']');
    std::size_t low = 0;
    std::size_t high = 0;
    if (dots == std::string_view::npos or close == std::string_view::npos or close < dots or
        not read_whole(trimmed(text.substr(1, dots - 1)), low) or
        not read_whole(trimmed(text.substr(dots + 2, close - dots - 2)), high))
        fail_expected(str("a dimension such as [1..8] in place of '", text, "'"));
    std::set<std::size_t> optimals;
    auto tail = trimmed(text.substr(close + 1));
    while (tail.size() > 1) { // "{2", "4}"
        tail.remove_prefix(1);
        const auto stop = std::min(tail.find_first_of(",}"), tail.size());
        std::size_t n = 0;
        if (not read_whole(trimmed(tail.substr(0, stop)), n))
            fail_expected(str("optimal sizes in place of '", tail, "'"));
        optimals.insert(n);
        tail.remove_prefix(stop);
    }
    return {low, high, optimals};
}

shape::dynamic_dimension text_reader::dimension(std::string_view text) {
    if (text.empty())
        fail_expected("a dimension before this");
    std::size_t n = 0;
    if (read_whole(text, n))
        return {n, n};
    if (text.front() == '[')
        return range_dimension(text);
    return shape::dynamic_dimension{expression(text)};
}

sym::expr text_reader::with_known(const sym::expr& e) const {
    std::unordered_map<sym::expr, sym::expr> known;
    for (const auto& v : e.variables())
        if (v == sym::var(v.name()))
            if (auto it = symbols.find(v.name()); it != symbols.end())
                known[v] = it->second;
    return known.empty() ? e : e.subs(known);
}

sym::expr text_reader::expression(std::string_view text) {
    if (text.empty())
        fail_expected("an expression before this");
    return with_context(
        [&] {
            // The bounds at the end may be those of the whole expression ...
            const auto open = text.rfind('[');
            if (open != std::string_view::npos and open > 0 and text.back() == ']') {
                const auto bounds = range_dimension(text.substr(open)).get_interval();
                const auto whole = with_known(sym::parse(std::string(text.substr(0, open))));
                const shape::dynamic_dimension d{whole};
                if (d.get_interval() == bounds)
                    return whole;
            }
            // ... or of its last variable.
            const auto result = with_known(sym::parse(std::string(text)));
            for (const auto& v : result.variables())
                if (v != sym::var(v.name()))
                    symbols.emplace(v.name(), v);
            return result;
        },
        [&] { return str("line ", line_number); });
}

// ---- attribute values

// A bare word, number or dimension: up to a comma or a closing bracket outside of [ ], { } and ' '.
std::string_view text_reader::token() {
    skip_spaces();
    const auto start = at;
    std::size_t open = 0;
    bool quotes = false;
    for (; at < line.size(); ++at) {
        const char c = line[at];
        if (quotes and c == '\\') {
            at += at + 1 < line.size() ? 1 : 0;
            continue;
        }
        if (c == '\'')
            quotes = not quotes;
        if (quotes)
            continue;
        if (c == '[' or (c == '{' and at > start))
            ++open;
        else if (open == 0 and (c == ',' or c == ']' or c == '}'))
            break;
        else if (c == ']' or c == '}')
            --open;
    }
    return trimmed(from(start));
}

value text_reader::token_value(std::string_view text) const {
    if (text == "null" or text == "nullopt")
        return {};
    if (text == "true" or text == "false")
        return value(text == "true");
    std::int64_t i = 0;
    if (read_whole(text, i))
        return value(i);
    std::uint64_t u = 0;
    if (read_whole(text, u))
        return value(u);
    double d = 0;
    if (read_whole(text, d))
        return value(d);
    return value(text);
}

value text_reader::read_binary() {
    const auto digits = until(")");
    if (digits.size() % 2 != 0)
        fail_expected("two hexadecimal digits for each byte");
    value::binary bytes(digits.size() / 2);
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        const int high = hex_digit(digits[i]);
        const int low = hex_digit(digits[i + 1]);
        if (high < 0 or low < 0)
            fail_expected("hexadecimal digits");
        bytes[i / 2] = static_cast<std::uint8_t>(high * 16 + low);
    }
    expect(")");
    return value(bytes);
}

value text_reader::read_braces() {
    if (take("}"))
        return value::array{};
    if (take(":")) {
        expect("}");
        return value(value::array{}, false);
    }
    value::array items;
    bool keyed = false;
    do {
        skip_spaces();
        const auto start = at;
        std::string key;
        if (starts("\"")) {
            key = quoted();
        } else {
            while (at < line.size() and not rest().starts_with(": ") and
                   std::string_view(",[]{}\"").find(line[at]) == std::string_view::npos)
                ++at;
            key = std::string(trimmed(from(start)));
        }
        const bool has_key = take(":") and not key.empty();
        if (not items.empty() and has_key != keyed)
            fail_expected(keyed ? "a key" : "an item without a key");
        keyed = has_key;
        if (keyed) {
            items.push_back(read_item().with_key(key));
        } else {
            at = start;
            items.push_back(read_item());
        }
    } while (take(","));
    expect("}");
    return value(items, not keyed);
}

value text_reader::read_item() {
    skip_spaces();
    if (++depth > text_depth_limit)
        fail_expected("less nesting");
    value result;
    if (starts("\"")) {
        result = value(quoted());
    } else if (take("{")) {
        result = read_braces();
    } else if (take("@bytes:hex(")) {
        result = read_binary();
    } else if (starts_shape() or
               (starts("[") and not(rest().size() > 1 and is_digit(rest()[1])))) {
        result = to_value(read_shape());
    } else {
        const auto text = token();
        if (text.find('[') != std::string_view::npos)
            result = to_value(dimension(text));
        else
            result = token_value(text);
    }
    --depth;
    return result;
}

value text_reader::read_value() { return read_item(); }

text_operation text_reader::read_operation() {
    text_operation op;
    skip_spaces();
    op.name = std::string(until(" \t[](){},="));
    if (op.name.empty())
        fail_expected("the name of an operator");
    if (at == line.size() or line[at] != '[')
        return op;
    ++at;
    const auto fields = has_op(op.name) ? load_op(op.name).info().fields : std::vector<field_info>{};
    list(']', [&] {
        skip_spaces();
        const std::string key(trimmed(until("=,]")));
        expect("=");
        // An empty text, as in tag=,
        value v = (starts(",") or starts("]")) ? value("") : read_item();
        for (const auto& f : fields)
            if (f.name == key and v.is_string())
                for (std::size_t i = 0; i < f.words.size(); ++i)
                    if (f.words[i] == v.get_string()) {
                        v = value(i);
                        break;
                    }
        op.attributes[key] = v;
    });
    return op;
}

} // namespace migraphx
