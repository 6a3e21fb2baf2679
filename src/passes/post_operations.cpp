// SPDX-License-Identifier: MIT
#include "passes/post_operations.hpp"

#include <migraphx/builtin.hpp>
#include <migraphx/instruction.hpp>

#include <algorithm>
#include <cmath>

namespace migraphx {

namespace {

using alg = post_algorithm;

std::optional<double> constant(instruction_ref e) {
    if (e->name() == "convert")
        return constant(e->inputs().front());
    if (e->name() != "@literal" or e->get_shape().elements() != 1)
        return std::nullopt;
    return e->get_literal().at<double>();
}

std::string parameter_of(instruction_ref e) {
    const auto* p = any_cast<builtin::param>(&e->get_operator());
    return p == nullptr ? "" : p->parameter;
}

// A product taken apart: its constant factor and the others.
struct factors {
    double constant = 1;
    std::vector<instruction_ref> others;
};

void collect(instruction_ref e, factors& f) {
    if (auto c = constant(e))
        f.constant *= *c;
    else if (e->name() == "mul")
        for (auto in : e->inputs())
            collect(in, f);
    else if (e->name() == "div" and constant(e->inputs()[1])) {
        f.constant /= *constant(e->inputs()[1]);
        collect(e->inputs()[0], f);
    } else
        f.others.push_back(e);
}

factors factors_of(instruction_ref e) {
    factors f;
    collect(e, f);
    return f;
}

// a * u + b
struct linear {
    double scale = 1, shift = 0;
    instruction_ref u;
};

// In terms of `until`, where `e` is computed from it this way; else of the innermost value.
linear linear_of(instruction_ref e, instruction_ref until = {}) {
    linear l;
    l.u = e;
    while (l.u != until) {
        const auto name = l.u->name();
        if (name == "add" or name == "sub" or name == "mul" or name == "div") {
            const auto x = l.u->inputs()[0];
            const auto y = l.u->inputs()[1];
            const auto cx = constant(x), cy = constant(y);
            if (name == "add" and (cx or cy)) {
                l.shift += l.scale * (cx ? *cx : *cy);
                l.u = cx ? y : x;
                continue;
            }
            if (name == "sub" and cy) {
                l.shift -= l.scale * *cy;
                l.u = x;
                continue;
            }
            if (name == "mul" and (cx or cy)) {
                l.scale *= cx ? *cx : *cy;
                l.u = cx ? y : x;
                continue;
            }
            if (name == "div" and cy) {
                l.scale /= *cy;
                l.u = x;
                continue;
            }
        }
        return l;
    }
    return l;
}

struct clip_form {
    instruction_ref u;
    double lo, hi;
};

std::optional<clip_form> clip_of(instruction_ref e) {
    if (e->name() == "clip") {
        auto lo = constant(e->inputs()[1]), hi = constant(e->inputs()[2]);
        if (lo and hi)
            return clip_form{e->inputs()[0], *lo, *hi};
    }
    if (e->name() == "min" or e->name() == "max") {
        // min(max(u, lo), hi) or the other way round
        for (int i = 0; i < 2; i++) {
            auto outer = constant(e->inputs()[i]);
            auto inner = e->inputs()[1 - i];
            if (not outer or
                (inner->name() != "min" and inner->name() != "max" and inner->name() != "relu") or
                inner->name() == e->name())
                continue;
            if (inner->name() == "relu" and e->name() == "min")
                return clip_form{inner->inputs()[0], 0, *outer};
            if (inner->name() == "relu")
                continue;
            for (int j = 0; j < 2; j++)
                if (auto c = constant(inner->inputs()[j]))
                    return e->name() == "min" ? clip_form{inner->inputs()[1 - j], *c, *outer}
                                              : clip_form{inner->inputs()[1 - j], *outer, *c};
        }
    }
    return std::nullopt;
}

struct found {
    post_operation op;
    instruction_ref inner;
    double factor = 1; ///< of the operation's result
};

post_operation eltwise(alg a, double alpha = 0, double beta = 0) {
    post_operation p;
    p.algorithm = a;
    p.alpha = float(alpha);
    p.beta = float(beta);
    return p;
}

// Reads forms whose constants may have been rounded to a type.
class form_reader {
public:
    explicit form_reader(shape::type_t t) : precision(precision_of(t)) {}

    // Compositions written with products: gelu, swish, hard-swish.
    std::optional<found> product_form(instruction_ref e) const {
        if (e->name() != "mul" and e->name() != "div")
            return std::nullopt;
        const auto f = factors_of(e);
        if (f.others.size() != 2)
            return std::nullopt;
        for (int i = 0; i < 2; i++) {
            const auto u = f.others[i];
            const auto g = f.others[1 - i];
            if (g->name() == "sigmoid" and f.constant != 0) {
                const auto l = linear_of(g->inputs()[0], u);
                if (l.u == u and near(l.shift, 0))
                    return found{eltwise(alg::swish, l.scale), u,
                                 near(f.constant, 1) ? 1 : f.constant};
            }
            if (auto c = clip_of(g)) {
                const auto l = linear_of(c->u, u);
                // u * clip(a u + b, 0, h) * k
                if (l.u == u and near(c->lo, 0) and c->hi > 0 and f.constant != 0)
                    return found{eltwise(alg::hardswish, l.scale / c->hi, l.shift / c->hi), u,
                                 near(f.constant * c->hi, 1) ? 1 : f.constant * c->hi};
            }
            const auto l = linear_of(g);
            if (l.u->name() == "erf" and near(f.constant * l.scale, 0.5) and
                near(f.constant * l.shift, 0.5)) {
                const auto inner = linear_of(l.u->inputs()[0], u);
                if (inner.u == u and near(inner.shift, 0) and near(inner.scale, std::sqrt(0.5)))
                    return found{eltwise(alg::gelu_erf), u};
            }
            if (l.u->name() == "tanh" and near(f.constant * l.scale, 0.5) and
                near(f.constant * l.shift, 0.5)) {
                // tanh(k (v + c v^3)), written as k (v + c v^3) or k v (1 + c v^2)
                const auto arg = factors_of(l.u->inputs()[0]);
                const double k = std::sqrt(2 / 3.14159265358979);
                if (arg.others.size() == 1 and near(arg.constant, k) and
                    arg.others[0]->name() == "add") {
                    const auto sum = arg.others[0];
                    for (int j = 0; j < 2; j++) {
                        const auto cube = factors_of(sum->inputs()[1 - j]);
                        bool is_cube = near(cube.constant, 0.044715);
                        if (cube.others.size() == 1 and cube.others[0]->name() == "pow") {
                            auto power = constant(cube.others[0]->inputs()[1]);
                            is_cube = is_cube and power and near(*power, 3) and
                                      cube.others[0]->inputs()[0] == u;
                        } else
                            is_cube = is_cube and cube.others.size() == 3 and
                                      std::all_of(cube.others.begin(), cube.others.end(),
                                                  [&](auto x) { return x == u; });
                        if (sum->inputs()[j] == u and is_cube)
                            return found{eltwise(alg::gelu_tanh), u};
                    }
                }
            }
        }
        return std::nullopt;
    }

    std::optional<found> unary_form(instruction_ref e) const {
        const auto name = e->name();
        if (auto c = clip_of(e)) {
            const auto l = linear_of(c->u);
            if (l.u != c->u and near(c->lo, 0) and near(c->hi, 1))
                return found{eltwise(alg::hardsigmoid, l.scale, l.shift), l.u};
            return found{eltwise(alg::clip, c->lo, c->hi), c->u};
        }
        if (name == "add" or name == "sub" or name == "mul" or name == "div") {
            const auto l = linear_of(e);
            if (l.u != e)
                return found{eltwise(alg::linear, l.scale, l.shift), l.u};
            return std::nullopt;
        }
        if (e->inputs().size() != 1)
            return std::nullopt;
        const auto u = e->inputs()[0];
        if (name == "relu")
            return found{eltwise(alg::relu), u};
        if (name == "leaky_relu")
            return found{eltwise(alg::relu, e->get_operator().get<double>("alpha")), u};
        if (name == "elu")
            return found{eltwise(alg::elu, e->get_operator().get<double>("alpha")), u};
        if (name == "sigmoid")
            return found{eltwise(alg::sigmoid), u};
        if (name == "tanh")
            return found{eltwise(alg::tanh), u};
        if (name == "sqrt")
            return found{eltwise(alg::sqrt), u};
        if (name == "exp")
            return found{eltwise(alg::exp), u};
        if (name == "abs")
            return found{eltwise(alg::abs), u};
        if (name == "neg")
            return found{eltwise(alg::linear, -1, 0), u};
        return std::nullopt;
    }

private:
    // What products of two or three rounded constants may be off by.
    static double precision_of(shape::type_t t) {
        switch (t) {
        case shape::half_type:
            return 1.5e-3;
        case shape::bf16_type:
            return 1.2e-2;
        default:
            return 1e-5;
        }
    }
    // Relative, so that only 0 is near 0.
    bool near(double a, double b) const { return std::abs(a - b) <= precision * std::abs(b); }

    double precision;
};

bool depends_on(instruction_ref e, instruction_ref x) {
    if (e == x)
        return true;
    for (auto in : e->inputs())
        if (depends_on(in, x))
            return true;
    return false;
}

// A conversion among types that are computed in float.
bool is_rounding(instruction_ref e) {
    const auto short_float = [](instruction_ref x) {
        const auto t = x->get_shape().type();
        return t == shape::float_type or t == shape::half_type or t == shape::bf16_type;
    };
    return e->name() == "convert" and short_float(e) and short_float(e->inputs().front());
}

instruction_ref without_roundings(instruction_ref e) {
    while (is_rounding(e))
        e = e->inputs().front();
    return e;
}

std::optional<found> binary_form(instruction_ref e, instruction_ref x, bool unrounded) {
    if (e->inputs().size() != 2)
        return std::nullopt;
    const auto name = e->name();
    alg a = alg::add;
    bool commutes = true;
    if (name == "mul")
        a = alg::mul;
    else if (name == "max")
        a = alg::max;
    else if (name == "min")
        a = alg::min;
    else if (name == "sub" or name == "div") {
        a = name == "sub" ? alg::sub : alg::div;
        commutes = false;
    } else if (name != "add")
        return std::nullopt;
    for (int i = 0; i < (commutes ? 2 : 1); i++) {
        const auto inner = e->inputs()[i];
        const auto other = e->inputs()[1 - i];
        const auto param = parameter_of(unrounded ? without_roundings(other) : other);
        if (param.empty() or depends_on(other, x) or not depends_on(inner, x))
            continue;
        post_operation p;
        p.algorithm = a;
        p.parameter = param;
        return found{p, inner};
    }
    return std::nullopt;
}

// Linear steps in a row become one.
void prepend(std::vector<post_operation>& chain, const post_operation& op) {
    if (not chain.empty() and op.algorithm == alg::linear and
        chain.front().algorithm == alg::linear) {
        auto& next = chain.front();
        next.beta += next.alpha * op.beta;
        next.alpha *= op.alpha;
        return;
    }
    chain.insert(chain.begin(), op);
}

} // namespace

std::size_t epilogue_input(const module& m, const std::string& parameter,
                           std::size_t anchor_inputs) {
    auto names = m.get_parameter_names();
    std::sort(names.begin(), names.end());
    const auto at = std::size_t(std::find(names.begin(), names.end(), parameter) - names.begin());
    return anchor_inputs + at - 1; // "x0" sorts first and is no input
}

bool is_per_channel(const shape& s, std::size_t channel_axis) {
    for (std::size_t i = 0; i < s.ndim(); i++) {
        if (i == channel_axis and s.lens()[i] != 1 and s.strides()[i] != 1)
            return false;
        if (i != channel_axis and s.lens()[i] != 1 and s.strides()[i] != 0)
            return false;
    }
    return true;
}

std::optional<std::vector<post_operation>>
as_post_operations(const module& m, const std::string& from, bool unrounded) {
    const auto returns = m.get_returns();
    if (returns.size() != 1)
        return std::nullopt;
    const auto x = m.get_parameter(from);
    const form_reader forms(x->get_shape().type());
    std::vector<post_operation> chain;
    auto e = returns.front();
    while (e != x) {
        if (unrounded and is_rounding(e)) {
            e = without_roundings(e);
            continue;
        }
        auto step = forms.product_form(e);
        if (not step)
            step = forms.unary_form(e);
        if (not step)
            step = binary_form(e, x, unrounded);
        if (not step or not depends_on(step->inner, x))
            return std::nullopt;
        if (step->factor != 1)
            prepend(chain, eltwise(alg::linear, step->factor));
        prepend(chain, step->op);
        e = step->inner;
    }
    return chain;
}

} // namespace migraphx
