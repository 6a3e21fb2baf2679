// SPDX-License-Identifier: MIT
// Names from a file, made fit for messages.
#include "import/quote.hpp"

namespace migraphx {

std::string printable(std::string_view text) {
    constexpr std::size_t longest = 100;
    constexpr char digits[] = "0123456789abcdef";
    std::string result;
    for (const char c : text.substr(0, longest)) {
        const auto code = static_cast<unsigned char>(c);
        if (code < 0x20 || code == 0x7f) {
            result += "\\x";
            result += digits[code >> 4];
            result += digits[code & 15];
        } else {
            result += c;
        }
    }
    // A UTF-8 sequence that the cut splits is left out.
    if (text.size() > longest) {
        while (!result.empty() && (static_cast<unsigned char>(result.back()) & 0xc0) == 0x80)
            result.pop_back();
        if (!result.empty() && static_cast<unsigned char>(result.back()) >= 0xc0)
            result.pop_back();
        result += "...";
    }
    return result;
}

std::string in_quotes(std::string_view text) {
    return '"' + printable(text) + '"';
}

} // namespace migraphx
