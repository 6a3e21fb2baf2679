// SPDX-License-Identifier: MIT
// cast: elements in another type by the rules of ONNX. Unlike `convert`, integers that do not fit
// lose their high bits, and what is too large for a floating-point type becomes infinite or NaN
// where an 8-bit one does not saturate.
#include "ops/elementwise.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"
#include "ops/type_field.hpp"

#include "ir/number_kinds.hpp"
#include "ir/small_number.hpp"

#include <cmath>
#include <string>

namespace migraphx {

namespace {

template <fp8::f8_type T, bool FNUZ>
std::uint8_t fp8_code(double x, bool saturates, fp8::float8<T, FNUZ>) {
    using type = fp8::float8<T, FNUZ>;
    const auto value = [](std::uint8_t code) {
        return static_cast<double>(float(type(code, type::from_bits())));
    };
    const double largest = value(type::max_code);
    if (saturates)
        return type(std::isnan(x) ? x : std::clamp(x, -largest, largest)).data;
    // Halfway to the next code goes to the even one of the two.
    const double limit = largest + (largest - value(type::max_code - 1)) / 2;
    const auto magnitude = std::fabs(x);
    if (not(magnitude > limit or (magnitude == limit and type::max_code % 2 != 0)))
        return type(x).data;
    // The code behind the largest number is infinity, or NaN where there is none.
    const unsigned sign = std::signbit(x) and not FNUZ ? 0x80 : 0;
    return static_cast<std::uint8_t>((type::max_code + 1u) | sign);
}

struct cast_op {
    shape::type_t target_type = shape::float_type;
    bool saturate = true;
    std::string round_mode = "up";

    static constexpr auto name = "cast";
    static constexpr auto summary = "Elements in another type by the rules of ONNX's Cast";
    static void fields(field_list<cast_op>& f) {
        type_field(f, "target_type", &cast_op::target_type, "element type of the result");
        f.add("saturate", &cast_op::saturate,
              "8-bit floating point: too large numbers become the largest one, else infinity or "
              "NaN");
        f.add("round_mode", &cast_op::round_mode,
              "to fp8e8m0: the power of two \"up\", \"down\" or \"nearest\"");
    }

    power_rounding rounding() const {
        if (round_mode == "down")
            return power_rounding::down;
        if (round_mode == "nearest")
            return power_rounding::nearest;
        if (round_mode != "up")
            fail_shape("round_mode: up, down or nearest was expected, got '" + round_mode + "'");
        return power_rounding::up;
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        for (const auto t : {in[0].type(), target_type})
            expect(in).that(shape::is_computable(t) or shape::is_small(t),
                            "a type that can be converted was expected, got " + shape::name(t));
        (void)rounding();
        return in[0].with_type(target_type);
    }

    // What is stored as a code: the types of at most eight bits that are not plain integers.
    std::uint8_t code(double x, power_rounding r) const {
        if (const auto bits = small_integer_bits(target_type); bits != 0) {
            const auto n = std::isfinite(x) ? static_cast<int64_t>(std::fmod(x, 256)) : 0;
            return static_cast<std::uint8_t>(n & ((1 << bits) - 1));
        }
        switch (target_type) {
        case shape::fp8e4m3fn_type:
            return fp8_code(x, saturate, fp8::fp8e4m3fn{});
        case shape::fp8e4m3fnuz_type:
            return fp8_code(x, saturate, fp8::fp8e4m3fnuz{});
        case shape::fp8e5m2_type:
            return fp8_code(x, saturate, fp8::fp8e5m2{});
        case shape::fp8e5m2fnuz_type:
            return fp8_code(x, saturate, fp8::fp8e5m2fnuz{});
        case shape::fp8e8m0_type:
            return power_code(x, r, saturate);
        default:
            return small_code(target_type, x);
        }
    }

    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& x = in.front();
        const bool is_coded = shape::is_small(target_type) or is_fp8(target_type);
        const auto r = rounding();
        const auto codes =
            is_coded ? out.view(out.get_shape().with_type(shape::uint8_type), 0) : argument{};
        for_each_part(elements_to_store(out), [&](std::size_t first, std::size_t count) {
            if (shape::is_integral(x.get_shape().type()) and not is_coded) {
                std::vector<int64_t> v(count);
                load(x, first, count, v.data());
                return store(out, first, count, v.data());
            }
            std::vector<double> v(count);
            load(x, first, count, v.data());
            if (not is_coded)
                return store(out, first, count, v.data());
            for (auto& n : v)
                n = code(n, r);
            store(codes, first, count, v.data());
        });
    }
};

const registered_op<cast_op> cast_registered;

} // namespace

} // namespace migraphx
