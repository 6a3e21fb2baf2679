// SPDX-License-Identifier: MIT
#include <migraphx/argument.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/file_buffer.hpp>
#include <migraphx/literal.hpp>
#include <migraphx/msgpack.hpp>
#include <migraphx/serialize.hpp>

#include "ir/convert_element.hpp"
#include "ir/text.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

namespace migraphx {

namespace {

constexpr std::size_t alignment = 64;

std::shared_ptr<char> allocate_bytes(std::size_t bytes, bool zero) {
    if (bytes > std::size_t(std::numeric_limits<std::ptrdiff_t>::max()) - alignment)
        fail(error_kind::invalid_argument,
             "argument: a size that fits the memory was expected, got " + std::to_string(bytes) +
                 " bytes");
    const std::size_t rounded =
        std::max<std::size_t>((bytes + alignment - 1) / alignment * alignment, alignment);
    void* p = std::aligned_alloc(alignment, rounded);
    if (p == nullptr)
        fail(error_kind::io,
             "argument: memory was expected, got none for " + std::to_string(bytes) + " bytes");
    if (zero)
        std::memset(p, 0, rounded);
    return {static_cast<char*>(p), [](char* q) { std::free(q); }};
}

// Strings are empty ones from the start: whatever reads them finds no stray addresses.
std::shared_ptr<char> allocate_elements(const shape& s, bool zero) {
    if (s.dynamic())
        fail(error_kind::invalid_argument,
             "argument: a static shape was expected, got one whose size is not known yet");
    return allocate_bytes(s.bytes(), zero or s.type() == shape::string_type);
}

} // namespace

argument::argument(const shape& s) : m_shape(s) {
    if (s.type() == shape::tuple_type)
        for (const auto& sub : s.sub_shapes())
            m_subs.emplace_back(sub);
    else
        m_data = allocate_elements(s, true);
}

argument argument::uninitialized(const shape& s) {
    argument a;
    a.m_shape = s;
    if (s.type() == shape::tuple_type)
        for (const auto& sub : s.sub_shapes())
            a.m_subs.push_back(uninitialized(sub));
    else
        a.m_data = allocate_elements(s, false);
    return a;
}

argument::argument(const std::vector<argument>& args) : m_shape(to_shapes(args)), m_subs(args) {}

argument argument::reshape(const shape& s) const {
    argument a = *this;
    a.m_shape = s;
    return a;
}

argument argument::view(const shape& s, std::size_t byte_offset) const {
    argument a;
    a.m_shape = s;
    a.m_data =
        std::shared_ptr<char>(m_data, m_data == nullptr ? nullptr : m_data.get() + byte_offset);
    return a;
}

argument argument::copy() const {
    if (m_shape.type() == shape::tuple_type) {
        std::vector<argument> subs;
        for (const auto& sub : m_subs)
            subs.push_back(sub.copy());
        return {subs};
    }
    if (m_shape.type() == shape::string_type and m_data != nullptr)
        return string_argument(m_shape, strings_of(*this));
    argument a = uninitialized(m_shape);
    if (m_data != nullptr and m_shape.bytes() != 0)
        std::memcpy(a.data(), data(), m_shape.bytes());
    return a;
}

argument argument::element(std::size_t i) const {
    return view(shape{m_shape.type(), {1}, {0}}, m_shape.index(i) * m_shape.type_size());
}

argument argument::convert(shape::type_t t) const {
    argument result = uninitialized(shape{t, m_shape.lens()});
    convert_elements(result, *this);
    return result;
}

bool operator==(const argument& x, const argument& y) {
    const auto& s1 = x.get_shape();
    const auto& s2 = y.get_shape();
    if (s1.type() == shape::tuple_type or s2.type() == shape::tuple_type)
        return s1.type() == s2.type() and x.m_subs == y.m_subs;
    return detail::raw_data_equal(s1, x.data(), s2, y.data());
}

argument string_argument(const shape& s, const std::vector<std::string_view>& values) {
    if (s.type() != shape::string_type or s.dynamic() or s.elements() != values.size())
        fail(error_kind::invalid_argument, "string_argument: a static shape of " +
                                               std::to_string(values.size()) +
                                               " strings was expected, got " + s.to_string());
    std::size_t bytes = s.bytes();
    for (const auto& v : values)
        if (__builtin_add_overflow(bytes, v.size(), &bytes))
            fail(error_kind::invalid_argument,
                 "string_argument: strings that fit the memory were expected, got more");
    auto memory = allocate_bytes(bytes, false);
    std::memset(memory.get(), 0, s.bytes());
    char* next = memory.get() + s.bytes();
    auto elements = make_view(s, reinterpret_cast<std::string_view*>(memory.get()));
    auto out = elements.begin();
    for (const auto& v : values) {
        if (not v.empty())
            std::memcpy(next, v.data(), v.size());
        *out = {next, v.size()};
        next += v.size();
        ++out;
    }
    return {s, std::move(memory)};
}

std::vector<std::string_view> strings_of(const argument& a) {
    const auto& s = a.get_shape();
    if (s.type() != shape::string_type or (a.data() == nullptr and s.elements() != 0))
        fail(error_kind::invalid_argument, "strings_of: a tensor of strings was expected, got " +
                                               s.to_string() +
                                               (a.data() == nullptr ? " without data" : ""));
    const auto view = a.get<std::string_view>();
    return {view.begin(), view.end()};
}

argument with_own_strings(const argument& a) {
    const auto& s = a.get_shape();
    if (s.type() == shape::string_type)
        return a.copy();
    if (s.type() != shape::tuple_type or not s.is_boxed())
        return a;
    std::vector<argument> subs;
    for (const auto& sub : a.get_sub_objects())
        subs.push_back(with_own_strings(sub));
    return {subs};
}

std::vector<argument> flatten(const std::vector<argument>& args) {
    std::vector<argument> result;
    for (const auto& a : args) {
        if (a.get_shape().type() == shape::tuple_type) {
            auto subs = flatten(a.get_sub_objects());
            result.insert(result.end(), subs.begin(), subs.end());
        } else
            result.push_back(a);
    }
    return result;
}

std::vector<shape> to_shapes(const std::vector<argument>& args) {
    std::vector<shape> shapes;
    shapes.reserve(args.size());
    for (const auto& a : args)
        shapes.push_back(a.get_shape());
    return shapes;
}

namespace detail {

void throw_raw_data(const std::string& message) {
    fail(error_kind::invalid_argument, message);
}

std::string raw_data_to_string(const shape& s, const char* data) {
    std::string out;
    append_elements(out, s, data);
    return out;
}

bool raw_data_equal(const shape& s1, const char* d1, const shape& s2, const char* d2) {
    if (s1.type() != s2.type())
        return false;
    if (s1.dynamic() or s2.dynamic() or s1.lens() != s2.lens())
        return s1 == s2 and d1 == d2;
    const auto n = s1.elements();
    if (n == 0 or (d1 == d2 and s1 == s2))
        return true;
    if (d1 == nullptr or d2 == nullptr)
        return false;
    if (s1.type() == shape::string_type) {
        const auto x = make_view(s1, reinterpret_cast<const std::string_view*>(d1));
        return std::equal(x.begin(), x.end(),
                          make_view(s2, reinterpret_cast<const std::string_view*>(d2)).begin());
    }
    if (not s1.computable())
        return s1 == s2 and std::memcmp(d1, d2, s1.bytes()) == 0;
    bool equal = true;
    shape::visit(
        s1.type(),
        [&](auto as) {
            auto x = make_view(s1, as.from(d1));
            auto y = make_view(s2, as.from(d2));
            auto j = y.begin();
            for (auto i = x.begin(); i != x.end() and equal; ++i, ++j)
                equal = *i == *j;
        },
        [] {});
    return equal;
}

} // namespace detail

argument literal::allocate(const shape& s, std::size_t count) {
    if (s.type() == shape::tuple_type or s.dynamic())
        fail(error_kind::invalid_argument,
             "literal: a static tensor shape was expected, got another");
    if (s.elements() != count)
        fail(error_kind::invalid_argument, "literal: " + std::to_string(s.elements()) +
                                               " value(s) were expected for the shape, got " +
                                               std::to_string(count));
    return argument{s};
}

argument literal::copy_bytes(const shape& s, const char* x) {
    // Elements of strings are addresses: only the caller knows that they are good.
    if (s.type() == shape::string_type)
        return with_own_strings(argument{s, x});
    argument a = argument::uninitialized(s);
    if (s.bytes() != 0)
        std::memcpy(a.data(), x, s.bytes());
    return a;
}

literal literal::adopt(argument a) {
    literal l;
    l.m_arg = std::move(a);
    return l;
}

namespace {

value data_to_value(const argument& a) {
    value v;
    v["shape"] = to_value(a.get_shape());
    if (a.get_shape().type() == shape::string_type and a.data() != nullptr) {
        value strings = value::array{};
        for (const auto& x : strings_of(a))
            strings.push_back(value(std::string(x)));
        v["strings"] = strings;
        return v;
    }
    if (a.data() != nullptr and a.get_shape().bytes() > 0)
        v["data"] =
            value::binary(std::shared_ptr<const void>(a.handle()), a.data(), a.get_shape().bytes());
    return v;
}

argument data_from_value(const value& v, const char* subject) {
    if (not v.is_object() or not v.contains("shape"))
        fail(error_kind::invalid_argument,
             std::string(subject) + ": an object with a shape was expected, got something else");
    const auto s = from_value<shape>(v.at("shape"));
    if (v.contains("strings")) {
        std::vector<std::string_view> strings;
        for (const auto& x : v.at("strings"))
            strings.push_back(x.get_string());
        return string_argument(s, strings);
    }
    if (s.type() == shape::string_type and v.contains("data"))
        fail(error_kind::invalid_argument,
             std::string(subject) + ": strings were expected, got bytes");
    if (not v.contains("data"))
        return argument{s, nullptr};
    const auto& bytes = v.at("data").get_binary();
    if (s.dynamic() or s.bytes() != bytes.size())
        fail(error_kind::invalid_argument,
             std::string(subject) + ": " +
                 (s.dynamic() ? std::string("a static shape")
                              : std::to_string(s.bytes()) + " bytes of data") +
                 " were expected, got " + std::to_string(bytes.size()) + " bytes");
    // The binary's memory may be unaligned or part of a file: shared when it is aligned for its
    // type.
    const auto* p = bytes.data();
    if (bytes.owner() != nullptr and reinterpret_cast<std::uintptr_t>(p) % s.type_size() == 0) {
        auto owner = bytes.owner();
        return argument{s,
                        std::shared_ptr<char>(std::const_pointer_cast<void>(owner),
                                              const_cast<char*>(reinterpret_cast<const char*>(p)))};
    }
    argument a = argument::uninitialized(s);
    if (not bytes.empty())
        std::memcpy(a.data(), p, bytes.size());
    return a;
}

} // namespace

value argument_to_value(const argument& a) {
    if (a.get_shape().type() != shape::tuple_type)
        return data_to_value(a);
    value result;
    result["shape"] = to_value(a.get_shape());
    value subs = value::array{};
    for (const auto& sub : a.get_sub_objects())
        subs.push_back(to_value(sub));
    result["sub"] = subs;
    return result;
}

void migraphx_from_value(const value& v, argument& a) {
    if (v.is_object() and v.contains("sub")) {
        std::vector<argument> subs;
        for (const auto& sub : v.at("sub"))
            subs.push_back(from_value<argument>(sub.without_key()));
        a = argument{subs};
    } else
        a = data_from_value(v, "argument");
}

value literal_to_value(const literal& l) {
    return data_to_value(l.get_argument());
}

void migraphx_from_value(const value& v, literal& l) {
    l = literal::adopt(data_from_value(v, "literal"));
}

void save_argument(const argument& a, const std::string& filename) {
    write_buffer(filename, to_msgpack(to_value(a)));
}

argument load_argument(const std::string& filename) {
    return with_context([&] { return from_value<argument>(from_msgpack(read_buffer(filename))); },
                        [&] { return "while reading " + filename; });
}

} // namespace migraphx
