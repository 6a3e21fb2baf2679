// SPDX-License-Identifier: MIT
// A typed view of memory described by a shape. Iteration and element numbers follow the logical
// (row-major) order whatever the strides.
#ifndef MIGRAPHX_TENSOR_VIEW_HPP
#define MIGRAPHX_TENSOR_VIEW_HPP

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <type_traits>
#include <utility>
#include <vector>

#include <migraphx/shape.hpp>

namespace migraphx {

/// Random access over the elements of a shape in logical order. Refers to the shape.
template <class T>
class tensor_view_iterator {
public:
    using iterator_category = std::random_access_iterator_tag;
    using value_type = std::remove_cv_t<T>;
    using difference_type = std::ptrdiff_t;
    using pointer = T*;
    using reference = T&;

    tensor_view_iterator() = default;
    tensor_view_iterator(T* base, const shape* s, std::size_t i)
        : data(base), layout(s), linear(s->standard()) {
        move_to(i);
    }

    reference operator*() const { return data[offset]; }
    pointer operator->() const { return data + offset; }
    reference operator[](difference_type n) const { return *(*this + n); }

    tensor_view_iterator& operator++() {
        ++number;
        if (linear)
            ++offset;
        else
            step();
        return *this;
    }
    tensor_view_iterator operator++(int) {
        tensor_view_iterator old = *this;
        ++*this;
        return old;
    }
    tensor_view_iterator& operator--() { return *this -= 1; }
    tensor_view_iterator operator--(int) {
        tensor_view_iterator old = *this;
        --*this;
        return old;
    }
    tensor_view_iterator& operator+=(difference_type n) {
        move_to(number + static_cast<std::size_t>(n));
        return *this;
    }
    tensor_view_iterator& operator-=(difference_type n) { return *this += -n; }
    friend tensor_view_iterator operator+(tensor_view_iterator x, difference_type n) {
        return x += n;
    }
    friend tensor_view_iterator operator+(difference_type n, tensor_view_iterator x) {
        return x += n;
    }
    friend tensor_view_iterator operator-(tensor_view_iterator x, difference_type n) {
        return x -= n;
    }
    friend difference_type operator-(const tensor_view_iterator& x, const tensor_view_iterator& y) {
        return static_cast<difference_type>(x.number) - static_cast<difference_type>(y.number);
    }
    friend bool operator==(const tensor_view_iterator& x, const tensor_view_iterator& y) {
        return x.number == y.number;
    }
    friend bool operator!=(const tensor_view_iterator& x, const tensor_view_iterator& y) {
        return x.number != y.number;
    }
    friend bool operator<(const tensor_view_iterator& x, const tensor_view_iterator& y) {
        return x.number < y.number;
    }
    friend bool operator>(const tensor_view_iterator& x, const tensor_view_iterator& y) {
        return y < x;
    }
    friend bool operator<=(const tensor_view_iterator& x, const tensor_view_iterator& y) {
        return !(y < x);
    }
    friend bool operator>=(const tensor_view_iterator& x, const tensor_view_iterator& y) {
        return !(x < y);
    }

private:
    // The last axis is counted in `column`; the others are recomputed when it wraps.
    void step() {
        const auto& lens = layout->lens();
        if (++column < lens.back()) {
            offset += static_cast<std::ptrdiff_t>(layout->strides().back());
            return;
        }
        move_to(number);
    }
    void move_to(std::size_t i) {
        number = i;
        if (linear) {
            offset = static_cast<std::ptrdiff_t>(i);
            return;
        }
        if (i >= layout->elements())
            return;
        offset = static_cast<std::ptrdiff_t>(layout->index(i));
        column = i % layout->lens().back();
    }

    T* data = nullptr;
    const shape* layout = nullptr;
    std::size_t number = 0;
    std::size_t column = 0;
    std::ptrdiff_t offset = 0;
    bool linear = true;
};

template <class T>
struct tensor_view {
    using value_type = std::remove_cv_t<T>;
    using size_type = std::size_t;
    using difference_type = std::ptrdiff_t;
    using reference = T&;
    using const_reference = const T&;
    using pointer = T*;
    using iterator = tensor_view_iterator<T>;
    using const_iterator = tensor_view_iterator<T>;

    tensor_view() = default;
    /// Throws for a dynamic shape.
    tensor_view(shape s, T* d) : m_data(d), m_shape(std::move(s)) { (void)m_shape.lens(); }

    const shape& get_shape() const { return m_shape; }
    bool empty() const { return m_data == nullptr || m_shape.elements() == 0; }
    std::size_t size() const { return m_shape.elements(); }
    T* data() const { return m_data; }

    /// Element at a multi-index.
    template <class... Ts,
              class = std::enable_if_t<(std::is_convertible_v<Ts, std::size_t> && ...)>>
    T& operator()(Ts... xs) const {
        return m_data[m_shape.index({static_cast<std::size_t>(xs)...})];
    }
    template <class Iterator, class = typename std::iterator_traits<Iterator>::iterator_category,
              class = std::enable_if_t<!std::is_convertible_v<Iterator, std::size_t>>>
    T& operator()(Iterator first, Iterator last) const {
        return m_data[m_shape.index(first, last)];
    }
    /// Element number i in logical order.
    template <class I, std::enable_if_t<std::is_integral_v<I>, int> = 0>
    T& operator[](I i) const {
        return m_data[m_shape.index(static_cast<std::size_t>(i))];
    }
    /// Element at a multi-index given as a range.
    template <class Range, std::enable_if_t<!std::is_integral_v<Range>, int> = 0>
    auto operator[](const Range& r) const -> decltype((void)std::begin(r), std::declval<T&>()) {
        return m_data[m_shape.index(std::begin(r), std::end(r))];
    }

    T& front() const { return (*this)[std::size_t{0}]; }
    T& back() const { return (*this)[size() - 1]; }

    iterator begin() const { return {m_data, &m_shape, 0}; }
    iterator end() const { return {m_data, &m_shape, size()}; }
    /// The iterator to the element at a multi-index.
    template <class Range>
    iterator begin_at(const Range& r) const {
        return {m_data, &m_shape,
                m_shape.single(std::vector<std::size_t>(std::begin(r), std::end(r)))};
    }

    std::vector<value_type> to_vector() const { return std::vector<value_type>(begin(), end()); }

    /// The part in which the given axes have the given indices; those axes have one element.
    template <class Range1, class Range2>
    tensor_view slice_at(const Range1& axes, const Range2& at) const {
        std::vector<std::size_t> lens = m_shape.lens();
        std::size_t offset = 0;
        auto it = std::begin(at);
        for (auto axis : axes) {
            lens[static_cast<std::size_t>(axis)] = 1;
            offset +=
                static_cast<std::size_t>(*it) * m_shape.strides()[static_cast<std::size_t>(axis)];
            ++it;
        }
        return {shape{m_shape.type(), lens, m_shape.strides()}, m_data + offset};
    }

    /// Equal shapes' sizes and equal elements in logical order.
    template <class U>
    friend bool operator==(const tensor_view& x, const tensor_view<U>& y) {
        if (x.get_shape().lens() != y.get_shape().lens())
            return false;
        auto i = y.begin();
        for (const auto& e : x) {
            if (!(e == *i))
                return false;
            ++i;
        }
        return true;
    }
    template <class U>
    friend bool operator!=(const tensor_view& x, const tensor_view<U>& y) {
        return !(x == y);
    }

    /// "1, 2, 3".
    template <class Stream>
    friend auto operator<<(Stream& os, const tensor_view& x)
        -> decltype(os << std::declval<const char*>(), (Stream&)os) {
        const char* separator = "";
        for (const auto& e : x) {
            os << separator;
            if constexpr (sizeof(T) == 1 && std::is_integral_v<T>)
                os << static_cast<int>(e);
            else
                os << e;
            separator = ", ";
        }
        return os;
    }

private:
    T* m_data = nullptr;
    shape m_shape;
};

template <class T>
tensor_view<T> make_view(const shape& s, T* data) {
    return {s, data};
}

} // namespace migraphx

#endif
