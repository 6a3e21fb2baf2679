// SPDX-License-Identifier: MIT
// Generated text as a compiler gets it: one piece, with the library of device code in it.
#pragma once

#include <string>
#include <vector>

namespace migraphx::gpu {

/// `source` with each header of device_code/ in the place where it is first included; `#line`
/// names where the lines come from. Other includes stay.
std::string with_headers(const std::string& source);

/// The names of its MGX_KERNEL functions, in their order.
std::vector<std::string> entries_of(const std::string& source);

/// 128 bits as 32 hexadecimal digits; for names, not against an adversary.
std::string content_name(const std::string& text);

} // namespace migraphx::gpu
