// SPDX-License-Identifier: MIT
// to_value / from_value: any supported type to a value and back. Supported: value, numbers, enums,
// text, optional, maps, ranges, pairs and tuples, types with to_value()/from_value() members, types
// with free functions migraphx_to_value(value&, const T&) / migraphx_from_value(const value&, T&)
// found by ADL, and types with `reflect`.
#ifndef MIGRAPHX_GUARD_SERIALIZE_HPP
#define MIGRAPHX_GUARD_SERIALIZE_HPP

#include <migraphx/reflect.hpp>
#include <migraphx/value.hpp>
#include <optional>
#include <tuple>

namespace migraphx {

template <class T>
value to_value(const T& x);

template <class T>
void from_value(const value& v, T& x);

template <class T>
T from_value(const value& v) {
    T x{};
    from_value(v, x);
    return x;
}

namespace serialize_detail {

template <class T, class = void>
struct has_free_to : std::false_type {};
template <class T>
struct has_free_to<
    T, std::void_t<decltype(migraphx_to_value(std::declval<value&>(), std::declval<const T&>()))>>
    : std::true_type {};
template <class T, class = void>
struct has_free_from : std::false_type {};
template <class T>
struct has_free_from<
    T, std::void_t<decltype(migraphx_from_value(std::declval<const value&>(), std::declval<T&>()))>>
    : std::true_type {};
template <class T, class = void>
struct has_member_to : std::false_type {};
template <class T>
struct has_member_to<T, std::void_t<decltype(std::declval<const T&>().to_value())>>
    : std::true_type {};
template <class T, class = void>
struct has_member_from : std::false_type {};
template <class T>
struct has_member_from<
    T, std::void_t<decltype(std::declval<T&>().from_value(std::declval<const value&>()))>>
    : std::true_type {};
template <class T, class = void>
struct is_map : std::false_type {};
template <class T>
struct is_map<T, std::void_t<typename T::key_type, typename T::mapped_type>> : std::true_type {};
template <class T, class = void>
struct is_tuple : std::false_type {};
template <class T>
struct is_tuple<T, std::void_t<decltype(std::tuple_size<T>::value)>> : std::true_type {};
template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T, class = void>
struct is_resizable : std::false_type {};
template <class T>
struct is_resizable<T, std::void_t<decltype(std::declval<T&>().insert(
                           std::declval<T&>().end(), std::declval<typename T::value_type>()))>>
    : std::true_type {};

[[noreturn]] void wrong_count(const value& v, std::size_t expected);
// The items of a list; null has none, and a single item stands for a list of one.
std::pair<const value*, const value*> list_items(const value& v);
// The items of an object; null has none. Throws for anything else.
std::pair<const value*, const value*> object_items(const value& v);

template <class T>
void range_from_value(const value& v, T& x) {
    const auto items = list_items(v);
    if constexpr (is_map<T>{} or is_resizable<T>{}) {
        x = T{};
        for (const auto* i = items.first; i != items.second; ++i) {
            if constexpr (is_map<T>{}) {
                const auto pair = list_items(*i);
                if (pair.second - pair.first != 2)
                    wrong_count(*i, 2);
                x.emplace(from_value<typename T::key_type>(pair.first[0]),
                          from_value<typename T::mapped_type>(pair.first[1]));
            } else {
                x.insert(x.end(), from_value<typename T::value_type>(*i));
            }
        }
    } else {
        const auto n = static_cast<std::size_t>(std::distance(std::begin(x), std::end(x)));
        if (static_cast<std::size_t>(items.second - items.first) != n)
            wrong_count(v, n);
        auto out = std::begin(x);
        for (const auto* i = items.first; i != items.second; ++i, ++out)
            from_value(*i, *out);
    }
}

template <class T, std::size_t... Ns>
void tuple_from_value(const value& v, T& x, std::index_sequence<Ns...>) {
    const auto items = list_items(v);
    if (static_cast<std::size_t>(items.second - items.first) != sizeof...(Ns))
        wrong_count(v, sizeof...(Ns));
    (from_value(items.first[Ns], std::get<Ns>(x)), ...);
}

} // namespace serialize_detail

template <class T>
value to_value(const T& x) {
    using namespace serialize_detail;
    if constexpr (std::is_same<T, value>{}) {
        return x;
    } else if constexpr (has_free_to<T>{}) {
        value v;
        migraphx_to_value(v, x);
        return v;
    } else if constexpr (has_member_to<T>{}) {
        return x.to_value();
    } else if constexpr (is_optional<T>{}) {
        return x.has_value() ? migraphx::to_value(*x) : value{};
    } else if constexpr (std::is_convertible<const T&, std::string>{}) {
        return value(std::string(x));
    } else if constexpr (value_detail::is_scalar<T> or std::is_same<T, std::string_view>{} or
                         std::is_same<T, value::binary>{} or std::is_same<T, std::nullptr_t>{}) {
        return value(x);
    } else if constexpr (is_map<T>{}) {
        value::array items;
        for (const auto& p : x) {
            if constexpr (value_detail::is_text<typename T::key_type>)
                items.push_back(value(std::string(p.first), migraphx::to_value(p.second)));
            else
                items.push_back(
                    value(value::array{migraphx::to_value(p.first), migraphx::to_value(p.second)}));
        }
        return value(std::move(items), not value_detail::is_text<typename T::key_type>);
    } else if constexpr (value_detail::is_range<T>{}) {
        using item =
            std::remove_cv_t<typename std::iterator_traits<decltype(std::begin(x))>::value_type>;
        value::array items;
        for (auto&& y : x)
            items.push_back(migraphx::to_value<item>(y).without_key());
        return value(std::move(items));
    } else if constexpr (is_tuple<T>{}) {
        value::array items;
        std::apply(
            [&](const auto&... xs) {
                (items.push_back(migraphx::to_value(xs).without_key()), ...);
            },
            x);
        return value(std::move(items));
    } else {
        static_assert(is_reflectable<T>{}, "type has no conversion to value");
        value::array items;
        reflect_each(x, [&](const auto& y, const char* name, const auto&...) {
            items.push_back(value(std::string(name), migraphx::to_value(y)));
        });
        return value(std::move(items), false);
    }
}

template <class T>
void from_value(const value& v, T& x) {
    using namespace serialize_detail;
    if constexpr (std::is_same<T, value>{}) {
        x = v.without_key();
    } else if constexpr (has_free_from<T>{}) {
        migraphx_from_value(v, x);
    } else if constexpr (has_member_from<T>{}) {
        x.from_value(v);
    } else if constexpr (is_optional<T>{}) {
        if (v.is_null())
            x.reset();
        else
            x = from_value<typename T::value_type>(v);
    } else if constexpr (value_detail::is_scalar<T> or std::is_same<T, std::string>{} or
                         std::is_same<T, value::binary>{}) {
        x = v.template to<T>();
    } else if constexpr (std::is_constructible<T, std::string>{} and value_detail::is_text<T>) {
        x = T(v.template to<std::string>());
    } else if constexpr (is_map<T>{}) {
        if constexpr (std::is_constructible<typename T::key_type, std::string>{}) {
            x = T{};
            const auto items = object_items(v);
            for (const auto* i = items.first; i != items.second; ++i)
                x.emplace(typename T::key_type(i->get_key()),
                          from_value<typename T::mapped_type>(*i));
        } else {
            range_from_value(v, x);
        }
    } else if constexpr (value_detail::is_range<T>{}) {
        range_from_value(v, x);
    } else if constexpr (is_tuple<T>{}) {
        tuple_from_value(v, x, std::make_index_sequence<std::tuple_size<T>::value>{});
    } else {
        static_assert(is_reflectable<T>{}, "type has no conversion from value");
        object_items(v);
        reflect_each(x, [&](auto& y, const char* name, const auto&...) {
            const auto* item = v.find(name);
            if (item != v.end())
                with_context([&] { from_value(*item, y); },
                             [&] { return std::string("in field ") + name; });
        });
    }
}

} // namespace migraphx
#endif
