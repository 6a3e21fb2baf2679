// SPDX-License-Identifier: MIT
#include "codegen/device_text.hpp"

#include "codegen/interpret.hpp"
#include "codegen/region.hpp"
#include "ops/module_body.hpp"

#include <cmath>
#include <cstdio>
#include <string_view>

namespace migraphx::codegen {

namespace {

bool is_held_real(shape::type_t type) {
    return is_float_class(class_of(type));
}

// Integers of 64 bits hold their values; shorter ones, and bool, are brought back to theirs.
bool needs_wrap(shape::type_t type) {
    return not is_held_real(type) and type != shape::int64_type and type != shape::uint64_type;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

// The row's text with its operands in place: ${0}, ${attribute}, ${function:f}.
std::string filled(const pointwise_row& row, const std::vector<std::string>& operands) {
    std::string text = replaced(row.kernel, "${function:", "fn::");
    for (auto at = text.find("fn::"); at != std::string::npos; at = text.find("fn::", at + 1))
        text.erase(text.find('}', at), 1);
    for (int i = 0; i < row.arity; i++)
        text = replaced(std::move(text), "${" + std::to_string(i) + "}", operands[std::size_t(i)]);
    if (row.attribute != nullptr)
        text = replaced(std::move(text), std::string("${") + row.attribute + "}", operands.back());
    return text;
}

std::string real_text(double value, bool single) {
    const std::string type = single ? "float" : "double";
    if (std::isnan(value))
        return "nan_of<" + type + ">()";
    if (std::isinf(value))
        return (value < 0 ? "-" : "") + std::string("infinity<") + type + ">()";
    char buffer[48];
    std::snprintf(buffer, sizeof(buffer), "%a", single ? double(float(value)) : value);
    const std::string text = buffer + std::string(single ? "f" : "");
    return text.front() == '-' ? "(" + text + ")" : text;
}

std::string integer_text(int64_t value, bool is_unsigned) {
    char buffer[40];
    std::snprintf(buffer, sizeof(buffer), "0x%llxull", static_cast<unsigned long long>(value));
    return std::string(is_unsigned ? "natural" : "whole") + "::of(" + buffer + ")";
}

} // namespace

const char* stored_type(shape::type_t type) {
    switch (type) {
    case shape::bool_type:
        return "bool8";
    case shape::half_type:
        return "half";
    case shape::float_type:
        return "float";
    case shape::double_type:
        return "double";
    case shape::uint8_type:
        return "u8";
    case shape::int8_type:
        return "i8";
    case shape::uint16_type:
        return "u16";
    case shape::int16_type:
        return "i16";
    case shape::uint32_type:
        return "u32";
    case shape::int32_type:
        return "i32";
    case shape::uint64_type:
        return "u64";
    case shape::int64_type:
        return "i64";
    case shape::bf16_type:
        return "bf16";
    case shape::fp8e4m3fnuz_type:
        return "fp8e4m3fnuz";
    case shape::fp8e4m3fn_type:
        return "fp8e4m3fn";
    case shape::fp8e5m2_type:
        return "fp8e5m2";
    case shape::fp8e5m2fnuz_type:
        return "fp8e5m2fnuz";
    default:
        break;
    }
    fail(error_kind::invalid_argument,
         "device code: a type to compute with was expected, got " + shape(type).type_string());
}

const char* held_type(shape::type_t type) {
    switch (class_of(type)) {
    case value_class::f32:
        return "float";
    case value_class::f64:
        return "double";
    case value_class::i64:
        break;
    }
    return type == shape::uint64_type ? "natural" : "whole";
}

std::string number_text(const nest_operand& number, shape::type_t type) {
    if (is_held_real(type))
        return real_text(number.real_value, class_of(type) == value_class::f32);
    return integer_text(wrap_integer(type, number.int_value), type == shape::uint64_type);
}

std::string expression(const nest_op& op, const std::function<shape::type_t(int)>& reg_type,
                       const std::function<std::string(int)>& reg_name) {
    const auto text = [&](const nest_operand& o, shape::type_t type) {
        return o.is_reg() ? reg_name(o.number) : number_text(o, type);
    };
    if (op.row == nullptr)
        return std::string("converted<") + stored_type(op.type) + ">(" +
               text(op.operands.front(), shape::double_type) + ")";
    if (op.row->bool_result) {
        const auto& o = op.operands.front();
        const auto type = o.is_reg() ? reg_type(o.number) : shape::double_type;
        return is_held_real(type) ? filled(*op.row, {text(o, type)}) : "whole(0)";
    }
    // Integer rows without a form of their own go through double.
    const bool through_real = not is_held_real(op.type) and op.row->integer == nullptr;
    const bool is_where = std::string_view(op.row->name) == "where";
    std::vector<std::string> operands;
    for (std::size_t i = 0; i < op.operands.size(); i++) {
        const auto& o = op.operands[i];
        const bool attribute = int(i) >= op.row->arity;
        if (is_where and i == 0)
            operands.push_back(o.is_reg() ? "truth(" + reg_name(o.number) + ")"
                               : o.real_value != 0 or o.int_value != 0 ? "true"
                                                                       : "false");
        else if (attribute)
            operands.push_back(real_text(o.real_value, class_of(op.type) == value_class::f32));
        else if (through_real)
            operands.push_back("double(" + text(o, op.type) + ")");
        else
            operands.push_back(text(o, op.type));
    }
    auto result = filled(*op.row, operands);
    if (through_real)
        result = std::string("cut<") + held_type(op.type) + ">(" + result + ")";
    if (needs_wrap(op.type))
        result = std::string("wrapped<") + stored_type(op.type) + ">(" + result + ")";
    return result;
}

std::string device_function(const module& m, const std::string& name) {
    std::vector<shape::type_t> types;
    std::vector<nest_operand> parameters;
    std::string head, body;
    for (const auto& p : sorted_parameters(m)) {
        const auto number = int(types.size());
        types.push_back(m.get_parameter_shape(p).type());
        parameters.push_back(nest_operand::reg(number));
        head += (number == 0 ? "" : ", ") + std::string(held_type(types.back())) + " v" +
                std::to_string(number);
    }
    const auto reg_name = [](int reg) { return "v" + std::to_string(reg); };
    const auto reg_type = [&](int reg) { return types[std::size_t(reg)]; };
    const auto region = read_region(m, parameters, [&](const nest_op& op) {
        const auto number = int(types.size());
        body += std::string("    const ") + held_type(op.type) + " " + reg_name(number) + " = " +
                expression(op, reg_type, reg_name) + ";\n";
        types.push_back(op.type);
        return number;
    });
    if (not region.refusal.empty() or region.results.size() != 1)
        fail(error_kind::unsupported,
             "device code: a pointwise module with one result was expected, got " +
                 (region.refusal.empty() ? std::to_string(region.results.size()) + " results"
                                         : region.refusal));
    const auto type = m.get_output_shapes().front().type();
    const auto& result = region.results.front();
    return std::string("MGX_DEVICE ") + held_type(type) + " " + name + "(" + head + ") {\n" + body +
           "    return " + (result.is_reg() ? reg_name(result.number) : number_text(result, type)) +
           ";\n}\n";
}

} // namespace migraphx::codegen
