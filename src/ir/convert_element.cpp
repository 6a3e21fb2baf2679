// SPDX-License-Identifier: MIT
#include "ir/convert_element.hpp"

#include <migraphx/errors.hpp>

#include "ir/small_number.hpp"

#include <cmath>
#include <limits>
#include <type_traits>

namespace migraphx {

namespace {

template <class To>
To from_double(double x) {
    if constexpr (std::is_integral_v<To>)
        return integer_from<To>(x);
    else {
        if (std::isfinite(x)) {
            const auto top = static_cast<double>(std::numeric_limits<To>::max());
            if (x > top)
                return std::numeric_limits<To>::max();
            if (x < -top)
                return std::numeric_limits<To>::lowest();
        }
        if constexpr (std::is_same_v<To, double>)
            return x;
        else
            return To(static_cast<float>(x));
    }
}

template <class To, class From>
To from_integer(From x) {
    if constexpr (std::is_integral_v<To>) {
        if (std::in_range<To>(x))
            return static_cast<To>(x);
        return x < 0 ? std::numeric_limits<To>::lowest() : std::numeric_limits<To>::max();
    } else
        return from_double<To>(static_cast<double>(x));
}

// The elements of a small type as doubles, in logical order.
argument widened(const argument& in) {
    const auto& s = in.get_shape();
    const argument result{{shape::double_type, s.lens()}};
    auto* to = result.cast<double>();
    for (std::size_t i = 0; i < s.elements(); i++)
        to[i] = small_value(s.type(), static_cast<std::uint8_t>(in.data()[s.index(i)]));
    return result;
}

} // namespace

void convert_elements(const argument& out, const argument& in) {
    const auto& so = out.get_shape();
    if (so.lens() != in.get_shape().lens())
        fail(error_kind::internal, "convert: equal dimensions were expected, got others");
    if (shape::is_small(in.get_shape().type()))
        return convert_elements(out, widened(in));
    if (shape::is_small(so.type())) {
        std::size_t i = 0;
        in.visit([&](auto from) {
            for (auto x : from)
                out.data()[so.index(i++)] =
                    static_cast<char>(small_code(so.type(), static_cast<double>(x)));
        });
        return;
    }
    const bool to_bool = so.type() == shape::bool_type;
    in.visit([&](auto from) {
        using from_type = std::decay_t<decltype(*from.begin())>;
        out.visit([&](auto to) {
            using to_type = std::decay_t<decltype(*to.begin())>;
            auto o = to.begin();
            for (auto x : from) {
                if (to_bool)
                    *o = to_type(x > from_type(0) ? 1 : 0);
                else if constexpr (std::is_same_v<from_type, to_type>)
                    *o = x;
                else if constexpr (std::is_integral_v<from_type>)
                    *o = from_integer<to_type>(x);
                else
                    *o = from_double<to_type>(static_cast<double>(x));
                ++o;
            }
        });
    });
}

} // namespace migraphx
