// SPDX-License-Identifier: MIT
// JSON writing, and relaxed JSON to JSON.
#include <migraphx/json.hpp>

#include "base/str.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace migraphx {
namespace {

// The number of bytes of the UTF-8 sequence at s[i], 0 when it is malformed.
std::size_t utf8_length(const std::string& s, std::size_t i) {
    const auto byte = [&](std::size_t k) -> unsigned {
        return k < s.size() ? static_cast<unsigned char>(s[k]) : 0u;
    };
    const auto follows = [&](std::size_t k) { return (byte(k) & 0xc0u) == 0x80u; };
    const unsigned b = byte(i);
    if (b < 0x80)
        return 1;
    if (b >= 0xc2 and b <= 0xdf)
        return follows(i + 1) ? 2 : 0;
    if (b >= 0xe0 and b <= 0xef) {
        const unsigned c = byte(i + 1);
        if ((b == 0xe0 and c < 0xa0) or (b == 0xed and c > 0x9f))
            return 0;
        return follows(i + 1) and follows(i + 2) ? 3 : 0;
    }
    if (b >= 0xf0 and b <= 0xf4) {
        const unsigned c = byte(i + 1);
        if ((b == 0xf0 and c < 0x90) or (b == 0xf4 and c > 0x8f))
            return 0;
        return follows(i + 1) and follows(i + 2) and follows(i + 3) ? 4 : 0;
    }
    return 0;
}

void write_json_string(std::string& out, const std::string& s) {
    static constexpr char digits[] = "0123456789abcdef";
    out += '"';
    for (std::size_t i = 0; i < s.size();) {
        const char c = s[i];
        switch (c) {
        case '"':
            out += "\\\"";
            ++i;
            continue;
        case '\\':
            out += "\\\\";
            ++i;
            continue;
        case '\b':
            out += "\\b";
            ++i;
            continue;
        case '\f':
            out += "\\f";
            ++i;
            continue;
        case '\n':
            out += "\\n";
            ++i;
            continue;
        case '\r':
            out += "\\r";
            ++i;
            continue;
        case '\t':
            out += "\\t";
            ++i;
            continue;
        default:
            break;
        }
        const auto u = static_cast<unsigned char>(c);
        if (u < 0x20) {
            out += "\\u00";
            out += digits[u >> 4];
            out += digits[u & 15];
            ++i;
            continue;
        }
        const std::size_t n = utf8_length(s, i);
        if (n == 0)
            out += "\xef\xbf\xbd"; // the replacement character
        else
            out.append(s, i, n);
        i += n == 0 ? 1 : n;
    }
    out += '"';
}

void write_json_number(std::string& out, double x) {
    if (std::isnan(x))
        out += "\"nan\"";
    else if (std::isinf(x))
        out += x > 0 ? "\"inf\"" : "\"-inf\"";
    else {
        const std::size_t start = out.size();
        append_text(out, x);
        if (out.find_first_of(".e", start) == std::string::npos)
            out += ".0";
    }
}

// indent 0: one line without spaces.
class json_writer {
public:
    json_writer(std::string& text, std::size_t spaces) : out(text), indent(spaces) {}

    void write(const value& v, std::size_t level) {
        switch (v.get_type()) {
        case value::null_type:
            out += "null";
            break;
        case value::bool_type:
            out += v.get_bool() ? "true" : "false";
            break;
        case value::int64_type:
            append_text(out, v.get_int64());
            break;
        case value::uint64_type:
            append_text(out, v.get_uint64());
            break;
        case value::float_type:
            write_json_number(out, v.get_float());
            break;
        case value::string_type:
            write_json_string(out, v.get_string());
            break;
        case value::binary_type:
            write_binary(v.get_binary(), level);
            break;
        case value::array_type:
            write_array(v.get_array(), level);
            break;
        case value::object_type:
            write_object(v, level);
            break;
        }
    }

private:
    void new_line(std::size_t level) {
        if (indent == 0)
            return;
        out += '\n';
        out.append(indent * level, ' ');
    }

    template <class Items, class F>
    void write_list(char open, char close, const Items& items, std::size_t level, F each) {
        out += open;
        bool first = true;
        for (const auto& x : items) {
            if (not first)
                out += ',';
            first = false;
            new_line(level + 1);
            each(x);
        }
        if (not first)
            new_line(level);
        out += close;
    }

    void write_array(const value::array& items, std::size_t level) {
        write_list('[', ']', items, level, [&](const value& x) { write(x, level + 1); });
    }

    void write_key(const std::string& k) {
        write_json_string(out, k);
        out += indent == 0 ? ":" : ": ";
    }

    void write_object(const value& v, std::size_t level) {
        std::vector<const value*> items;
        for (const auto& x : v)
            items.push_back(&x);
        std::sort(items.begin(), items.end(),
                  [](const value* x, const value* y) { return x->get_key() < y->get_key(); });
        write_list('{', '}', items, level, [&](const value* x) {
            write_key(x->get_key());
            write(*x, level + 1);
        });
    }

    void write_binary(const value::binary& bytes, std::size_t level) {
        out += '{';
        new_line(level + 1);
        write_key("bytes");
        write_list('[', ']', bytes, level + 1,
                   [&](std::uint8_t b) { append_text(out, static_cast<unsigned>(b)); });
        new_line(level);
        out += '}';
    }

    std::string& out;
    std::size_t indent;
};

bool starts_word(char c) {
    return (c >= 'a' and c <= 'z') or (c >= 'A' and c <= 'Z') or c == '_';
}
bool continues_word(char c) {
    return starts_word(c) or (c >= '0' and c <= '9') or c == '.' or c == '-' or c == ':' or
           c == '/';
}

// The index after the string literal that starts at text[i].
std::size_t skip_string(const std::string& text, std::size_t i) {
    for (++i; i < text.size(); ++i) {
        if (text[i] == '\\')
            ++i;
        else if (text[i] == '"')
            return i + 1;
    }
    return text.size();
}

// The index after the bare word that starts at text[i]. A colon belongs to it only as part of "::".
std::size_t skip_word(const std::string& text, std::size_t i) {
    while (i < text.size() and continues_word(text[i])) {
        if (text[i] == ':') {
            if (i + 1 >= text.size() or text[i + 1] != ':')
                break;
            ++i;
        }
        if (text[i] == '/' and i + 1 < text.size() and text[i + 1] == '/')
            break;
        ++i;
    }
    return i;
}

} // namespace

std::string to_json_string(const value& val) {
    std::string out;
    json_writer(out, 0).write(val, 0);
    return out;
}

std::string to_pretty_json_string(const value& val, std::size_t indent) {
    std::string out;
    json_writer(out, indent).write(val, 0);
    return out;
}

std::string convert_to_json(const std::string& text) {
    std::string out;
    std::size_t i = 0;
    while (i < text.size()) {
        const char c = text[i];
        if (c == '"') {
            const auto end = skip_string(text, i);
            out.append(text, i, end - i);
            i = end;
        } else if (c == '#' or (c == '/' and i + 1 < text.size() and text[i + 1] == '/')) {
            i = std::min(text.find('\n', i), text.size());
        } else if (c == '-' and text.compare(i, 4, "-inf") == 0 and
                   (i + 4 == text.size() or not continues_word(text[i + 4]))) {
            out += "\"-inf\"";
            i += 4;
        } else if (starts_word(c)) {
            const auto end = skip_word(text, i);
            const auto word = text.substr(i, end - i);
            const bool bare = word == "null" or word == "true" or word == "false";
            out += bare ? word : '"' + word + '"';
            i = end;
        } else if ((c >= '0' and c <= '9') or c == '-' or c == '+' or c == '.') {
            // A number is copied whole, so that its exponent is not taken for a word.
            do
                out += text[i++];
            while (i < text.size() and ((text[i] >= '0' and text[i] <= '9') or text[i] == '.' or
                                        text[i] == 'e' or text[i] == 'E' or
                                        ((text[i] == '-' or text[i] == '+') and
                                         (out.back() == 'e' or out.back() == 'E'))));
        } else {
            if (c == ']' or c == '}') {
                const auto last = out.find_last_not_of(" \t\r\n");
                if (last != std::string::npos and out[last] == ',')
                    out.erase(last, 1);
            }
            out += c;
            ++i;
        }
    }
    return out;
}

} // namespace migraphx
