// SPDX-License-Identifier: MIT
// The three forms of tree ensembles in ai.onnx.ml.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_ml.hpp"
#include "import/onnx/ops_ml_tree.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;
using doubles = std::vector<double>;

void expect_size(node_reader& n, const std::string& name, std::size_t got, std::size_t wanted) {
    if (got != wanted)
        n.malformed(str(name, ": ", wanted, " values were expected, got ", got));
}

// Floats or, in `name`_as_tensor, numbers of any type.
doubles numbers_of(node_reader& n, const std::string& name) {
    if (const auto t = tensor_attribute(n, name + "_as_tensor"))
        return t->to_vector<double>();
    const auto v = n.reals(name);
    return {v.begin(), v.end()};
}

doubles tensor_numbers(node_reader& n, const char* name) {
    const auto t = tensor_attribute(n, name);
    if (not t)
        n.malformed(std::string(name) + ": a tensor was expected, got none");
    return t->to_vector<double>();
}

bool has_doubles(node_reader& n, const char* name) {
    const auto t = tensor_attribute(n, name);
    return t and t->get_shape().type() == shape::double_type;
}

int aggregate_of(node_reader& n) {
    const auto name = n.text("aggregate_function", "SUM");
    const char* const names[] = {"AVERAGE", "SUM", "MIN", "MAX"};
    for (int i = 0; i < 4; i++)
        if (name == names[i])
            return i;
    n.malformed("aggregate_function: AVERAGE, SUM, MIN or MAX was expected, got '" + name + "'");
}

// Trees whose nodes and leaves are in one list, by number of the tree and of the node in it.
class numbered_trees {
public:
    // `prefix` of the attributes of votes: class or target.
    numbered_trees(node_reader& reader, const std::string& prefix) : n(reader) {
        trees_of = n.integers("nodes_treeids");
        const auto ids = n.integers("nodes_nodeids");
        expect_size(n, "nodes_nodeids", ids.size(), trees_of.size());
        for (std::size_t i = 0; i < ids.size(); i++)
            if (not places.emplace(std::pair{trees_of[i], ids[i]}, i).second)
                n.malformed(str("one node ", ids[i], " in tree ", trees_of[i],
                                " was expected, got another"));
        read_nodes();
        read_votes(prefix);
        find_roots();
        use_doubles = has_doubles(n, "nodes_values_as_tensor") or
                      has_doubles(n, (prefix + "_weights_as_tensor").c_str());
    }
    instruction_ref scores() {
        return evaluate(n, result, use_doubles ? shape::double_type : shape::float_type);
    }

    forest result;
    std::set<int64_t> voted; // targets
    bool all_positive = true;

private:
    std::size_t find(int64_t tree, int64_t id) const {
        const auto it = places.find({tree, id});
        if (it == places.end())
            n.malformed(str("a node ", id, " in tree ", tree, " was expected, got none"));
        return it->second;
    }
    void read_nodes() {
        const auto count = trees_of.size();
        const auto features = n.integers("nodes_featureids"),
                   missing = n.integers("nodes_missing_value_tracks_true");
        const auto on_true = n.integers("nodes_truenodeids"),
                   on_false = n.integers("nodes_falsenodeids");
        const auto thresholds = numbers_of(n, "nodes_values");
        const auto modes = n.texts("nodes_modes");
        expect_size(n, "nodes_featureids", features.size(), count);
        expect_size(n, "nodes_truenodeids", on_true.size(), count);
        expect_size(n, "nodes_falsenodeids", on_false.size(), count);
        expect_size(n, "nodes_values", thresholds.size(), count);
        expect_size(n, "nodes_modes", modes.size(), count);
        if (not missing.empty())
            expect_size(n, "nodes_missing_value_tracks_true", missing.size(), count);
        const char* const names[] = {"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE",
                                     "BRANCH_GT",  "BRANCH_EQ", "BRANCH_NEQ"};
        has_parent.assign(count, false);
        for (std::size_t i = 0; i < count; i++) {
            tree_node node;
            node.feature = features[i];
            node.threshold = thresholds[i];
            node.missing_is_true = not missing.empty() and missing[i] != 0;
            const auto* mode = std::find(std::begin(names), std::end(names), modes[i]);
            if (mode != std::end(names)) {
                node.mode = static_cast<tree_mode>(mode - std::begin(names));
                node.on_true = find(trees_of[i], on_true[i]);
                node.on_false = find(trees_of[i], on_false[i]);
                has_parent[node.on_true] = has_parent[node.on_false] = true;
            } else if (modes[i] != "LEAF")
                n.malformed("nodes_modes: a comparison or LEAF was expected, got '" + modes[i] +
                            "'");
            result.nodes.push_back(std::move(node));
        }
    }
    void read_votes(const std::string& prefix) {
        const auto trees = n.integers(prefix + "_treeids"), ids = n.integers(prefix + "_nodeids");
        const auto targets = n.integers(prefix + "_ids");
        const auto weights = numbers_of(n, prefix + "_weights");
        expect_size(n, prefix + "_nodeids", ids.size(), trees.size());
        expect_size(n, prefix + "_ids", targets.size(), trees.size());
        expect_size(n, prefix + "_weights", weights.size(), trees.size());
        for (std::size_t i = 0; i < ids.size(); i++) {
            result.nodes[find(trees[i], ids[i])].votes.push_back({targets[i], weights[i]});
            voted.insert(targets[i]);
            all_positive = all_positive and weights[i] >= 0;
        }
        // Nodes that compare do not vote.
        for (auto& node : result.nodes)
            if (node.mode != tree_mode::leaf)
                node.votes.clear();
    }
    void find_roots() {
        std::set<int64_t> rooted;
        for (std::size_t i = 0; i < has_parent.size(); i++) {
            if (has_parent[i])
                continue;
            if (not rooted.insert(trees_of[i]).second)
                n.malformed(str("one root of tree ", trees_of[i], " was expected, got another"));
            result.roots.push_back(i);
        }
        for (auto t : trees_of)
            if (not rooted.contains(t))
                n.malformed(str("a root of tree ", t, " was expected, got none"));
    }

    node_reader& n;
    ints trees_of;
    std::map<std::pair<int64_t, int64_t>, std::size_t> places;
    std::vector<bool> has_parent;
    bool use_doubles = false;
};

// Scores plus one number for each column, or one for all of them.
instruction_ref plus_base(node_reader& n, instruction_ref scores, const doubles& base,
                          std::size_t columns) {
    if (base.empty())
        return scores;
    if (base.size() == 1)
        return n.with_number("add", scores, base[0]);
    expect_size(n, "base_values", base.size(), columns);
    const auto v = n.literal(migraphx::literal{shape{scores->get_shape().type(), {columns}}, base});
    return n.add("add", scores, n.stretch_along(v, 1, scores));
}

instructions read_tree_regressor(node_reader& n) {
    n.expect_inputs(1, 1);
    numbered_trees trees(n, "target");
    trees.result.targets = n.integer("n_targets", 1);
    trees.result.aggregate = aggregate_of(n);
    auto y = trees.scores();
    y = plus_base(n, y, numbers_of(n, "base_values"), std::size_t(trees.result.targets));
    return {n.convert(transformed(n, y, post_transform_of(n)), shape::float_type)};
}

instructions read_tree_classifier(node_reader& n) {
    n.expect_inputs(1, 1);
    class_labels labels(n, "classlabels_int64s", "classlabels_strings");
    numbered_trees trees(n, "class");
    const auto transform = post_transform_of(n);
    const auto base = numbers_of(n, "base_values");
    const auto real = [&](instruction_ref x) { return n.convert(x, shape::float_type); };
    trees.result.targets = int64_t(std::max<std::size_t>(1, labels.size()));
    // Votes for one of two classes, the first one, are the scores of the second.
    const bool one_score = trees.voted.size() <= 1 and labels.size() <= 2;
    if (one_score and (trees.voted.empty() or *trees.voted.begin() == 0)) {
        trees.result.targets = 1;
        const auto score =
            plus_base(n, trees.scores(), base.size() > 1 ? doubles{base[0]} : base, 1);
        const bool shares = trees.all_positive;
        const auto label = labels.of_two(score, shares and labels.size() == 2 ? 0.5 : 0);
        if (labels.size() == 2)
            return {label, real(scores_of_two(n, score, transform, shares))};
        return {label, real(transformed(n, score, transform))};
    }
    const auto scores = plus_base(n, trees.scores(), base, std::size_t(trees.result.targets));
    auto label = labels.of_largest(scores);
    if (one_score) {
        const auto second =
            n.add(make_op("slice", {{"axes", ints{1}}, {"starts", ints{1}}, {"ends", ints{2}}}),
                  {scores});
        label = labels.of_two(second, trees.all_positive ? 0.5 : 0);
    }
    return {label, real(transformed(n, scores, transform))};
}

// Opset 5: comparisons and leaves in lists of their own; each leaf votes once.
class split_trees {
public:
    explicit split_trees(node_reader& reader) : n(reader) {
        const auto modes = tensor_numbers(n, "nodes_modes"),
                   thresholds = tensor_numbers(n, "nodes_splits");
        const auto weights = tensor_numbers(n, "leaf_weights");
        const auto features = n.integers("nodes_featureids"),
                   missing = n.integers("nodes_missing_value_tracks_true");
        const auto targets = n.integers("leaf_targetids");
        comparisons = modes.size();
        leaves = weights.size();
        expect_size(n, "nodes_splits", thresholds.size(), comparisons);
        expect_size(n, "nodes_featureids", features.size(), comparisons);
        expect_size(n, "leaf_targetids", targets.size(), leaves);
        if (not missing.empty())
            expect_size(n, "nodes_missing_value_tracks_true", missing.size(), comparisons);
        const auto on_true = children("nodes_truenodeids", "nodes_trueleafs");
        const auto on_false = children("nodes_falsenodeids", "nodes_falseleafs");
        for (std::size_t i = 0; i < comparisons; i++) {
            if (not(modes[i] >= 0 and modes[i] <= 6))
                n.malformed(str("nodes_modes: 0 to 6 was expected, got ", modes[i]));
            result.nodes.push_back({static_cast<tree_mode>(int(modes[i])),
                                    features[i],
                                    thresholds[i],
                                    not missing.empty() and missing[i] != 0,
                                    on_true[i],
                                    on_false[i],
                                    {},
                                    {}});
        }
        for (std::size_t i = 0; i < leaves; i++) {
            tree_node node;
            node.votes = {{targets[i], weights[i]}};
            result.nodes.push_back(std::move(node));
        }
        for (auto r : n.integers("tree_roots"))
            result.roots.push_back(checked("tree_roots", r, comparisons));
        read_members();
        result.targets = n.integer("n_targets", 1);
        const auto aggregate = n.integer("aggregate_function", 1);
        if (aggregate < 0 or aggregate > 3)
            n.malformed(str("aggregate_function: 0 to 3 was expected, got ", aggregate));
        result.aggregate = int(aggregate);
    }

    forest result;

private:
    std::size_t checked(const char* name, int64_t i, std::size_t size) const {
        if (i < 0 or std::size_t(i) >= size)
            n.malformed(str(name, ": numbers below ", size, " were expected, got ", i));
        return std::size_t(i);
    }
    // Leaves follow the comparisons.
    std::vector<std::size_t> children(const char* ids_name, const char* leafs_name) const {
        const auto ids = n.integers(ids_name), leafs = n.integers(leafs_name);
        expect_size(n, ids_name, ids.size(), comparisons);
        expect_size(n, leafs_name, leafs.size(), comparisons);
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < comparisons; i++)
            places.push_back(leafs[i] != 0 ? comparisons + checked(ids_name, ids[i], leaves)
                                           : checked(ids_name, ids[i], comparisons));
        return places;
    }
    // One set for each comparison with members, in their order; NaN ends a set.
    void read_members() {
        const auto given = tensor_attribute(n, "membership_values");
        const auto values = given ? given->to_vector<double>() : doubles{};
        auto next = values.begin();
        for (std::size_t i = 0; i < comparisons; i++) {
            auto& node = result.nodes[i];
            if (node.mode != tree_mode::member)
                continue;
            if (next == values.end())
                n.malformed(
                    "membership_values: a set for each BRANCH_MEMBER was expected, got less");
            const auto end =
                std::find_if(next, values.end(), [](double v) { return std::isnan(v); });
            node.members.assign(next, end);
            next = end == values.end() ? end : end + 1;
        }
        if (next != values.end())
            n.malformed("membership_values: a set for each BRANCH_MEMBER was expected, got more");
    }

    node_reader& n;
    std::size_t comparisons = 0, leaves = 0;
};

instructions read_tree_ensemble(node_reader& n) {
    n.expect_inputs(1, 1);
    const split_trees trees(n);
    const auto t = n.shape_of(0).type();
    const auto y =
        evaluate(n, trees.result, t == shape::double_type ? shape::double_type : shape::float_type);
    return {n.convert(transformed(n, y, post_transform_of(n)), t)};
}

const operators ensemble_operators{{"TreeEnsembleRegressor", read_tree_regressor, ml_domain},
                                   {"TreeEnsembleClassifier", read_tree_classifier, ml_domain},
                                   {"TreeEnsemble", read_tree_ensemble, ml_domain}};

} // namespace

} // namespace migraphx::onnx
