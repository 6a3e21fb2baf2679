// SPDX-License-Identifier: MIT
// Reads the parts of one line of program text: names, shapes, attribute values, operations.
#pragma once

#include <migraphx/shape.hpp>
#include <migraphx/sym.hpp>
#include <migraphx/value.hpp>

#include <charconv>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace migraphx {

/// Variables of symbolic dimensions by name. Plain text states the bounds of an expression, not
/// those of its variables; they come from where a variable stands alone.
using text_symbols = std::map<std::string, sym::expr>;

inline bool is_space(char c) {
    return c == ' ' or c == '\t';
}

inline std::string_view trimmed(std::string_view s) {
    while (not s.empty() and is_space(s.front()))
        s.remove_prefix(1);
    while (not s.empty() and is_space(s.back()))
        s.remove_suffix(1);
    return s;
}

/// The whole text as a number; false when it is none.
template <class T>
bool read_whole(std::string_view text, T& x) {
    const auto r = std::from_chars(text.data(), text.data() + text.size(), x);
    return r.ec == std::errc{} and r.ptr == text.data() + text.size() and not text.empty();
}

struct text_operation {
    std::string name;
    value attributes = value::object{};
};

class text_reader {
public:
    text_reader(std::string_view line, std::size_t line_number, text_symbols& symbols);

    /// "line 12: expected <what>, got '<rest of the line>'".
    [[noreturn]] void fail_expected(const std::string& what) const;

    void skip_spaces();
    bool at_end();
    /// Skips spaces first; false and no move when the text is not there.
    bool take(std::string_view text);
    void expect(std::string_view text);
    bool starts(std::string_view text);
    std::size_t position() const { return at; }
    void rewind(std::size_t position) { at = position; }
    std::string_view rest() const { return line.substr(at); }
    std::string_view from(std::size_t start) const { return line.substr(start, at - start); }
    /// Up to the first of these characters, or the end.
    std::string_view until(std::string_view stops);

    /// The text in double quotes, without escapes.
    std::string quoted();
    /// A name as it is written (quotes and escapes included): what instructions are known by.
    std::string raw_name(const char* what);
    /// A name or a text in quotes.
    std::string name(const char* what);
    std::size_t number(const char* what);
    /// "a, b" up to `close`, each by `item()`.
    template <class F>
    void list(char close, F item) {
        const char closer[] = {close, '\0'};
        if (take(closer))
            return;
        do
            item();
        while (take(","));
        expect(closer);
    }

    shape read_shape();
    value read_value();
    /// name[key=value,…], with words of enumerations replaced by their numbers.
    text_operation read_operation();

private:
    value read_item();
    value read_braces();
    value read_binary();
    bool starts_shape();
    std::string_view token();
    value token_value(std::string_view text) const;
    shape read_tensor_shape();
    shape::dynamic_dimension dimension(std::string_view text);
    shape::dynamic_dimension range_dimension(std::string_view text) const;
    sym::expr expression(std::string_view text);
    sym::expr with_known(const sym::expr& e) const;

    std::string_view line;
    std::size_t line_number;
    text_symbols& symbols;
    std::size_t at = 0;
    std::size_t depth = 0;
};

} // namespace migraphx
