// SPDX-License-Identifier: MIT
// Names from a file, made fit for messages.
#include "import/quote.hpp"

namespace migraphx {

namespace {

// Bytes of the well-formed UTF-8 sequence at the start of the text; 0: none.
std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const std::size_t n = byte(0) < 0x80                        ? 1
                          : byte(0) >= 0xc2 and byte(0) <= 0xdf ? 2
                          : byte(0) >= 0xe0 and byte(0) <= 0xef ? 3
                          : byte(0) >= 0xf0 and byte(0) <= 0xf4 ? 4
                                                                : 0;
    if (n == 0 or n > text.size())
        return 0;
    for (std::size_t i = 1; i < n; i++)
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
    // Longer forms than needed, surrogates, and what lies beyond Unicode.
    const bool wrong = (byte(0) == 0xe0 and byte(1) < 0xa0) or
                       (byte(0) == 0xed and byte(1) > 0x9f) or
                       (byte(0) == 0xf0 and byte(1) < 0x90) or (byte(0) == 0xf4 and byte(1) > 0x8f);
    return n > 1 and wrong ? 0 : n;
}

} // namespace

std::string printable(std::string_view text) {
    constexpr std::size_t longest = 100;
    constexpr char digits[] = "0123456789abcdef";
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
        const auto n = sequence_length(text.substr(at));
        if (at + (n == 0 ? 1 : n) > longest)
            return result + "...";
        const auto code = static_cast<unsigned char>(text[at]);
        if (n == 0 or code < 0x20 or code == 0x7f) {
            result += "\\x";
            result += digits[code >> 4];
            result += digits[code & 15];
            at++;
        } else {
            result += text.substr(at, n);
            at += n;
        }
    }
    return result;
}

std::string in_quotes(std::string_view text) {
    return '"' + printable(text) + '"';
}

} // namespace migraphx
