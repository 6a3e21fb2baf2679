// SPDX-License-Identifier: MIT
#include "ir/convert_element.hpp"

#include <migraphx/errors.hpp>

#include "base/convert.hpp"
#include "base/parallel.hpp"
#include "ir/small_number.hpp"

#include <algorithm>
#include <array>
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

// Finite numbers beyond the largest one of T become that; infinities and NaN stay.
template <class T>
void saturate(const float* in, float* out, std::size_t n) {
    const auto top = static_cast<float>(std::numeric_limits<T>::max());
    constexpr auto infinity = std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i < n; i++) {
        const auto x = in[i];
        const auto below = x > top and x != infinity ? top : x;
        out[i] = below < -top and below != -infinity ? -top : below;
    }
}

// Weights of whole models are converted so; on several threads, with vector instructions.
template <class T>
void convert_floats(const argument& out, const argument& in, bool widen) {
    const auto n = static_cast<std::int64_t>(in.get_shape().element_space());
    parallel_for(n, std::int64_t{1} << 16, [&](std::int64_t begin, std::int64_t end) {
        constexpr std::int64_t piece = 4096;
        std::array<float, piece> inside{};
        for (auto i = begin; i < end; i += piece) {
            const auto count = static_cast<std::size_t>(std::min(piece, end - i));
            if (widen) {
                convert_array(reinterpret_cast<const T*>(in.data()) + i,
                              reinterpret_cast<float*>(out.data()) + i, count);
                continue;
            }
            saturate<T>(reinterpret_cast<const float*>(in.data()) + i, inside.data(), count);
            convert_array(inside.data(), reinterpret_cast<T*>(out.data()) + i, count);
        }
    });
}

// float to or from half and bf16, without gaps and in one order.
bool convert_as_memory(const argument& out, const argument& in) {
    const auto &from = in.get_shape(), &to = out.get_shape();
    if (from.strides() != to.strides() or not from.packed() or from.elements() == 0)
        return false;
    const bool widen = to.type() == shape::float_type;
    if (not widen and from.type() != shape::float_type)
        return false;
    switch (widen ? from.type() : to.type()) {
    case shape::half_type:
        convert_floats<half>(out, in, widen);
        return true;
    case shape::bf16_type:
        convert_floats<bf16>(out, in, widen);
        return true;
    default:
        return false;
    }
}

} // namespace

void convert_elements(const argument& out, const argument& in) {
    const auto& so = out.get_shape();
    if (so.lens() != in.get_shape().lens())
        fail(error_kind::internal, "convert: equal dimensions were expected, got others");
    if (convert_as_memory(out, in))
        return;
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
