// SPDX-License-Identifier: MIT
// Names of element types, the text form of shapes, comparison and hashing.
#include <algorithm>
#include <ostream>
#include <sstream>

#include <migraphx/errors.hpp>
#include <migraphx/permutation.hpp>
#include <migraphx/shape.hpp>

namespace migraphx {

namespace {

struct type_names {
    shape::type_t type;
    const char* name;
    const char* cpp;
};

constexpr type_names all_type_names[] = {
    {shape::bool_type, "bool_type", "bool"},
    {shape::half_type, "half_type", "half"},
    {shape::float_type, "float_type", "float"},
    {shape::double_type, "double_type", "double"},
    {shape::uint8_type, "uint8_type", "uint8_t"},
    {shape::int8_type, "int8_type", "int8_t"},
    {shape::uint16_type, "uint16_type", "uint16_t"},
    {shape::int16_type, "int16_type", "int16_t"},
    {shape::int32_type, "int32_type", "int32_t"},
    {shape::int64_type, "int64_type", "int64_t"},
    {shape::uint32_type, "uint32_type", "uint32_t"},
    {shape::uint64_type, "uint64_type", "uint64_t"},
    {shape::fp8e4m3fnuz_type, "fp8e4m3fnuz_type", "migraphx::fp8::fp8e4m3fnuz"},
    {shape::fp8e4m3fn_type, "fp8e4m3fn_type", "migraphx::fp8::fp8e4m3fn"},
    {shape::fp8e5m2_type, "fp8e5m2_type", "migraphx::fp8::fp8e5m2"},
    {shape::bf16_type, "bf16_type", "bf16"},
    {shape::fp8e5m2fnuz_type, "fp8e5m2fnuz_type", "migraphx::fp8::fp8e5m2fnuz"},
    {shape::tuple_type, "tuple_type", "tuple"},
    {shape::fp4x2_type, "fp4x2_type", "fp4x2_type"},
    {shape::string_type, "string_type", "string_type"},
    {shape::int4_type, "int4_type", "int4_type"},
    {shape::uint4_type, "uint4_type", "uint4_type"},
    {shape::int2_type, "int2_type", "int2_type"},
    {shape::uint2_type, "uint2_type", "uint2_type"},
    {shape::fp4_type, "fp4_type", "fp4_type"},
    {shape::fp8e8m0_type, "fp8e8m0_type", "fp8e8m0_type"},
};

const type_names& names_of(shape::type_t t) {
    for (const auto& x : all_type_names)
        if (x.type == t)
            return x;
    fail(error_kind::invalid_argument, "shape: expected the number of an element type, got " +
                                           std::to_string(static_cast<int>(t)));
}

// "migraphx::fp8::fp8e5m2" and "fp8e5m2_type" -> "fp8e5m2", "int8_t" -> "int8".
std::string plain_type_name(std::string s) {
    if (auto at = s.rfind("::"); at != std::string::npos)
        s.erase(0, at + 2);
    for (const char* suffix : {"_type", "_t"}) {
        const std::string tail = suffix;
        if (s.size() > tail.size() && s.compare(s.size() - tail.size(), tail.size(), tail) == 0) {
            s.erase(s.size() - tail.size());
            break;
        }
    }
    return s;
}

template <class Range>
void print_braced(std::ostream& os, const Range& xs) {
    os << '{';
    const char* separator = "";
    for (const auto& x : xs) {
        os << separator << x;
        separator = ", ";
    }
    os << '}';
}

// Strides of axes with one element do not matter.
bool same_layout(const shape& actual, const shape& expected) {
    const auto& lens = actual.lens();
    for (std::size_t i = 0; i < lens.size(); ++i)
        if (lens[i] != 1 && actual.strides()[i] != expected.strides()[i])
            return false;
    return true;
}

bool within(const shape::dynamic_dimension& actual, const shape::dynamic_dimension& expected) {
    if (actual == expected)
        return true;
    const auto x = actual.get_interval();
    const auto y = expected.get_interval();
    return y.min <= x.min && x.max <= y.max &&
           (!expected.is_symbolic() || !actual.is_symbolic() || x.min == x.max);
}

// A value, or another container, that fits a sequence or an optional.
bool is_member_of(const shape& actual, const shape& container,
                  bool (*fits)(const shape&, const shape&)) {
    return actual.type() == shape::tuple_type &&
           (!container.is_optional() || actual.sub_shapes().size() <= 1) &&
           actual.is_sequence() <= container.is_sequence() &&
           actual.is_optional() <= container.is_optional() &&
           std::all_of(actual.sub_shapes().begin(), actual.sub_shapes().end(),
                       [&](const shape& s) { return fits(s, container.element()); });
}

void mix_hash(std::size_t& seed, std::size_t x) {
    seed ^= x + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2);
}

} // namespace

const std::vector<shape::type_t>& shape::types() {
    static const std::vector<type_t> result = [] {
        std::vector<type_t> r;
        for (const auto& x : all_type_names)
            if (is_computable(x.type))
                r.push_back(x.type);
        return r;
    }();
    return result;
}

const std::vector<shape::type_t>& shape::all_types() {
    static const std::vector<type_t> result = [] {
        std::vector<type_t> r;
        for (const auto& x : all_type_names)
            r.push_back(x.type);
        return r;
    }();
    return result;
}

shape::type_t shape::type_of_number(std::int64_t n) {
    for (const auto& x : all_type_names)
        if (x.type == n)
            return x.type;
    fail(error_kind::invalid_argument,
         "shape: expected the number of an element type, got " + std::to_string(n));
}

std::string shape::name(type_t t) {
    return names_of(t).name;
}
std::string shape::cpp_type(type_t t) {
    return names_of(t).cpp;
}

shape::type_t shape::parse_type(const std::string& s) {
    const std::string plain = plain_type_name(s);
    for (const auto& x : all_type_names)
        if (plain_type_name(x.name) == plain)
            return x.type;
    fail(error_kind::invalid_argument,
         "shape: expected an element type such as float_type or int8_t, got '" + s + "'");
}

bool shape::is_integral(type_t t) {
    bool result = false;
    if (is_computable(t))
        visit(t, [&](auto as) { result = as.is_integral(); });
    return result;
}

bool shape::is_unsigned(type_t t) {
    bool result = false;
    if (is_computable(t))
        visit(t, [&](auto as) { result = as.is_unsigned(); });
    return result;
}

bool shape::is_computable(type_t t) {
    return t < tuple_type;
}

std::string shape::to_sizes_string(const std::vector<shape>& shapes) {
    std::ostringstream os;
    const char* between = "";
    for (const shape& s : shapes) {
        os << between;
        const char* x = "";
        if (s.dynamic() && !s.has_rank()) {
            os << "any";
        } else if (s.dynamic()) {
            for (const auto& d : s.dyn_dims()) {
                os << x << d;
                x = "x";
            }
        } else {
            for (std::size_t n : s.lens()) {
                os << x << n;
                x = "x";
            }
        }
        between = ", ";
    }
    return os.str();
}

std::ostream& shape::print(std::ostream& os, const shape& x) {
    if (x.type() == tuple_type) {
        os << (x.is_sequence() ? "sequence[" : x.is_optional() ? "optional[" : "[");
        const char* separator = "";
        for (const shape& s : x.sub_shapes()) {
            os << separator << s;
            separator = ", ";
        }
        return os << ']';
    }
    if (x.symbolic()) {
        os << x.type_string() << ", ";
        print_braced(os, x.dyn_dims());
        os << ", ";
        print_braced(os, x.dyn_strides());
    } else if (!x.has_rank()) {
        os << "dynamic, " << x.type_string() << (x.is_absent() ? ", absent" : ", any");
    } else if (x.dynamic()) {
        os << "dynamic, " << x.type_string() << ", ";
        print_braced(os, x.dyn_dims());
    } else {
        os << x.type_string() << ", ";
        print_braced(os, x.lens());
        os << ", ";
        print_braced(os, x.strides());
    }
    return os;
}

std::string shape::to_string() const {
    std::ostringstream os;
    os << *this;
    return os.str();
}

bool shape::equal(const shape& x, const shape& y) {
    const data& a = x.get();
    const data& b = y.get();
    return a.type == b.type && a.kind == b.kind && a.rank == b.rank && a.dynamic == b.dynamic &&
           a.symbolic == b.symbolic && a.lens == b.lens && a.strides == b.strides &&
           a.dyn_dims == b.dyn_dims && a.dyn_strides == b.dyn_strides && a.subs == b.subs;
}

std::size_t shape::hash() const {
    const data& x = get();
    std::size_t result = static_cast<std::size_t>(x.type) + (x.dynamic ? 64 : 0) +
                         128 * static_cast<std::size_t>(x.kind) +
                         512 * static_cast<std::size_t>(x.rank);
    for (std::size_t n : x.lens)
        mix_hash(result, n);
    for (std::size_t n : x.strides)
        mix_hash(result, n);
    for (const auto& dim : x.dyn_dims) {
        mix_hash(result, dim.get_interval().min);
        mix_hash(result, dim.get_interval().max);
    }
    for (const shape& s : x.subs)
        mix_hash(result, s.hash());
    return result;
}

bool shape::same_lens(const shape& x, const shape& y) {
    if (x.dynamic() != y.dynamic())
        return false;
    return x.dynamic() ? x.dyn_dims() == y.dyn_dims() : x.lens() == y.lens();
}

bool shape::is_compatible_lens(const shape& actual, const shape& expected) {
    if (expected.is_sequence() || expected.is_optional())
        return is_member_of(actual, expected, is_compatible_lens);
    if (!expected.has_rank() || !actual.has_rank())
        return !expected.has_rank() || actual.is_absent();
    if (expected.type() == tuple_type || actual.type() == tuple_type)
        return std::equal(actual.sub_shapes().begin(), actual.sub_shapes().end(),
                          expected.sub_shapes().begin(), expected.sub_shapes().end(),
                          is_compatible_lens) &&
               actual.type() == expected.type();
    if (actual.ndim() != expected.ndim())
        return false;
    if (!expected.dynamic())
        return !actual.dynamic() && actual.lens() == expected.lens();
    for (std::size_t i = 0; i < actual.ndim(); ++i) {
        const dynamic_dimension dim = actual.dynamic()
                                          ? actual.dyn_dims()[i]
                                          : dynamic_dimension{actual.lens()[i], actual.lens()[i]};
        if (!within(dim, expected.dyn_dims()[i]))
            return false;
    }
    return true;
}

bool shape::is_compatible(const shape& actual, const shape& expected) {
    if (actual == expected)
        return true;
    if (actual.type() != expected.type())
        return false;
    if (expected.is_sequence() || expected.is_optional())
        return is_member_of(actual, expected, is_compatible);
    if (!expected.has_rank() || !actual.has_rank())
        return !expected.has_rank() || actual.is_absent();
    if (expected.type() == tuple_type)
        return std::equal(actual.sub_shapes().begin(), actual.sub_shapes().end(),
                          expected.sub_shapes().begin(), expected.sub_shapes().end(),
                          is_compatible);
    if (!is_compatible_lens(actual, expected))
        return false;
    if (!expected.dynamic())
        return same_layout(actual, expected);
    if (!expected.symbolic() || actual.dynamic() || !expected.packed())
        return true;
    return actual.elements() == 0 ||
           same_layout(actual,
                       from_permutation(actual.type(), actual.lens(), find_permutation(expected)));
}

} // namespace migraphx
