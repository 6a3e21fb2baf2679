// SPDX-License-Identifier: MIT
#include "graph.hpp"

#include <migraphx/generate.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/literal.hpp>

namespace fuzz {

using namespace migraphx;

program to_program(const graph& g, const std::function<shape(const shape&)>& declared) {
    program p;
    auto* m = p.get_main_module();
    std::vector<instruction_ref> made;
    for (const auto& n : g.nodes) {
        std::vector<instruction_ref> inputs;
        for (auto i : n.inputs)
            inputs.push_back(made[i]);
        switch (n.kind) {
        case node::parameter:
            made.push_back(
                m->insert_parameter(m->end(), n.name, declared ? declared(n.out) : n.out));
            break;
        case node::literal:
            made.push_back(m->insert_literal(m->end(), migraphx::literal{n.out, n.value.data()}));
            break;
        case node::operation:
            made.push_back(m->add_instruction(n.op, inputs));
            break;
        }
    }
    std::vector<instruction_ref> results;
    for (auto i : g.outputs)
        results.push_back(made[i]);
    m->add_return(results);
    return p;
}

argument parameter_value(const std::string& name, const shape& s) {
    return generate_argument(s, std::hash<std::string>{}(name), random_mode::random);
}

parameter_map parameter_values(const graph& g) {
    parameter_map result;
    for (const auto& n : g.nodes)
        if (n.kind == node::parameter)
            result[n.name] = parameter_value(n.name, n.out);
    return result;
}

bounds parameter_bounds(shape::type_t t) {
    switch (t) {
    case shape::int8_type:
    case shape::int16_type:
        return {-64, 63, 0, true};
    case shape::uint8_type:
    case shape::uint16_type:
        return {0, 127, 0, true};
    case shape::bool_type:
    case shape::int32_type:
    case shape::int64_type:
    case shape::uint32_type:
    case shape::uint64_type:
        return {0, 1, 0, true};
    default:
        return {-1, 1, 0, false};
    }
}

graph without_dead(const graph& g) {
    std::vector<bool> live(g.nodes.size(), false);
    for (auto i : g.outputs)
        live[i] = true;
    for (auto i = g.nodes.size(); i-- > 0;)
        if (live[i])
            for (auto k : g.nodes[i].inputs)
                live[k] = true;
    graph result;
    std::vector<std::size_t> moved(g.nodes.size());
    for (std::size_t i = 0; i < g.nodes.size(); ++i) {
        if (not live[i])
            continue;
        auto n = g.nodes[i];
        for (auto& k : n.inputs)
            k = moved[k];
        moved[i] = result.nodes.size();
        result.nodes.push_back(std::move(n));
    }
    for (auto i : g.outputs)
        result.outputs.push_back(moved[i]);
    return result;
}

double unit_roundoff(shape::type_t t) {
    switch (t) {
    case shape::float_type:
        return 0x1p-24;
    case shape::double_type:
        return 0x1p-53;
    case shape::half_type:
        return 0x1p-11;
    case shape::bf16_type:
        return 0x1p-8;
    default:
        return 0;
    }
}

bool is_float(shape::type_t t) {
    return unit_roundoff(t) > 0;
}

double whole_limit(shape::type_t t) {
    return is_float(t) ? 0.25 / unit_roundoff(t) : 0x1p53;
}

bounds type_bounds(shape::type_t t) {
    if (t == shape::bool_type)
        return {0, 1, 0, true};
    bounds b;
    shape::visit(t, [&](auto as) {
        b = {static_cast<double>(as.min()), static_cast<double>(as.max()), 0, true};
    });
    return b;
}

} // namespace fuzz
