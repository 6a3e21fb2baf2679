// SPDX-License-Identifier: MIT
// quantizelinear(x, scale[, zero]): integers round(x / scale) + zero (half to even), saturated;
// other types x / scale + zero. dequantizelinear(x, scale[, zero]): (x - zero) * scale. Operands
// have the dimensions of x.
#include "ops/elementwise.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"
#include "ops/type_field.hpp"

#include "ir/number_kinds.hpp"
#include "ir/shape_rules.hpp"

#include <cmath>
#include <limits>
#include <optional>

namespace migraphx {

namespace {

double nearest_even(double x) {
    const double r = std::round(x);
    return std::fabs(x - std::trunc(x)) == 0.5 ? 2 * std::round(x / 2) : r;
}

// The rule for elementwise operands, in the memory order of x.
shape quantise_shape(const std::vector<shape>& in, shape::type_t t, const char* name) {
    expect(in).count({2, 3}).tensor();
    pointwise_shape(in, t, name);
    if (in[0].dynamic())
        return in[0].with_type(t);
    return keep_permutation_or_standard(in[0], t);
}

struct quantizelinear_op {
    std::optional<shape::type_t> out_type;

    static constexpr auto name = "quantizelinear";
    static constexpr auto summary = "x / scale + zero in a small type, rounded and saturated";
    static void fields(field_list<quantizelinear_op>& f) {
        type_field(f, "out_type", &quantizelinear_op::out_type,
                   "element type of the result where there is no zero point; none: uint8");
    }
    static void traits(op_info& info) { info.is_pointwise = true; }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({2, 3}).only(0, 2).same_type();
        const auto t = in.size() == 3 ? in[2].type() : out_type.value_or(shape::uint8_type);
        expect(in).that((shape::is_computable(t) and t != shape::bool_type) or shape::is_small(t),
                        str("a type of numbers was expected, got ", shape::name(t)));
        return quantise_shape(in, t, name);
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto t = out.get_shape().type();
        const auto [low, high] = number_limits(t);
        const bool rounds = is_whole_number(t);
        const bool wide = in[0].get_shape().type() == shape::double_type;
        for_each_part(
            elements_to_store(out), [&, lo = low, hi = high](std::size_t first, std::size_t count) {
                std::vector<double> x(count), scale(count), zero(count, 0.0);
                load(in[0], first, count, x.data());
                load(in[1], first, count, scale.data());
                if (in.size() == 3)
                    load(in[2], first, count, zero.data());
                for (std::size_t i = 0; i < count; ++i) {
                    // The quotient is that of the operands' precision: ties depend on it.
                    const double q = wide ? x[i] / scale[i]
                                          : static_cast<double>(static_cast<float>(x[i]) /
                                                                static_cast<float>(scale[i]));
                    const double y = (rounds ? nearest_even(q) : q) + zero[i];
                    x[i] = std::isnan(y) ? y : std::min(std::max(y, lo), hi);
                }
                store(out, first, count, x.data());
            });
    }
};

struct dequantizelinear_op {
    static constexpr auto name = "dequantizelinear";
    static constexpr auto summary = "(x - zero) * scale in the type of the scale";
    static void traits(op_info& info) { info.is_pointwise = true; }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({2, 3}).tensor();
        if (in.size() == 3 and in[2].type() != in[0].type())
            fail_shape(str("a zero point of the type of x was expected, got ", in[2].type_string(),
                           " and ", in[0].type_string()));
        return quantise_shape(in, in[1].type(), name);
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        for_each_part(elements_to_store(out), [&](std::size_t first, std::size_t count) {
            std::vector<double> x(count), scale(count), zero(count, 0.0);
            load(in[0], first, count, x.data());
            load(in[1], first, count, scale.data());
            if (in.size() == 3)
                load(in[2], first, count, zero.data());
            for (std::size_t i = 0; i < count; ++i)
                x[i] = (x[i] - zero[i]) * scale[i];
            store(out, first, count, x.data());
        });
    }
};

const registered_op<quantizelinear_op> quantizelinear_registered;
const registered_op<dequantizelinear_op> dequantizelinear_registered;

} // namespace

} // namespace migraphx
