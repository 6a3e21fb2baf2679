// SPDX-License-Identifier: MIT
#include "base/utf8.hpp"

#include <cwctype>
#include <locale.h>

namespace migraphx {

namespace {

// The C library's tables; null where it has none for Unicode, and then ASCII alone has cases.
locale_t unicode_tables() {
    static const locale_t tables = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return tables;
}

template <class F>
std::uint32_t mapped(std::uint32_t c, char first, char last, int step, F f) {
    if (c < 128)
        return c >= static_cast<unsigned char>(first) and c <= static_cast<unsigned char>(last)
                   ? c + static_cast<std::uint32_t>(step)
                   : c;
    if (c > last_code_point or unicode_tables() == nullptr)
        return c;
    return static_cast<std::uint32_t>(f(static_cast<wint_t>(c), unicode_tables()));
}

} // namespace

std::uint32_t take_code_point(std::string_view& text) {
    const auto byte = [&](std::size_t i) -> std::uint32_t {
        return static_cast<unsigned char>(text[i]);
    };
    const auto first = byte(0);
    std::size_t length = first < 0x80   ? 1
                         : first < 0xC2 ? 0
                         : first < 0xE0 ? 2
                         : first < 0xF0 ? 3
                         : first < 0xF5 ? 4
                                        : 0;
    std::uint32_t c = length < 2 ? first : first & (0xFFU >> (length + 1));
    bool good = length != 0 and length <= text.size();
    for (std::size_t i = 1; good and i < length; ++i) {
        good = (byte(i) & 0xC0U) == 0x80;
        c = c << 6U | (byte(i) & 0x3FU);
    }
    good = good and c <= last_code_point and not(c >= 0xD800 and c < 0xE000) and
           not(length == 3 and c < 0x800) and not(length == 4 and c < 0x10000);
    text.remove_prefix(good ? length : 1);
    return good ? c : last_code_point + 1 + first;
}

void append_code_point(std::string& out, std::uint32_t c) {
    const auto tail = [&](unsigned shift) {
        out += static_cast<char>(0x80U | (c >> shift & 0x3FU));
    };
    if (c > last_code_point) {
        out += static_cast<char>(c - last_code_point - 1);
    } else if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xC0U | c >> 6U);
        tail(0);
    } else if (c < 0x10000) {
        out += static_cast<char>(0xE0U | c >> 12U);
        tail(6);
        tail(0);
    } else {
        out += static_cast<char>(0xF0U | c >> 18U);
        tail(12);
        tail(6);
        tail(0);
    }
}

std::uint32_t lower_case(std::uint32_t c) {
    return mapped(c, 'A', 'Z', 'a' - 'A', towlower_l);
}

std::uint32_t upper_case(std::uint32_t c) {
    return mapped(c, 'a', 'z', 'A' - 'a', towupper_l);
}

std::string change_case(std::string_view text, bool upper) {
    std::string result;
    result.reserve(text.size());
    while (not text.empty()) {
        const auto c = take_code_point(text);
        append_code_point(result, upper ? upper_case(c) : lower_case(c));
    }
    return result;
}

} // namespace migraphx
