// SPDX-License-Identifier: MIT
#include "import/tf/loops.hpp"
#include "import/tf/importer.hpp"

#include <migraphx/make_op.hpp>

#include <algorithm>
#include <limits>

namespace migraphx::tf {

namespace {

const node* find_node(const node_index& by_name, std::string_view reference) {
    const auto it = by_name.find(parse_value_name(reference).node);
    return it == by_name.end() ? nullptr : it->second;
}

std::string_view frame_of(const node& enter) {
    const auto* a = enter.find("frame_name");
    return a == nullptr or a->texts.empty() ? std::string_view{} : a->texts.back();
}

// The parts of a circle; none when the nodes are no loop.
bool read_variable(const node& turn, const node_index& by_name, loop_variable& v) {
    v.turn = &turn;
    v.merge = find_node(by_name, turn.inputs[0]);
    if (v.merge == nullptr or v.merge->op_type != "Merge")
        return false;
    for (auto input : v.merge->inputs) {
        const auto* n = find_node(by_name, input);
        if (n == nullptr or n->inputs.empty())
            return false;
        if (n->op_type == "Enter")
            v.first = n->inputs[0];
        else if (n->op_type == "NextIteration")
            v.next = n->inputs[0];
    }
    return not v.first.empty() and not v.next.empty();
}

} // namespace

loop_table::loop_table(const std::vector<node>& nodes, const node_index& by_name) {
    const auto condition_node = [&](const node& n) -> const node* {
        if (n.op_type != "Switch" or n.inputs.size() < 2)
            return nullptr;
        const auto* c = find_node(by_name, n.inputs[1]);
        return c != nullptr and c->op_type == "LoopCond" and not c->inputs.empty() ? c : nullptr;
    };
    std::map<const node*, std::pair<std::string_view, std::size_t>> turns;
    std::map<std::string_view, std::vector<const node*>> frames;
    for (const auto& n : nodes) {
        if (n.op_type == "Enter" and not n.inputs.empty())
            frames[frame_of(n)].push_back(&n);
        const auto* c = condition_node(n);
        loop_variable v;
        if (c == nullptr or not read_variable(n, by_name, v))
            continue;
        auto& loop = loops[c->name];
        loop.condition = c->inputs[0];
        turns[&n] = {c->name, loop.variables.size()};
        loop.variables.push_back(v);
    }
    for (const auto& n : nodes) {
        if (n.op_type != "Exit" or n.inputs.empty())
            continue;
        const auto it = turns.find(find_node(by_name, n.inputs[0]));
        if (it == turns.end())
            continue;
        auto& loop = loops[it->second.first];
        loop.variables[it->second.second].exit = &n;
        by_exit[n.name] = &loop;
    }
    for (auto& [name, loop] : loops) {
        std::vector<const node*> used;
        for (const auto& v : loop.variables)
            for (auto input : v.merge->inputs)
                used.push_back(find_node(by_name, input));
        const auto* first = *std::find_if(used.begin(), used.end(),
                                          [](const node* n) { return n->op_type == "Enter"; });
        for (const auto* n : frames[frame_of(*first)])
            if (std::find(used.begin(), used.end(), n) == used.end())
                loop.constants.push_back(n);
    }
}

const graph_loop* loop_table::find(const node& exit) const {
    const auto it = by_exit.find(exit.name);
    return it == by_exit.end() ? nullptr : it->second;
}

instructions parts_of(const node_reader& n, instruction_ref x) {
    if (x->get_shape().type() != shape::tuple_type)
        return {x};
    instructions result;
    for (std::size_t i = 0; i < x->get_shape().sub_shapes().size(); i++)
        result.push_back(n.add(make_op("get_tuple_elem", {{"index", i}}), {x}));
    return result;
}

module_ref new_module(const node_reader& n, const std::string& name) {
    auto& p = n.whole().get_program();
    auto unique = name;
    for (int i = 1; p.get_module(unique) != nullptr; i++)
        unique = name + "_" + std::to_string(i);
    return p.create_module(unique);
}

// A result from outside of the module becomes one of its own, without strides that pass for another
// shape.
void finish_module(module& m, instructions results) {
    for (auto& r : results) {
        if (not m.has_instruction(r) or r->name() == "@param" or r->name() == "@literal")
            r = m.add_instruction(make_op("identity"), r);
        if (const auto& s = r->get_shape();
            not s.dynamic() and not graph_builder::is_scalar(s) and not s.standard())
            r = m.add_instruction(make_op("contiguous"), r);
    }
    m.add_return(results);
}

instruction_ref condition_of(const node_reader& n, instruction_ref x) {
    if (x->get_shape().dynamic() or x->get_shape().elements() != 1)
        n.unsupported(str("a condition of one element was expected, got ", x->get_shape()));
    // Numbers are true unless they are 0.
    const auto t = x->get_shape().type();
    const auto flag = t == shape::bool_type ? x : n.negate(n.compare("equal", x, n.scalar(t, 0)));
    return n.to_scalar(flag);
}

namespace {

bool same_kind(instruction_ref a, instruction_ref b) {
    return a->get_shape().type() == b->get_shape().type() and
           node_reader::rank(a) == node_reader::rank(b);
}

bool same_dims(instruction_ref a, instruction_ref b) {
    const auto &s = a->get_shape(), &t = b->get_shape();
    return s.dynamic() or t.dynamic() or s.lens() == t.lens();
}

// Elements of 0 with the shape that a list was found to have.
instruction_ref empty_list(const node_reader& n, instruction_ref like) {
    return n.contiguous(n.broadcast_to(n.scalar(like->get_shape().type(), 0), n.dims(like)));
}

} // namespace

// The engine's loop tests a value that the body gives, so the body ends with the condition of the
// next turn.
instructions build_loop(const node_reader& n, instructions state, const loop_parts& parts) {
    for (auto& x : state)
        if (const auto& s = x->get_shape();
            not graph_builder::is_scalar(s) and not s.dynamic() and not s.standard())
            x = n.add("contiguous", x);
    module_ref m = nullptr;
    instructions results, inner;
    for (bool again = true; again;) {
        again = false;
        m = new_module(n, n.mod().name() + "_while");
        m->insert_parameter(m->end(), "while_iteration", shape{shape::int64_type});
        m->insert_parameter(m->end(), "while_condition", shape{shape::bool_type});
        inner.clear();
        for (std::size_t i = 0; i < state.size(); i++)
            inner.push_back(m->insert_parameter(m->end(), "while_state_" + std::to_string(i),
                                                state[i]->get_shape()));
        results = parts.step(*m, inner);
        if (results.size() != state.size())
            n.malformed(
                str("a body with ", state.size(), " results was expected, got ", results.size()));
        for (std::size_t i = 0; i < state.size(); i++) {
            if (same_kind(results[i], state[i]) and same_dims(results[i], state[i]))
                continue;
            if (not n.whole().is_open_list(state[i]))
                n.unsupported(str("a state that keeps its shape was expected, got ",
                                  state[i]->get_shape(), " and then ", results[i]->get_shape()));
            state[i] = empty_list(n, results[i]);
            again = true;
        }
    }
    const node_reader inside(n.whole(), *m, n.get_node(), {});
    instructions outputs{condition_of(inside, parts.condition(*m, results))};
    outputs.insert(outputs.end(), results.begin(), results.end());
    finish_module(*m, outputs);
    constexpr auto most = std::numeric_limits<int64_t>::max();
    instructions in{n.literal(migraphx::literal{shape{shape::int64_type}, ints{most}}),
                    condition_of(n, parts.condition(n.mod(), state))};
    in.insert(in.end(), state.begin(), state.end());
    constexpr int64_t limit = std::numeric_limits<std::int32_t>::max();
    auto last = parts_of(n, n.add(make_op("loop_dynamic", {{"max_iterations", limit}}), in, {m}));
    for (std::size_t i = 0; i < last.size(); i++)
        if (graph_builder::is_scalar(state[i]->get_shape()))
            last[i] = n.to_scalar(last[i]);
    return last;
}

} // namespace migraphx::tf
