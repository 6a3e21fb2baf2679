// SPDX-License-Identifier: MIT
// quantizelinear and dequantizelinear in plain arithmetic, for targets that have no code for them.
#include <migraphx/make_op.hpp>
#include <migraphx/rewrite_quantization.hpp>

#include "ir/number_kinds.hpp"
#include "passes/pass_registry.hpp"
#include "passes/pattern.hpp"

namespace migraphx {

namespace {

instruction_ref converted(rewriter& rw, instruction_ref x, shape::type_t t) {
    return x->get_shape().type() == t ? x : rw.add(make_op("convert", {{"target_type", t}}), {x});
}

// Whole numbers are rounded; the sum with the zero point saturates.
replacement quantize(const match& m, rewriter& rw) {
    const auto& in = m.root->inputs();
    const auto type = m.root->get_shape().type(), wide = in[0]->get_shape().type();
    auto y = rw.add("div", {in[0], in[1]});
    if (is_whole_number(type))
        y = rw.add("nearbyint", {y});
    if (in.size() == 3)
        y = rw.add("add", {y, converted(rw, in[2], wide)});
    const auto [low, high] = number_limits(type);
    y = rw.add("clip", {y, rw.number(low, y), rw.number(high, y)});
    return converted(rw, y, type);
}

replacement dequantize(const match& m, rewriter& rw) {
    const auto& in = m.root->inputs();
    const auto type = m.root->get_shape().type();
    auto x = converted(rw, in[0], type);
    if (in.size() == 3)
        x = rw.add("sub", {x, converted(rw, in[2], type)});
    return rw.add("mul", {x, in[1]});
}

std::vector<rule> rules() {
    return {{"quantizelinear(x, s, z) -> convert(clip(nearbyint(x / s) + z))", op("quantizelinear"),
             quantize},
            {"dequantizelinear(x, s, z) -> (x - z) * s", op("dequantizelinear"), dequantize}};
}

} // namespace

void rewrite_quantization::apply(module& m) const {
    static const auto all = rules();
    apply_rules(m, all);
}

namespace {

const registered_pass rewrite_quantization_registered{"rewrite_quantization",
                                                      [] { return rewrite_quantization{}; }};

} // namespace

} // namespace migraphx
