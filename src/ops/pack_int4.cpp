// SPDX-License-Identifier: MIT
// pack_int4 and unpack_int4: two 4-bit integers in a byte along `axis`, the even position in the
// low half.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <algorithm>

namespace migraphx {

namespace {

// Checks, and the shape with `axis` multiplied by 2 or halved.
shape int4_shape(const std::vector<shape>& in, int64_t axis, bool unpack) {
    expect(in).count(1).tensor().axis(axis);
    const auto t = in[0].type();
    if (t != shape::int8_type and t != shape::uint8_type)
        fail_shape("int8_type or uint8_type was expected, got " + in[0].type_string());
    auto dims = dims_of(in[0]);
    auto& n = dims[static_cast<std::size_t>(axis)];
    if (not unpack and n.is_fixed() and n.get_interval().min % 2 != 0)
        fail_shape(str("an even dimension was expected for axis ", axis, ", got ", n));
    n = unpack ? n * 2 : n / 2;
    if (in[0].dynamic())
        return dynamic_shape(in[0], t, dims);
    return {t, shape{t, dims}.max_lens()};
}

// Elements per position of the dimensions behind `axis`.
std::size_t inner_elements(const std::vector<std::size_t>& lens, int64_t axis) {
    std::size_t n = 1;
    for (auto d = static_cast<std::size_t>(axis) + 1; d < lens.size(); ++d)
        n *= lens[d];
    return n;
}

struct pack_int4_op {
    int64_t axis = -1;

    static constexpr auto name = "pack_int4";
    static constexpr auto summary = "Two neighbours along `axis` as 4-bit integers in one byte";
    static void fields(field_list<pack_int4_op>& f) {
        f.axis("axis", &pack_int4_op::axis, "dimension that is halved");
    }

    shape infer(const std::vector<shape>& in) const { return int4_shape(in, axis, false); }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const bool is_signed = out.get_shape().type() == shape::int8_type;
        const auto nibble = [&](int64_t v) {
            return (is_signed ? std::clamp<int64_t>(v, -8, 7) : std::clamp<int64_t>(v, 0, 15)) & 15;
        };
        const auto x = load<int64_t>(in[0]);
        std::vector<int64_t> y(out.get_shape().elements());
        const auto inner = inner_elements(out.get_shape().lens(), axis);
        for (std::size_t i = 0; i < y.size(); ++i) {
            const auto low = i / inner * 2 * inner + i % inner;
            y[i] = nibble(x[low]) | nibble(x[low + inner]) << 4;
        }
        store(out, y);
    }
};

struct unpack_int4_op {
    int64_t axis = -1;

    static constexpr auto name = "unpack_int4";
    static constexpr auto summary = "The two 4-bit integers of each byte, along `axis`";
    static void fields(field_list<unpack_int4_op>& f) {
        f.axis("axis", &unpack_int4_op::axis, "dimension that is doubled");
    }

    shape infer(const std::vector<shape>& in) const { return int4_shape(in, axis, true); }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const bool is_signed = out.get_shape().type() == shape::int8_type;
        const auto x = load<int64_t>(in[0]);
        std::vector<int64_t> y(out.get_shape().elements());
        const auto inner = inner_elements(out.get_shape().lens(), axis);
        const auto widened = [&](int64_t nibble) {
            return is_signed and nibble > 7 ? nibble - 16 : nibble;
        };
        for (std::size_t i = 0; i < x.size(); ++i) {
            const auto low = i / inner * 2 * inner + i % inner;
            y[low] = widened(x[i] & 15);
            y[low + inner] = widened((x[i] >> 4) & 15);
        }
        store(out, y);
    }
};

const registered_op<pack_int4_op> pack_int4_registered;
const registered_op<unpack_int4_op> unpack_int4_registered;

} // namespace

} // namespace migraphx
