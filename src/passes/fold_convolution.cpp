// SPDX-License-Identifier: MIT
// Constants around a convolution move into it: per-channel factors into the weights, zero padding
// into its own. What is left of a batch normalization is one bias. Also where sizes are not known
// yet, so that weights are folded once for all of them.
#include <migraphx/fold_convolution.hpp>
#include <migraphx/make_op.hpp>

#include "base/parallel.hpp"
#include "ops/tensor.hpp"
#include "passes/pass_registry.hpp"
#include "passes/pattern.hpp"
#include "passes/stretched_constant.hpp"

#include <algorithm>

namespace migraphx {

namespace {

bool is_constant(instruction_ref c) {
    return c->can_eval() or is_stretched_constant(c);
}

// One value for each channel of a constant that is to be stretched, or one for all.
std::optional<std::vector<double>> per_channel_of_stretched(instruction_ref c) {
    const auto value = c->inputs()[0]->eval();
    const auto& lens = value.get_shape().lens();
    const auto rank = c->get_shape().ndim();
    if (lens.size() > rank)
        return std::nullopt;
    const auto first =
        c->name() == "broadcast" ? c->get_operator().get<std::size_t>("axis") : rank - lens.size();
    for (std::size_t i = 0; i < lens.size(); i++)
        if (first + i != 1 and lens[i] != 1)
            return std::nullopt;
    return load<double>(value);
}

// One factor for each channel of a constant like {N, C, …} that is the same along all other axes.
std::optional<std::vector<double>> per_channel(instruction_ref c) {
    if (is_stretched_constant(c))
        return per_channel_of_stretched(c);
    const auto& s = c->get_shape();
    if (s.dynamic() or s.ndim() < 2)
        return std::nullopt;
    const auto value = c->eval();
    if (value.data() == nullptr)
        return std::nullopt;
    const auto& v = value.get_shape();
    for (std::size_t i = 0; i < v.ndim(); i++)
        if (i != 1 and v.lens()[i] != 1 and v.strides()[i] != 0)
            return std::nullopt;
    std::vector<std::size_t> lens(v.ndim(), 1);
    lens[1] = v.lens()[1];
    return load<double>(value.view(shape{v.type(), lens, v.strides()}, 0));
}

// Rounded once, as numbers in double are on their way back.
void scale_row(const float* from, std::size_t n, double factor, float* to) {
    for (std::size_t i = 0; i < n; i++)
        to[i] = static_cast<float>(from[i] * factor);
}

// One number for each row of weights {O, …} whose rows are of one number each: such weights stay
// stretched.
std::optional<argument> scaled_rows(const argument& weights, const std::vector<double>& factor) {
    const auto& s = weights.get_shape();
    for (std::size_t i = 1; i < s.ndim(); i++)
        if (s.lens()[i] != 1 and s.strides()[i] != 0)
            return std::nullopt;
    if (s.ndim() < 2 or s.elements() <= s.lens()[0])
        return std::nullopt;
    auto rows = load<double>(weights.view(shape{s.type(), {s.lens()[0]}, {s.strides()[0]}}, 0));
    for (std::size_t o = 0; o < rows.size(); o++)
        rows[o] *= factor[factor.size() == 1 ? 0 : o];
    auto out = argument::uninitialized(shape{s.type(), {s.lens()[0]}});
    store(out, 0, rows.size(), rows.data());
    return out;
}

instruction_ref scaled_weights(instruction_ref w, const std::vector<double>& factor, rewriter& rw) {
    const auto value = w->eval();
    const auto& lens = value.get_shape().lens();
    if (auto rows = scaled_rows(value, factor))
        return rw.add(make_op("broadcast", {{"axis", 0}, {"out_lens", lens}}),
                      {rw.literal(literal::adopt(*rows))});
    const auto inside = value.get_shape().elements() / std::max<std::size_t>(1, lens[0]);
    auto out = argument::uninitialized(shape{value.get_shape().type(), lens});
    const auto& s = value.get_shape();
    const bool floats = s.type() == shape::float_type and s.standard();
    // A row at a time, so that memory for numbers in double stays small.
    const auto scale_rows = [&](auto begin, auto end) {
        std::vector<double> row(floats ? 0 : inside);
        for (auto o = std::size_t(begin); o < std::size_t(end); o++) {
            const auto x = factor[factor.size() == 1 ? 0 : o];
            if (floats) {
                scale_row(reinterpret_cast<const float*>(value.data()) + o * inside, inside, x,
                          reinterpret_cast<float*>(out.data()) + o * inside);
                continue;
            }
            load(value, o * inside, inside, row.data());
            for (auto& y : row)
                y *= x;
            store(out, o * inside, inside, row.data());
        }
    };
    parallel_for(std::int64_t(lens[0]), std::int64_t(1 + 262144 / (inside + 1)), scale_rows);
    return rw.literal(literal::adopt(out));
}

// Used once, not counting operands that are stretched to its sizes.
bool has_one_use(instruction_ref ins) {
    const auto& users = ins->outputs();
    return std::count_if(users.begin(), users.end(), [&](auto u) {
               return not is_stretched_constant(u) or u->inputs()[0] == ins;
           }) == 1;
}

// Factors of a convolution's results as factors of its weights {O, …}.
std::optional<std::vector<double>> weight_factors(const match& m) {
    const auto& w = m["w"]->get_shape();
    auto factor = per_channel(m["c"]);
    if (factor and (w.dynamic() or (factor->size() != 1 and factor->size() != w.lens()[0])))
        return std::nullopt;
    return factor;
}

// b * c for two constants of a convolution's results; with sizes that are not known yet, stretched
// to those of `conv`.
std::optional<instruction_ref> constant_product(instruction_ref b, instruction_ref c,
                                                instruction_ref conv, rewriter& rw) {
    if (b->can_eval() and c->can_eval())
        return rw.add("mul", {b, c});
    return stretched_result("mul", b, c, conv, rw);
}

std::vector<rule> rules() {
    const auto conv = op("convolution", any("x"), constant("w")).where(has_one_use).as("conv");
    return {
        {"convolution(x, w) * c -> convolution(x, w * c)",
         op("mul", conv, any("c").where(is_constant)),
         [](const match& m, rewriter& rw) -> replacement {
             const auto factor = weight_factors(m);
             if (not factor)
                 return declined;
             return rw.add(m["conv"]->get_operator(),
                           {m["x"], scaled_weights(m["w"], *factor, rw)});
         }},
        {"(convolution(x, w) + b) * c -> convolution(x, w * c) + b * c",
         op("mul", op("add", conv, any("b").where(is_constant)).where(has_one_use),
            any("c").where(is_constant)),
         [](const match& m, rewriter& rw) -> replacement {
             const auto factor = weight_factors(m);
             if (not factor or m["b"]->can_eval() != m["c"]->can_eval())
                 return declined;
             const auto conv =
                 rw.add(m["conv"]->get_operator(), {m["x"], scaled_weights(m["w"], *factor, rw)});
             const auto bias = constant_product(m["b"], m["c"], conv, rw);
             return bias ? replacement(rw.add("add", {conv, *bias})) : declined;
         }},
        {"convolution(pad(x), w) -> convolution(x, w) with padding",
         op("convolution", op("pad", any("x")).as("pad"), any("w")),
         [](const match& m, rewriter& rw) -> replacement {
             const auto& p = m["pad"]->get_operator();
             auto conv = m.root->get_operator();
             if (p.get<int64_t>("mode") != 0 or p.get<double>("value") != 0 or
                 conv.get<int64_t>("padding_mode") != 0)
                 return declined;
             const auto pads = p.get_vector<int64_t>("pads");
             const auto rank = pads.size() / 2;
             auto own = conv.get_vector<int64_t>("padding");
             if (own.size() == rank - 2)
                 own.insert(own.end(), own.begin(), own.begin() + std::ptrdiff_t(rank - 2));
             if (own.size() != 2 * (rank - 2) or pads[0] != 0 or pads[1] != 0 or pads[rank] != 0 or
                 pads[rank + 1] != 0)
                 return declined;
             for (std::size_t i = 2; i < rank; i++) {
                 if (pads[i] < 0 or pads[rank + i] < 0)
                     return declined;
                 own[i - 2] += pads[i];
                 own[rank - 2 + i - 2] += pads[rank + i];
             }
             conv.from_value({{"padding", own}});
             return rw.add(conv, {m["x"], m["w"]});
         }},
    };
}

} // namespace

void fold_convolution::apply(module& m) const {
    apply_rules(m, rules());
}

namespace {
const registered_pass fold_convolution_registered{"fold_convolution",
                                                  [] { return fold_convolution{}; }};
} // namespace

} // namespace migraphx
