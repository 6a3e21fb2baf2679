// SPDX-License-Identifier: MIT
// Whole units of counts and sizes, which are not negative.
#pragma once

namespace migraphx {

/// Units of `unit` that hold `n`.
template <class T, class U>
constexpr auto ceil_div(T n, U unit) {
    return (n + unit - 1) / unit;
}

/// The first multiple of `unit` from n on.
template <class T, class U>
constexpr auto round_up(T n, U unit) {
    return ceil_div(n, unit) * unit;
}

} // namespace migraphx
