// SPDX-License-Identifier: MIT
// lrn: x * (bias + alpha / size * sum of x² over `size` neighbouring channels)^-beta, with
// (size - 1) / 2 channels below and size / 2 above.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <migraphx/op/lrn.hpp>

#include <algorithm>
#include <cmath>

namespace migraphx {

namespace {

struct lrn_op : op::lrn {
    static constexpr auto name = "lrn";
    static constexpr auto summary = "Normalisation by the squares of neighbouring channels";
    static void fields(field_list<lrn_op>& f) {
        f.add("alpha", &op::lrn::alpha, "scale of the mean of squares");
        f.add("beta", &op::lrn::beta, "exponent");
        f.add("bias", &op::lrn::bias, "added to the mean of squares");
        f.add("size", &op::lrn::size, "number of channels");
    }
    static void traits(op_info& info) { info.type = &typeid(op::lrn); }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).floating().rank_at_least(2);
        expect(in).that(size >= 1, str("a size of at least 1 was expected, got ", size));
        return keep_permutation_or_standard(in[0], in[0].type());
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto x = load<double>(in[0]);
        auto y = x;
        const auto below = static_cast<std::size_t>((size - 1) / 2);
        const auto above = static_cast<std::size_t>(size / 2);
        for_each_line(
            in[0].get_shape().lens(), 1, [&](std::size_t first, std::size_t stride, std::size_t n) {
                for (std::size_t c = 0; c < n; ++c) {
                    double squares = 0;
                    const auto last = std::min(n, c + above + 1);
                    for (auto i = c - std::min(c, below); i < last; ++i)
                        squares += x[first + i * stride] * x[first + i * stride];
                    y[first + c * stride] *=
                        std::pow(double(bias) + double(alpha) / size * squares, -double(beta));
                }
            });
        store(out, y);
    }
};

const registered_op<lrn_op> lrn_registered;

} // namespace

} // namespace migraphx
