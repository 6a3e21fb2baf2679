// SPDX-License-Identifier: MIT
// Checks of a whole model: every value exists, functions end, and expanding them stays within
// bounds.
#include "import/onnx/graph_check.hpp"
#include "import/quote.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>
#include <limits>
#include <unordered_map>

namespace migraphx::onnx {

namespace {

[[noreturn]] void invalid_model(const std::string& subject, const std::string& text) {
    fail(error_kind::invalid_argument, subject + ": " + text);
}

std::string nearest_use(const std::vector<node>& nodes, std::string_view name);

// Where a graph, or a graph in it, uses a value that it does not define.
std::string free_use(const graph& g, std::string_view name) {
    const auto outer = plan_graph(g).outer;
    if (std::find(outer.begin(), outer.end(), name) == outer.end())
        return {};
    return nearest_use(g.nodes, name);
}

std::string nearest_use(const std::vector<node>& nodes, std::string_view name) {
    for (const auto& n : nodes) {
        if (std::find(n.inputs.begin(), n.inputs.end(), name) != n.inputs.end())
            return describe(n);
        for (const auto& a : n.attributes)
            for (const auto& g : a.graphs)
                if (const std::string inner = free_use(g, name); !inner.empty())
                    return inner + " in " + in_quotes(a.name) + " of " + describe(n);
    }
    return "its outputs";
}

void expect_defined(const std::string& subject, const std::vector<node>& nodes,
                    const graph_plan& plan) {
    if (plan.outer.empty())
        return;
    const std::string_view name = plan.outer.front();
    invalid_model(subject, "expected every value to be an input, an initializer or an output of a "
                           "node, got " +
                               in_quotes(name) + ", used by " + nearest_use(nodes, name));
}

void check_subgraphs(const std::vector<node>& nodes) {
    for (const auto& n : nodes)
        for (const auto& a : n.attributes)
            for (const auto& g : a.graphs) {
                with_context([&] { plan_graph(g); },
                             [&] { return "in " + in_quotes(a.name) + " of " + describe(n); });
                check_subgraphs(g.nodes);
            }
}

std::size_t saturating_add(std::size_t a, std::size_t b) {
    return a > std::numeric_limits<std::size_t>::max() - b ? std::numeric_limits<std::size_t>::max()
                                                           : a + b;
}

// Counts nodes with functions expanded; each function is measured once.
class expansion {
public:
    explicit expansion(const model& m) : m_functions(m) {}

    std::size_t count(const std::vector<node>& nodes) {
        std::size_t total = 0;
        for (const auto& n : nodes) {
            const function* const f = m_functions.find(n);
            total = saturating_add(total, f == nullptr ? 1 : count(*f, n));
            for (const auto& a : n.attributes)
                for (const auto& g : a.graphs)
                    total = saturating_add(total, count(g.nodes));
        }
        return total;
    }

private:
    // Functions may form a chain as long as the file allows; the stack must not.
    static constexpr std::size_t max_calls = 64;

    std::size_t count(const function& f, const node& caller) {
        const auto [it, is_new] = m_sizes.emplace(&f, 0);
        if (!is_new && it->second == 0)
            invalid_model(describe(caller),
                          "expected functions that do not call themselves, got function " +
                              in_quotes(f.name) + " called from its own body");
        if (!is_new)
            return it->second;
        if (++m_calls > max_calls)
            invalid_model(describe(caller), "expected at most " + std::to_string(max_calls) +
                                                " functions calling each other, got more");
        const std::size_t size = std::max<std::size_t>(count(f.nodes), 1);
        --m_calls;
        m_sizes[&f] = size;
        return size;
    }

    function_table m_functions;
    std::unordered_map<const function*, std::size_t> m_sizes; // 0 while being measured
    std::size_t m_calls = 0;
};

} // namespace

void check_model(const model& m, std::size_t max_nodes) {
    const auto check = [&] {
        expect_defined("graph " + in_quotes(m.graph.name), m.graph.nodes, plan_graph(m.graph));
        check_subgraphs(m.graph.nodes);
        for (const auto& f : m.functions) {
            expect_defined("function " + in_quotes(f.name), f.nodes, plan_function(f));
            check_subgraphs(f.nodes);
        }
        expansion size(m);
        std::size_t total = size.count(m.graph.nodes);
        for (const auto& f : m.functions)
            size.count(f.nodes);
        if (total > max_nodes)
            invalid_model("model", "expected at most " + std::to_string(max_nodes) +
                                       " nodes with its functions expanded, got more");
    };
    with_context(check, [&] { return "while reading " + m.from->name; });
}

} // namespace migraphx::onnx
