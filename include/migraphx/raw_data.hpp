// SPDX-License-Identifier: MIT
// Typed access to the bytes behind an argument or a literal.
#ifndef MIGRAPHX_RAW_DATA_HPP
#define MIGRAPHX_RAW_DATA_HPP

#include <iosfwd>
#include <migraphx/errors.hpp>
#include <migraphx/shape.hpp>
#include <migraphx/tensor_view.hpp>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace migraphx {

struct raw_data_base {};

namespace detail {
// bool elements are viewed as bytes, so that they can be copied and compared like numbers.
template <class T>
using visited_type = std::conditional_t<std::is_same<T, bool>::value, int8_t, T>;

[[noreturn]] void throw_raw_data(const std::string& message);
std::string raw_data_to_string(const shape& s, const char* data);
bool raw_data_equal(const shape& s1, const char* d1, const shape& s2, const char* d2);
} // namespace detail

/// Base of `argument` and `literal` (CRTP): Derived has `get_shape()` and `data()`.
/// Views iterate in logical (row-major) order whatever the strides.
template <class Derived>
struct raw_data : raw_data_base {
    friend bool operator!=(const Derived& d1, const Derived& d2) { return not(d1 == d2); }

    /// Calls `v(tensor_view<T>)` with the data; `tv(std::vector<Derived>)` for a tuple.
    template <class Visitor, class TupleVisitor>
    void visit(Visitor v, TupleVisitor tv) const {
        const auto& self = static_cast<const Derived&>(*this);
        const shape& s = self.get_shape();
        if (s.type() == shape::tuple_type)
            tv(self.get_sub_objects());
        else {
            if (self.data() == nullptr and s.elements() != 0)
                detail::throw_raw_data("visit: data was expected, got an empty object of shape " +
                                       s.type_string());
            shape::visit(
                s.type(),
                [&](auto as) {
                    using type = detail::visited_type<typename decltype(as)::type>;
                    v(make_view(s, reinterpret_cast<type*>(const_cast<char*>(self.data()))));
                },
                [] {});
        }
    }

    template <class Visitor>
    void visit(Visitor v) const {
        visit(v, [](const auto&) {
            detail::throw_raw_data("visit: a tensor was expected, got a tuple");
        });
    }

    /// Like visit, but types that cannot be computed with are seen as raw bytes.
    template <class Visitor>
    void fallback_visit(Visitor v) const {
        const auto& self = static_cast<const Derived&>(*this);
        const shape& s = self.get_shape();
        if (s.computable())
            visit(v);
        else
            v(make_view(shape{shape::uint8_type, {s.bytes()}},
                        reinterpret_cast<uint8_t*>(const_cast<char*>(self.data()))));
    }

    /// Calls `v` with element `n` (in logical order).
    template <class Visitor>
    void visit_at(Visitor v, std::size_t n = 0) const {
        visit([&](auto view) { v(view[n]); });
    }

    /// Element `n` (in logical order) converted to T.
    template <class T>
    T at(std::size_t n = 0) const {
        T result{};
        visit_at([&](auto x) { result = static_cast<T>(x); }, n);
        return result;
    }

    /// View of the data as T, which must be the element type.
    template <class T>
    tensor_view<T> get() const {
        const auto& self = static_cast<const Derived&>(*this);
        const shape& s = self.get_shape();
        if (s.type() != shape::get_type<std::remove_cv_t<T>>::value)
            detail::throw_raw_data("get: the element type was expected, got another for " +
                                   s.type_string());
        return make_view(s, reinterpret_cast<T*>(const_cast<char*>(self.data())));
    }

    /// The data reinterpreted as T*; the shape's type must have the size of T.
    template <class T>
    T* cast() const {
        const auto& self = static_cast<const Derived&>(*this);
        return reinterpret_cast<T*>(const_cast<char*>(self.data()));
    }

    /// All elements in logical order, converted to T.
    template <class T>
    std::vector<T> to_vector() const {
        std::vector<T> result(static_cast<const Derived&>(*this).get_shape().elements());
        visit([&](auto view) {
            std::size_t i = 0;
            for (auto&& x : view)
                result[i++] = static_cast<T>(x);
        });
        return result;
    }

    bool single() const {
        const auto& s = static_cast<const Derived&>(*this).get_shape();
        return s.type() != shape::tuple_type and s.elements() == 1;
    }

    std::string to_string() const {
        const auto& self = static_cast<const Derived&>(*this);
        return detail::raw_data_to_string(self.get_shape(), self.data());
    }

    struct auto_cast {
        const Derived* self;
        template <class T>
        operator T() const {
            return self->template at<T>();
        }
    };
    auto_cast implicit() const { return {static_cast<const Derived*>(this)}; }
};

template <class Stream, class T,
          std::enable_if_t<std::is_base_of<raw_data_base, T>::value, int> = 0>
Stream& operator<<(Stream& os, const T& d) {
    os << d.to_string();
    return os;
}

/// `visit_all(a, b, …)(f)` calls f with views of the same element type; other types throw.
template <class T, class... Ts>
auto visit_all(T&& x, Ts&&... xs) {
    const auto type = x.get_shape().type();
    if (not((xs.get_shape().type() == type) and ...))
        detail::throw_raw_data("visit_all: equal element types were expected, got several");
    return [type, &x, &xs...](auto f) {
        shape::visit(
            type,
            [&](auto as) {
                using element = detail::visited_type<typename decltype(as)::type>;
                auto view = [](auto& y) {
                    return make_view(y.get_shape(),
                                     reinterpret_cast<element*>(const_cast<char*>(y.data())));
                };
                f(view(x), view(xs)...);
            },
            [] { detail::throw_raw_data("visit_all: tensors were expected, got tuples"); });
    };
}

/// The same for a vector: f gets a std::vector of views.
template <class T>
auto visit_all(const std::vector<T>& xs) {
    return [&xs](auto f) {
        if (xs.empty())
            return;
        const auto type = xs.front().get_shape().type();
        for (const auto& x : xs)
            if (x.get_shape().type() != type)
                detail::throw_raw_data("visit_all: equal element types were expected, got several");
        shape::visit(
            type,
            [&](auto as) {
                using element = detail::visited_type<typename decltype(as)::type>;
                std::vector<tensor_view<element>> views;
                for (const auto& x : xs)
                    views.push_back(make_view(
                        x.get_shape(), reinterpret_cast<element*>(const_cast<char*>(x.data()))));
                f(std::move(views));
            },
            [] { detail::throw_raw_data("visit_all: tensors were expected, got tuples"); });
    };
}

} // namespace migraphx
#endif
