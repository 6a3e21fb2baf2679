// SPDX-License-Identifier: MIT
// rotary_embedding(x (B, N, S, D), positions (B, S), cos (P, R / 2), sin (P, R / 2)): the first R
// of D elements as pairs, turned by the angle of their position. Pairs are (i, i + R / 2), or
// neighbours when interleaved. Without positions (three operands) cos and sin are (B, S, R / 2).
#include "ops/builder/site.hpp"

namespace migraphx::op::builder {

namespace {

using ints = std::vector<int64_t>;

instruction_ref part_of(site& s, instruction_ref x, int64_t axis, int64_t from, int64_t to) {
    return s.add(
        make_op("slice", {{"axes", ints{axis}}, {"starts", ints{from}}, {"ends", ints{to}}}), {x});
}

instructions build_rotary(site& s) {
    s.expect_operands(3, 4);
    const auto x = s.operand(0);
    const bool by_position = s.count() == 4;
    auto cos = s.operand(by_position ? 2 : 1), sin = s.operand(by_position ? 3 : 2);
    const auto& in = x->get_shape();
    if (in.ndim() != 4)
        s.malformed(str("x of four dimensions was expected, got ", in));
    const auto size = static_cast<int64_t>(in.max_lens()[3]);
    const auto half = static_cast<int64_t>(cos->get_shape().max_lens().back());
    if (in.min_lens()[3] != in.max_lens()[3] or
        cos->get_shape().min_lens().back() != cos->get_shape().max_lens().back() or 2 * half > size)
        s.malformed(str("heads of at least ", 2 * half, " elements were expected, got ", in));
    const auto angles = [&](instruction_ref cache) {
        auto v = s.convert(cache, in.type());
        if (by_position)
            v = s.add(make_op("gather", {{"axis", 0}}), {v, s.operand(1)});
        return s.add(make_op("unsqueeze", {{"axes", ints{1}}}), {v});
    };
    cos = angles(cos);
    sin = angles(sin);
    const auto rotary = 2 * half < size ? part_of(s, x, 3, 0, 2 * half) : x;
    instruction_ref first, second;
    const bool interleaved = s.option<bool>("interleaved", false);
    if (interleaved) {
        const auto pairs = s.add(make_op("reshape", {{"dims", ints{0, 0, 0, half, 2}}}), {rotary});
        const auto of_pair = [&](int64_t i) {
            return s.add(make_op("squeeze", {{"axes", ints{4}}}), {part_of(s, pairs, 4, i, i + 1)});
        };
        first = of_pair(0);
        second = of_pair(1);
    } else {
        first = part_of(s, rotary, 3, 0, half);
        second = part_of(s, rotary, 3, half, 2 * half);
    }
    auto a = s.common("sub", {s.common("mul", {first, cos}), s.common("mul", {second, sin})});
    auto b = s.common("add", {s.common("mul", {first, sin}), s.common("mul", {second, cos})});
    instruction_ref turned;
    if (interleaved) {
        a = s.add(make_op("unsqueeze", {{"axes", ints{4}}}), {a});
        b = s.add(make_op("unsqueeze", {{"axes", ints{4}}}), {b});
        turned = s.add(make_op("concat", {{"axis", 4}}), {a, b});
        turned = s.add(make_op("reshape", {{"dims", ints{0, 0, 0, 2 * half}}}), {turned});
    } else
        turned = s.add(make_op("concat", {{"axis", 3}}), {a, b});
    if (2 * half < size)
        turned =
            s.add(make_op("concat", {{"axis", 3}}), {turned, part_of(s, x, 3, 2 * half, size)});
    return {turned};
}

const recipes rotary_recipes{{"rotary_embedding", build_rotary, {"interleaved"}}};

} // namespace

} // namespace migraphx::op::builder
