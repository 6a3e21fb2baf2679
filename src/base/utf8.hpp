// SPDX-License-Identifier: MIT
// Code points of UTF-8 text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace migraphx {

constexpr std::uint32_t last_code_point = 0x10FFFF;

/// Takes the first code point off `text`, which is not empty. A byte that begins none gives itself
/// plus last_code_point + 1.
std::uint32_t take_code_point(std::string_view& text);
/// The reverse.
void append_code_point(std::string& out, std::uint32_t c);
/// In lower or in upper case, code point by code point.
std::string change_case(std::string_view text, bool upper);
std::uint32_t lower_case(std::uint32_t c);
std::uint32_t upper_case(std::uint32_t c);

} // namespace migraphx
