// SPDX-License-Identifier: MIT
// Reflection of plain structs. A type lists its fields as
//   template <class Self, class F> static auto reflect(Self& self, F f)
//   { return pack(f(self.a, "a"), f(self.b, "b")); }
#ifndef MIGRAPHX_GUARD_REFLECT_HPP
#define MIGRAPHX_GUARD_REFLECT_HPP

#include <migraphx/functional.hpp>
#include <tuple>
#include <type_traits>
#include <utility>

namespace migraphx {
namespace reflect_detail {

struct placeholder {
    template <class... Ts>
    int operator()(Ts&&...) const {
        return 0;
    }
};

template <class T, class = void>
struct has_reflect : std::false_type {};
template <class T>
struct has_reflect<T, std::void_t<decltype(T::reflect(std::declval<T&>(), placeholder{}))>>
    : std::true_type {};

template <class T, class... Extra>
struct field {
    T* member;
    std::tuple<Extra...> extra;
};

struct make_field {
    template <class T, class... Extra>
    field<T, Extra...> operator()(T& x, Extra... extra) const {
        return {&x, std::tuple<Extra...>(extra...)};
    }
};

} // namespace reflect_detail

template <class T>
using is_reflectable = reflect_detail::has_reflect<std::remove_const_t<T>>;

// The type's own reflect(x, f); an empty pack for a type that has none.
template <class T, class Selector>
auto reflect(T& x, Selector f) {
    if constexpr (is_reflectable<T>{})
        return std::remove_const_t<T>::reflect(x, f);
    else
        return pack();
}

// f(member, name, extra...) for each field in the order of the list.
template <class T, class F>
void reflect_each(T& x, F f) {
    migraphx::reflect(x, reflect_detail::make_field{})([&](const auto&... fields) {
        (std::apply([&](const auto&... extra) { f(*fields.member, extra...); }, fields.extra), ...);
    });
}

// The members as a tuple of references.
template <class T>
auto reflect_tie(T& x) {
    return migraphx::reflect(x, reflect_detail::make_field{})(
        [](const auto&... fields) { return std::tie(*fields.member...); });
}

} // namespace migraphx
#endif
