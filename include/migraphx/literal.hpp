// SPDX-License-Identifier: MIT
// A constant tensor: a shape and immutable data, shared by copies.
#ifndef MIGRAPHX_LITERAL_HPP
#define MIGRAPHX_LITERAL_HPP

#include <initializer_list>
#include <migraphx/argument.hpp>
#include <migraphx/raw_data.hpp>
#include <migraphx/shape.hpp>
#include <type_traits>
#include <vector>

namespace migraphx {

/// Constant tensor. Values given as numbers are converted one by one to the shape's type and stored
/// in logical order into its strides; their count must equal `elements()`.
struct literal : raw_data<literal> {
    literal() = default;

    /// No data, only a type.
    explicit literal(shape::type_t shape_type) : m_arg(shape{shape_type, {}}, nullptr) {}

    /// One value: a scalar of rank one.
    template <class U, class T = std::remove_cv_t<U>, shape::type_t = shape::get_type<T>::value>
    literal(U x) : m_arg(shape{shape::get_type<T>::value}) {
        *reinterpret_cast<T*>(m_arg.data()) = x;
    }

    template <class T>
    literal(const shape& s, const std::vector<T>& x) : m_arg(allocate(s, x.size())) {
        fill(x.begin(), x.end());
    }

    template <class T>
    literal(const shape& s, const std::initializer_list<T>& x) : m_arg(allocate(s, x.size())) {
        fill(x.begin(), x.end());
    }

    template <class Iterator, class = typename std::iterator_traits<Iterator>::iterator_category>
    literal(const shape& s, Iterator start, Iterator end)
        : m_arg(allocate(s, static_cast<std::size_t>(std::distance(start, end)))) {
        fill(start, end);
    }

    /// Copies `s.bytes()` raw bytes.
    template <class T, std::enable_if_t<sizeof(T) == 1, int> = 0>
    literal(const shape& s, T* x) : m_arg(copy_bytes(s, reinterpret_cast<const char*>(x))) {}

    /// Takes over an argument without a copy (internal: the caller must not write to it any more).
    static literal adopt(argument a);

    const shape& get_shape() const { return m_arg.get_shape(); }
    const char* data() const { return m_arg.data(); }
    bool empty() const { return m_arg.data() == nullptr; }
    std::vector<literal> get_sub_objects() const { return {}; }

    /// Shares the literal's memory, which must not be written.
    argument get_argument() const { return m_arg; }

    friend bool operator==(const literal& x, const literal& y) { return x.m_arg == y.m_arg; }

private:
    static argument allocate(const shape& s, std::size_t count);
    static argument copy_bytes(const shape& s, const char* x);

    template <class Iterator>
    void fill(Iterator start, Iterator end) {
        m_arg.visit([&](auto view) {
            using type = std::decay_t<decltype(*view.begin())>;
            auto it = view.begin();
            for (auto i = start; i != end; ++i, ++it)
                *it = static_cast<type>(*i);
        });
    }

    argument m_arg;
};

inline bool operator==(const literal& x, const argument& y) {
    return x.get_argument() == y;
}
inline bool operator==(const argument& x, const literal& y) {
    return x == y.get_argument();
}
inline bool operator!=(const literal& x, const argument& y) {
    return not(x == y);
}
inline bool operator!=(const argument& x, const literal& y) {
    return not(x == y);
}

/// Applies f to each element; the result has the type and standard layout of the literal.
template <class F>
literal transform(literal l, F f) {
    literal result;
    l.visit([&](auto x) {
        using type = std::decay_t<decltype(*x.begin())>;
        std::vector<type> out;
        out.reserve(x.size());
        for (auto&& e : x)
            out.push_back(static_cast<type>(f(e)));
        result = literal{l.get_shape(), out};
    });
    return result;
}

template <class F>
literal transform(literal l1, literal l2, F f) {
    literal result;
    visit_all(l1, l2)([&](auto x, auto y) {
        using type = std::decay_t<decltype(*x.begin())>;
        std::vector<type> out;
        auto it = y.begin();
        for (auto&& e : x)
            out.push_back(static_cast<type>(f(e, *it++)));
        result = literal{l1.get_shape(), out};
    });
    return result;
}

value literal_to_value(const literal& x);
// A template: a number must not be saved as a literal.
template <class T, std::enable_if_t<std::is_same<T, literal>::value, int> = 0>
void migraphx_to_value(value& v, const T& x) {
    v = literal_to_value(x);
}
void migraphx_from_value(const value& v, literal& l);

} // namespace migraphx
#endif
