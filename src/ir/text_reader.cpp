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

bool is_digit(char c) {
    return c >= '0' and c <= '9';
}

int hex_digit(char c) {
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' and c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' and c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_type_name(std::string_view s) {
    const auto& types = shape::all_types();
    return std::any_of(types.begin(), types.end(), [&](shape::type_t t) {
        return t != shape::tuple_type and shape::name(t) == s;
    });
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

// ---- attribute values

bool text_reader::starts_shape() {
    const auto start = at;
    const auto word = until(", \t[]{}()=\"");
    const bool more = rest().starts_with(", ");
    const bool container = (word == "sequence" or word == "optional") and rest().starts_with("[");
    at = start;
    return container or (is_type_name(word) and more) or
           ((word == "dynamic" or word == "symbolic") and more);
}

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
    } else if (starts_shape() or (starts("[") and not(rest().size() > 1 and is_digit(rest()[1])))) {
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

value text_reader::read_value() {
    return read_item();
}

text_operation text_reader::read_operation() {
    text_operation op;
    skip_spaces();
    op.name = std::string(until(" \t[](){},="));
    if (op.name.empty())
        fail_expected("the name of an operator");
    if (at == line.size() or line[at] != '[')
        return op;
    ++at;
    const auto fields =
        has_op(op.name) ? load_op(op.name).info().fields : std::vector<field_info>{};
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
