// SPDX-License-Identifier: MIT
// The scalar interpreter. Integers of uint64_type beyond 2^63 are held as their two's complement;
// only loads, stores and conversions treat them as unsigned.

#include "codegen/interpret.hpp"

#include "codegen/reads.hpp"
#include "codegen/scalar_machine.hpp"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>

namespace migraphx::codegen {
namespace {

template <class T>
T read_as(const void* p) {
    T value;
    std::memcpy(&value, p, sizeof(T));
    return value;
}

template <class T>
void write_as(void* p, T value) {
    std::memcpy(p, &value, sizeof(T));
}

// Largest finite value of a floating-point type.
double largest(shape::type_t type) {
    switch (type) {
    case shape::half_type:
        return 65504;
    case shape::bf16_type:
        return double(std::numeric_limits<bf16>::max());
    case shape::fp8e4m3fnuz_type:
        return 240;
    case shape::fp8e4m3fn_type:
        return 448;
    case shape::fp8e5m2_type:
    case shape::fp8e5m2fnuz_type:
        return 57344;
    case shape::double_type:
        return std::numeric_limits<double>::max();
    default:
        return std::numeric_limits<float>::max();
    }
}

struct integer_range {
    int64_t low;
    int64_t high;
};

integer_range range_of(shape::type_t type) {
    switch (type) {
    case shape::bool_type:
        return {0, 1};
    case shape::uint8_type:
        return {0, 0xff};
    case shape::int8_type:
        return {-0x80, 0x7f};
    case shape::uint16_type:
        return {0, 0xffff};
    case shape::int16_type:
        return {-0x8000, 0x7fff};
    case shape::uint32_type:
        return {0, 0xffffffff};
    case shape::int32_type:
        return {-0x80000000LL, 0x7fffffff};
    default:
        return {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};
    }
}

scalar_value real_to_integer(double x, shape::type_t to) {
    if (std::isnan(x))
        return {};
    if (to == shape::bool_type)
        return {0, int64_t(x > 0)};
    if (to == shape::uint64_type) {
        const auto wide = x <= 0        ? uint64_t{0}
                          : x >= 0x1p64 ? std::numeric_limits<uint64_t>::max()
                                        : uint64_t(x);
        return {0, int64_t(wide)};
    }
    const auto [low, high] = range_of(to);
    if (x >= double(high))
        return {0, high};
    return {0, x <= double(low) ? low : int64_t(x)};
}

scalar_value integer_to_integer(int64_t x, bool unsigned_source, shape::type_t to) {
    const bool huge = unsigned_source and x < 0; // at least 2^63
    if (to == shape::bool_type)
        return {0, int64_t(huge or x > 0)};
    if (to == shape::uint64_type)
        return {0, huge ? x : std::max<int64_t>(x, 0)};
    const auto [low, high] = range_of(to);
    return {0, huge or x > high ? high : std::max(x, low)};
}

scalar_value to_real(double x, shape::type_t to) {
    const double top = largest(to);
    if (std::isfinite(x))
        x = x > top ? top : x < -top ? -top : x;
    alignas(8) std::array<char, 8> element;
    store_scalar(to, element.data(), {x, 0});
    return load_scalar(to, element.data());
}

} // namespace

scalar_value load_scalar(shape::type_t type, const void* p) {
    switch (type) {
    case shape::bool_type:
        return {0, int64_t(read_as<uint8_t>(p) != 0)};
    case shape::half_type:
        return {double(float(read_as<half>(p))), 0};
    case shape::float_type:
        return {double(read_as<float>(p)), 0};
    case shape::double_type:
        return {read_as<double>(p), 0};
    case shape::uint8_type:
        return {0, read_as<uint8_t>(p)};
    case shape::int8_type:
        return {0, read_as<int8_t>(p)};
    case shape::uint16_type:
        return {0, read_as<uint16_t>(p)};
    case shape::int16_type:
        return {0, read_as<int16_t>(p)};
    case shape::int32_type:
        return {0, read_as<int32_t>(p)};
    case shape::int64_type:
        return {0, read_as<int64_t>(p)};
    case shape::uint32_type:
        return {0, read_as<uint32_t>(p)};
    case shape::uint64_type:
        return {0, read_as<int64_t>(p)};
    case shape::fp8e4m3fnuz_type:
        return {double(float(read_as<fp8::fp8e4m3fnuz>(p))), 0};
    case shape::fp8e4m3fn_type:
        return {double(float(read_as<fp8::fp8e4m3fn>(p))), 0};
    case shape::fp8e5m2_type:
        return {double(float(read_as<fp8::fp8e5m2>(p))), 0};
    case shape::bf16_type:
        return {double(float(read_as<bf16>(p))), 0};
    case shape::fp8e5m2fnuz_type:
        return {double(float(read_as<fp8::fp8e5m2fnuz>(p))), 0};
    default:
        break;
    }
    (void)class_of(type);
    return {};
}

void store_scalar(shape::type_t type, void* p, const scalar_value& v) {
    const auto narrow = float(v.real);
    switch (type) {
    case shape::bool_type:
        return write_as<uint8_t>(p, v.integer != 0);
    case shape::half_type:
        return write_as<half>(p, half(v.real));
    case shape::float_type:
        return write_as<float>(p, narrow);
    case shape::double_type:
        return write_as<double>(p, v.real);
    case shape::uint8_type:
    case shape::int8_type:
        return write_as<uint8_t>(p, uint8_t(v.integer));
    case shape::uint16_type:
    case shape::int16_type:
        return write_as<uint16_t>(p, uint16_t(v.integer));
    case shape::uint32_type:
    case shape::int32_type:
        return write_as<uint32_t>(p, uint32_t(v.integer));
    case shape::uint64_type:
    case shape::int64_type:
        return write_as<int64_t>(p, v.integer);
    case shape::fp8e4m3fnuz_type:
        return write_as<fp8::fp8e4m3fnuz>(p, fp8::fp8e4m3fnuz(narrow));
    case shape::fp8e4m3fn_type:
        return write_as<fp8::fp8e4m3fn>(p, fp8::fp8e4m3fn(narrow));
    case shape::fp8e5m2_type:
        return write_as<fp8::fp8e5m2>(p, fp8::fp8e5m2(narrow));
    case shape::bf16_type:
        return write_as<bf16>(p, bf16(v.real));
    case shape::fp8e5m2fnuz_type:
        return write_as<fp8::fp8e5m2fnuz>(p, fp8::fp8e5m2fnuz(narrow));
    default:
        break;
    }
    (void)class_of(type);
}

int64_t wrap_integer(shape::type_t type, int64_t v) {
    switch (type) {
    case shape::bool_type:
        return int64_t(v != 0);
    case shape::uint8_type:
        return uint8_t(v);
    case shape::int8_type:
        return int8_t(v);
    case shape::uint16_type:
        return uint16_t(v);
    case shape::int16_type:
        return int16_t(v);
    case shape::uint32_type:
        return uint32_t(v);
    case shape::int32_type:
        return int32_t(v);
    default:
        return v;
    }
}

scalar_value convert_scalar(shape::type_t from, const scalar_value& v, shape::type_t to) {
    const bool from_real = is_float_class(class_of(from));
    const bool to_float = is_float_class(class_of(to));
    const bool is_unsigned = from == shape::uint64_type;
    if (from_real)
        return to_float ? to_real(v.real, to) : real_to_integer(v.real, to);
    if (not to_float)
        return integer_to_integer(v.integer, is_unsigned, to);
    return to_real(is_unsigned ? double(uint64_t(v.integer)) : double(v.integer), to);
}

void interpret(const nest& n, std::span<const void* const> inputs, std::span<void* const> outputs) {
    validate(n);
    nest_interpreter<nest> machine{n, std::vector<scalar_value>(std::size_t(n.registers()))};
    std::vector<int64_t> index(n.dims.size(), 0);
    for (int64_t left = n.elements(); left > 0; --left) {
        for (std::size_t i = 0; i < n.inputs.size(); ++i)
            machine.regs[i] =
                load_scalar(n.inputs[i].type, element_at(n.inputs, i, inputs, index, n.dims));
        for (std::size_t i = 0; i < n.body.size(); ++i)
            machine.regs[n.inputs.size() + i] = machine.evaluate(n.body[i]);
        for (std::size_t k = 0; k < n.outputs.size(); ++k) {
            const nest_output& o = n.outputs[k];
            store_scalar(o.access.type, static_cast<char*>(outputs[k]) + byte_offset(o.access, index),
                         machine.regs[std::size_t(o.reg)]);
        }
        step(index, n.dims, 0, n.dims.size());
    }
}

} // namespace migraphx::codegen
