// SPDX-License-Identifier: MIT
// JSON text of values. Keys are sorted; a binary is {"bytes": [0..255, …]}; infinities and NaN,
// which JSON lacks, are the strings "inf", "-inf" and "nan" (they convert back to numbers).
#ifndef MIGRAPHX_GUARD_JSON_HPP
#define MIGRAPHX_GUARD_JSON_HPP

#include <cstddef>
#include <migraphx/value.hpp>
#include <string>

namespace migraphx {

std::string to_json_string(const value& val);
std::string to_pretty_json_string(const value& val, std::size_t indent = 4);
// Throws with line and column when the text is not JSON, or nested deeper than 512.
value from_json_string(const std::string& str);
value from_json_string(const char* str, std::size_t size);

// Relaxed JSON to JSON: bare words become strings (except null, true, false), `#` and `//` comments
// and commas before a closing bracket go.
std::string convert_to_json(const std::string& str);

} // namespace migraphx
#endif
