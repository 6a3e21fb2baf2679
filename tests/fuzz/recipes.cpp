// SPDX-License-Identifier: MIT
#include "recipes.hpp"

namespace fuzz {

const std::vector<recipe>& recipes() {
    static const auto list = [] {
        std::vector<recipe> all;
        add_pointwise_recipes(all);
        add_movement_recipes(all);
        add_indexing_recipes(all);
        add_reduction_recipes(all);
        add_product_recipes(all);
        add_pattern_recipes(all);
        return all;
    }();
    return list;
}

graph grow(std::uint64_t seed) {
    grower w(seed);
    double total = 0;
    for (const auto& r : recipes())
        total += r.weight;
    // Few types at once make long chains of one type.
    const auto steps = 2 + w.random.below(w.random.chance(0.5) ? 6 : 16);
    std::size_t done = 0;
    for (std::size_t tries = 0; done < steps and tries < 20 * steps; ++tries) {
        auto at = w.random.real(0, total);
        const auto* chosen = &recipes().back();
        for (const auto& r : recipes()) {
            at -= r.weight;
            if (at < 0) {
                chosen = &r;
                break;
            }
        }
        const auto size = w.g.nodes.size();
        try {
            chosen->apply(w);
            ++done;
        } catch (const unsuitable&) {
            w.g.nodes.resize(size);
        }
    }
    // What nothing uses, and something from inside now and then.
    std::vector<bool> used(w.g.nodes.size(), false);
    for (const auto& n : w.g.nodes)
        for (auto i : n.inputs)
            used[i] = true;
    for (std::size_t i = 0; i < w.g.nodes.size(); ++i) {
        const auto& n = w.g.nodes[i];
        if (n.out.type() == migraphx::shape::tuple_type)
            continue;
        if (not used[i] ? n.kind == node::operation : w.random.chance(0.04))
            w.g.outputs.push_back(i);
    }
    if (w.random.chance(0.05) and not w.g.outputs.empty())
        w.g.outputs.push_back(w.g.outputs.front());
    for (auto i = w.g.nodes.size(); w.g.outputs.empty() and i-- > 0;)
        if (w.g.nodes[i].out.type() != migraphx::shape::tuple_type)
            w.g.outputs.push_back(i);
    return without_dead(w.g);
}

} // namespace fuzz
