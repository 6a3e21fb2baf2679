// SPDX-License-Identifier: MIT
// Calls of library functions, branches and loops.
#include "import/tf/importer.hpp"
#include "import/tf/loops.hpp"

#include <migraphx/make_op.hpp>

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

instructions read_while(node_reader& n) {
    const auto condition = function_name(n, "cond"), body = function_name(n, "body");
    auto& whole = n.whole();
    return build_loop(
        n, n.inputs(),
        {[&](module& m, const instructions& state) {
             const auto results = whole.call(m, condition, state);
             if (results.size() != 1)
                 n.malformed(str("a condition with one result was expected, got ", results.size()));
             return results[0];
         },
         [&](module& m, const instructions& state) { return whole.call(m, body, state); }});
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
