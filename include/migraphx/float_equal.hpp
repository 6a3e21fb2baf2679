// SPDX-License-Identifier: MIT
// float_equal(x, y): equality of numbers that tolerates one step of the coarser floating type.
#ifndef MIGRAPHX_GUARD_FLOAT_EQUAL_HPP
#define MIGRAPHX_GUARD_FLOAT_EQUAL_HPP

#include <cmath>
#include <limits>
#include <type_traits>

namespace migraphx {

struct float_equal_fn {
    template <class T, class U>
    bool operator()(T x, U y) const {
        if constexpr (is_float<T> or is_float<U>) {
            using type =
                std::conditional_t<(is_float<T> and (not is_float<U> or digits<T> <= digits<U>)), T,
                                   U>;
            const auto a = static_cast<type>(x);
            const auto b = static_cast<type>(y);
            const double da = static_cast<double>(a);
            const double db = static_cast<double>(b);
            if (not std::isfinite(da) or not std::isfinite(db))
                return da == db;
            const double step = static_cast<double>(std::numeric_limits<type>::epsilon());
            const double tiny = static_cast<double>(std::numeric_limits<type>::denorm_min());
            const double size = std::fmax(std::fabs(da), std::fabs(db));
            return std::fabs(da - db) <= std::fmax(size * step, tiny);
        } else {
            return x == static_cast<T>(y);
        }
    }

private:
    template <class T>
    static constexpr bool is_float =
        std::numeric_limits<T>::is_specialized and not std::numeric_limits<T>::is_integer;
    template <class T>
    static constexpr int digits = std::numeric_limits<T>::digits;
};

inline constexpr float_equal_fn float_equal{};

} // namespace migraphx
#endif
