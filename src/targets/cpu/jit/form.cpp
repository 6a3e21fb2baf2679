// SPDX-License-Identifier: MIT
// Makes the form of a nest, and its key.

#include "targets/cpu/jit/form.hpp"

#include <algorithm>

namespace migraphx::cpu {
namespace {

// Raised when generated code for the same form changes.
constexpr char generator_version = 3;

jit_stream stream_of(const codegen::nest_access& a) {
    const int64_t stride = a.strides.back();
    return {vm_type(a.type), stride == 0   ? jit_stride::none
                             : stride == 1 ? jit_stride::unit
                                           : jit_stride::other,
            a.gathered ? a.gathered->input : -1};
}

// Leaves out what no store needs.
vm_graph live_part(vm_graph g) {
    std::vector<int> number(g.nodes.size(), -1);
    for (const vm_store& s : g.stores)
        number[std::size_t(s.node)] = 0;
    for (std::size_t i = g.nodes.size(); i-- > 0;)
        if (number[i] == 0)
            for (int o : g.nodes[i].operands)
                number[std::size_t(o)] = 0;
    std::vector<vm_node> kept;
    for (std::size_t i = 0; i < g.nodes.size(); ++i) {
        if (number[i] < 0)
            continue;
        for (int& o : g.nodes[i].operands)
            o = number[std::size_t(o)];
        number[i] = int(kept.size());
        kept.push_back(std::move(g.nodes[i]));
    }
    for (vm_store& s : g.stores)
        s.node = number[std::size_t(s.node)];
    g.nodes = std::move(kept);
    return g;
}

} // namespace

jit_form make_form(const codegen::nest& simplified, vm_graph graph, isa level) {
    jit_form f;
    f.level = level;
    for (const auto& a : simplified.inputs)
        f.streams.push_back(stream_of(a));
    for (const auto& o : simplified.outputs)
        f.streams.push_back(stream_of(o.access));
    f.graph = live_part(std::move(graph));
    f.vectors = vectors_at_once(f.graph);
    return f;
}

std::string form_key(const jit_form& f) {
    std::string key;
    const auto put = [&](auto v) { key.push_back(char(v)); };
    const auto put_number = [&](std::size_t v) {
        put(v & 0xff);
        put(v >> 8);
    };
    put(generator_version);
    put(f.level);
    put_number(f.streams.size());
    for (const jit_stream& s : f.streams) {
        put(s.type);
        put(s.stride);
        put_number(std::size_t(s.table + 1));
    }
    put_number(f.graph.nodes.size());
    for (const vm_node& v : f.graph.nodes) {
        put(v.what);
        put(v.cls);
        put(v.rate);
        put(v.function.family);
        put(v.function.code);
        put_number(std::size_t(v.input + 1));
        put_number(v.operands.size());
        for (int o : v.operands)
            put_number(std::size_t(o));
        put_number(v.steps.size());
        for (const chain_step& s : v.steps) {
            put(s.op);
            put(s.x);
            put(s.y);
        }
    }
    for (const vm_store& s : f.graph.stores) {
        put_number(std::size_t(s.node));
        put(s.saturating);
        put(s.folds == nullptr ? -1 : int(s.fold));
    }
    return key;
}

} // namespace migraphx::cpu
