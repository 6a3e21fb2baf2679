// SPDX-License-Identifier: MIT
// Floating-point numbers as unsigned ones of the same order.
#pragma once

namespace migraphx::cpu {

/// `bits` of a number with `mantissa` bits of fraction: NaN above all, -0 equal to 0.
template <class U>
U float_order(U bits, int mantissa) {
    const U sign = U(1) << (sizeof(U) * 8 - 1);
    const U magnitude = U(bits & ~sign);
    const U infinity = U((sign - 1) >> mantissa << mantissa);
    if (magnitude > infinity)
        return U(~U(0));
    if (magnitude == 0)
        return sign;
    return U((bits & sign) != 0 ? ~bits : bits | sign);
}

} // namespace migraphx::cpu
