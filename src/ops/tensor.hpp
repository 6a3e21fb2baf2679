// SPDX-License-Identifier: MIT
// What reference evaluation computes with: elements of any type as double, int64_t or uint64_t, in
// logical (row-major) order. Converted once on load and once on store.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/shape.hpp>

#include <cstdint>
#include <type_traits>
#include <vector>

namespace migraphx {

/// All elements of `a`; T is double, int64_t or uint64_t.
template <class T>
std::vector<T> load(const argument& a);
/// `count` elements from logical element `first` on.
template <class T>
void load(const argument& a, std::size_t first, std::size_t count, T* to);
/// Rounds once to the type of `out` (integers: towards zero, saturated from double).
template <class T>
void store(const argument& out, const std::vector<T>& values);
template <class T>
void store(const argument& out, std::size_t first, std::size_t count, const T* from);

/// Calls f with a value of the class in which elements of `t` are computed: double for floating
/// point, uint64_t for uint64, else int64_t.
template <class F>
decltype(auto) with_number(shape::type_t t, F f) {
    if (t == shape::uint64_type)
        return f(uint64_t{});
    if (shape::is_integral(t) or t == shape::bool_type)
        return f(int64_t{});
    return f(double{});
}

/// Copies elements between arguments of the same element size and equal dimensions, any strides,
/// without looking at their values.
void copy_elements(const argument& out, const argument& in);

/// A packed row-major tensor of numbers with index arithmetic.
template <class T>
struct numbers {
    std::vector<std::size_t> lens;
    std::vector<T> data;

    numbers() = default;
    explicit numbers(const argument& a) : lens(a.get_shape().lens()), data(load<T>(a)) {}
    numbers(std::vector<std::size_t> l, T fill = T{}) : lens(std::move(l)) {
        std::size_t n = 1;
        for (auto x : lens)
            n *= x;
        data.assign(n, fill);
    }
    T& operator[](std::size_t i) { return data[i]; }
    const T& operator[](std::size_t i) const { return data[i]; }
    T& operator()(const std::vector<std::size_t>& index) { return data[offset(index)]; }
    const T& operator()(const std::vector<std::size_t>& index) const { return data[offset(index)]; }
    std::size_t offset(const std::vector<std::size_t>& index) const {
        std::size_t o = 0;
        for (std::size_t i = 0; i < lens.size(); i++)
            o = o * lens[i] + index[i];
        return o;
    }
    std::size_t size() const { return data.size(); }
};

/// Advances a multi-index in row-major order; false after the last.
inline bool next_index(std::vector<std::size_t>& index, const std::vector<std::size_t>& lens) {
    for (std::size_t d = lens.size(); d-- > 0;) {
        if (++index[d] < lens[d])
            return true;
        index[d] = 0;
    }
    return false;
}

/// The lines along `axis`: calls f(offset of the first element, stride, length) for each, offsets
/// and strides in logical row-major elements.
template <class F>
void for_each_line(const std::vector<std::size_t>& lens, std::size_t axis, F f) {
    std::size_t outer = 1, inner = 1;
    for (std::size_t i = 0; i < axis; i++)
        outer *= lens[i];
    for (std::size_t i = axis + 1; i < lens.size(); i++)
        inner *= lens[i];
    for (std::size_t o = 0; o < outer; o++)
        for (std::size_t i = 0; i < inner; i++)
            f(o * lens[axis] * inner + i, inner, lens[axis]);
}

} // namespace migraphx
