// SPDX-License-Identifier: MIT
#include "import/onnx/ops_ml_tree.hpp"

#include <migraphx/make_op.hpp>

#include "import/onnx/ops_ml.hpp"

#include <limits>

namespace migraphx::onnx {

namespace {

constexpr int64_t most_entries = std::numeric_limits<std::int32_t>::max();
constexpr int64_t most_targets = int64_t{1} << 24;

// The nodes that a root leads to, children behind their parents.
std::vector<std::size_t> in_order(node_reader& n, const forest& trees) {
    enum class state : std::uint8_t { fresh, open, done };
    std::vector<state> states(trees.nodes.size(), state::fresh);
    std::vector<std::size_t> order; // children first
    std::vector<std::size_t> stack;
    const auto visit = [&](std::size_t i) {
        if (states.at(i) == state::open)
            n.malformed(str("trees without cycles were expected, got one at node ", i));
        if (states[i] == state::fresh)
            stack.push_back(i);
    };
    for (auto root = trees.roots.rbegin(); root != trees.roots.rend(); ++root) {
        visit(*root);
        while (not stack.empty()) {
            const auto i = stack.back();
            const auto& node = trees.nodes[i];
            if (states[i] == state::fresh) {
                states[i] = state::open;
                if (node.mode != tree_mode::leaf) {
                    visit(node.on_true);
                    visit(node.on_false);
                }
                continue;
            }
            stack.pop_back();
            if (states[i] == state::done)
                continue;
            states[i] = state::done;
            order.push_back(i);
        }
    }
    return {order.rbegin(), order.rend()};
}

template <class T>
instruction_ref table(node_reader& n, shape::type_t t, std::vector<std::size_t> lens,
                      const std::vector<T>& v) {
    return n.literal(migraphx::literal{shape{t, std::move(lens)}, v});
}

} // namespace

instruction_ref evaluate(node_reader& n, const forest& trees, shape::type_t t) {
    const auto x = feature_rows(n);
    const auto order = in_order(n, trees);
    if (trees.targets < 1 or trees.targets > most_targets or
        int64_t(order.size()) > most_entries / 6)
        n.malformed(str("trees that fit the memory were expected, got ", order.size(),
                        " nodes and ", trees.targets, " targets"));
    const auto features = int64_t(x->get_shape().max_lens()[1]);
    std::vector<std::int32_t> place(trees.nodes.size(), -1);
    for (std::size_t i = 0; i < order.size(); i++)
        place[order[i]] = std::int32_t(i);
    std::vector<std::int32_t> nodes, targets, roots;
    std::vector<double> thresholds, weights, members;
    for (auto i : order) {
        const auto& node = trees.nodes[i];
        const bool leaf = node.mode == tree_mode::leaf;
        if (not leaf and
            (node.feature < 0 or node.feature >= features or node.feature > most_entries))
            n.malformed(str("a feature below ", features, " was expected, got ", node.feature));
        const auto first = leaf ? targets.size() : members.size();
        const auto count = leaf ? node.votes.size() : node.members.size();
        if (int64_t(first + count) > most_entries)
            n.malformed(
                str("votes and members that fit the memory were expected, got ", first + count));
        for (const auto& v : node.votes) {
            if (v.target < 0 or v.target >= trees.targets)
                n.malformed(str("a target below ", trees.targets, " was expected, got ", v.target));
            targets.push_back(std::int32_t(v.target));
            weights.push_back(v.weight);
        }
        members.insert(members.end(), node.members.begin(), node.members.end());
        thresholds.push_back(node.threshold);
        const auto mode = int(node.mode) + (node.missing_is_true ? 8 : 0);
        for (auto v : {leaf ? 0 : std::int32_t(node.feature), std::int32_t(mode),
                       leaf ? 0 : place[node.on_true], leaf ? 0 : place[node.on_false],
                       std::int32_t(first), std::int32_t(count)})
            nodes.push_back(v);
    }
    for (auto r : trees.roots)
        roots.push_back(place[r]);
    const auto i32 = shape::int32_type;
    return n.add(
        make_op("tree_ensemble", {{"n_targets", trees.targets}, {"aggregate", trees.aggregate}}),
        {x, table(n, i32, {order.size(), 6}, nodes), table(n, t, {thresholds.size()}, thresholds),
         table(n, i32, {targets.size()}, targets), table(n, t, {weights.size()}, weights),
         table(n, i32, {roots.size()}, roots), table(n, t, {members.size()}, members)});
}

} // namespace migraphx::onnx
