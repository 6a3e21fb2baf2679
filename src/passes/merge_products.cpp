// SPDX-License-Identifier: MIT
// Products of one tensor with several constant matrices, as the projections of attention, become
// one with the matrices side by side:
//   dot(x, w1) [+ b1], dot(x, w2) [+ b2] → slices of dot(x, concat(w1, w2)) [+ concat(b1, b2)]
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include "passes/flat_weights.hpp"
#include "passes/merge_products.hpp"
#include "passes/pass_registry.hpp"

#include <algorithm>
#include <unordered_map>

namespace migraphx {

namespace {

struct product {
    instruction_ref dot, weights, result; ///< result: with the bias, when there is one
    std::optional<instruction_ref> bias;
};

// A constant with one value for each column, or none.
std::optional<instruction_ref> column_constant(instruction_ref x, std::size_t columns) {
    if (x->name() != "multibroadcast" or x->inputs().size() != 1 or not x->can_eval())
        return std::nullopt;
    const auto from = x->inputs().front();
    const auto& s = from->get_shape();
    if (s.dynamic() or s.elements() != columns or s.lens().back() != columns)
        return std::nullopt;
    return from;
}

// Does every use of x end, after views, at an operator that reads slices as fast as whole tensors?
bool feeds_readers(instruction_ref x, const std::vector<std::string>& readers, int depth = 0) {
    if (depth > 12 or x->outputs().empty())
        return false;
    return std::all_of(x->outputs().begin(), x->outputs().end(), [&](instruction_ref user) {
        const auto name = user->name();
        if (std::find(readers.begin(), readers.end(), name) != readers.end())
            return true;
        if (name == "reshape" or name == "transpose" or name == "squeeze" or name == "unsqueeze" or
            name == "slice")
            return feeds_readers(user, readers, depth + 1);
        return false;
    });
}

bool is_multiplied(shape::type_t t) {
    return t == shape::float_type or t == shape::half_type or t == shape::bf16_type;
}

std::optional<product> product_of(instruction_ref dot, const std::vector<std::string>& readers) {
    const auto w = flat_weights(dot->inputs()[1]);
    const auto& s = dot->get_shape();
    if (not w or s.dynamic() or not is_multiplied(s.type()) or s.elements() == 0)
        return std::nullopt;
    product p{dot, *w, dot, std::nullopt};
    if (dot->outputs().size() == 1 and dot->outputs().front()->name() == "add") {
        const auto sum = dot->outputs().front();
        const int i = sum->inputs()[0] == dot ? 1 : 0;
        p.bias = column_constant(sum->inputs()[std::size_t(i)], s.lens().back());
        if (p.bias)
            p.result = sum;
    }
    return feeds_readers(p.result, readers) ? std::optional(p) : std::nullopt;
}

// Constants side by side along the last axis.
literal joined(const std::vector<argument>& parts, int64_t axis) {
    const auto concat = make_op("concat", {{"axis", axis}});
    return literal::adopt(concat.compute(concat.compute_shape(to_shapes(parts)), parts));
}

void merge(module& m, const std::vector<product>& all) {
    // In front of the first of them.
    auto at = all.front().dot;
    rewriter rw{m, at};
    auto lens = at->get_shape().lens();
    const bool biased =
        std::any_of(all.begin(), all.end(), [](const auto& p) { return p.bias.has_value(); });
    std::vector<argument> weights, biases;
    std::vector<std::size_t> columns;
    for (const auto& p : all) {
        const auto n = p.dot->get_shape().lens().back();
        const shape row{p.dot->get_shape().type(), {n}};
        columns.push_back(n);
        weights.push_back(p.weights->eval());
        if (not biased)
            continue;
        const auto b = p.bias ? (*p.bias)->eval().to_vector<float>() : std::vector<float>(n, 0.0f);
        biases.push_back(literal{row, b}.get_argument());
    }
    lens.back() = 0;
    for (auto n : columns)
        lens.back() += n;
    auto y = rw.add("dot",
                    {at->inputs()[0], stretched_weights(rw.literal(joined(weights, 1)), lens, rw)});
    if (biased)
        y = rw.add("add", {y, rw.add(make_op("multibroadcast", {{"out_lens", lens}}),
                                     {rw.literal(joined(biases, 0))})});
    const auto axis = lens.size() - 1;
    std::size_t from = 0;
    for (std::size_t i = 0; i < all.size(); i++) {
        const auto part = rw.add(
            make_op("slice", {{"axes", {axis}}, {"starts", {from}}, {"ends", {from + columns[i]}}}),
            {y});
        part->add_debug_symbols(all[i].result->get_debug_symbols());
        m.replace_instruction(all[i].result, part);
        from += columns[i];
    }
}

} // namespace

void merge_products::apply(module& m) const {
    for (auto ins = m.begin(); ins != m.end(); ++ins) {
        if (ins->name() != "dot" or ins->outputs().empty())
            continue;
        const auto x = ins->inputs()[0];
        std::vector<product> found;
        for (auto user : x->outputs()) {
            if (user->name() != "dot" or user->inputs()[0] != x or user->inputs()[1] == x)
                continue;
            if (user->get_shape().ndim() != ins->get_shape().ndim())
                continue;
            const auto p = product_of(user, readers);
            if (p and std::none_of(found.begin(), found.end(),
                                   [&](const auto& q) { return q.dot == user; }))
                found.push_back(*p);
        }
        std::size_t weights = 0;
        for (const auto& p : found)
            weights += p.weights->get_shape().elements();
        const auto rows = ins->get_shape().elements() / ins->get_shape().lens().back();
        if (found.size() < 2 or
            weights > (rows <= few_rows ? most_weights_of_few_rows : most_weights))
            continue;
        std::unordered_map<instruction_ref, std::size_t> order;
        for (auto i = m.begin(); i != m.end(); ++i)
            order[i] = order.size();
        std::sort(found.begin(), found.end(),
                  [&](const auto& a, const auto& b) { return order.at(a.dot) < order.at(b.dot); });
        merge(m, found);
    }
}

namespace {

const registered_pass merge_products_registered{"merge_products", [] { return merge_products{}; }};

} // namespace

} // namespace migraphx
