// SPDX-License-Identifier: MIT
#include "shrink.hpp"

#include <algorithm>
#include <set>

namespace fuzz {

using namespace migraphx;

namespace {

bool covers(const bounds& wide, const bounds& x) {
    return x.lo >= wide.lo and x.hi <= wide.hi and x.err <= wide.err and
           (x.whole or not wide.whole);
}

std::string free_name(const graph& g) {
    std::set<std::string> taken;
    for (const auto& n : g.nodes)
        taken.insert(n.name);
    for (std::size_t i = 0;; ++i)
        if (auto name = "q" + std::to_string(i); taken.count(name) == 0)
            return name;
}

// Node i without operands: a parameter where its values would suit, else its own values.
graph cut(const graph& g, std::size_t i, bool parameter, const std::vector<argument>& values) {
    auto result = g;
    auto& n = result.nodes[i];
    n.inputs.clear();
    n.op = {};
    if (parameter) {
        n.kind = node::parameter;
        n.name = free_name(g);
    } else {
        n.kind = node::literal;
        n.value = values[i];
    }
    // What is beyond a view's strides is not needed.
    n.out = n.out.scalar() and n.out.ndim() == 1 ? n.out : shape{n.out.type(), n.out.lens()};
    return without_dead(result);
}

graph bypassed(const graph& g, std::size_t i, std::size_t input) {
    auto result = g;
    for (auto& n : result.nodes)
        std::replace(n.inputs.begin(), n.inputs.end(), i, input);
    std::replace(result.outputs.begin(), result.outputs.end(), i, input);
    return without_dead(result);
}

} // namespace

graph shrink(graph g, const std::function<bool(const graph&)>& fails,
             const std::function<std::vector<argument>(const graph&)>& values_of) {
    const auto attempt = [&](const graph& smaller) {
        if (smaller.nodes.size() > g.nodes.size() or not fails(smaller))
            return false;
        g = smaller;
        return true;
    };
    for (auto output : std::vector<std::size_t>(g.outputs)) {
        auto one = g;
        one.outputs = {output};
        if (g.outputs.size() > 1 and attempt(without_dead(one)))
            break;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t o = 0; g.outputs.size() > 1 and o < g.outputs.size(); ++o) {
            auto fewer = g;
            fewer.outputs.erase(fewer.outputs.begin() + std::ptrdiff_t(o));
            if (attempt(without_dead(fewer))) {
                changed = true;
                break;
            }
        }
        const auto values = values_of(g);
        for (std::size_t i = g.nodes.size(); i-- > 0 and not changed;) {
            const auto n = g.nodes[i];
            if (n.kind != node::operation or n.out.type() == shape::tuple_type)
                continue;
            for (auto input : n.inputs) {
                const auto& x = g.nodes[input];
                changed = x.out.type() == n.out.type() and x.out.type() != shape::tuple_type and
                          x.out.lens() == n.out.lens() and covers(n.range, x.range) and
                          attempt(bypassed(g, i, input));
                if (changed)
                    break;
            }
            changed = changed or (covers(n.range, parameter_bounds(n.out.type())) and
                                  attempt(cut(g, i, true, values)));
            changed = changed or (not values.empty() and attempt(cut(g, i, false, values)));
        }
    }
    return g;
}

} // namespace fuzz
