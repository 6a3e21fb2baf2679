// SPDX-License-Identifier: MIT
// Scales of quantised operands: tensors that stretch to the operand's dimensions.
#pragma once

#include "ops/expect.hpp"
#include "ops/tensor.hpp"

#include <migraphx/common_shape.hpp>

namespace migraphx {

/// Operand types of the quantised products.
inline void expect_quantised(const std::vector<shape>& in) {
    for (std::size_t i = 0; i < 2; ++i)
        switch (in[i].type()) {
        case shape::int8_type:
        case shape::uint8_type:
        case shape::float_type:
        case shape::fp8e4m3fn_type:
        case shape::fp8e4m3fnuz_type:
        case shape::fp8e5m2_type:
        case shape::fp8e5m2fnuz_type:
            break;
        default:
            fail_shape(str("int8, uint8, fp8 or float was expected, got ", in[i].type_string()));
        }
    expect(in).only(0, 2).same_type();
    if (in.size() == 4) {
        expect(in).only(2, 4).same_type().tensor();
        for (std::size_t i = 0; i < 2; ++i)
            if (not in[i].dynamic() and not in[i + 2].dynamic())
                make_bcast_shape(in[i + 2], in[i].lens());
    }
}

/// int32 for plain integers, else float.
inline shape::type_t quantised_result(const std::vector<shape>& in) {
    return in.size() == 4 or not shape::is_integral(in[0].type()) ? shape::float_type
                                                                  : shape::int32_type;
}

/// `scale` seen with the dimensions of `x`.
inline argument stretched_scale(const argument& scale, const argument& x) {
    return scale.view(make_bcast_shape(scale.get_shape(), x.get_shape().lens()), 0);
}

/// Elements of x times those of its (stretched) scale.
inline void load_scaled(const argument& x, const argument& scale, std::size_t first,
                        std::size_t count, double* to) {
    std::vector<double> factor(count);
    load(x, first, count, to);
    load(scale, first, count, factor.data());
    for (std::size_t i = 0; i < count; ++i)
        to[i] *= factor[i];
}

} // namespace migraphx
