// SPDX-License-Identifier: MIT
// Products with one-hot rows are look-ups, and what is computed from looked-up constants is looked
// up as well.
#include "passes/lookup_rules.hpp"

#include <migraphx/make_op.hpp>

#include <algorithm>

#include "passes/flat_weights.hpp"

namespace migraphx {

namespace {

// The constant counts 0, 1, … along the last axis and is stretched over the others.
bool counts_up(instruction_ref x) {
    if (x->name() != "multibroadcast" or x->inputs().size() != 1 or not x->can_eval())
        return false;
    const auto from = x->inputs().front();
    const auto& s = from->get_shape();
    const auto n = x->get_shape().lens().back();
    if (s.dynamic() or s.elements() != n or n < 2 or s.lens().back() != n)
        return false;
    const auto v = from->eval();
    std::vector<int64_t> values;
    literal{v.get_shape(), v.data()}.visit([&](auto view) {
        for (auto e : view)
            values.push_back(int64_t(e));
    });
    for (std::size_t i = 0; i < n; i++)
        if (values[i] != int64_t(i))
            return false;
    return true;
}

// Stretched along the last axis: what it was, without that axis.
std::optional<instruction_ref> without_last(instruction_ref x, rewriter& rw) {
    if (x->name() != "multibroadcast" or x->inputs().size() != 1)
        return std::nullopt;
    const auto from = x->inputs().front();
    const auto& s = from->get_shape();
    auto lens = x->get_shape().lens();
    lens.back() = 1;
    if (s.dynamic() or s.lens() != lens or lens.size() < 2)
        return std::nullopt;
    return rw.add(make_op("squeeze", {{"axes", {lens.size() - 1}}}), {from});
}

replacement looked_up(const match& m, rewriter& rw) {
    const auto type = m.root->get_shape().type();
    const auto w = flat_weights(m.root->inputs()[1]);
    auto hot = m["hot"];
    while (hot->name() == "convert" and hot->inputs().front()->name() == "convert")
        hot = hot->inputs().front();
    const auto equal = hot->inputs().front();
    if (m.root->get_shape().dynamic() or not w or equal->name() != "equal" or
        (type != shape::float_type and type != shape::half_type and type != shape::bf16_type))
        return declined;
    const auto kind = equal->inputs()[0]->get_shape().type();
    if (kind != shape::int32_type and kind != shape::int64_type)
        return declined;
    const int i = counts_up(equal->inputs()[1]) ? 0 : 1;
    if (i == 1 and not counts_up(equal->inputs()[0]))
        return declined;
    const auto index = without_last(equal->inputs()[std::size_t(i)], rw);
    if (not index)
        return declined;
    const auto rows = (*w)->get_shape().lens()[0], columns = (*w)->get_shape().lens()[1];
    // Indices outside give rows of 0: one more row, which -1 means as well.
    const auto zeros =
        rw.literal(literal{shape{type, {1, columns}}, std::vector<double>(columns, 0.0)});
    const auto table = rw.add(make_op("concat", {{"axis", 0}}), {*w, zeros});
    auto inside = rw.add("max", {*index, rw.number(-1, *index)});
    inside = rw.add("min", {inside, rw.number(double(rows), *index)});
    return rw.add(make_op("gather", {{"axis", 0}}), {table, inside});
}

bool varies_last(instruction_ref x) {
    if (x->name() != "multibroadcast" or x->inputs().size() != 1 or not x->can_eval())
        return false;
    const auto& from = x->inputs().front()->get_shape();
    return not from.dynamic() and
           (from.elements() == 1 or (from.elements() == x->get_shape().lens().back() and
                                     from.lens().back() == from.elements()));
}

bool is_lookup(instruction_ref x) {
    if (x->name() != "gather" or x->get_shape().dynamic() or
        x->get_operator().get<int64_t>("axis") != 0 or not x->inputs()[0]->can_eval())
        return false;
    const auto& table = x->inputs()[0]->get_shape();
    return not table.dynamic() and table.ndim() == 2 and
           table.elements() <= (std::size_t(1) << 22) and
           table.lens()[0] <= x->inputs()[1]->get_shape().elements();
}

replacement computed_before(const match& m, rewriter& rw) {
    const auto& info = m.root->get_operator().info();
    if (not info.is_pointwise or m.root->get_shape().dynamic() or
        not m.root->module_inputs().empty())
        return declined;
    std::optional<instruction_ref> lookup;
    for (auto x : m.root->inputs()) {
        if (is_lookup(x) and (not lookup or (*lookup)->inputs()[1] == x->inputs()[1]))
            lookup = x;
        else if (not varies_last(x))
            return declined;
    }
    if (not lookup)
        return declined;
    const auto rows = (*lookup)->inputs()[0]->get_shape().lens();
    std::vector<instruction_ref> in;
    for (auto x : m.root->inputs()) {
        if (is_lookup(x)) {
            in.push_back(x->inputs()[0]);
            continue;
        }
        auto c = x->inputs().front();
        if (c->get_shape().ndim() != 1)
            c = rw.add(make_op("reshape", {{"dims", {c->get_shape().elements()}}}), {c});
        in.push_back(rw.add(make_op("multibroadcast", {{"out_lens", rows}}), {c}));
    }
    return rw.add((*lookup)->get_operator(),
                  {rw.add(m.root->get_operator(), in), (*lookup)->inputs()[1]});
}

} // namespace

std::vector<rule> lookup_rules() {
    return {{"(x == 0 … n - 1) . w -> gather(w, x)", op("dot", op("convert").as("hot"), any("w")),
             looked_up},
            {"f(gather(table, i), constants) -> gather(f(table, constants), i)",
             one_of({"add", "sub", "mul", "div", "pow", "tanh", "erf", "exp", "relu", "sigmoid",
                     "sqrt", "rsqrt", "max", "min"}),
             computed_before}};
}

} // namespace migraphx
