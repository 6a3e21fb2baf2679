// SPDX-License-Identifier: MIT
// value: conversion between kinds, comparison, hash, text.
#include <migraphx/value.hpp>

#include "base/str.hpp"
#include "base/value_data.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iostream>

namespace migraphx {
namespace {

[[noreturn]] void not_convertible(const value& v, const char* wanted) {
    std::string got = to_string(v.get_type());
    if (v.is_string() or v.is_float() or v.is_int64() or v.is_uint64())
        got += str(" ", v.is_string() ? str('"', v, '"') : str(v.without_key()));
    fail(error_kind::invalid_argument, str(v.get_key().empty() ? std::string("value") : v.get_key(),
                                           ": expected ", wanted, ", got ", got));
}

// The number that the whole text spells: int64 or uint64 when it is an integer that fits, else
// float; null when it is none.
value parse_number(std::string_view text) {
    while (not text.empty() and text.front() == ' ')
        text.remove_prefix(1);
    while (not text.empty() and text.back() == ' ')
        text.remove_suffix(1);
    if (not text.empty() and text.front() == '+')
        text.remove_prefix(1);
    const char* end = text.data() + text.size();
    std::int64_t i = 0;
    if (auto r = std::from_chars(text.data(), end, i); r.ec == std::errc{} and r.ptr == end)
        return value(i);
    std::uint64_t u = 0;
    if (auto r = std::from_chars(text.data(), end, u); r.ec == std::errc{} and r.ptr == end)
        return value(u);
    double d = 0;
    if (auto r = std::from_chars(text.data(), end, d); r.ec == std::errc{} and r.ptr == end)
        return value(d);
    return {};
}

value to_number(const value& v, const char* wanted) {
    if (v.is_int64() or v.is_uint64() or v.is_float())
        return v.without_key();
    if (v.is_bool())
        return value(std::int64_t{v.get_bool()});
    if (v.is_string()) {
        auto n = parse_number(v.get_string());
        if (not n.is_null())
            return n;
        if (v.get_string() == "true" or v.get_string() == "false")
            return value(std::int64_t{v.get_string() == "true"});
    }
    not_convertible(v, wanted);
}

int order(bool less, bool greater) {
    return less ? -1 : (greater ? 1 : 0);
}

template <class T>
int compare_items(const T& x, const T& y) {
    return order(x < y, y < x);
}

// Compares a double that is no NaN with an integer, exactly.
template <class Int>
int compare_float_int(double x, Int y) {
    constexpr double limit = std::is_signed_v<Int> ? 0x1p63 : 0x1p64;
    if (x >= limit)
        return 1;
    if (x < (std::is_signed_v<Int> ? -limit : 0.0))
        return -1;
    const double whole = std::trunc(x);
    const auto i = static_cast<Int>(whole);
    if (i != y)
        return i < y ? -1 : 1;
    return order(x<whole, x> whole);
}

int compare_numbers(const value& x, const value& y) {
    if (x.is_float() and y.is_float()) {
        const double a = x.get_float();
        const double b = y.get_float();
        if (std::isnan(a) or std::isnan(b))
            return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
        return order(a<b, a> b);
    }
    if (x.is_float()) {
        if (std::isnan(x.get_float()))
            return 1;
        return y.is_int64() ? compare_float_int(x.get_float(), y.get_int64())
                            : compare_float_int(x.get_float(), y.get_uint64());
    }
    if (y.is_float())
        return -compare_numbers(y, x);
    if (x.is_int64() and y.is_int64())
        return compare_items(x.get_int64(), y.get_int64());
    if (x.is_uint64() and y.is_uint64())
        return compare_items(x.get_uint64(), y.get_uint64());
    if (x.is_int64())
        return x.get_int64() < 0
                   ? -1
                   : compare_items(static_cast<std::uint64_t>(x.get_int64()), y.get_uint64());
    return -compare_numbers(y, x);
}

int kind_rank(const value& v) {
    switch (v.get_type()) {
    case value::null_type:
        return 0;
    case value::bool_type:
        return 1;
    case value::int64_type:
    case value::uint64_type:
    case value::float_type:
        return 2;
    case value::string_type:
        return 3;
    case value::binary_type:
        return 4;
    case value::array_type:
        return 5;
    case value::object_type:
        return 6;
    }
    return 7;
}

int compare_lists(const value* x, const value* y, std::size_t nx, std::size_t ny) {
    for (std::size_t i = 0; i < std::min(nx, ny); ++i)
        if (const int c = value::compare(x[i], y[i]); c != 0)
            return c;
    return compare_items(nx, ny);
}

std::vector<const value*> sorted_items(const value& v) {
    std::vector<const value*> result;
    for (const auto& x : v)
        result.push_back(&x);
    std::sort(result.begin(), result.end(),
              [](const value* x, const value* y) { return x->get_key() < y->get_key(); });
    return result;
}

int compare_objects(const value& x, const value& y) {
    const auto same_order = [](const value& a, const value& b) {
        return a.get_key() == b.get_key();
    };
    if (std::equal(x.begin(), x.end(), y.begin(), y.end(), same_order)) {
        if (compare_lists(x.data(), y.data(), x.size(), y.size()) == 0)
            return 0;
    }
    const auto a = sorted_items(x);
    const auto b = sorted_items(y);
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        if (const int c = value::compare(*a[i], *b[i]); c != 0)
            return c;
    return compare_items(a.size(), b.size());
}

std::size_t mix(std::size_t seed, std::size_t x) {
    seed ^= x + 0x9e3779b97f4a7c15ull + (seed << 6) + (seed >> 2);
    return seed * 0xff51afd7ed558ccdull;
}

std::size_t hash_number(const value& v) {
    if (v.is_float()) {
        const double d = v.get_float();
        if (std::isnan(d))
            return 0x7ff8;
        if (d != std::trunc(d) or d < -0x1p63 or d >= 0x1p64)
            return std::hash<double>{}(d);
        return d < 0 ? static_cast<std::uint64_t>(static_cast<std::int64_t>(d))
                     : static_cast<std::uint64_t>(d);
    }
    return v.is_int64() ? static_cast<std::uint64_t>(v.get_int64()) : v.get_uint64();
}

void print_items(std::ostream& os, const value& v) {
    os << '{';
    bool first = true;
    for (const auto& x : v) {
        if (not first)
            os << ", ";
        os << x;
        first = false;
    }
    os << '}';
}

} // namespace

const char* to_string(value::type_t t) {
    switch (t) {
    case value::int64_type:
        return "int64";
    case value::uint64_type:
        return "uint64";
    case value::float_type:
        return "float";
    case value::string_type:
        return "string";
    case value::bool_type:
        return "bool";
    case value::binary_type:
        return "binary";
    case value::object_type:
        return "object";
    case value::array_type:
        return "array";
    case value::null_type:
        return "null";
    }
    return "unknown";
}

void value::wrong_kind(type_t expected) const {
    not_convertible(*this, to_string(expected));
}

void value::check_list() const {
    if (not is_array() and not is_object() and not is_null())
        wrong_kind(array_type);
}

double value::as_double() const {
    const auto n = to_number(*this, "a number");
    if (n.is_float())
        return n.get_float();
    return n.is_int64() ? static_cast<double>(n.get_int64()) : static_cast<double>(n.get_uint64());
}

bool value::as_bool() const {
    if (is_bool())
        return get_bool();
    return compare_numbers(to_number(*this, "a truth value"), value(0)) != 0;
}

std::int64_t value::as_signed(std::int64_t low, std::int64_t high) const {
    const auto n = to_number(*this, "an integer");
    if (n.is_uint64() and high == std::numeric_limits<std::int64_t>::max())
        return static_cast<std::int64_t>(n.get_uint64());
    if (n.is_uint64() and n.get_uint64() <= static_cast<std::uint64_t>(high))
        return static_cast<std::int64_t>(n.get_uint64());
    if (n.is_int64() and n.get_int64() >= low and n.get_int64() <= high)
        return n.get_int64();
    if (n.is_float()) {
        const double d = std::trunc(n.get_float());
        if (d >= static_cast<double>(low) and d < static_cast<double>(high) + 1.0)
            return static_cast<std::int64_t>(d);
    }
    not_convertible(*this, str("an integer in [", low, ", ", high, "]").c_str());
}

std::uint64_t value::as_unsigned(std::uint64_t high) const {
    const auto n = to_number(*this, "an integer");
    if (n.is_uint64() and n.get_uint64() <= high)
        return n.get_uint64();
    if (n.is_int64() and n.get_int64() >= 0 and static_cast<std::uint64_t>(n.get_int64()) <= high)
        return static_cast<std::uint64_t>(n.get_int64());
    if (n.is_float()) {
        const double d = std::trunc(n.get_float());
        if (d >= 0.0 and d < static_cast<double>(high) + 1.0 and d < 0x1p64)
            return static_cast<std::uint64_t>(d);
    }
    not_convertible(*this, str("an integer in [0, ", high, "]").c_str());
}

std::string value::as_string() const {
    switch (get_type()) {
    case string_type:
        return get_string();
    case int64_type:
        return std::to_string(get_int64());
    case uint64_type:
        return std::to_string(get_uint64());
    case float_type:
        return str(get_float());
    case bool_type:
        return get_bool() ? "true" : "false";
    default:
        wrong_kind(string_type);
    }
}

int value::compare(const value& x, const value& y) {
    if (x.key != y.key)
        if (const int c = x.get_key().compare(y.get_key()); c != 0)
            return c < 0 ? -1 : 1;
    const int rank = kind_rank(x);
    if (rank != kind_rank(y))
        return rank - kind_rank(y);
    switch (x.get_type()) {
    case null_type:
        return 0;
    case bool_type:
        return compare_items(x.get_bool(), y.get_bool());
    case int64_type:
    case uint64_type:
    case float_type:
        return compare_numbers(x, y);
    case string_type:
        return compare_items(x.get_string(), y.get_string());
    case binary_type:
        return binary::compare(x.get_binary(), y.get_binary());
    case array_type:
        return compare_lists(x.data(), y.data(), x.size(), y.size());
    case object_type:
        return compare_objects(x, y);
    }
    return 0;
}

std::size_t value::hash() const {
    std::size_t h =
        mix(static_cast<std::size_t>(kind_rank(*this)), std::hash<std::string>{}(get_key()));
    switch (get_type()) {
    case null_type:
        return h;
    case bool_type:
        return mix(h, get_bool() ? 1 : 0);
    case int64_type:
    case uint64_type:
    case float_type:
        return mix(h, hash_number(*this));
    case string_type:
        return mix(h, std::hash<std::string>{}(get_string()));
    case binary_type: {
        const auto& b = get_binary();
        return mix(
            h, std::hash<std::string_view>{}({reinterpret_cast<const char*>(b.begin()), b.size()}));
    }
    case array_type:
        for (const auto& x : *this)
            h = mix(h, x.hash());
        return h;
    case object_type: {
        std::size_t sum = 0; // the order of items does not matter
        for (const auto& x : *this)
            sum += x.hash();
        return mix(h, sum);
    }
    }
    return h;
}

std::ostream& operator<<(std::ostream& os, const value& v) {
    if (not v.get_key().empty())
        os << v.get_key() << ": ";
    switch (v.get_type()) {
    case value::null_type:
        return os << "null";
    case value::bool_type:
        return os << v.get_bool();
    case value::int64_type:
        return os << v.get_int64();
    case value::uint64_type:
        return os << v.get_uint64();
    case value::float_type:
        return os << v.get_float();
    case value::string_type:
        return os << v.get_string();
    case value::binary_type:
        return os << "binary of " << v.get_binary().size() << " bytes";
    case value::array_type:
    case value::object_type:
        print_items(os, v);
    }
    return os;
}

void value::debug_print(bool show_type) const {
    std::cout << *this;
    if (show_type)
        std::cout << " [" << to_string(get_type()) << "]";
    std::cout << std::endl;
}

} // namespace migraphx
