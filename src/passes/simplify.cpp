// SPDX-License-Identifier: MIT
// Identities on views, conversions and pointwise operators. Also works where sizes are not known
// yet.
#include <migraphx/make_op.hpp>
#include <migraphx/simplify_algebra.hpp>
#include <migraphx/simplify_reshapes.hpp>

#include "passes/pass_registry.hpp"
#include "passes/pattern.hpp"
#include "passes/stretched_constant.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace migraphx {

namespace {

bool same_static_lens(instruction_ref x, instruction_ref y) {
    return not x->get_shape().dynamic() and not y->get_shape().dynamic() and
           x->get_shape().lens() == y->get_shape().lens();
}

bool is_floating(instruction_ref x) {
    return not shape::is_integral(x->get_shape().type()) and
           x->get_shape().type() != shape::bool_type;
}

// Constants stretched along the same axes: the operator works on one position of these, at once.
replacement narrowed(const match& m, rewriter& rw) {
    const auto& s = m.root->get_shape();
    if (s.dynamic() or s.elements() == 0)
        return declined;
    const auto x = m["x"]->eval(), y = m["y"]->eval();
    if (x.data() == nullptr or y.data() == nullptr)
        return declined;
    auto narrow = s.lens();
    for (std::size_t i = 0; i < narrow.size(); i++)
        if (x.get_shape().strides()[i] == 0 and y.get_shape().strides()[i] == 0)
            narrow[i] = 1;
    if (narrow == s.lens())
        return declined;
    const auto part = [&](const argument& a) {
        return a.view(shape{a.get_shape().type(), narrow, a.get_shape().strides()}, 0);
    };
    const auto value = m.root->get_operator().compute(shape{s.type(), narrow}, {part(x), part(y)});
    return rw.add(make_op("multibroadcast", {{"out_lens", s.lens()}}),
                  {rw.literal(literal::adopt(value))});
}

// A constant, or one stretched to sizes that are not known yet.
bool is_known(instruction_ref x) {
    return x->can_eval() or is_stretched_constant(x);
}

pattern known_values(const char* name) {
    return any(name).where(is_known);
}

// f(a, b) of known values, stretched as x is. Before sizes are known only where all targets compute
// in the type itself: some do the short ones in float.
replacement known_result(const char* f, const match& m, rewriter& rw) {
    const auto a = m["a"], b = m["b"];
    if (not is_floating(m.root))
        return declined;
    if (a->can_eval() and b->can_eval())
        return rw.add(f, {a, b});
    const auto type = m.root->get_shape().type();
    if (type != shape::float_type and type != shape::double_type)
        return declined;
    return stretched_result(f, a, b, m["x"], rw);
}

// f(f(x, a), b) -> f(x, f(a, b))
replacement reassociated(const char* f, const match& m, rewriter& rw) {
    if (is_known(m["x"]))
        return declined;
    const auto both = known_result(f, m, rw);
    return both ? replacement(rw.add(f, {m["x"], *both})) : declined;
}

// (x + a) + (y + b): two convolutions with their biases above all. One of them then adds a bias and
// the other's result while it writes its own.
replacement joined_sums(const match& m, rewriter& rw) {
    if (is_known(m["x"]) or is_known(m["y"]))
        return declined;
    const auto both = known_result("add", m, rw);
    return both ? replacement(rw.add("add", {rw.add("add", {m["x"], *both}), m["y"]})) : declined;
}

std::vector<rule> shape_rules() {
    return {
        {"multibroadcast(x) to its own dimensions -> x", op("multibroadcast"),
         [](const match& m, rewriter& rw) -> replacement {
             const auto x = m.root->inputs().front();
             if (same_static_lens(x, m.root))
                 return x;
             // Dimensions that came from other operands are known now.
             if (m.root->inputs().size() > 1 and not m.root->get_shape().dynamic() and
                 not x->get_shape().dynamic())
                 return rw.add(
                     make_op("multibroadcast", {{"out_lens", m.root->get_shape().lens()}}), {x});
             return declined;
         }},
        {"multibroadcast(multibroadcast(x)) -> multibroadcast(x)",
         op("multibroadcast", op("multibroadcast").as("inner")),
         [](const match& m, rewriter& rw) -> replacement {
             const auto& inner = m["inner"];
             if (m.root->get_shape().dynamic() or inner->inputs().size() != 1 or
                 inner->inputs().front()->get_shape().dynamic())
                 return declined;
             return rw.add(m.root->get_operator(), {inner->inputs().front()});
         }},
        {"transpose(x) in order -> x", op("transpose", any("x")),
         [](const match& m, rewriter&) -> replacement {
             const auto p = m.root->get_operator().get_vector<int64_t>("permutation");
             std::vector<int64_t> id(p.size());
             std::iota(id.begin(), id.end(), int64_t{0});
             return p == id ? replacement(m["x"]) : declined;
         }},
        {"transpose(transpose(x)) -> transpose(x)",
         op("transpose", op("transpose", any("x")).as("inner")),
         [](const match& m, rewriter& rw) -> replacement {
             const auto outer = m.root->get_operator().get_vector<int64_t>("permutation");
             const auto inner = m["inner"]->get_operator().get_vector<int64_t>("permutation");
             std::vector<int64_t> p;
             for (auto i : outer)
                 p.push_back(inner.at(std::size_t(i)));
             return rw.add(make_op("transpose", {{"permutation", p}}), {m["x"]});
         }},
        {"reshape(x) to its own dimensions -> x",
         one_of({"reshape", "flatten", "squeeze", "unsqueeze"}, any("x")),
         [](const match& m, rewriter&) -> replacement {
             // A tensor without dimensions, {1} of stride 0, is not a vector of one element.
             const bool same = same_static_lens(m["x"], m.root) and
                               m["x"]->get_shape().scalar() == m.root->get_shape().scalar();
             return same ? replacement(m["x"]) : declined;
         }},
        {"reshape(reshape(x)) -> reshape(x)",
         one_of({"reshape", "flatten", "squeeze", "unsqueeze"},
                one_of({"reshape", "flatten", "squeeze", "unsqueeze"}, any("x")).used_once()),
         [](const match& m, rewriter& rw) -> replacement {
             if (m.root->get_shape().dynamic() or m["x"]->get_shape().dynamic() or
                 m.root->get_shape().lens() == std::vector<std::size_t>{} or
                 m["x"]->get_shape().scalar())
                 return declined;
             const auto inner = m.root->inputs().front();
             if (not inner->get_shape().dynamic() and same_static_lens(m["x"], m.root))
                 return m["x"];
             if (inner->get_shape().dynamic() or
                 (m.root->name() != "reshape" and m.root->name() != "flatten" and
                  inner->name() != "reshape" and inner->name() != "flatten"))
                 return declined;
             return rw.add(make_op("reshape", {{"dims", m.root->get_shape().lens()}}), {m["x"]});
         }},
        {"contiguous(contiguous(x)) -> contiguous(x)",
         op("contiguous", op("contiguous").as("inner")),
         [](const match& m, rewriter&) -> replacement { return m["inner"]; }},
        {"contiguous(x) of the same layout -> x",
         // as_shape needs this order even if that of x changes.
         op("contiguous", any("x")).where([](instruction_ref ins) {
             const auto& users = ins->outputs();
             return std::none_of(users.begin(), users.end(),
                                 [](auto u) { return u->name() == "as_shape"; });
         }),
         [](const match& m, rewriter&) -> replacement {
             return m["x"]->get_shape() == m.root->get_shape() and not m.root->get_shape().dynamic()
                        ? replacement(m["x"])
                        : declined;
         }},
        {"convert(x) to its own type -> x", op("convert", any("x")),
         [](const match& m, rewriter&) -> replacement {
             return m["x"]->get_shape().type() == m.root->get_shape().type() ? replacement(m["x"])
                                                                             : declined;
         }},
        {"slice(x) of everything -> x", op("slice", any("x")),
         [](const match& m, rewriter&) -> replacement {
             return same_static_lens(m["x"], m.root) ? replacement(m["x"]) : declined;
         }},
        {"concat(x) -> x", op("concat", any("x")),
         [](const match& m, rewriter&) -> replacement { return m["x"]; }},
        {"gather(x, constant number) -> squeeze(slice(x))", op("gather", any("x"), constant("i")),
         [](const match& m, rewriter& rw) -> replacement {
             const auto& s = m["x"]->get_shape();
             const auto& i = m["i"]->get_shape();
             // Only the scalar index, which removes the axis.
             if (s.dynamic() or m["x"]->can_eval() or i.dynamic() or not i.scalar() or
                 i.elements() != 1 or s.ndim() < 2)
                 return declined;
             const auto axis = m.root->get_operator().get<int64_t>("axis");
             const auto a = std::size_t(axis < 0 ? axis + int64_t(s.ndim()) : axis);
             auto at = m["i"]->eval().at<int64_t>();
             const auto n = int64_t(s.lens()[a]);
             at += at < 0 ? n : 0;
             if (at < 0 or at >= n)
                 return declined;
             auto part = rw.add(
                 make_op("slice", {{"axes", {a}}, {"starts", {at}}, {"ends", {at + 1}}}), {m["x"]});
             return rw.add(make_op("squeeze", {{"axes", {a}}}), {part});
         }},
    };
}

std::vector<rule> algebra_rules() {
    auto keep_x = [](const match& m, rewriter&) -> replacement {
        return m["x"]->get_shape() == m.root->get_shape() ? replacement(m["x"]) : declined;
    };
    return {
        {"x * 1 -> x", op("mul", any("x"), number(1)), keep_x},
        {"x / 1 -> x", op("div", any("x"), number(1)), keep_x},
        {"x + 0 -> x", op("add", any("x"), number(0)), keep_x},
        {"x - 0 -> x", op("sub", any("x"), number(0)), keep_x},
        {"pow(x, 1) -> x", op("pow", any("x"), number(1)), keep_x},
        {"pow(x, 2) -> x * x", op("pow", any("x"), number(2)),
         [](const match& m, rewriter& rw) -> replacement {
             return rw.add("mul", {m["x"], m["x"]});
         }},
        {"pow(x, 3) -> x * x * x", op("pow", any("x"), number(3)),
         [](const match& m, rewriter& rw) -> replacement {
             return rw.add("mul", {rw.add("mul", {m["x"], m["x"]}), m["x"]});
         }},
        {"pow(x, 0.5) -> sqrt(x)", op("pow", any("x"), number(0.5)),
         [](const match& m, rewriter& rw) -> replacement {
             return is_floating(m.root) ? replacement(rw.add("sqrt", {m["x"]})) : declined;
         }},
        {"x / c -> x * (1 / c)", op("div", any("x"), scalar("c")),
         [](const match& m, rewriter& rw) -> replacement {
             const auto c = m.value("c");
             if (m.root->get_shape().type() != shape::float_type or c == 0 or
                 not std::isnormal(1 / c) or m["x"]->can_eval())
                 return declined;
             return rw.add("mul", {m["x"], rw.number(1 / c, m["x"])});
         }},
        {"recip(sqrt(x)) -> rsqrt(x)", op("recip", op("sqrt", any("x"))),
         [](const match& m, rewriter& rw) -> replacement { return rw.add("rsqrt", {m["x"]}); }},
        {"f(broadcast(a), broadcast(b)) -> broadcast(f(a, b)) for constants",
         one_of({"add", "sub", "mul", "div"}, constant("x"), constant("y")), narrowed},
        {"(x + a) + b -> x + (a + b)",
         op("add", op("add", any("x"), known_values("a")).used_once(), known_values("b")),
         [](const match& m, rewriter& rw) { return reassociated("add", m, rw); }},
        {"(x + a) + (y + b) -> (x + (a + b)) + y",
         op("add", op("add", any("x"), known_values("a")).used_once(),
            op("add", any("y"), known_values("b")).used_once()),
         joined_sums},
        {"(x * a) * b -> x * (a * b)",
         op("mul", op("mul", any("x"), known_values("a")).used_once(), known_values("b")),
         [](const match& m, rewriter& rw) { return reassociated("mul", m, rw); }},
    };
}

} // namespace

void simplify_algebra::apply(module& m) const {
    apply_rules(m, algebra_rules());
}

void simplify_reshapes::apply(module& m) const {
    apply_rules(m, shape_rules());
}

namespace {
const registered_pass algebra_registered{"simplify_algebra", [] { return simplify_algebra{}; }};
const registered_pass reshapes_registered{"simplify_reshapes", [] { return simplify_reshapes{}; }};
} // namespace

} // namespace migraphx
