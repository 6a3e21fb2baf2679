// SPDX-License-Identifier: MIT
// 8-bit operands of exact integer products: unsigned ones are moved by 128.
#include "ops/builder/zero_point.hpp"

#include "ir/constant_value.hpp"

#include <algorithm>

namespace migraphx::op::builder {

namespace {

bool is_always(instruction_ref x, int64_t number) {
    const auto v = constant_value(x);
    if (not v)
        return false;
    const auto values = v->to_vector<int64_t>();
    return std::all_of(values.begin(), values.end(), [=](int64_t z) { return z == number; });
}

} // namespace

centred_operand centre(site& s, std::size_t x, std::size_t zero) {
    const auto given = s.operand(x);
    const auto type = given->get_shape().type();
    if (type != shape::int8_type and type != shape::uint8_type)
        s.malformed("int8 or uint8 was expected, got " + shape::name(type));
    if (s.has(zero) and s.operand(zero)->get_shape().type() != type)
        s.malformed(str("a zero point of type ", shape::name(type), " was expected, got ",
                        s.operand(zero)->get_shape()));
    const bool is_signed = type == shape::int8_type;
    centred_operand result{is_signed ? given : s.call("bias_uint8", {given}), {}};
    if (s.has(zero) and not is_always(s.operand(zero), is_signed ? 0 : 128)) {
        const auto wide = s.convert(s.operand(zero), shape::int32_type);
        result.offset = is_signed ? wide : s.with_number("sub", wide, 128);
    } else if (not s.has(zero) and not is_signed)
        result.offset = s.scalar(shape::int32_type, -128);
    return result;
}

} // namespace migraphx::op::builder
