// SPDX-License-Identifier: MIT
#include "ops/tensor.hpp"

#include "ir/convert_element.hpp"

#include <migraphx/errors.hpp>

#include "ir/small_number.hpp"

#include <cmath>
#include <limits>

namespace migraphx {

namespace {

template <class To, class From>
To narrowed(From x) {
    if constexpr (std::is_integral_v<To> and std::is_floating_point_v<From>)
        return integer_from<To>(static_cast<double>(x));
    else if constexpr (std::is_arithmetic_v<To>)
        return static_cast<To>(x);
    else
        return To(static_cast<float>(x));
}

template <class T, class U>
T widened(U x) {
    if constexpr (std::is_same_v<T, double>)
        return static_cast<double>(x);
    else if constexpr (std::is_integral_v<U>)
        return static_cast<T>(x);
    else
        return narrowed<T>(static_cast<double>(x));
}

// Calls f(memory offset, number of the element) for logical elements [first, first + count).
template <class F>
void for_each_offset(const shape& s, std::size_t first, std::size_t count, F f) {
    if (s.standard() or (s.packed() and s.ndim() == 1)) {
        for (std::size_t i = 0; i < count; i++)
            f(first + i, i);
        return;
    }
    if (count == 0)
        return;
    const auto& lens = s.lens();
    const auto& strides = s.strides();
    auto index = s.multi(first);
    std::size_t offset = 0;
    for (std::size_t d = 0; d < lens.size(); d++)
        offset += index[d] * strides[d];
    for (std::size_t i = 0; i < count; i++) {
        f(offset, i);
        for (std::size_t d = lens.size(); d-- > 0;) {
            offset += strides[d];
            if (++index[d] < lens[d])
                break;
            offset -= strides[d] * lens[d];
            index[d] = 0;
        }
    }
}

void check_range(const argument& a, std::size_t first, std::size_t count) {
    const auto n = a.get_shape().elements();
    if (first > n or count > n - first)
        fail(error_kind::internal,
             "tensor access: elements inside the tensor were expected, got others");
    if (a.data() == nullptr and count != 0)
        fail(error_kind::invalid_argument,
             "tensor access: data was expected, got an empty argument");
}

template <class F>
void with_element_type(const shape& s, F f) {
    shape::visit(s.type(), f, [&] {
        fail(error_kind::invalid_argument,
             "tensor access: a tensor of numbers was expected, got " + s.type_string());
    });
}

} // namespace

template <class T>
void load(const argument& a, std::size_t first, std::size_t count, T* to) {
    check_range(a, first, count);
    if (const auto type = a.get_shape().type(); shape::is_small(type)) {
        for_each_offset(a.get_shape(), first, count, [&](std::size_t offset, std::size_t i) {
            to[i] = widened<T>(small_value(type, static_cast<std::uint8_t>(a.data()[offset])));
        });
        return;
    }
    with_element_type(a.get_shape(), [&](auto as) {
        const auto* p = as.from(static_cast<const char*>(a.data()));
        for_each_offset(a.get_shape(), first, count,
                        [&](std::size_t offset, std::size_t i) { to[i] = widened<T>(p[offset]); });
    });
}

template <class T>
std::vector<T> load(const argument& a) {
    std::vector<T> result(a.get_shape().elements());
    load(a, 0, result.size(), result.data());
    return result;
}

template <class T>
void store(const argument& out, std::size_t first, std::size_t count, const T* from) {
    check_range(out, first, count);
    if (const auto type = out.get_shape().type(); shape::is_small(type)) {
        for_each_offset(out.get_shape(), first, count, [&](std::size_t offset, std::size_t i) {
            out.data()[offset] = static_cast<char>(small_code(type, static_cast<double>(from[i])));
        });
        return;
    }
    const bool is_bool = out.get_shape().type() == shape::bool_type;
    with_element_type(out.get_shape(), [&](auto as) {
        using type = typename decltype(as)::type;
        auto* p = as.from(out.data());
        for_each_offset(out.get_shape(), first, count, [&](std::size_t offset, std::size_t i) {
            p[offset] = is_bool ? type(from[i] != T{} ? 1 : 0) : narrowed<type>(from[i]);
        });
    });
}

template <class T>
void store(const argument& out, const std::vector<T>& values) {
    if (values.size() != out.get_shape().elements())
        fail(error_kind::internal,
             "tensor access: as many values as elements were expected, got another number");
    store(out, 0, values.size(), values.data());
}

template std::vector<double> load(const argument&);
template std::vector<int64_t> load(const argument&);
template std::vector<uint64_t> load(const argument&);
template void load(const argument&, std::size_t, std::size_t, double*);
template void load(const argument&, std::size_t, std::size_t, int64_t*);
template void load(const argument&, std::size_t, std::size_t, uint64_t*);
template void store(const argument&, const std::vector<double>&);
template void store(const argument&, const std::vector<int64_t>&);
template void store(const argument&, const std::vector<uint64_t>&);
template void store(const argument&, std::size_t, std::size_t, const double*);
template void store(const argument&, std::size_t, std::size_t, const int64_t*);
template void store(const argument&, std::size_t, std::size_t, const uint64_t*);

} // namespace migraphx
