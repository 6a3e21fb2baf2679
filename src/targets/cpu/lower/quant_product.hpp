// SPDX-License-Identifier: MIT
// Products of 8-bit integers.
#pragma once

namespace migraphx::cpu {

/// The machine multiplies int8 and adds in int32 exactly (VNNI); without that oneDNN may saturate.
bool has_int8_products();

} // namespace migraphx::cpu
