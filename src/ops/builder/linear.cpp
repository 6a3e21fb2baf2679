// SPDX-License-Identifier: MIT
// Recipes of matrix products: dot and quant_dot over broadcast batch dimensions, gemm.
#include <migraphx/common_shape.hpp>

#include "ops/builder/zero_point.hpp"

namespace migraphx::op::builder {

namespace {

// Both operands with the common batch dimensions.
std::pair<instruction_ref, instruction_ref> with_common_batch(site& s, instruction_ref a,
                                                              instruction_ref b) {
    const auto& sa = a->get_shape();
    const auto& sb = b->get_shape();
    if (sa.ndim() < 2 or sb.ndim() < 2)
        s.malformed(
            str("operands of at least two dimensions were expected, got ", sa, " and ", sb));
    if (sa.ndim() == 2 and sb.ndim() == 2)
        return {a, b};
    if (sa.dynamic() or sb.dynamic()) {
        const auto dims = [](const shape& x) {
            auto d = (x.dynamic() ? x : x.to_dynamic()).dyn_dims();
            d.resize(d.size() - 2);
            return d;
        };
        const auto da = dims(sa), db = dims(sb);
        bool equal = da.size() == db.size();
        for (std::size_t i = 0; equal and i < da.size(); ++i)
            equal = da[i] == db[i] and (da[i].is_fixed() or da[i].is_symbolic());
        if (equal)
            return {a, b};
        return {s.add("broadcast_for_dot", a, b), s.add("broadcast_for_dot", b, a)};
    }
    const auto batch = [](const shape& x) {
        return std::vector<std::size_t>(x.lens().begin(), x.lens().end() - 2);
    };
    const auto common = compute_broadcasted_lens(batch(sa), batch(sb));
    const auto stretch = [&](instruction_ref x) {
        auto lens = common;
        const auto& own = x->get_shape().lens();
        lens.insert(lens.end(), own.end() - 2, own.end());
        return lens == own ? x : s.add(make_op("multibroadcast", {{"out_lens", lens}}), {x});
    };
    return {stretch(a), stretch(b)};
}

instructions build_dot(site& s) {
    s.expect_operands(2, 2);
    const auto [a, b] = with_common_batch(s, s.operand(0), s.operand(1));
    return {s.add(make_op(s.recipe_name()), {a, b})};
}

// quant_dot(a, b[, a_zero_point[, b_zero_point]]): products of (a - za) and (b - zb) as int32,
// exact: a * b of int8, less za times the sums of the columns of b, less zb times those of the rows
// of (a - za). Zero points stretch to their operand; one of one dimension has a number for each row
// of a, each column of b.
instructions build_quant_dot(site& s) {
    s.expect_operands(2, 4);
    if (s.count() == 2 and s.operand(0)->get_shape().type() == s.operand(1)->get_shape().type() and
        s.operand(0)->get_shape().type() != shape::uint8_type)
        return build_dot(s);
    auto a = centre(s, 0, 2), b = centre(s, 1, 3);
    const auto [left, right] = with_common_batch(s, a.values, b.values);
    const auto plain = s.add("quant_dot", left, right);
    auto y = plain;
    const auto sums = [&](instruction_ref x, std::size_t from_last) {
        const auto axis = static_cast<int64_t>(x->get_shape().ndim() - from_last);
        return s.add(make_op("reduce_sum", {{"axes", std::vector<int64_t>{axis}}}), {x});
    };
    const auto less = [&](instruction_ref from, instruction_ref x, instruction_ref z) {
        return s.common("sub", {from, s.common("mul", {x, z})});
    };
    auto rows = s.convert(a.values, shape::int32_type);
    if (a.offset) {
        auto za = *a.offset;
        if (za->get_shape().ndim() == 1 and
            not(not za->get_shape().dynamic() and za->get_shape().elements() == 1))
            za = s.add(make_op("unsqueeze", {{"axes", std::vector<int64_t>{1}}}), {za});
        y = less(y, sums(s.convert(b.values, shape::int32_type), 2), za);
        rows = s.common("sub", {rows, za});
    }
    if (b.offset)
        y = less(y, sums(rows, 1), *b.offset);
    const auto &s_plain = plain->get_shape(), &s_y = y->get_shape();
    if (s_y.ndim() != s_plain.ndim() or s_y.min_lens() != s_plain.min_lens())
        s.malformed(str("zero points that stretch to their operands were expected for a result of ",
                        s_plain, ", got ", s_y));
    return {y};
}

// alpha * A' * B' + beta * C, where A' and B' may be transposed and C may be absent.
instructions build_gemm(site& s) {
    s.expect_operands(2, 3);
    auto a = s.operand(0), b = s.operand(1);
    for (auto x : {a, b})
        if (x->get_shape().ndim() != 2)
            s.malformed(str("matrices were expected, got ", x->get_shape()));
    const auto alpha = static_cast<double>(s.option<float>("alpha", 1));
    const auto beta = static_cast<double>(s.option<float>("beta", 1));
    const auto transposed = [&](instruction_ref x) {
        return s.add(make_op("transpose", {{"permutation", std::vector<int64_t>{1, 0}}}), {x});
    };
    const auto type = a->get_shape().type();
    if (s.option<bool>("transA", false))
        a = transposed(a);
    if (s.option<bool>("transB", false))
        b = transposed(b);
    auto scaled = [&](instruction_ref x, double factor) {
        if (factor == 1)
            return x;
        if (not shape::is_integral(x->get_shape().type()))
            return s.with_number("mul", x, factor);
        const auto wide = s.convert(x, shape::float_type);
        return s.convert(s.with_number("mul", wide, factor), type);
    };
    auto result = scaled(s.add("dot", a, b), alpha);
    if (s.has(2) and beta != 0) {
        const auto c = s.convert(s.operand(2), type);
        result = s.common("add", {result, scaled(c, beta)});
    }
    return {result};
}

const recipes linear_recipes{{"dot", build_dot},
                             {"quant_dot", build_quant_dot},
                             {"gemm", build_gemm, {"alpha", "beta", "transA", "transB"}}};

} // namespace

} // namespace migraphx::op::builder
