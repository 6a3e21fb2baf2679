// SPDX-License-Identifier: MIT
// Order, scopes and names of a model's graphs, checked before anything is built from them.
#include "import/onnx/graph_check.hpp"
#include "import/quote.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>
#include <functional>
#include <limits>
#include <queue>
#include <unordered_map>
#include <unordered_set>

namespace migraphx::onnx {

namespace {

using name_set = std::unordered_set<std::string_view>;

constexpr std::size_t no_node = std::numeric_limits<std::size_t>::max();

// What graphs and functions have in common.
struct name_scope {
    std::string title;
    const std::vector<node>& nodes;
    std::vector<std::string_view> inputs;
    std::vector<std::string_view> constants;
    std::vector<std::string_view> outputs;
};

name_scope scope_of(const graph& g) {
    name_scope s{"graph " + in_quotes(g.name), g.nodes, {}, {}, {}};
    for (const auto& v : g.inputs)
        s.inputs.push_back(v.name);
    for (const auto& t : g.initializers)
        s.constants.push_back(t.name);
    for (const auto& t : g.sparse_initializers)
        s.constants.push_back(t.values.name);
    for (const auto& v : g.outputs)
        s.outputs.push_back(v.name);
    return s;
}

name_scope scope_of(const function& f) {
    return {"function " + in_quotes(f.name), f.nodes, f.inputs, {}, f.outputs};
}

[[noreturn]] void invalid_graph(const std::string& subject, const std::string& text) {
    fail(error_kind::invalid_argument, subject + ": " + text);
}

// Names in the order in which they are first added; "" stands for no value and is left out.
class ordered_names {
public:
    void add(std::string_view name) {
        if (!name.empty() && m_seen.insert(name).second)
            m_names.push_back(name);
    }
    std::vector<std::string_view> take() { return std::move(m_names); }

private:
    std::vector<std::string_view> m_names;
    name_set m_seen;
};

void add_free_values(const graph& g, ordered_names& out);

void add_captures(const node& n, ordered_names& out) {
    for (const auto& a : n.attributes)
        for (const auto& g : a.graphs)
            add_free_values(g, out);
}

bool has_subgraphs(const node& n) {
    return std::any_of(n.attributes.begin(), n.attributes.end(),
                       [](const attribute& a) { return !a.graphs.empty(); });
}

// Values that a graph uses and does not define.
void add_free_values(const graph& g, ordered_names& out) {
    const name_scope s = scope_of(g);
    name_set defined(s.inputs.begin(), s.inputs.end());
    defined.insert(s.constants.begin(), s.constants.end());
    for (const auto& n : g.nodes)
        defined.insert(n.outputs.begin(), n.outputs.end());
    ordered_names inner;
    for (const auto& n : g.nodes) {
        for (const auto name : n.inputs)
            inner.add(name);
        add_captures(n, inner);
    }
    for (const auto name : s.outputs)
        inner.add(name);
    for (const auto name : inner.take())
        if (defined.count(name) == 0)
            out.add(name);
}

class planner {
public:
    explicit planner(name_scope s) : m_scope(std::move(s)) {}

    graph_plan plan() {
        collect_producers();
        collect_uses();
        graph_plan result;
        result.outer = m_outer.take();
        result.was_sorted = is_sorted();
        if (result.was_sorted) {
            result.order.resize(m_scope.nodes.size());
            for (std::size_t i = 0; i < result.order.size(); ++i)
                result.order[i] = i;
        } else {
            result.order = sorted();
        }
        return result;
    }

private:
    void collect_producers() {
        name_set inputs;
        for (const auto name : m_scope.inputs)
            if (!name.empty() && !inputs.insert(name).second)
                invalid_graph(m_scope.title, "expected inputs of different names, got " +
                                                 in_quotes(name) + " twice");
        m_defined = std::move(inputs);
        m_defined.insert(m_scope.constants.begin(), m_scope.constants.end());
        for (std::size_t i = 0; i < m_scope.nodes.size(); ++i)
            for (const auto name : m_scope.nodes[i].outputs)
                if (!name.empty())
                    add_producer(name, i);
    }

    void add_producer(std::string_view name, std::size_t i) {
        const auto& n = m_scope.nodes[i];
        if (m_defined.count(name) != 0)
            invalid_graph(describe(n), "expected an output of a new name, got " + in_quotes(name) +
                                           ", which is an input or initializer of " +
                                           m_scope.title);
        const auto [it, is_new] = m_producer.emplace(name, i);
        if (!is_new)
            invalid_graph(describe(n), "expected an output of a new name, got " + in_quotes(name) +
                                           ", which " + describe(m_scope.nodes[it->second]) +
                                           " produces");
    }

    // Producers of what a node and its subgraphs use; everything else that they use is checked to
    // be defined or noted as outer.
    void collect_uses() {
        m_uses.resize(m_scope.nodes.size());
        for (std::size_t i = 0; i < m_scope.nodes.size(); ++i) {
            const auto& n = m_scope.nodes[i];
            for (const auto name : n.inputs)
                add_use(name, i);
            if (has_subgraphs(n))
                for (const auto name : captures(n))
                    add_use(name, i);
        }
        for (const auto name : m_scope.outputs)
            add_use(name, no_node);
    }

    void add_use(std::string_view name, std::size_t user) {
        if (name.empty())
            return;
        const auto it = m_producer.find(name);
        if (it == m_producer.end()) {
            if (m_defined.count(name) == 0)
                m_outer.add(name);
        } else if (user != no_node) {
            m_uses[user].push_back(it->second);
        }
    }

    bool is_sorted() const {
        for (std::size_t i = 0; i < m_uses.size(); ++i)
            for (const std::size_t producer : m_uses[i])
                if (producer >= i)
                    return false;
        return true;
    }

    std::vector<std::size_t> sorted() const {
        const std::size_t n = m_uses.size();
        std::vector<std::size_t> waiting_for(n);
        std::vector<std::vector<std::size_t>> users(n);
        for (std::size_t i = 0; i < n; ++i) {
            waiting_for[i] = m_uses[i].size();
            for (const std::size_t producer : m_uses[i])
                users[producer].push_back(i);
        }
        std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
        for (std::size_t i = 0; i < n; ++i)
            if (waiting_for[i] == 0)
                ready.push(i);
        std::vector<std::size_t> order;
        order.reserve(n);
        while (!ready.empty()) {
            order.push_back(ready.top());
            ready.pop();
            for (const std::size_t user : users[order.back()])
                if (--waiting_for[user] == 0)
                    ready.push(user);
        }
        if (order.size() != n)
            fail_cycle(waiting_for);
        return order;
    }

    // Every node left waits for one that is left, so going backwards ends in a circle.
    [[noreturn]] void fail_cycle(const std::vector<std::size_t>& waiting_for) const {
        const auto blocker = [&](std::size_t i) {
            return *std::find_if(m_uses[i].begin(), m_uses[i].end(),
                                 [&](std::size_t p) { return waiting_for[p] != 0; });
        };
        std::size_t start = 0;
        while (waiting_for[start] == 0)
            ++start;
        for (std::size_t steps = 0; steps < m_uses.size(); ++steps)
            start = blocker(start);
        std::string text = "expected nodes that do not depend on their own results, got ";
        constexpr int shown = 8;
        std::size_t i = start;
        for (int k = 0; k < shown; ++k) {
            const std::size_t from = blocker(i);
            text += describe(m_scope.nodes[i]) + " which needs " + value_between(from, i) + " of ";
            i = from;
            if (i == start)
                break;
        }
        text += i == start ? describe(m_scope.nodes[i]) : "further nodes";
        invalid_graph(m_scope.title, text);
    }

    std::string value_between(std::size_t producer, std::size_t user) const {
        const auto& outputs = m_scope.nodes[producer].outputs;
        const auto& n = m_scope.nodes[user];
        const auto is_output = [&](std::string_view name) {
            return !name.empty() &&
                   std::find(outputs.begin(), outputs.end(), name) != outputs.end();
        };
        for (const auto name : n.inputs)
            if (is_output(name))
                return in_quotes(name);
        for (const auto name : captures(n))
            if (is_output(name))
                return in_quotes(name) + " in a subgraph";
        return "a value";
    }

    name_scope m_scope;
    name_set m_defined;
    std::unordered_map<std::string_view, std::size_t> m_producer;
    std::vector<std::vector<std::size_t>> m_uses;
    ordered_names m_outer;
};

} // namespace

std::string describe(const node& n) {
    const std::string op =
        " (" + (n.domain.empty() ? "" : printable(n.domain) + "::") + printable(n.op_type) + ")";
    if (!n.name.empty())
        return "node " + in_quotes(n.name) + op;
    const auto it = std::find_if(n.outputs.begin(), n.outputs.end(),
                                 [](std::string_view s) { return !s.empty(); });
    return (it == n.outputs.end() ? "node without a name" : "node producing " + in_quotes(*it)) +
           op;
}

graph_plan plan_graph(const graph& g) {
    return planner(scope_of(g)).plan();
}

graph_plan plan_function(const function& f) {
    return planner(scope_of(f)).plan();
}

std::vector<std::string_view> captures(const node& n) {
    ordered_names names;
    add_captures(n, names);
    return names.take();
}

function_table::function_table(const model& m) {
    for (const auto& f : m.functions)
        if (!m_functions.emplace(key{f.domain, f.name, f.overload}, &f).second)
            invalid_graph("model",
                          "expected one function for each domain, name and overload, got " +
                              in_quotes(f.name) + " of domain " + in_quotes(f.domain) + " twice");
}

const function* function_table::find(const node& n) const {
    if (m_functions.empty())
        return nullptr;
    const auto it = m_functions.find(key{n.domain, n.op_type, n.overload});
    return it == m_functions.end() ? nullptr : it->second;
}

std::int64_t opset_version(const model& m, const node& n, const function* inside) {
    if (inside != nullptr)
        if (const auto it = inside->opset_imports.find(n.domain); it != inside->opset_imports.end())
            return it->second;
    if (const auto it = m.opset_imports.find(n.domain); it != m.opset_imports.end())
        return it->second;
    if (n.domain.empty() && m.ir_version >= 3)
        invalid_graph(describe(n),
                      "expected the model to import an opset of the default domain, got none");
    return 1;
}

} // namespace migraphx::onnx
