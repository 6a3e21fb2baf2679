// SPDX-License-Identifier: MIT
#include "import/onnx/ops_training.hpp"

#include <migraphx/make_op.hpp>

#include <cmath>
#include <numbers>
#include <numeric>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

// Steps and choices: the derivative is 0 wherever there is one.
bool is_flat(const std::string& name) {
    static const std::unordered_set<std::string> names{
        "ceil",  "floor",  "nearbyint",   "sign",          "equal",       "greater",
        "less",  "not",    "logical_and", "logical_or",    "logical_xor", "isnan",
        "isinf", "argmax", "argmin",      "dimensions_of", "shape_of"};
    return names.contains(name);
}

} // namespace

void gradients::begin(instruction_ref y) {
    const auto t = y->get_shape().type();
    if (shape::is_integral(t) or t == shape::bool_type or not shape::is_computable(t))
        n.malformed(str("a floating-point tensor y was expected, got ", y->get_shape()));
    found[y] = n.broadcast_like(n.scalar(t, 1), y);
}

instruction_ref gradients::of(instruction_ref x) {
    if (const auto it = found.find(x); it != found.end())
        return it->second;
    return n.broadcast_like(n.scalar(x->get_shape().type(), 0), x);
}

void gradients::propagate(instruction_ref ins, const std::unordered_set<instruction_ref>& wanted) {
    const auto it = found.find(ins);
    if (it == found.end() or is_flat(ins->name()))
        return;
    const auto g = it->second;
    for (std::size_t i = 0; i < ins->inputs().size(); i++) {
        const auto x = ins->inputs()[i];
        const auto t = x->get_shape().type();
        if (not wanted.contains(x) or shape::is_integral(t) or t == shape::bool_type)
            continue;
        if (x->get_shape().dynamic())
            n.unsupported(str("static shapes were expected, got ", x->get_shape()));
        const auto part = by_operand(ins, i, g);
        if (not part)
            continue;
        const auto [place, fresh] = found.try_emplace(x, *part);
        if (not fresh)
            place->second = n.add("add", place->second, *part);
    }
}

gradients::optional_instruction gradients::by_operand(instruction_ref ins, std::size_t i,
                                                      instruction_ref g) {
    bool known = true;
    auto result = ins->inputs().size() == 1 ? by_unary(ins, g, known) : by_binary(ins, i, g, known);
    if (not known)
        result = by_view(ins, i, g, known = true);
    if (not known)
        result = by_reduction(ins, i, g, known = true);
    if (not known)
        n.unsupported("an operator with a known derivative was expected, got " + ins->name());
    return result;
}

instruction_ref gradients::where(const char* op, instruction_ref a, instruction_ref b,
                                 instruction_ref g) {
    const auto condition = n.convert(n.add(op, a, b), shape::bool_type);
    return n.add("where", condition, g, n.broadcast_like(n.scalar(g->get_shape().type(), 0), g));
}

instruction_ref gradients::with_lens_of(instruction_ref g, instruction_ref x) {
    if (graph_builder::is_scalar(x->get_shape()))
        return graph_builder::is_scalar(g->get_shape()) ? g : n.to_scalar(g);
    if (g->get_shape().lens() == x->get_shape().lens())
        return g;
    return n.add(make_op("reshape", {{"dims", x->get_shape().lens()}}), {g});
}

gradients::optional_instruction gradients::by_unary(instruction_ref y, instruction_ref g,
                                                    bool& known) {
    const auto x = y->inputs()[0];
    const auto& name = y->name();
    const auto zero = [&] { return n.broadcast_like(n.scalar(x->get_shape().type(), 0), x); };
    const auto over = [&](instruction_ref divisor) { return n.add("div", g, divisor); };
    const auto root = [&](instruction_ref v) { return n.add("sqrt", v); };
    const auto square = [&](instruction_ref v) { return times(v, v); };
    const auto minus_square = [&](instruction_ref v) { return plus(n.add("neg", square(v)), 1); };
    if (name == "identity" or name == "contiguous")
        return g;
    if (name == "neg")
        return n.add("neg", g);
    if (name == "exp")
        return times(g, y);
    if (name == "log")
        return over(x);
    if (name == "log2")
        return over(scaled(x, std::numbers::ln2));
    if (name == "sqrt")
        return over(scaled(y, 2));
    if (name == "rsqrt")
        return scaled(times(g, times(y, square(y))), -0.5);
    if (name == "recip")
        return n.add("neg", times(g, square(y)));
    if (name == "abs")
        return times(g, n.add("sign", x));
    if (name == "relu")
        return where("greater", x, zero(), g);
    if (name == "elu" or name == "leaky_relu") {
        const double alpha = y->get_operator().get<double>("alpha");
        const auto below = name == "elu" ? times(g, plus(y, alpha)) : scaled(g, alpha);
        return n.add("where", n.convert(n.add("greater", x, zero()), shape::bool_type), g, below);
    }
    if (name == "tanh")
        return times(g, minus_square(y));
    if (name == "sigmoid")
        return times(g, times(y, plus(n.add("neg", y), 1)));
    if (name == "erf")
        return scaled(times(g, n.add("exp", n.add("neg", square(x)))),
                      2 / std::sqrt(std::numbers::pi));
    if (name == "sin")
        return times(g, n.add("cos", x));
    if (name == "cos")
        return n.add("neg", times(g, n.add("sin", x)));
    if (name == "tan")
        return times(g, plus(square(y), 1));
    if (name == "sinh")
        return times(g, n.add("cosh", x));
    if (name == "cosh")
        return times(g, n.add("sinh", x));
    if (name == "asin")
        return over(root(minus_square(x)));
    if (name == "acos")
        return n.add("neg", over(root(minus_square(x))));
    if (name == "atan")
        return over(plus(square(x), 1));
    if (name == "asinh")
        return over(root(plus(square(x), 1)));
    if (name == "acosh")
        return over(root(plus(square(x), -1)));
    if (name == "atanh")
        return over(minus_square(x));
    if (name == "convert")
        return n.convert(g, x->get_shape().type());
    known = false;
    return std::nullopt;
}

gradients::optional_instruction gradients::by_binary(instruction_ref y, std::size_t i,
                                                     instruction_ref g, bool& known) {
    const auto& in = y->inputs();
    const auto& name = y->name();
    const auto other = in[1 - std::min<std::size_t>(i, 1)];
    if (name == "add")
        return g;
    if (name == "sub")
        return i == 0 ? g : n.add("neg", g);
    if (name == "mul")
        return times(g, other);
    if (name == "sqdiff") {
        const auto slope = scaled(times(g, n.add("sub", in[0], in[1])), 2);
        return i == 0 ? slope : n.add("neg", slope);
    }
    if (name == "div")
        return i == 0 ? n.add("div", g, other) : n.add("neg", n.add("div", times(g, y), in[1]));
    if (name == "pow")
        return i == 0 ? times(g, times(in[1], n.add("pow", in[0], plus(in[1], -1))))
                      : times(g, times(y, n.add("log", in[0])));
    // Of two equal ones the first counts.
    if (name == "max" or name == "min") {
        const auto other_is_beyond = name == "max" ? "greater" : "less";
        const auto second = where(other_is_beyond, in[1], in[0], g);
        return i == 1 ? second : n.add("sub", g, second);
    }
    if (name == "where") {
        const auto zero = n.broadcast_like(n.scalar(g->get_shape().type(), 0), g);
        return i == 1 ? n.add("where", in[0], g, zero) : n.add("where", in[0], zero, g);
    }
    if (name == "clip") {
        const auto inside = where("less", in[1], in[0], where("less", in[0], in[2], g));
        if (i == 0)
            return inside;
        return i == 1 ? where("greater", in[1], in[0], g) : where("less", in[2], in[0], g);
    }
    if (name == "dot") {
        const auto turned = [&](instruction_ref m) {
            ints order(m->get_shape().ndim());
            std::iota(order.begin(), order.end(), 0);
            std::swap(order[order.size() - 1], order[order.size() - 2]);
            return n.add(make_op("transpose", {{"permutation", order}}), {m});
        };
        return i == 0 ? n.add("dot", g, turned(other)) : n.add("dot", turned(other), g);
    }
    known = false;
    return std::nullopt;
}

gradients::optional_instruction gradients::by_view(instruction_ref y, std::size_t i,
                                                   instruction_ref g, bool& known) {
    const auto x = y->inputs()[i];
    const auto& name = y->name();
    const auto& op = y->get_operator();
    const auto lens = x->get_shape().lens();
    if (name == "reshape" or name == "squeeze" or name == "unsqueeze" or name == "flatten" or
        name == "reshape_lazy")
        return with_lens_of(g, x);
    if (name == "transpose") {
        const auto order = op.get_vector<int64_t>("permutation");
        ints back(order.size());
        for (std::size_t d = 0; d < order.size(); d++)
            back[std::size_t(order[d])] = int64_t(d);
        return n.add(make_op("transpose", {{"permutation", back}}), {g});
    }
    if (name == "multibroadcast" or name == "broadcast") {
        // Sums over what was repeated; dimensions are aligned at the end or, for broadcast, at
        // `axis`.
        const auto& out = g->get_shape().lens();
        const auto first =
            name == "broadcast" ? std::size_t(op.get<int64_t>("axis")) : out.size() - lens.size();
        ints axes;
        for (std::size_t d = 0; d < out.size(); d++)
            if (d < first or d >= first + lens.size() or (lens[d - first] == 1 and out[d] != 1))
                axes.push_back(int64_t(d));
        return with_lens_of(axes.empty() ? g : n.add(make_op("reduce_sum", {{"axes", axes}}), {g}),
                            x);
    }
    if (name == "slice" and y->inputs().size() == 1) {
        const auto axes = op.get_vector<int64_t>("axes"), starts = op.get_vector<int64_t>("starts");
        ints pads(2 * lens.size(), 0);
        for (std::size_t k = 0; k < axes.size(); k++) {
            const auto d = n.axis(axes[k], lens.size());
            const auto len = int64_t(lens[d]);
            const auto start =
                std::min(starts[k] < 0 ? std::max<int64_t>(starts[k] + len, 0) : starts[k], len);
            pads[d] = start;
            pads[d + lens.size()] = len - start - int64_t(g->get_shape().lens()[d]);
        }
        return n.add(make_op("pad", {{"pads", pads}}), {g});
    }
    if (name == "concat") {
        const auto axis = n.axis(op.get<int64_t>("axis"), lens.size());
        int64_t start = 0;
        for (std::size_t k = 0; k < i; k++)
            start += int64_t(y->inputs()[k]->get_shape().lens()[axis]);
        return n.add(make_op("slice", {{"axes", ints{int64_t(axis)}},
                                       {"starts", ints{start}},
                                       {"ends", ints{start + int64_t(lens[axis])}}}),
                     {g});
    }
    known = false;
    return std::nullopt;
}

gradients::optional_instruction gradients::by_reduction(instruction_ref y, std::size_t i,
                                                        instruction_ref g, bool& known) {
    const auto x = y->inputs()[i];
    const auto& name = y->name();
    const auto spread = [&](instruction_ref v) { return n.broadcast_like(v, x); };
    if (name == "reduce_sum")
        return spread(g);
    if (name == "reduce_mean")
        return scaled(spread(g), double(std::max<std::size_t>(1, y->get_shape().elements())) /
                                     double(std::max<std::size_t>(1, x->get_shape().elements())));
    if (name == "reduce_prod")
        return n.add("div", times(spread(g), spread(y)), x);
    // Of several largest ones each has the whole slope.
    if (name == "reduce_max" or name == "reduce_min")
        return where("equal", x, spread(y), spread(g));
    if (name == "softmax" or name == "logsoftmax") {
        const auto axes = ints{y->get_operator().get<int64_t>("axis")};
        const auto sum = [&](instruction_ref v) {
            return spread(n.add(make_op("reduce_sum", {{"axes", axes}}), {v}));
        };
        if (name == "softmax")
            return times(y, n.add("sub", g, sum(times(g, y))));
        return n.add("sub", g, times(n.add("exp", y), sum(g)));
    }
    known = false;
    return std::nullopt;
}

} // namespace migraphx::onnx
