// SPDX-License-Identifier: MIT
// Recipes of normalisations with statistics given (batchnorm) or taken
// (mean_variance_normalization).
#include "ops/builder/site.hpp"

#include "ir/constant_value.hpp"

#include <cmath>
#include <numeric>

namespace migraphx::op::builder {

namespace {

using numbers_of = std::vector<double>;

// Operand values as double when all of them are constants.
std::vector<numbers_of> constant_operands(const site& s, std::size_t first) {
    std::vector<numbers_of> result;
    for (auto i = first; i < s.count(); ++i) {
        const auto v = constant_value(s.operand(i));
        if (not v)
            return {};
        result.push_back(v->to_vector<double>());
    }
    return result;
}

// batchnorm(x, scale, bias, mean, variance) = x * a + b for each channel with
// a = scale / sqrt(variance + epsilon) and b = bias - mean * a.
instructions build_batchnorm(site& s) {
    s.expect_operands(5, 5);
    const auto x = s.operand(0);
    const auto type = x->get_shape().type();
    const auto epsilon = static_cast<double>(s.option<float>("epsilon", 1e-5f));
    if (x->get_shape().ndim() < 1)
        s.malformed("data was expected, got none");
    for (std::size_t i = 1; i < 5; ++i)
        if (s.operand(i)->get_shape().ndim() != 1)
            s.malformed(
                str("parameters of one dimension were expected, got ", s.operand(i)->get_shape()));
    instruction_ref a, b;
    if (const auto known = constant_operands(s, 1); not known.empty()) {
        const auto n = known[0].size();
        numbers_of slope(n), offset(n);
        for (std::size_t i = 0; i < n; ++i) {
            if (known[1].size() != n or known[2].size() != n or known[3].size() != n)
                s.malformed("parameters of equal sizes were expected, got others");
            slope[i] = known[0][i] / std::sqrt(known[3][i] + epsilon);
            offset[i] = known[1][i] - known[2][i] * slope[i];
        }
        a = s.literal(migraphx::literal{shape{type, {n}}, slope});
        b = s.literal(migraphx::literal{shape{type, {n}}, offset});
    } else {
        const auto root = s.add("rsqrt", s.with_number("add", s.operand(4), epsilon));
        const auto slope = s.common("mul", {s.operand(1), root});
        const auto shift = s.common("mul", {s.operand(3), slope});
        a = s.convert(slope, type);
        b = s.convert(s.common("sub", {s.operand(2), shift}), type);
    }
    const std::size_t channel = x->get_shape().ndim() == 1 ? 0 : 1;
    const auto scaled = s.add("mul", x, s.along(a, channel, x));
    return {s.add("add", scaled, s.along(b, channel, x))};
}

// (x - mean) / (standard deviation + 1e-9) over the axes; 1e-7 in half precision.
instructions build_mean_variance(site& s) {
    s.expect_operands(1, 1);
    const auto x = s.operand(0);
    const auto axes = s.option<std::vector<int64_t>>("axes", {0, 2, 3});
    const auto rank = x->get_shape().ndim();
    if (axes.empty() or axes.size() > rank)
        s.malformed(str("1 to ", rank, " axes were expected, got ", axes.size()));
    const auto mean_of = [&](instruction_ref v) {
        return s.stretch(s.add(make_op("reduce_mean", {{"axes", axes}}), {v}), x);
    };
    const auto centred = s.add("sub", x, mean_of(x));
    const auto deviation = s.add("sqrt", mean_of(s.add("mul", centred, centred)));
    const auto tiny = x->get_shape().type() == shape::half_type ? 1e-7 : 1e-9;
    return {s.add("div", centred, s.with_number("add", deviation, tiny))};
}

const recipes norm_recipes{{"batchnorm", build_batchnorm, {"epsilon"}},
                           {"mean_variance_normalization", build_mean_variance, {"axes"}}};

} // namespace

} // namespace migraphx::op::builder
