// SPDX-License-Identifier: MIT
// What operators a model needs: the table that a report of supported and missing operators starts
// from.
#include "import/onnx/operator_count.hpp"
#include "import/onnx/graph_check.hpp"
#include "import/quote.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>

namespace migraphx::onnx {

namespace {

class operator_counter {
public:
    explicit operator_counter(const model& m) : m_model(m), m_functions(m) {}

    void add(const std::vector<node>& nodes, const function* inside) {
        for (const auto& n : nodes) {
            const auto opset = opset_version(m_model, n, inside);
            auto& use = m_uses[{n.domain, n.op_type, opset}];
            if (use.count++ == 0) {
                use.domain = n.domain;
                use.op_type = n.op_type;
                use.opset = opset;
                use.is_function = m_functions.find(n) != nullptr;
                use.first = describe(n);
            }
            for (const auto& a : n.attributes)
                for (const auto& g : a.graphs)
                    add(g.nodes, inside);
        }
    }

    std::vector<operator_use> take() {
        std::vector<operator_use> result;
        result.reserve(m_uses.size());
        for (auto& [key, use] : m_uses)
            result.push_back(std::move(use));
        return result;
    }

private:
    const model& m_model;
    function_table m_functions;
    std::map<std::tuple<std::string_view, std::string_view, std::int64_t>, operator_use> m_uses;
};

} // namespace

std::vector<operator_use> count_operators(const model& m) {
    operator_counter counter(m);
    counter.add(m.graph.nodes, nullptr);
    for (const auto& f : m.functions)
        counter.add(f.nodes, &f);
    return counter.take();
}

std::string to_string(const std::vector<operator_use>& uses) {
    const auto name_of = [](const operator_use& u) {
        return (u.domain.empty() ? "" : printable(u.domain) + "::") + printable(u.op_type);
    };
    std::size_t width = 0;
    for (const auto& u : uses)
        width = std::max(width, name_of(u).size());
    std::string result;
    for (const auto& u : uses) {
        const std::string count = std::to_string(u.count);
        const std::string name = name_of(u);
        result.append(count.size() < 6 ? 6 - count.size() : 0, ' ').append(count).append("  ");
        result.append(name).append(width - name.size(), ' ');
        result.append("  opset ").append(std::to_string(u.opset));
        result.append(u.is_function ? "  function of the model\n" : "\n");
    }
    return result;
}

} // namespace migraphx::onnx
