// SPDX-License-Identifier: MIT
// The parts of the tile machine that work one element at a time, so that every operator and type
// runs.

#include "codegen/interpret.hpp"
#include "targets/cpu/nest_lower.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace migraphx::cpu {
namespace {

codegen::scalar_value cell_value(shape::type_t type, const void* tile, int64_t i) {
    switch (vm_class_of(type)) {
    case vm_class::f32: {
        const float x = static_cast<const float*>(tile)[i];
        return {x, type == shape::bool_type ? int64_t(x != 0) : 0};
    }
    case vm_class::f64:
        return {static_cast<const double*>(tile)[i], 0};
    case vm_class::i64:
        break;
    }
    return {0, static_cast<const int64_t*>(tile)[i]};
}

void set_cell(shape::type_t type, void* tile, int64_t i, const codegen::scalar_value& v) {
    switch (vm_class_of(type)) {
    case vm_class::f32:
        static_cast<float*>(tile)[i] = type == shape::bool_type ? float(v.integer) : float(v.real);
        return;
    case vm_class::f64:
        static_cast<double*>(tile)[i] = v.real;
        return;
    case vm_class::i64:
        static_cast<int64_t*>(tile)[i] = v.integer;
        return;
    }
}

codegen::scalar_value evaluate_call(const nest_scalar_call& call, const codegen::scalar_value* in) {
    if (call.row == nullptr)
        return codegen::convert_scalar(call.operand_types.front(), in[0], call.type);
    std::array<double, 4> real{};
    std::array<int64_t, 4> integer{};
    for (std::size_t i = 0; i < call.operand_types.size(); ++i) {
        real[i] = in[i].real;
        integer[i] = in[i].integer;
    }
    if (call.row->bool_result)
        return {0, int64_t(call.row->real(real.data()))};
    if (codegen::is_float_class(codegen::class_of(call.type)))
        return {call.row->real(real.data()), 0};
    const double attribute = real[std::size_t(call.row->arity)];
    const int64_t v = evaluate_integer(*call.row, call.type, integer.data(), attribute);
    return {0, codegen::wrap_integer(call.type, v)};
}

bool all_floats(const nest_scalar_call& call) {
    const auto is_f32 = [](shape::type_t t) {
        return t != shape::bool_type and vm_class_of(t) == vm_class::f32;
    };
    return call.row != nullptr and is_f32(call.type) and
           std::all_of(call.operand_types.begin(), call.operand_types.end(), is_f32);
}

void float_call_tile(const vm_args& args, const pointwise_row& row, std::size_t count) {
    const auto* const* src = reinterpret_cast<const float* const*>(args.src);
    float* dst = static_cast<float*>(args.dst);
    std::array<double, 4> operands{};
    for (int64_t i = 0; i < args.n; ++i) {
        for (std::size_t k = 0; k < count; ++k)
            operands[k] = src[k][(args.splats >> k & 1) != 0 ? 0 : i];
        dst[i] = float(row.real(operands.data()));
    }
}

template <class E>
struct small_float {
    static void load(void* tile, const void* memory, int64_t rows, int64_t row_stride, int64_t cols,
                     int64_t col_stride) {
        float* to = static_cast<float*>(tile);
        for (int64_t r = 0; r < rows; ++r)
            for (int64_t c = 0; c < cols; ++c)
                *to++ =
                    values[static_cast<const uint8_t*>(memory)[r * row_stride + c * col_stride]];
    }
    static void store(void* memory, const void* tile, int64_t rows, int64_t row_stride,
                      int64_t cols, int64_t col_stride) {
        const float* from = static_cast<const float*>(tile);
        for (int64_t r = 0; r < rows; ++r)
            for (int64_t c = 0; c < cols; ++c)
                static_cast<uint8_t*>(memory)[r * row_stride + c * col_stride] = E(*from++).data;
    }
    static constexpr std::array<float, 256> make_values() {
        std::array<float, 256> v{};
        for (int i = 0; i < 256; ++i)
            v[std::size_t(i)] = E(uint8_t(i), E::from_bits()).to_float();
        return v;
    }
    static constexpr std::array<float, 256> values = make_values();
};

} // namespace

vm_class vm_class_of(shape::type_t type) {
    if (type == shape::bool_type)
        return vm_class::f32;
    return static_cast<vm_class>(codegen::class_of(type));
}

void scalar_call_tile(const vm_args& args) {
    const auto& call = *static_cast<const nest_scalar_call*>(args.data);
    const std::size_t count = call.operand_types.size();
    if (all_floats(call)) {
        float_call_tile(args, *call.row, count);
        return;
    }
    std::array<codegen::scalar_value, 4> in{};
    for (int64_t i = 0; i < args.n; ++i) {
        for (std::size_t k = 0; k < count; ++k)
            in[k] =
                cell_value(call.operand_types[k], args.src[k], (args.splats >> k & 1) != 0 ? 0 : i);
        set_cell(call.type, args.dst, i, evaluate_call(call, in.data()));
    }
}

void fill_tile_4(const vm_args& args) {
    const float v = *static_cast<const float*>(args.src[0]);
    float* to = static_cast<float*>(args.dst);
    for (int64_t i = 0; i < args.n; ++i)
        to[i] = v;
}

void fill_tile_8(const vm_args& args) {
    const int64_t v = *static_cast<const int64_t*>(args.src[0]);
    int64_t* to = static_cast<int64_t*>(args.dst);
    for (int64_t i = 0; i < args.n; ++i)
        to[i] = v;
}

vm_load_fn scalar_load(shape::type_t type) {
    switch (type) {
    case shape::fp8e4m3fnuz_type:
        return small_float<fp8::fp8e4m3fnuz>::load;
    case shape::fp8e4m3fn_type:
        return small_float<fp8::fp8e4m3fn>::load;
    case shape::fp8e5m2_type:
        return small_float<fp8::fp8e5m2>::load;
    case shape::fp8e5m2fnuz_type:
        return small_float<fp8::fp8e5m2fnuz>::load;
    default:
        return nullptr;
    }
}

vm_store_fn scalar_store(shape::type_t type) {
    switch (type) {
    case shape::fp8e4m3fnuz_type:
        return small_float<fp8::fp8e4m3fnuz>::store;
    case shape::fp8e4m3fn_type:
        return small_float<fp8::fp8e4m3fn>::store;
    case shape::fp8e5m2_type:
        return small_float<fp8::fp8e5m2>::store;
    case shape::fp8e5m2fnuz_type:
        return small_float<fp8::fp8e5m2fnuz>::store;
    default:
        return nullptr;
    }
}

} // namespace migraphx::cpu
