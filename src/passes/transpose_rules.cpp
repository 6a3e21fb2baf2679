// SPDX-License-Identifier: MIT
#include "passes/transpose_rules.hpp"

#include <migraphx/make_op.hpp>

#include "passes/flat_weights.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

namespace migraphx {

namespace {

using lens_t = std::vector<std::size_t>;
using order_t = std::vector<int64_t>;

order_t order_of(instruction_ref transpose) {
    return transpose->get_operator().get_vector<int64_t>("permutation");
}

bool keeps_last(const order_t& p) {
    return p.size() > 1 and p.back() == int64_t(p.size()) - 1;
}

lens_t permuted(const lens_t& lens, const order_t& p) {
    lens_t result;
    for (auto i : p)
        result.push_back(lens[std::size_t(i)]);
    return result;
}

// lens[i] of `from` lie at p[i] of the result.
lens_t before(const lens_t& lens, const order_t& p) {
    lens_t result(lens.size());
    for (std::size_t i = 0; i < p.size(); i++)
        result[std::size_t(p[i])] = lens[i];
    return result;
}

bool is_static(instruction_ref x) {
    return not x->get_shape().any_of_dynamic() and x->get_shape().type() != shape::tuple_type and
           x->get_shape().elements() > 0;
}

instruction_ref transposed(rewriter& rw, instruction_ref x, const order_t& p) {
    return rw.add(make_op("transpose", {{"permutation", p}}), {x});
}

instruction_ref reshaped(rewriter& rw, instruction_ref x, const lens_t& to) {
    return x->get_shape().lens() == to ? x : rw.add(make_op("reshape", {{"dims", to}}), {x});
}

// Factors that both lists are products of, in order: {6, 4} and {2, 12} give {2, 3, 4}. Ones are
// left out. `first` and `second` say how many factors make each of their dims.
struct refinement {
    lens_t factors;
    std::vector<std::size_t> first, second;
};

std::optional<refinement> refine(const lens_t& a, const lens_t& b) {
    refinement r;
    r.first.assign(a.size(), 0);
    r.second.assign(b.size(), 0);
    std::size_t i = 0, j = 0, left_a = 1, left_b = 1;
    for (;;) {
        while (left_a == 1 and i < a.size())
            left_a = a[i++];
        while (left_b == 1 and j < b.size())
            left_b = b[j++];
        if (left_a == 1 and left_b == 1)
            return r;
        const auto factor = std::min(left_a, left_b);
        if (left_a % factor != 0 or left_b % factor != 0)
            return std::nullopt;
        r.factors.push_back(factor);
        r.first[i - 1]++;
        r.second[j - 1]++;
        left_a /= factor;
        left_b /= factor;
    }
}

// reshape(transpose(reshape(x))), where the outer reshape takes apart what the inner one joined.
replacement without_joining(const match& m, rewriter& rw) {
    const auto x = m["x"], joined = m["joined"], turned = m["turned"];
    if (not is_static(x) or not is_static(m.root))
        return declined;
    const auto r = refine(x->get_shape().lens(), joined->get_shape().lens());
    if (not r or std::all_of(r->second.begin(), r->second.end(), [](auto n) { return n <= 1; }))
        return declined;
    std::vector<order_t> factors_of(r->second.size());
    int64_t next = 0;
    for (std::size_t d = 0; d < factors_of.size(); d++)
        for (std::size_t k = 0; k < r->second[d]; k++)
            factors_of[d].push_back(next++);
    order_t order;
    for (auto d : order_of(turned))
        order.insert(order.end(), factors_of[std::size_t(d)].begin(),
                     factors_of[std::size_t(d)].end());
    auto wanted = m.root->get_shape().lens();
    wanted.erase(std::remove(wanted.begin(), wanted.end(), 1), wanted.end());
    if (permuted(r->factors, order) != wanted)
        return declined;
    return reshaped(rw, transposed(rw, reshaped(rw, x, r->factors), order),
                    m.root->get_shape().lens());
}

// The operand of a product as a transpose of rows: of itself, or of a reshape of a transpose that
// leaves the axes before the last in another order than memory's.
struct turned_rows {
    instruction_ref rows;
    order_t order;
};

instruction_ref below_reshapes(instruction_ref x) {
    while (x->name() == "reshape")
        x = x->inputs().front();
    return x;
}

std::optional<turned_rows> rows_of_reshape(instruction_ref a, rewriter& rw) {
    const auto turned = below_reshapes(a);
    const auto x = turned->inputs().front();
    if (not is_static(x) or not is_static(a))
        return std::nullopt;
    const auto r = refine(turned->get_shape().lens(), a->get_shape().lens());
    const auto ndim = a->get_shape().ndim();
    // Axes of the transposed tensor are joined or stay; none is split, none is one.
    if (not r or r->factors != turned->get_shape().lens() or
        std::any_of(r->second.begin(), r->second.end(), [](auto n) { return n == 0; }))
        return std::nullopt;
    const auto p = order_of(turned);
    std::vector<order_t> axes(ndim); // of x, by dim of a
    std::size_t next = 0;
    for (std::size_t d = 0; d < ndim; d++)
        for (std::size_t k = 0; k < r->second[d]; k++)
            axes[d].push_back(p[next++]);
    order_t by_memory(ndim);
    std::iota(by_memory.begin(), by_memory.end(), int64_t{0});
    std::sort(by_memory.begin(), by_memory.end() - 1, [&](int64_t i, int64_t j) {
        return axes[std::size_t(i)].front() < axes[std::size_t(j)].front();
    });
    if (std::is_sorted(by_memory.begin(), by_memory.end()))
        return std::nullopt;
    order_t inner, outer(ndim);
    lens_t lens;
    for (std::size_t k = 0; k < ndim; k++) {
        const auto d = std::size_t(by_memory[k]);
        inner.insert(inner.end(), axes[d].begin(), axes[d].end());
        lens.push_back(a->get_shape().lens()[d]);
        outer[d] = int64_t(k);
    }
    return turned_rows{reshaped(rw, transposed(rw, x, inner), lens), outer};
}

replacement product_of_turned_rows(const match& m, rewriter& rw) {
    const auto a = m["a"];
    const auto weights = flat_weights(m.root->inputs()[1]);
    if (not weights or not is_static(m.root) or not is_static(a) or
        a->get_shape().ndim() != m.root->get_shape().ndim())
        return declined;
    std::optional<turned_rows> t;
    if (a->name() == "transpose" and keeps_last(order_of(a)) and
        a->inputs().front()->get_shape().standard())
        t = turned_rows{a->inputs().front(), order_of(a)};
    else if (a->name() == "reshape" and below_reshapes(a)->name() == "transpose")
        t = rows_of_reshape(a, rw);
    if (not t)
        return declined;
    const auto result = before(m.root->get_shape().lens(), t->order);
    return transposed(rw, rw.add("dot", {t->rows, stretched_weights(*weights, result, rw)}),
                      t->order);
}

// One number, or a row for all rows: the same wherever a transpose of rows stands.
bool same_for_rows(instruction_ref x) {
    if (x->name() != "multibroadcast" and x->name() != "broadcast")
        return false;
    const auto& s = x->get_shape();
    for (std::size_t i = 0; i + 1 < s.ndim(); i++)
        if (s.lens()[i] != 1 and s.strides()[i] != 0)
            return false;
    return x->inputs().size() == 1 and
           (x->inputs().front()->get_shape().elements() == 1 or
            x->inputs().front()->get_shape().elements() == s.lens().back());
}

instruction_ref stretched_row(instruction_ref x, const lens_t& lens, rewriter& rw) {
    auto from = x->inputs().front();
    return rw.add(make_op("multibroadcast", {{"out_lens", lens}}),
                  {reshaped(rw, from, {from->get_shape().elements()})});
}

// f(transpose(x), rows for all, transpose(y)), all transposed alike.
replacement pointwise_of_turned_rows(const match& m, rewriter& rw) {
    if (not is_static(m.root) or not m.root->get_operator().info().is_pointwise or
        not m.root->module_inputs().empty())
        return declined;
    std::optional<order_t> order;
    for (auto x : m.root->inputs()) {
        if (same_for_rows(x))
            continue;
        if (x->name() != "transpose" or x->outputs().size() > 1 or not keeps_last(order_of(x)) or
            (order and *order != order_of(x)))
            return declined;
        order = order_of(x);
    }
    if (not order)
        return declined;
    const auto lens = before(m.root->get_shape().lens(), *order);
    std::vector<instruction_ref> in;
    for (auto x : m.root->inputs())
        in.push_back(x->name() == "transpose" ? x->inputs().front() : stretched_row(x, lens, rw));
    return transposed(rw, rw.add(m.root->get_operator(), in), *order);
}

} // namespace

std::vector<rule> transpose_rules() {
    const auto of_product = [](instruction_ref x) {
        const auto from = x->inputs().front();
        return keeps_last(order_of(x)) and
               (from->name() == "dot" or from->get_operator().info().is_pointwise);
    };
    const auto turned = op("transpose").where(of_product);
    return {{"reshape(transpose(reshape(x))) -> transpose(reshape(x))",
             op("reshape", op("transpose", op("reshape", any("x")).as("joined").used_once())
                               .as("turned")
                               .used_once()),
             without_joining},
            {"dot(transpose(x), w) -> transpose(dot(x, w))",
             op("dot", one_of({"transpose", "reshape"}).as("a"), any("w")), product_of_turned_rows},
            {"f(transpose(x)) -> transpose(f(x))",
             one_of({"relu", "sigmoid", "tanh", "erf"}, turned), pointwise_of_turned_rows},
            {"f(transpose(x), row) -> transpose(f(x, row))",
             one_of({"add", "sub", "mul", "div"}, turned, any("y")), pointwise_of_turned_rows},
            {"f(row, transpose(x)) -> transpose(f(row, x))",
             one_of({"sub", "div"}, any("y"), turned), pointwise_of_turned_rows}};
}

} // namespace migraphx
