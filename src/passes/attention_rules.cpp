// SPDX-License-Identifier: MIT
// Attention as exporters write it, for three and four dimensions: factors on the scores, q or k, a
// mask that is added or that selects, guards against rows that see nothing, and heads of k and v
// repeated for groups of queries.
#include "passes/attention_rules.hpp"

#include <migraphx/make_op.hpp>

#include "passes/data_type.hpp"

#include <cmath>
#include <utility>

namespace migraphx {

namespace {

// What makes a score vanish beside any other, whatever finite number it had.
double hidden_from(shape::type_t t) {
    return t == shape::half_type ? -6e4 : -1e8;
}

bool is_view(instruction_ref x) {
    const auto name = x->name();
    return name == "transpose" or name == "reshape" or name == "unsqueeze" or name == "squeeze";
}

// x without a factor somewhere under views, which goes into `scale`.
instruction_ref without_factor(instruction_ref x, double& scale, rewriter& rw) {
    std::vector<operation> views;
    auto y = x;
    while (is_view(y) and y->inputs().size() == 1) {
        views.push_back(y->get_operator());
        y = y->inputs().front();
    }
    if (y->name() != "mul")
        return x;
    const auto a = uniform_value(y->inputs()[0]), b = uniform_value(y->inputs()[1]);
    const auto c = a ? a : b;
    if (not c or *c == 0)
        return x;
    scale *= *c;
    y = y->inputs()[a ? 1 : 0];
    for (auto v = views.rbegin(); v != views.rend(); ++v)
        y = rw.add(*v, {y});
    return without_factor(y, scale, rw);
}

// scale * q . k' + mask, taken apart.
struct scores {
    instruction_ref product;
    double scale = 1;
    std::optional<instruction_ref> mask;
};

instruction_ref small_condition(instruction_ref c) {
    return c->name() == "multibroadcast" and c->inputs().size() == 1 and
                   c->inputs().front()->get_shape().ndim() == c->get_shape().ndim()
               ? c->inputs().front()
               : c;
}

// where(condition, x, hidden) or where(condition, hidden, x): the scores x, and the mask.
struct selection {
    instruction_ref x, mask;
};

std::optional<selection> selection_of(instruction_ref ins, rewriter& rw) {
    const auto condition = small_condition(ins->inputs()[0]);
    for (int i = 1; i <= 2; i++) {
        const auto fill = uniform_value(ins->inputs()[3 - i]);
        if (not fill or not(*fill <= hidden_from(ins->get_shape().type())))
            continue;
        const auto x = ins->inputs()[i];
        if (i == 1 and std::isinf(*fill) and condition->get_shape().type() == shape::bool_type)
            return selection{x, condition};
        const auto& s = condition->get_shape();
        const auto number = [&](double v) {
            return rw.add(make_op("multibroadcast", {{"out_lens", s.lens()}}),
                          {rw.literal(
                              literal{shape{ins->get_shape().type()}, std::vector<double>{v}})});
        };
        const auto zero = number(0), low = number(*fill);
        return selection{
            x, rw.add(make_op("where"), {condition, i == 1 ? zero : low, i == 1 ? low : zero})};
    }
    return std::nullopt;
}

// Scores of a shorter type that become float for the softmax.
bool is_widening(instruction_ref ins) {
    return ins->name() == "convert" and ins->get_shape().type() == shape::float_type and
           is_computed_in_float(ins->inputs().front()->get_shape());
}

std::optional<scores> scores_of(instruction_ref ins, rewriter& rw) {
    scores s;
    // The scores are the operand that comes from a product.
    auto leads_to_product = [](instruction_ref x) {
        for (;;)
            if (is_widening(x))
                x = x->inputs().front();
            else if (x->name() == "mul" and
                     (uniform_value(x->inputs()[0]) or uniform_value(x->inputs()[1])))
                x = x->inputs()[uniform_value(x->inputs()[0]) ? 1 : 0];
            else
                break;
        return x->name() == "dot";
    };
    while (ins->outputs().size() == 1) {
        const auto name = ins->name();
        if (name == "dot") {
            s.product = ins;
            return s;
        }
        const bool binary = ins->inputs().size() == 2;
        if (name == "mul" and binary) {
            const auto a = uniform_value(ins->inputs()[0]), b = uniform_value(ins->inputs()[1]);
            if (not a and not b)
                return std::nullopt;
            s.scale *= a ? *a : *b;
            ins = ins->inputs()[a ? 1 : 0];
        } else if (name == "add" and binary and not s.mask and s.scale == 1) {
            const int i = leads_to_product(ins->inputs()[0]) ? 0 : 1;
            s.mask = ins->inputs()[1 - i];
            ins = ins->inputs()[i];
        } else if (name == "where" and not s.mask and s.scale == 1) {
            const auto chosen = selection_of(ins, rw);
            if (not chosen)
                return std::nullopt;
            s.mask = chosen->mask;
            ins = chosen->x;
        } else if (is_widening(ins))
            ins = ins->inputs().front();
        else
            return std::nullopt;
    }
    return std::nullopt;
}

// (B, K n, T, D) that repeats each head of (B, K, T, D): that one.
std::optional<instruction_ref> unrepeated(instruction_ref x, rewriter& rw) {
    if (x->name() != "reshape" or x->get_shape().ndim() != 4)
        return std::nullopt;
    const auto stretched = x->inputs().front();
    if (stretched->name() != "multibroadcast" or stretched->inputs().size() != 1)
        return std::nullopt;
    const auto from = stretched->inputs().front();
    if (from->get_shape().dynamic() or from->get_shape().ndim() != 5)
        return std::nullopt;
    auto lens = from->get_shape().lens();
    const auto &to = stretched->get_shape().lens(), &l = x->get_shape().lens();
    if (lens[2] != 1)
        return std::nullopt;
    lens[2] = to[2];
    if (lens != to or l[0] != to[0] or l[1] != to[1] * to[2] or l[2] != to[3] or l[3] != to[4])
        return std::nullopt;
    return rw.add(make_op("squeeze", {{"axes", {2}}}), {from});
}

instruction_ref swap_last(instruction_ref x, rewriter& rw) {
    const auto n = int64_t(x->get_shape().ndim());
    std::vector<int64_t> order;
    for (int64_t i = 0; i < n; i++)
        order.push_back(i);
    std::swap(order[std::size_t(n - 1)], order[std::size_t(n - 2)]);
    if (x->name() == "transpose" and x->get_operator().get_vector<int64_t>("permutation") == order)
        return x->inputs().front();
    return rw.add(make_op("transpose", {{"permutation", order}}), {x});
}

// Probabilities without where(isnan(p), 0, p): attention gives 0 for a row that sees nothing.
std::optional<instruction_ref> softmax_of(instruction_ref x) {
    // A softmax in float among products of a shorter type.
    if (x->name() == "convert" and x->outputs().size() == 1 and
        is_computed_in_float(x->get_shape()) and
        x->inputs().front()->get_shape().type() == shape::float_type)
        x = x->inputs().front();
    if (x->name() == "softmax")
        return x->outputs().size() == 1 ? std::optional(x) : std::nullopt;
    if (x->name() != "where" or x->outputs().size() != 1 or uniform_value(x->inputs()[1]) != 0)
        return std::nullopt;
    auto c = x->inputs()[0];
    if (c->name() == "convert" and c->outputs().size() == 1)
        c = c->inputs().front();
    const auto p = x->inputs()[2];
    if (c->name() != "isnan" or c->outputs().size() != 1 or c->inputs().front() != p or
        p->name() != "softmax" or p->outputs().size() != 2)
        return std::nullopt;
    return p;
}

replacement attention_of(const match& m, rewriter& rw) {
    const auto& out = m.root->get_shape();
    const auto softmax = softmax_of(m["p"]);
    if (not softmax or not is_computed_in_float(out) or
        (out.ndim() != 4 and out.ndim() != 3))
        return declined;
    const auto rank = int64_t(out.ndim());
    const auto axis = (*softmax)->get_operator().get<int64_t>("axis");
    if (axis != -1 and axis != rank - 1)
        return declined;
    auto s = scores_of((*softmax)->inputs().front(), rw);
    if (not s or s->product->get_shape().type() != out.type())
        return declined;
    auto q = s->product->inputs()[0], k = swap_last(s->product->inputs()[1], rw), v = m["v"];
    q = without_factor(q, s->scale, rw);
    k = without_factor(k, s->scale, rw);
    if (s->scale == 0 or not std::isfinite(s->scale))
        return declined;
    if (rank == 3) { // heads and batches are one axis
        const auto lifted = [&](instruction_ref x) {
            return rw.add(make_op("unsqueeze", {{"axes", {0}}}), {x});
        };
        q = lifted(q);
        k = lifted(k);
        v = lifted(v);
        if (s->mask)
            s->mask = lifted(*s->mask);
    }
    const auto group_k = unrepeated(k, rw), group_v = unrepeated(v, rw);
    if (group_k and group_v and
        (*group_k)->get_shape().lens()[1] == (*group_v)->get_shape().lens()[1]) {
        k = *group_k;
        v = *group_v;
    }
    const auto &ql = q->get_shape().lens(), &kl = k->get_shape().lens(),
               &vl = v->get_shape().lens();
    // Small heads only: the tiles of the kernel hold whole rows.
    if (ql[3] > 256 or vl[3] > 256 or ql[3] == 0 or kl[2] == 0 or kl[1] != vl[1] or
        ql[1] % kl[1] != 0 or ql[0] != kl[0] or ql[0] != vl[0] or k->get_shape().broadcasted() or
        v->get_shape().broadcasted())
        return declined;
    std::vector<instruction_ref> in{q, k, v};
    if (s->mask) {
        const auto& ms = (*s->mask)->get_shape();
        if ((ms.type() != shape::float_type and ms.type() != shape::bool_type and
             ms.type() != out.type()) or
            ms.ndim() != 4)
            return declined;
        in.push_back(*s->mask);
    }
    auto y = rw.add(make_op("attention", {{"scale", s->scale}, {"causal", false}}), in);
    return rank == 3 ? rw.add(make_op("squeeze", {{"axes", {0}}}), {y}) : y;
}

// Does the mask hide exactly the keys behind each query?
bool is_causal(const shape& mask, const argument& values, std::size_t queries, std::size_t keys) {
    const bool hides = mask.type() == shape::bool_type;
    const auto visible = [&](double x) { return hides ? x != 0 : x == 0; };
    const auto hidden = [&](double x) { return hides ? x == 0 : x <= hidden_from(mask.type()); };
    const auto all = literal{mask.as_standard(), values.data()}.to_vector<double>();
    for (std::size_t i = 0; i < all.size(); i++) {
        const auto t = i % keys, s = i / keys % queries;
        if (t + queries > s + keys ? not hidden(all[i]) : not visible(all[i]))
            return false;
    }
    return true;
}

replacement causal_attention(const match& m, rewriter& rw) {
    const auto& in = m.root->inputs();
    const auto op = m.root->get_operator();
    if (in.size() != 4 or op.get<bool>("causal") or m.root->get_shape().dynamic())
        return declined;
    const auto mask = small_condition(in[3]);
    const auto queries = in[0]->get_shape().lens()[2], keys = in[1]->get_shape().lens()[2];
    const auto& s = mask->get_shape();
    // A query without keys keeps its mask: a finite one leaves it all keys.
    if (s.dynamic() or s.ndim() != 4 or s.lens()[2] != queries or s.lens()[3] != keys or
        s.elements() > (std::size_t(1) << 26) or queries < 2 or queries > keys or
        not s.standard() or not mask->can_eval())
        return declined;
    const auto values = mask->eval();
    if (values.data() == nullptr or not values.get_shape().standard() or
        not is_causal(s, values, queries, keys))
        return declined;
    auto v = op.to_value();
    v["causal"] = true;
    return rw.add(make_op("attention", v), {in[0], in[1], in[2]});
}

} // namespace

std::vector<rule> attention_rules() {
    return {{"softmax(q . k' * scale + mask) . v -> attention(q, k, v, mask)",
             op("dot", one_of({"softmax", "where", "convert"}).as("p"), any("v")), attention_of},
            {"attention(q, k, v, causal mask) -> attention[causal](q, k, v)", op("attention"),
             causal_attention}};
}

} // namespace migraphx
