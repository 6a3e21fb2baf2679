// SPDX-License-Identifier: MIT
// Names from a file, made fit for messages.
#pragma once

#include <string>
#include <string_view>

namespace migraphx {

/// The text with control characters and what is no UTF-8 escaped, cut after 100 bytes.
std::string printable(std::string_view text);

/// The same in double quotes.
std::string in_quotes(std::string_view text);

} // namespace migraphx
