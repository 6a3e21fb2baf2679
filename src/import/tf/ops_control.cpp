// SPDX-License-Identifier: MIT
// Calls of library functions, branches and loops.
#include "import/tf/importer.hpp"

#include <migraphx/make_op.hpp>

#include <limits>

namespace migraphx::tf {

namespace {

std::string_view function_name(const node_reader& n, const char* attribute) {
    const auto& a = n.get(attribute);
    if (a.functions.empty())
        n.malformed(str("attribute \"", attribute, "\": a function was expected"));
    return a.functions.back().name;
}

instructions read_call(node_reader& n) {
    return n.whole().call(n.mod(), function_name(n, "f"), n.inputs());
}

instruction_ref undefined(const node_reader& n) {
    return n.add("undefined");
}

// (false, true): the data on the side that the condition names, nothing on the other.
instructions read_switch(node_reader& n) {
    n.expect_inputs(2);
    const bool taken = n.constant_int(1, "condition") != 0;
    return taken ? instructions{undefined(n), n.input(0)} : instructions{n.input(0), undefined(n)};
}

// The one input that there is, and its number.
instructions read_merge(node_reader& n) {
    for (std::size_t i = 0; i < n.input_count(); i++)
        if (n.input(i)->name() != "undefined")
            return {n.input(i), n.scalar(shape::int32_type, double(i))};
    return {undefined(n)};
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

instructions read_if(node_reader& n) {
    if (n.input_count() == 0)
        n.malformed("a condition was expected, got no inputs");
    const auto then_name = function_name(n, "then_branch"),
               else_name = function_name(n, "else_branch");
    const instructions arguments(n.inputs().begin() + 1, n.inputs().end());
    if (const auto known = n.find_constant(0); known and known->get_shape().elements() == 1)
        return n.whole().call(
            n.mod(), known->to_vector<double>().at(0) != 0 ? then_name : else_name, arguments);
    const auto branch = [&](std::string_view name, const char* suffix) {
        auto* m = new_module(n, n.mod().name() + suffix);
        finish_module(*m, n.whole().call(*m, name, arguments));
        return m;
    };
    const auto condition = condition_of(n, n.input(0));
    auto* yes = branch(then_name, "_if");
    auto* no = branch(else_name, "_else");
    return parts_of(n, n.add(make_op("if"), {condition}, {yes, no}));
}

// while(condition(state)) state = body(state). The engine's loop tests a value that the body gives,
// so the body ends with the condition of the next turn.
instructions read_while(node_reader& n) {
    const auto condition_name = function_name(n, "cond"), body_name = function_name(n, "body");
    auto& whole = n.whole();
    const auto first = whole.call(n.mod(), condition_name, n.inputs());
    if (first.size() != 1)
        n.malformed(str("a condition with one result was expected, got ", first.size()));
    auto* m = new_module(n, n.mod().name() + "_while");
    m->insert_parameter(m->end(), "while_iteration", shape{shape::int64_type});
    m->insert_parameter(m->end(), "while_condition", shape{shape::bool_type});
    const auto most = std::numeric_limits<int64_t>::max();
    instructions in{n.literal(migraphx::literal{shape{shape::int64_type}, ints{most}}),
                    condition_of(n, first[0])},
        state;
    for (std::size_t i = 0; i < n.input_count(); i++) {
        const auto x = n.input(i);
        const auto& s = x->get_shape();
        in.push_back(graph_builder::is_scalar(s) or s.dynamic() or s.standard()
                         ? x
                         : n.add("contiguous", x));
        state.push_back(m->insert_parameter(m->end(), "while_state_" + std::to_string(i),
                                            in.back()->get_shape()));
    }
    auto results = whole.call(*m, body_name, state);
    if (results.size() != state.size())
        n.malformed(
            str("a body with ", state.size(), " results was expected, got ", results.size()));
    for (std::size_t i = 0; i < results.size(); i++)
        if (results[i]->get_shape().type() != state[i]->get_shape().type() or
            node_reader::rank(results[i]) != node_reader::rank(state[i]))
            n.unsupported(str("a state that keeps its shape was expected, got ",
                              state[i]->get_shape(), " and then ", results[i]->get_shape()));
    const auto again = whole.call(*m, condition_name, results);
    const node_reader inside(whole, *m, n.get_node(), {});
    instructions outputs{condition_of(inside, again.at(0))};
    outputs.insert(outputs.end(), results.begin(), results.end());
    finish_module(*m, outputs);
    constexpr int64_t limit = std::numeric_limits<std::int32_t>::max();
    auto last = parts_of(n, n.add(make_op("loop_dynamic", {{"max_iterations", limit}}), in, {m}));
    for (std::size_t i = 0; i < last.size(); i++)
        if (graph_builder::is_scalar(in[i + 2]->get_shape()))
            last[i] = n.to_scalar(last[i]);
    return last;
}

const operators control_operators{
    {"PartitionedCall", read_call},
    {"StatefulPartitionedCall", read_call},
    {"Switch", read_switch, "constant condition", {"output_false", "output_true"}},
    {"RefSwitch", read_switch, "constant condition", {"output_false", "output_true"}},
    {"Merge", read_merge, "after a Switch of constant condition", {"output", "value_index"}},
    {"If", read_if},
    {"StatelessIf", read_if},
    {"While", read_while, "a state of fixed shapes"},
    {"StatelessWhile", read_while, "a state of fixed shapes"}};

} // namespace

} // namespace migraphx::tf
