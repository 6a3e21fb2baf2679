// SPDX-License-Identifier: MIT
// Elements of a TensorProto: all of them as bytes, or typed fields whose last value stands for the
// rest.
#include "import/tf/tensor.hpp"

#include "base/str.hpp"
#include "import/proto.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>
#include <cstring>

namespace migraphx::tf {

namespace {

struct type_row {
    data_type type;
    const char* name;
    std::optional<shape::type_t> own = std::nullopt;
    std::uint32_t field = 0; ///< of TensorProto
    std::size_t width = 0;   ///< of fixed-width entries; 0: varints
};

constexpr type_row type_rows[] = {
    {data_type::float32, "float", shape::float_type, 5, 4},
    {data_type::float64, "double", shape::double_type, 6, 8},
    {data_type::int32, "int32", shape::int32_type, 7},
    {data_type::uint8, "uint8", shape::uint8_type, 7},
    {data_type::int16, "int16", shape::int16_type, 7},
    {data_type::int8, "int8", shape::int8_type, 7},
    {data_type::int64, "int64", shape::int64_type, 10},
    {data_type::boolean, "bool", shape::bool_type, 11},
    {data_type::uint16, "uint16", shape::uint16_type, 7},
    {data_type::uint32, "uint32", shape::uint32_type, 16},
    {data_type::uint64, "uint64", shape::uint64_type, 17},
    {data_type::float16, "half", shape::half_type, 13},
    {data_type::bfloat16, "bfloat16", shape::bf16_type, 13},
    {data_type::qint8, "qint8", shape::int8_type, 7},
    {data_type::quint8, "quint8", shape::uint8_type, 7},
    {data_type::qint16, "qint16", shape::int16_type, 7},
    {data_type::quint16, "quint16", shape::uint16_type, 7},
    {data_type::qint32, "qint32", shape::int32_type, 7},
    {data_type::float8e5m2, "float8_e5m2", shape::fp8e5m2_type},
    {data_type::float8e4m3fn, "float8_e4m3fn", shape::fp8e4m3fn_type},
    {data_type::float8e4m3fnuz, "float8_e4m3fnuz", shape::fp8e4m3fnuz_type},
    {data_type::float8e5m2fnuz, "float8_e5m2fnuz", shape::fp8e5m2fnuz_type},
    {data_type::string, "string"},
    {data_type::complex64, "complex64"},
    {data_type::complex128, "complex128"},
    {data_type::resource, "resource"},
    {data_type::variant, "variant"},
    {data_type::int4, "int4"},
    {data_type::uint4, "uint4"}};

const type_row* find_row(data_type t) {
    const auto* row = std::find_if(std::begin(type_rows), std::end(type_rows),
                                   [&](const auto& r) { return r.type == t; });
    return row == std::end(type_rows) ? nullptr : row;
}

[[noreturn]] void invalid(const std::string& text) {
    fail(error_kind::invalid_argument, "tensor: " + text);
}

std::vector<std::size_t> static_dims(const tensor_shape& s) {
    if (s.unknown_rank)
        invalid("dimensions were expected, got an unknown rank");
    std::vector<std::size_t> dims;
    for (auto d : s.dims) {
        if (d < 0)
            invalid(str("dimensions of 0 or more were expected, got ", d));
        dims.push_back(std::size_t(d));
    }
    return dims;
}

std::size_t checked_product(const std::vector<std::size_t>& dims, std::size_t width) {
    std::size_t n = width;
    for (auto d : dims)
        if (__builtin_mul_overflow(n, d, &n) or n > std::size_t{1} << 48)
            invalid(str("dimensions that fit the address space were expected, got ", dims));
    return n;
}

struct writer {
    char* out;
    std::size_t width;
    std::size_t left;
    bool is_bool;

    static void store(void* context, std::uint64_t value) {
        auto& w = *static_cast<writer*>(context);
        if (w.left == 0)
            return;
        const std::uint64_t bits = w.is_bool ? std::uint64_t{value != 0} : value;
        std::memcpy(w.out, &bits, w.width);
        w.out += w.width;
        w.left--;
    }
};

// The typed field's `count` values, as many as `s` has elements or fewer.
void take_typed(char* out, const tensor& t, const type_row& row, std::size_t count,
                std::size_t width) {
    if (row.width != 0)
        proto::copy_fixed(t.message, row.field, width, out);
    else {
        writer w{out, width, count, t.type == data_type::boolean};
        proto::for_each_varint(t.message, row.field, &writer::store, &w);
    }
}

constant_tensor take_content(const model& m, const tensor& t, const shape& s) {
    if (t.content.size() != s.bytes())
        invalid(
            str(s.bytes(), " bytes of content were expected for ", s, ", got ", t.content.size()));
    const auto align = std::min<std::size_t>(s.type_size(), 8);
    const bool aligned = reinterpret_cast<std::uintptr_t>(t.content.data()) % align == 0;
    const bool plain =
        t.type != data_type::boolean or
        std::all_of(t.content.begin(), t.content.end(), [](char c) { return c == 0 or c == 1; });
    constant_tensor result{{}, s.lens()};
    if (aligned and plain) {
        result.value = argument(s, std::shared_ptr<const char>(m.from->owner, t.content.data()));
        return result;
    }
    result.value = argument::uninitialized(s);
    std::copy(t.content.begin(), t.content.end(), result.value.data());
    if (not plain)
        std::transform(t.content.begin(), t.content.end(), result.value.data(),
                       [](char c) { return c != 0 ? 1 : 0; });
    return result;
}

} // namespace

std::string type_name(data_type t) {
    if (const auto* row = find_row(t))
        return row->name;
    const auto number = static_cast<std::int32_t>(t);
    return number > 100 ? "reference to " + type_name(static_cast<data_type>(number - 100))
                        : "type " + std::to_string(number);
}

std::optional<shape::type_t> to_shape_type(data_type t) {
    const auto* row = find_row(t);
    return row == nullptr ? std::nullopt : row->own;
}

constant_tensor read_constant(const model& m, const tensor& t) {
    const auto* row = find_row(t.type);
    if (row == nullptr or not row->own)
        fail(error_kind::unsupported,
             "tensor: a numeric element type was expected, got " + type_name(t.type));
    const auto dims = static_dims(t.dims);
    const auto width = shape{*row->own}.type_size();
    const auto size = checked_product(dims, width);
    const auto shape_of = [&](const std::vector<std::size_t>& d) {
        return d.empty() ? shape{*row->own} : shape{*row->own, d};
    };
    if (not t.content.empty())
        return take_content(m, t, shape_of(dims));
    const auto elements = size / width;
    if (row->field == 0 and elements != 0)
        fail(error_kind::unsupported, "tensor: content as bytes was expected for elements of " +
                                          type_name(t.type) + ", got a typed field");
    std::size_t count = 0;
    try {
        count = row->field == 0 ? 0 : proto::count_elements(t.message, row->field, row->width);
        if (count > elements)
            invalid(str("at most ", elements, " values were expected, got ", count));
        constexpr std::size_t many = 1024;
        constant_tensor result{{}, dims};
        result.repeated = count < 2 and elements > many;
        // What a file of few values may make of them is limited.
        constexpr std::size_t most = std::size_t{1} << 28;
        if (not result.repeated and count < elements and size > most)
            fail(error_kind::unsupported, str("tensor: at most ", most, " bytes were expected of ",
                                              count, " repeated values, got ", size));
        result.value = argument::uninitialized(result.repeated ? shape{*row->own} : shape_of(dims));
        auto* out = result.value.data();
        const auto total = result.repeated ? std::size_t{1} : elements;
        std::memset(out, 0, total * width);
        take_typed(out, t, *row, count, width);
        for (auto i = std::max<std::size_t>(count, 1); i < total; i++)
            std::memcpy(out + i * width, out + (i - 1) * width, width);
        return result;
    } catch (const proto::wire_error& e) {
        invalid(e.what());
    }
}

} // namespace migraphx::tf
