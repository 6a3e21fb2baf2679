// SPDX-License-Identifier: MIT
// rotary(x (…, D), cos, sin): pairs (i, i + D / 2) of the last axis turned by angles. cos and sin
// stretch to x, their last axis to D or to D / 2, one for both of a pair.
//   add(mul(x, cos), mul(concat(neg(x[D/2:]), x[:D/2]), sin))
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <migraphx/common_shape.hpp>

namespace migraphx {

namespace {

struct rotary_op {
    static constexpr auto name = "rotary";
    static constexpr auto summary = "Pairs of the two halves of the last axis turned by angles";
    static void fields(field_list<rotary_op>&) {}

    // The dimensions that cos and sin stretch to.
    static std::vector<std::size_t> angle_lens(const shape& x, const shape& angle) {
        auto lens = x.lens();
        if (angle.ndim() > 0 and angle.lens().back() == lens.back() / 2)
            lens.back() /= 2;
        return lens;
    }
    shape infer(const std::vector<shape>& in) const {
        expect(in).count(3).tensor().same_type().floating();
        const auto& x = in[0];
        if (x.ndim() == 0)
            fail_shape("one axis or more was expected, got none");
        if (x.dynamic() or in[1].dynamic() or in[2].dynamic())
            return keep_permutation_or_standard(align_kinds(in).front(), x.type());
        if (x.lens().back() % 2 != 0)
            fail_shape(str("a last axis of even size was expected, got ", x));
        for (std::size_t i = 1; i < 3; ++i)
            make_bcast_shape(in[i], angle_lens(x, in[i]));
        return keep_permutation_or_standard(x, x.type());
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto angles = [&](const argument& a) {
            return load<double>(a.view(
                make_bcast_shape(a.get_shape(), angle_lens(in[0].get_shape(), a.get_shape())), 0));
        };
        const auto x = load<double>(in[0]), cos = angles(in[1]), sin = angles(in[2]);
        const auto size = in[0].get_shape().lens().back(), half = size / 2;
        std::vector<double> y(x.size());
        const auto at = [&](const std::vector<double>& angle, std::size_t i) {
            return angle.size() == x.size() ? angle[i] : angle[i / size * half + i % half];
        };
        for (std::size_t i = 0; i < x.size(); ++i) {
            const bool first = i % size < half;
            const double other = first ? -x[i + half] : x[i - half];
            y[i] = x[i] * at(cos, i) + other * at(sin, i);
        }
        store(out, y);
    }
};

const registered_op<rotary_op> rotary_registered;

} // namespace

} // namespace migraphx
