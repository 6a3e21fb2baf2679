// SPDX-License-Identifier: MIT
#include "ops/expect.hpp"

#include <migraphx/errors.hpp>

namespace migraphx {

void fail_shape(const std::string& message) {
    fail(error_kind::invalid_argument, message);
}

const expect& expect::that(bool condition, const std::string& message) const {
    if (not condition)
        fail_shape(message);
    return *this;
}

const expect& expect::count(std::size_t n) const {
    return that(in.size() == n,
                str(n, n == 1 ? " input was" : " inputs were", " expected, got ", in.size()));
}

const expect& expect::count(std::initializer_list<std::size_t> allowed) const {
    std::string list;
    for (auto n : allowed) {
        if (n == in.size())
            return *this;
        list += (list.empty() ? "" : " or ") + std::to_string(n);
    }
    fail_shape(str(list, " inputs were expected, got ", in.size()));
}

const expect& expect::at_least(std::size_t n) const {
    return that(in.size() >= n, str("at least ", n, " input(s) were expected, got ", in.size()));
}

expect expect::only(std::size_t from, std::size_t to) const {
    expect e{in};
    e.first = from;
    e.last = to;
    return e;
}

const expect& expect::same_type() const {
    for (auto i = first + 1; i < end(); i++)
        if (in[i].type() != in[first].type())
            fail_shape(str("inputs of one type were expected, got ", in[first].type_string(),
                           " and ", in[i].type_string()));
    return *this;
}

const expect& expect::same_rank() const {
    for (auto i = first + 1; i < end(); i++)
        if (in[i].ndim() != in[first].ndim())
            fail_shape(str("inputs of one rank were expected, got ", in[first].ndim(), " and ",
                           in[i].ndim()));
    return *this;
}

const expect& expect::same_dims() const {
    for (auto i = first + 1; i < end(); i++) {
        const auto& a = in[first];
        const auto& b = in[i];
        bool equal = a.ndim() == b.ndim();
        if (equal and not a.dynamic() and not b.dynamic())
            equal = a.lens() == b.lens();
        else if (equal)
            equal = a.to_dynamic().dyn_dims() == b.to_dynamic().dyn_dims() or
                    (a.dynamic() and b.dynamic() and a.dyn_dims() == b.dyn_dims());
        if (not equal)
            fail_shape(str("inputs of equal dimensions were expected, got ", a, " and ", b));
    }
    return *this;
}

const expect& expect::rank(std::size_t n) const {
    for (auto i = first; i < end(); i++)
        if (in[i].ndim() != n)
            fail_shape(str("rank ", n, " was expected, got ", in[i].ndim(), " for input ", i));
    return *this;
}

const expect& expect::rank_at_least(std::size_t n) const {
    for (auto i = first; i < end(); i++)
        if (in[i].ndim() < n)
            fail_shape(
                str("rank of at least ", n, " was expected, got ", in[i].ndim(), " for input ", i));
    return *this;
}

const expect& expect::floating() const {
    for (auto i = first; i < end(); i++)
        if (shape::is_integral(in[i].type()) or in[i].type() == shape::bool_type)
            fail_shape(str("a floating-point type was expected, got ", in[i].type_string()));
    return tensor();
}

const expect& expect::integral() const {
    for (auto i = first; i < end(); i++)
        if (not shape::is_integral(in[i].type()))
            fail_shape(str("an integer type was expected, got ", in[i].type_string()));
    return *this;
}

const expect& expect::tensor() const {
    for (auto i = first; i < end(); i++)
        if (in[i].type() == shape::tuple_type)
            fail_shape(str("a tensor was expected, got a tuple for input ", i));
    return *this;
}

const expect& expect::static_shapes() const {
    for (auto i = first; i < end(); i++)
        if (in[i].any_of_dynamic())
            fail_shape(str("static shapes were expected, got ", in[i], " for input ", i));
    return *this;
}

const expect& expect::not_range_dynamic() const {
    for (auto i = first; i < end(); i++)
        if (in[i].dynamic() and not in[i].symbolic())
            fail_shape(
                str("a static or symbolic shape was expected, got ", in[i], " for input ", i));
    return *this;
}

const expect& expect::standard() const {
    for (auto i = first; i < end(); i++)
        if (not in[i].dynamic() and not in[i].standard())
            fail_shape(str("a standard shape was expected, got ", in[i], " for input ", i));
    return *this;
}

const expect& expect::axis(int64_t a) const {
    const auto n = static_cast<int64_t>(in.at(0).ndim());
    return that(a >= 0 and a < n, str("axis must be in [", -n, ", ", n - 1, "], got ", a));
}

const expect& expect::axes(const std::vector<int64_t>& a) const {
    for (auto i : a)
        axis(i);
    return *this;
}

} // namespace migraphx
