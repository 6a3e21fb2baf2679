// SPDX-License-Identifier: MIT
// Algorithms that take whole ranges.
#ifndef MIGRAPHX_GUARD_RANGES_HPP
#define MIGRAPHX_GUARD_RANGES_HPP

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace migraphx {

template <class R>
using range_value =
    std::remove_cv_t<std::remove_reference_t<decltype(*std::declval<R&>().begin())>>;

namespace ranges_detail {

template <class C, class T>
auto has(const C& c, const T& x, int) -> decltype(c.find(x), c.count(x), true) {
    return c.find(x) != c.end();
}
template <class C, class T>
bool has(const C& c, const T& x, long) {
    return std::find(std::begin(c), std::end(c), x) != std::end(c);
}

} // namespace ranges_detail

// Is x a key (maps, sets) or an item of c, or a part of the text c?
template <class C, class T>
bool contains(const C& c, const T& x) {
    if constexpr (std::is_convertible<const C&, std::string>{} and
                  std::is_convertible<const T&, std::string>{})
        return std::string(c).find(std::string(x)) != std::string::npos;
    else
        return ranges_detail::has(c, x, 0);
}
template <class T, class U>
bool contains(const std::initializer_list<T>& c, const U& x) {
    return std::find(c.begin(), c.end(), x) != c.end();
}

template <class C, class Predicate>
bool all_of(const C& c, const Predicate& p) {
    return std::all_of(c.begin(), c.end(), p);
}
template <class T, class Predicate>
bool all_of(const std::initializer_list<T>& c, const Predicate& p) {
    return std::all_of(c.begin(), c.end(), p);
}
template <class C, class Predicate>
bool any_of(const C& c, const Predicate& p) {
    return std::any_of(c.begin(), c.end(), p);
}
template <class T, class Predicate>
bool any_of(const std::initializer_list<T>& c, const Predicate& p) {
    return std::any_of(c.begin(), c.end(), p);
}
template <class C, class Predicate>
bool none_of(const C& c, const Predicate& p) {
    return std::none_of(c.begin(), c.end(), p);
}
template <class T, class Predicate>
bool none_of(const std::initializer_list<T>& c, const Predicate& p) {
    return std::none_of(c.begin(), c.end(), p);
}

template <class R1, class R2, class... Predicate>
bool equal(R1&& r1, R2&& r2, Predicate... pred) {
    return std::equal(r1.begin(), r1.end(), r2.begin(), r2.end(), pred...);
}

template <class Range, class Iterator>
Iterator copy(Range&& r, Iterator it) {
    return std::copy(r.begin(), r.end(), it);
}
template <class Range, class T>
void replace(Range&& r, const T& old, const T& fresh) {
    std::replace(r.begin(), r.end(), old, fresh);
}
template <class Range, class Iterator, class F>
void transform(Range&& r, Iterator it, F f) {
    std::transform(r.begin(), r.end(), it, f);
}
template <class Range1, class Range2, class Iterator, class F>
auto transform(Range1&& r1, Range2&& r2, Iterator it, F f)
    -> decltype(f(*r1.begin(), *r2.begin()), void()) {
    std::transform(r1.begin(), r1.end(), r2.begin(), it, f);
}
template <class Range>
auto reverse(Range& r) {
    std::reverse(r.begin(), r.end());
}

// The items that satisfy p.
template <class Range, class Predicate>
auto find_all(Range&& r, Predicate p) {
    std::vector<range_value<Range>> result;
    std::copy_if(r.begin(), r.end(), std::back_inserter(result), p);
    return result;
}

template <class Iterator>
struct iterator_range {
    Iterator start;
    Iterator last;

    Iterator begin() const { return start; }
    Iterator end() const { return last; }
    auto size() const { return std::distance(start, last); }
    bool empty() const { return start == last; }
};

template <class Iterator, std::enable_if_t<not std::is_integral<Iterator>{}, int> = 0>
iterator_range<Iterator> range(Iterator start, Iterator last) {
    return {start, last};
}
template <class Iterator>
iterator_range<Iterator> range(std::pair<Iterator, Iterator> p) {
    return {p.first, p.second};
}

// Counts up; a random access iterator over integers.
struct iota_iterator {
    using value_type = std::ptrdiff_t;
    using difference_type = std::ptrdiff_t;
    using reference = std::ptrdiff_t;
    using pointer = const std::ptrdiff_t*;
    using iterator_category = std::random_access_iterator_tag;

    std::ptrdiff_t index = 0;

    std::ptrdiff_t operator*() const { return index; }
    std::ptrdiff_t operator[](std::ptrdiff_t n) const { return index + n; }
    iota_iterator& operator++() { return *this += 1; }
    iota_iterator& operator--() { return *this += -1; }
    iota_iterator operator++(int) {
        auto old = *this;
        ++index;
        return old;
    }
    iota_iterator operator--(int) {
        auto old = *this;
        --index;
        return old;
    }
    iota_iterator& operator+=(std::ptrdiff_t n) {
        index += n;
        return *this;
    }
    iota_iterator& operator-=(std::ptrdiff_t n) { return *this += -n; }
    friend iota_iterator operator+(iota_iterator x, std::ptrdiff_t n) { return {x.index + n}; }
    friend iota_iterator operator+(std::ptrdiff_t n, iota_iterator x) { return {x.index + n}; }
    friend iota_iterator operator-(iota_iterator x, std::ptrdiff_t n) { return {x.index - n}; }
    friend std::ptrdiff_t operator-(iota_iterator x, iota_iterator y) { return x.index - y.index; }
    friend bool operator==(iota_iterator x, iota_iterator y) { return x.index == y.index; }
    friend bool operator!=(iota_iterator x, iota_iterator y) { return x.index != y.index; }
    friend bool operator<(iota_iterator x, iota_iterator y) { return x.index < y.index; }
    friend bool operator>(iota_iterator x, iota_iterator y) { return x.index > y.index; }
    friend bool operator<=(iota_iterator x, iota_iterator y) { return x.index <= y.index; }
    friend bool operator>=(iota_iterator x, iota_iterator y) { return x.index >= y.index; }
};

inline iterator_range<iota_iterator> range(std::ptrdiff_t start, std::ptrdiff_t last) {
    return {{start}, {start < last ? last : start}};
}
inline iterator_range<iota_iterator> range(std::ptrdiff_t last) {
    return range(0, last);
}

} // namespace migraphx
#endif
