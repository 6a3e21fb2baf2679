// SPDX-License-Identifier: MIT
// Numbers in message text.
#include "base/str.hpp"

#include <charconv>

namespace migraphx {

void append_number(std::string& out, double x) {
    char text[40];
    const auto end = std::to_chars(text, text + sizeof(text), x).ptr;
    out.append(text, end);
}

void append_number(std::string& out, float x) {
    char text[40];
    const auto end = std::to_chars(text, text + sizeof(text), x).ptr;
    out.append(text, end);
}

} // namespace migraphx
