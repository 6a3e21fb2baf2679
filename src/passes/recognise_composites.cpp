// SPDX-License-Identifier: MIT
#include <migraphx/make_op.hpp>
#include <migraphx/recognise_composites.hpp>

#include "passes/attention_rules.hpp"
#include "passes/data_type.hpp"
#include "passes/lookup_rules.hpp"
#include "passes/pass_registry.hpp"
#include "passes/rotary_rules.hpp"

#include <algorithm>

namespace migraphx {

namespace {

bool is_static_float(instruction_ref ins) {
    return is_computed_in_float(ins->get_shape());
}

// The first of the reduced axes when they are the last ones.
std::optional<int64_t> trailing_axis(instruction_ref reduction) {
    auto axes = reduction->get_operator().get_vector<int64_t>("axes");
    const auto rank = int64_t(reduction->inputs().front()->get_shape().ndim());
    for (auto& a : axes)
        a += a < 0 ? rank : 0;
    std::sort(axes.begin(), axes.end());
    for (std::size_t i = 0; i < axes.size(); i++)
        if (axes[i] != rank - int64_t(axes.size()) + int64_t(i))
            return std::nullopt;
    return axes.empty() ? std::nullopt : std::optional(axes.front());
}

pattern stretched(pattern p) {
    return op("multibroadcast", std::move(p));
}

// d = x - mean(x)?
std::optional<instruction_ref> centred(instruction_ref d, instruction_ref variance) {
    match m;
    if (not matches(op("sub", any("x"), stretched(op("reduce_mean", any("x")).as("mean"))), d, m))
        return std::nullopt;
    if (m["mean"]->get_operator() != variance->get_operator())
        return std::nullopt;
    return m["x"];
}

replacement norm(const match& m, rewriter& rw) {
    if (not is_static_float(m.root))
        return declined;
    const auto axis = trailing_axis(m["var"]);
    if (not axis)
        return declined;
    const auto epsilon = m.value("eps");
    if (auto x = centred(m["d"], m["var"]))
        return rw.add(make_op("layer_norm", {{"axis", *axis}, {"epsilon", epsilon}}), {*x});
    return rw.add(make_op("rms_norm", {{"axis", *axis}, {"epsilon", epsilon}}), {m["d"]});
}

std::vector<rule> norm_rules() {
    const auto variance =
        op("add", op("reduce_mean", op("mul", any("d"), any("d"))).as("var"), scalar("eps"));
    return {
        {"(x - mean) / sqrt(var + e) -> layer_norm",
         op("div", any("d"), stretched(op("sqrt", variance))), norm},
        {"(x - mean) * rsqrt(var + e) -> layer_norm",
         op("mul", any("d"), stretched(op("rsqrt", variance))), norm},
    };
}

// The constant as one value for each element of the last axis.
std::optional<instruction_ref> last_axis_constant(instruction_ref stretch, instruction_ref like) {
    const auto c = stretch->inputs().front();
    const auto& s = c->get_shape();
    const auto n = like->get_shape().lens().back();
    if (s.dynamic() or not c->can_eval() or s.elements() != n or s.lens().back() != n)
        return std::nullopt;
    return c;
}

std::vector<rule> scale_rules() {
    const auto constant_stretch = [](const char* name) {
        return op("multibroadcast", constant("")).as(name);
    };
    return {
        {"layer_norm(x) * s + b -> layer_norm(x, s, b)",
         op("add",
            op("mul", op("layer_norm", any("x")).used_once().as("norm"), constant_stretch("s"))
                .used_once(),
            constant_stretch("b")),
         [](const match& m, rewriter& rw) -> replacement {
             auto s = last_axis_constant(m["s"], m.root);
             auto b = last_axis_constant(m["b"], m.root);
             if (not s or not b or
                 m["norm"]->get_operator().get<int64_t>("axis") !=
                     int64_t(m.root->get_shape().ndim()) - 1)
                 return declined;
             return rw.add(m["norm"]->get_operator(), {m["x"], *s, *b});
         }},
        {"rms_norm(x) * s -> rms_norm(x, s)",
         op("mul", op("rms_norm", any("x")).used_once().as("norm"), constant_stretch("s")),
         [](const match& m, rewriter& rw) -> replacement {
             auto s = last_axis_constant(m["s"], m.root);
             if (not s or m["norm"]->get_operator().get<int64_t>("axis") !=
                              int64_t(m.root->get_shape().ndim()) - 1)
                 return declined;
             return rw.add(m["norm"]->get_operator(), {m["x"], *s});
         }},
    };
}

} // namespace

void recognise_composites::apply(module& m) const {
    apply_rules(m, norm_rules());
    apply_rules(m, scale_rules());
    apply_rules(m, rotary_rules());
    apply_rules(m, attention_rules());
    apply_rules(m, lookup_rules());
}

namespace {
const registered_pass recognise_registered{"recognise_composites",
                                           [] { return recognise_composites{}; }};
} // namespace

} // namespace migraphx
