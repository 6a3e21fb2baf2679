// SPDX-License-Identifier: MIT
// bit_cast<To>(x): the object of type To with the bits of x. Sizes must be equal.
#ifndef MIGRAPHX_GUARD_BIT_CAST_HPP
#define MIGRAPHX_GUARD_BIT_CAST_HPP

#include <type_traits>

namespace migraphx {

template <class To, class From>
constexpr To bit_cast(const From& x) noexcept {
    static_assert(sizeof(To) == sizeof(From), "bit_cast needs types of equal size");
    static_assert(std::is_trivially_copyable<To>{} and std::is_trivially_copyable<From>{},
                  "bit_cast needs trivially copyable types");
    return __builtin_bit_cast(To, x);
}

} // namespace migraphx
#endif
