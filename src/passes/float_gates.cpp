// SPDX-License-Identifier: MIT
// One walk forward finds what follows from means, one backward what leads to a product.
#include "passes/float_gates.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>
#include <migraphx/op/pooling.hpp>

#include <algorithm>
#include <iterator>
#include <vector>

namespace migraphx {

namespace {

// Of one item where the number of items is open.
std::size_t known_elements(const shape& s) {
    const auto least = s.min_lens(), most = s.max_lens();
    std::size_t n = 1;
    for (std::size_t i = 0; i < least.size(); i++)
        if (least[i] == most[i])
            n *= least[i];
    return n;
}

bool is_small(instruction_ref ins, std::size_t most) {
    const auto& s = ins->get_shape();
    return s.type() == shape::float_type and known_elements(s) <= most;
}

bool is_product(instruction_ref ins) {
    return ins->name() == "convolution" or ins->name() == "dot";
}

bool is_mean(instruction_ref ins) {
    return ins->name() == "reduce_mean" or is_mean_pooling(ins);
}

class gate_finder {
public:
    gate_finder(const module& mod, const gate_sizes& l) : m(mod), limits(l) {}

    std::unordered_set<instruction_ref> run() {
        std::vector<instruction_ref> order;
        for (auto ins = m.begin(); ins != m.end(); ++ins)
            if (is_mean(ins) ? is_small(ins, limits.results) : follows(ins)) {
                small.insert(ins);
                order.push_back(ins);
                if (is_product(ins) or has(ins->inputs(), behind_product))
                    behind_product.insert(ins);
            }
        auto kept = behind_product;
        for (auto i = order.rbegin(); i != order.rend(); ++i)
            if (has((*i)->outputs(), kept))
                kept.insert(*i);
        return kept;
    }

private:
    template <class List>
    static bool has(const List& list, const std::unordered_set<instruction_ref>& set) {
        return std::any_of(list.begin(), list.end(), [&](auto x) { return set.contains(x); });
    }

    bool follows(instruction_ref ins) const {
        const auto& info = ins->get_operator().info();
        const auto& in = ins->inputs();
        if (not(info.is_pointwise or info.is_view or is_product(ins)) or not has(in, small) or
            not is_small(ins, limits.results))
            return false;
        return std::all_of(in.begin(), in.end(), [&](auto x) {
            return small.contains(x) or
                   (x->can_eval() and (not is_product(ins) or is_small(x, limits.weights)));
        });
    }

    const module& m;
    const gate_sizes& limits;
    std::unordered_set<instruction_ref> small, behind_product;
};

} // namespace

bool has_windows_of_one(const shape& weights) {
    const auto& lens = weights.lens();
    return std::all_of(lens.begin() + 2, lens.end(), [](auto n) { return n == 1; });
}

bool is_mean_pooling(instruction_ref ins) {
    if (ins->name() != "pooling")
        return false;
    const auto& op = ins->get_operator();
    if (op::pooling_mode(op.get<int>("mode")) != op::pooling_mode::average)
        return false;
    if (op.get<bool>("dyn_global"))
        return true;
    const auto none = [](auto x) { return x == 0; };
    const auto padding = op.get_vector<std::size_t>("padding");
    const auto window = op.get_vector<std::size_t>("lengths");
    const auto& s = ins->inputs().front()->get_shape();
    const auto least = s.min_lens(), most = s.max_lens();
    return op.get<int>("padding_mode") == 0 and
           std::all_of(padding.begin(), padding.end(), none) and
           std::equal(least.begin() + 2, least.end(), window.begin(), window.end()) and
           std::equal(most.begin() + 2, most.end(), window.begin(), window.end());
}

std::unordered_set<instruction_ref>
products_before_gates(const module& m, const std::unordered_set<instruction_ref>& gates,
                      const gate_sizes& limits) {
    std::unordered_set<instruction_ref> leads, products;
    for (auto ins = m.end(); ins != m.begin();) {
        --ins;
        const auto& out = ins->outputs();
        if (std::none_of(out.begin(), out.end(),
                         [&](auto x) { return leads.contains(x) or gates.contains(x); }))
            continue;
        leads.insert(ins);
        if (ins->name() != "convolution" or gates.contains(ins))
            continue;
        const auto w = ins->inputs()[1];
        if (not w->can_eval() or not is_small(w, limits.weights) or
            ins->get_shape().type() != shape::float_type)
            continue;
        if (has_windows_of_one(w->get_shape()))
            products.insert(ins);
    }
    return products;
}

std::unordered_set<instruction_ref> float_gates(const module& m, const gate_sizes& limits) {
    return gate_finder{m, limits}.run();
}

} // namespace migraphx
