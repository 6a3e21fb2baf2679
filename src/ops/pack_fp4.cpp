// SPDX-License-Identifier: MIT
// pack_fp4 and unpack_fp4: two e2m1 numbers (0, .5, 1, 1.5, 2, 3, 4, 6 and their negatives) in a
// byte along `axis`, the even position in the low half.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"
#include "ops/window.hpp"

#include "ir/shape_rules.hpp"
#include "ir/small_number.hpp"

namespace migraphx {

namespace {

std::size_t product_of(const std::vector<std::size_t>& lens, std::size_t first, std::size_t last) {
    std::size_t n = 1;
    for (auto d = first; d < last; ++d)
        n *= lens[d];
    return n;
}

struct pack_fp4_op {
    int64_t axis = -1;

    static constexpr auto name = "pack_fp4";
    static constexpr auto summary = "Two neighbours along `axis` as 4-bit floats in one byte";
    static void fields(field_list<pack_fp4_op>& f) {
        f.axis("axis", &pack_fp4_op::axis, "dimension that is halved");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).floating().axis(axis);
        if (not in[0].computable())
            fail_shape("a type of numbers was expected, got " + in[0].type_string());
        auto dims = dims_of(in[0]);
        auto& n = dims[static_cast<std::size_t>(axis)];
        if (n.is_fixed() and n.get_interval().min % 2 != 0)
            fail_shape(str("an even dimension was expected for axis ", axis, ", got ", n));
        n /= 2;
        return shape_in_order_of(in[0], shape::fp4x2_type, dims);
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& lens = out.get_shape().lens();
        const auto at = static_cast<std::size_t>(axis);
        const auto inner = product_of(lens, at + 1, lens.size());
        const auto x = load<double>(in[0]);
        std::size_t i = 0;
        each_offset(out.get_shape(), [&](std::size_t offset) {
            const auto low = i / inner * 2 * inner + i % inner;
            const auto byte = small_code(shape::fp4_type, x[low]) |
                              small_code(shape::fp4_type, x[low + inner]) << 4;
            out.data()[offset] = static_cast<char>(byte);
            ++i;
        });
    }
};

struct unpack_fp4_op {
    int64_t axis = -1;

    static constexpr auto name = "unpack_fp4";
    static constexpr auto summary = "The two 4-bit floats of each byte, along `axis`";
    static void fields(field_list<unpack_fp4_op>& f) {
        f.axis("axis", &unpack_fp4_op::axis, "dimension that is doubled");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor().axis(axis);
        if (in[0].type() != shape::fp4x2_type)
            fail_shape("fp4x2_type was expected, got " + in[0].type_string());
        auto dims = dims_of(in[0]);
        dims[static_cast<std::size_t>(axis)] *= 2;
        return shape_in_order_of(in[0], shape::fp8e4m3fn_type, dims);
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& lens = in[0].get_shape().lens();
        const auto at = static_cast<std::size_t>(axis);
        const auto inner = product_of(lens, at + 1, lens.size());
        std::vector<double> y(out.get_shape().elements());
        std::size_t i = 0;
        each_offset(in[0].get_shape(), [&](std::size_t offset) {
            const auto byte = static_cast<unsigned char>(in[0].data()[offset]);
            const auto low = i / inner * 2 * inner + i % inner;
            y[low] = small_value(shape::fp4_type, byte);
            y[low + inner] = small_value(shape::fp4_type, byte >> 4);
            ++i;
        });
        store(out, y);
    }
};

const registered_op<pack_fp4_op> pack_fp4_registered;
const registered_op<unpack_fp4_op> unpack_fp4_registered;

} // namespace

} // namespace migraphx
