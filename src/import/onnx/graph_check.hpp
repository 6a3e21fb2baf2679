// SPDX-License-Identifier: MIT
// Order, scopes and names of a model's graphs, checked before anything is built from them.
#pragma once

#include "import/onnx/model.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace migraphx::onnx {

/// `node "conv1" (Conv)` for messages; a node without a name is called by its first output.
std::string describe(const node& n);

/// Order of a graph's nodes.
struct graph_plan {
    /// Indices of all nodes such that producers come first. Nodes keep the order of the file where
    /// they can, so a sorted file gives 0, 1, 2 …
    std::vector<std::size_t> order;
    bool was_sorted = true;
    /// Values that the graph, its subgraphs included, takes from outer scopes, in the order of
    /// first use. Empty for a main graph unless it is broken.
    std::vector<std::string_view> outer;
};

/// Throws, naming nodes and values, when nodes depend on each other in a circle, when two nodes
/// produce the same value, when a node produces an input or an initializer, or when two inputs have
/// the same name. A subgraph may hide a value of an outer scope by one of its own.
graph_plan plan_graph(const graph& g);
graph_plan plan_function(const function& f);

/// Values that the subgraphs of a node take from the scope of the node or from further out, each
/// once, in the order of first use. Empty for nodes without subgraphs.
std::vector<std::string_view> captures(const node& n);

/// The model-local functions by domain, name and overload. Refers to the model.
class function_table {
public:
    /// Throws when two functions have the same key.
    explicit function_table(const model& m);

    /// The function that a node calls, or null.
    const function* find(const node& n) const;

private:
    using key = std::tuple<std::string_view, std::string_view, std::string_view>;
    std::map<key, const function*> m_functions;
};

/// The opset version that applies to a node of the main graph or, when `inside` is given, of that
/// function. A domain that is not imported has version 1, but for the default domain of a model of
/// IR version 3 or later that is an error.
std::int64_t opset_version(const model& m, const node& n, const function* inside = nullptr);

/// Plans every graph and function and throws when one refers to a value that does not exist, when
/// functions call each other in a circle, or when the model has more than `max_nodes` nodes after
/// its functions are expanded.
void check_model(const model& m, std::size_t max_nodes = std::size_t{1} << 22);

} // namespace migraphx::onnx
