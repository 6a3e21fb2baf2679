// SPDX-License-Identifier: MIT
// Constants around a convolution move into it: per-channel factors into the weights, zero padding into
// its own. What is left of a batch normalization is one bias.
#include <migraphx/fold_convolution.hpp>
#include <migraphx/make_op.hpp>

#include "base/parallel.hpp"
#include "ops/tensor.hpp"
#include "passes/pass_registry.hpp"
#include "passes/pattern.hpp"

#include <algorithm>

namespace migraphx {

namespace {

// One factor for each channel of a constant like {N, C, …} that is the same along all other axes.
std::optional<std::vector<double>> per_channel(instruction_ref c)
{
    const auto& s = c->get_shape();
    if(s.dynamic() or s.ndim() < 2)
        return std::nullopt;
    const auto value = c->eval();
    if(value.data() == nullptr)
        return std::nullopt;
    const auto& v = value.get_shape();
    for(std::size_t i = 0; i < v.ndim(); i++)
        if(i != 1 and v.lens()[i] != 1 and v.strides()[i] != 0)
            return std::nullopt;
    std::vector<std::size_t> lens(v.ndim(), 1);
    lens[1] = v.lens()[1];
    return load<double>(value.view(shape{v.type(), lens, v.strides()}, 0));
}

instruction_ref scaled_weights(instruction_ref w, const std::vector<double>& factor, rewriter& rw)
{
    const auto value  = w->eval();
    const auto& lens  = value.get_shape().lens();
    const auto inside = value.get_shape().elements() / std::max<std::size_t>(1, lens[0]);
    auto out          = argument::uninitialized(shape{value.get_shape().type(), lens});
    // A row at a time, so that memory for numbers in double stays small.
    parallel_for(std::int64_t(lens[0]), std::int64_t(1 + 65536 / (inside + 1)), [&](auto begin, auto end) {
        std::vector<double> row(inside);
        for(auto o = std::size_t(begin); o < std::size_t(end); o++)
        {
            load(value, o * inside, inside, row.data());
            for(auto& x : row)
                x *= factor[factor.size() == 1 ? 0 : o];
            store(out, o * inside, inside, row.data());
        }
    });
    return rw.literal(literal::adopt(out));
}

std::vector<rule> rules()
{
    const auto conv = op("convolution", any("x"), constant("w")).used_once().as("conv");
    return {
        {"convolution(x, w) * c -> convolution(x, w * c)",
         op("mul", conv, constant("c")),
         [](const match& m, rewriter& rw) -> replacement {
             const auto factor = per_channel(m["c"]);
             if(not factor or m["w"]->get_shape().dynamic())
                 return declined;
             return rw.add(m["conv"]->get_operator(), {m["x"], scaled_weights(m["w"], *factor, rw)});
         }},
        {"(convolution(x, w) + b) * c -> convolution(x, w * c) + b * c",
         op("mul", op("add", conv, constant("b")).used_once(), constant("c")),
         [](const match& m, rewriter& rw) -> replacement {
             const auto factor = per_channel(m["c"]);
             if(not factor or m["w"]->get_shape().dynamic())
                 return declined;
             const auto conv = rw.add(m["conv"]->get_operator(), {m["x"], scaled_weights(m["w"], *factor, rw)});
             return rw.add("add", {conv, rw.add("mul", {m["b"], m["c"]})});
         }},
        {"convolution(pad(x), w) -> convolution(x, w) with padding",
         op("convolution", op("pad", any("x")).as("pad"), any("w")),
         [](const match& m, rewriter& rw) -> replacement {
             const auto& p = m["pad"]->get_operator();
             auto conv     = m.root->get_operator();
             if(p.get<int64_t>("mode") != 0 or p.get<double>("value") != 0 or conv.get<int64_t>("padding_mode") != 0)
                 return declined;
             const auto pads = p.get_vector<int64_t>("pads");
             const auto rank = pads.size() / 2;
             auto own        = conv.get_vector<int64_t>("padding");
             if(own.size() == rank - 2)
                 own.insert(own.end(), own.begin(), own.begin() + std::ptrdiff_t(rank - 2));
             if(own.size() != 2 * (rank - 2) or pads[0] != 0 or pads[1] != 0 or pads[rank] != 0 or pads[rank + 1] != 0)
                 return declined;
             for(std::size_t i = 2; i < rank; i++)
             {
                 if(pads[i] < 0 or pads[rank + i] < 0)
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

void fold_convolution::apply(module& m) const { apply_rules(m, rules()); }

namespace {
const registered_pass fold_convolution_registered{"fold_convolution", [] { return fold_convolution{}; }};
} // namespace

} // namespace migraphx
