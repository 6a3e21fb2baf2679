// SPDX-License-Identifier: MIT
// If and Loop, and what Scan shares with them.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_control.hpp"
#include "ir/constant_value.hpp"
#include "ir/shape_rules.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>
#include <limits>
#include <optional>

namespace migraphx::onnx {

instructions results_of(node_reader& n, instruction_ref tuple) {
    instructions result;
    for (std::size_t i = 0; i < tuple->get_shape().sub_shapes().size(); i++)
        result.push_back(n.add(make_op("get_tuple_elem", {{"index", i}}), {tuple}));
    return result;
}

instruction_ref plain_state(node_reader& n, instruction_ref x) {
    const auto& s = x->get_shape();
    return node_reader::is_scalar(s) or s.dynamic() or s.standard() ? x : n.add("contiguous", x);
}

instruction_ref int64_scalar(node_reader& n, int64_t v) {
    return n.literal(migraphx::literal{shape{shape::int64_type}, std::vector<int64_t>{v}});
}

instructions stacked_scalars(node_reader& n, module_ref body, std::size_t states,
                             instructions results) {
    const auto outputs = body->get_output_shapes();
    for (auto i = states; i < results.size(); i++)
        if (node_reader::is_scalar(outputs[i + 1]))
            results[i] = n.add(make_op("squeeze", {{"axes", {1}}}), {results[i]});
    return results;
}

namespace {

// The shape of values of both. A dimension that an iteration changes may take any size in another
// one.
shape widened(const shape& before, const shape& after) {
    if (before.is_sequence() and after.is_sequence() and not before.element().is_absent())
        return shape::sequence(widened(before.element(), after.element()));
    const auto both = joined_shape(before, after);
    if (before.type() == shape::tuple_type or not before.has_rank() or not both.has_rank())
        return both;
    auto dims = dims_of(demote_to_range(both));
    const auto old = dims_of(demote_to_range(before));
    if (dims == old)
        return before;
    for (std::size_t i = 0; i < dims.size(); i++)
        if (not(dims[i] == old[i]))
            dims[i] = {0, std::numeric_limits<std::size_t>::max()};
    return {both.type(), dims};
}

} // namespace

module_ref settled_body(node_reader& n, std::vector<shape> states,
                        const std::function<module_ref(const std::vector<shape>&)>& read) {
    // Each round widens a dimension, a rank or an element of every state that still changes.
    constexpr int most_rounds = 8;
    for (int round = 0; round < most_rounds; round++) {
        auto* m = read(states);
        const auto outputs = m->get_output_shapes();
        auto next = states;
        for (std::size_t i = 0; i < states.size(); i++)
            next[i] = with_context(
                [&] { return widened(states[i], outputs.at(i + 1)); },
                [&] { return str("for state ", i, " before and after an iteration"); });
        if (next == states)
            return m;
        states = std::move(next);
    }
    n.unsupported(str("states whose shapes settle within ", most_rounds,
                      " readings of the body were expected, got others"));
}

bool is_always_true(instruction_ref condition, instruction_ref running) {
    while (condition->name() == "identity")
        condition = condition->inputs().front();
    if (condition == running)
        return true;
    const auto v = constant_value(condition);
    return v and v->get_shape().elements() == 1 and v->at<bool>();
}

namespace {

using ints = std::vector<int64_t>;

constexpr int64_t most_counted = std::numeric_limits<int32_t>::max();

bool other_ranks(module_ref a, module_ref b) {
    const auto x = a->get_output_shapes(), y = b->get_output_shapes();
    return not std::equal(x.begin(), x.end(), y.begin(), y.end(), [](const auto& s, const auto& t) {
        return not s.has_rank() or not t.has_rank() or s.ndim() == t.ndim();
    });
}

bool squeezes(const graph& g) {
    return std::any_of(g.nodes.begin(), g.nodes.end(),
                       [](const auto& x) { return x.op_type == "Squeeze"; });
}

// A branch that does not fit the shapes of this model, in place of which `error` is raised.
module_ref impossible_branch(node_reader& n, const std::string& name, module_ref other,
                             const std::string& error) {
    auto* m = n.whole().new_module(name);
    instructions outputs;
    for (const auto& s : other->get_output_shapes())
        outputs.push_back(m->add_instruction(
            make_op("unreachable", {{"shape", to_value(s)}, {"message", error}}), instructions{}));
    m->add_return(outputs);
    return m;
}

// Both branches. Of a model with fixed sizes one may be impossible; that is an error when it is
// taken.
std::pair<module_ref, module_ref> read_branches(node_reader& n, const std::string& name,
                                                const graph& yes, const graph& no) {
    auto& whole = n.whole();
    std::string errors[2];
    module_ref modules[2] = {nullptr, nullptr};
    for (int i = 0; i < 2; i++) {
        try {
            modules[i] = whole.read_subgraph(i == 0 ? yes : no, name + (i == 0 ? "_then" : "_else"),
                                             whole.current());
        } catch (const exception& e) {
            if (e.category() != error_kind::invalid_argument or (i == 1 and modules[0] == nullptr))
                throw;
            errors[i] = e.what();
        }
    }
    for (int i = 0; i < 2; i++)
        if (modules[i] == nullptr)
            modules[i] = impossible_branch(n, name + "_never", modules[1 - i], errors[i]);
    return {modules[0], modules[1]};
}

instructions read_if(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto& yes = n.subgraph("then_branch");
    const auto& no = n.subgraph("else_branch");
    auto& whole = n.whole();
    if (const auto condition = n.constant_ints(0)) {
        if (condition->size() != 1)
            n.malformed(str("a condition of one element was expected, got ", n.shape_of(0)));
        return whole.read_inline(n.mod(), condition->front() != 0 ? yes : no);
    }
    const std::string name = n.mod().name() + "_if";
    auto [first, second] = read_branches(n, name, yes, no);
    // Exporters squeeze a dimension "if it is 1", though the rest of the model fits that rank only.
    // The squeeze itself fails where the condition would not hold. Other branches give an unranked
    // result.
    if (other_ranks(first, second)) {
        const bool taken = squeezes(yes);
        if (taken != squeezes(no))
            return whole.read_inline(n.mod(), taken ? yes : no);
    }
    return results_of(n, n.add(make_op("if"), {n.input(0)}, {first, second}));
}

// Inputs: trip count, condition, state…; body (iteration, condition, state…) → (condition, state…,
// scans…).
instructions read_loop(node_reader& n) {
    const auto& body = n.subgraph("body");
    if (body.inputs.size() < 2)
        n.malformed(str("a body with at least 2 inputs was expected, got ", body.inputs.size()));
    const auto states = body.inputs.size() - 2;
    n.expect_inputs(std::min<std::size_t>(n.input_count(), 2), states + 2);
    if (n.input_count() != states + 2 and states > 0)
        n.malformed(str(states + 2, " inputs were expected for the body, got ", n.input_count()));
    const auto& options = n.options();
    int64_t most = options.limit_max_iterations;
    instruction_ref trips = int64_scalar(n, std::numeric_limits<int64_t>::max());
    std::optional<int64_t> known_trips;
    if (n.has(0)) {
        trips = n.convert(n.input(0), shape::int64_type);
        if (const auto count = n.constant_ints(0); count and count->size() == 1) {
            known_trips = std::max<int64_t>(count->front(), 0);
            most = std::min(most, *known_trips);
        }
    }
    // The caller's own bound ends loops of unknown length early; limit_max_iterations is an error.
    if (not known_trips and options.max_loop_iterations != onnx_options{}.max_loop_iterations) {
        trips = n.add_common("min", {trips, int64_scalar(n, options.max_loop_iterations)});
        most = std::min(most, options.max_loop_iterations);
    }
    const auto condition =
        n.has(1) ? n.convert(n.input(1), shape::bool_type)
                 : n.literal(migraphx::literal{shape{shape::bool_type}, std::vector<int>{1}});
    instructions in{trips, condition};
    std::vector<shape> state_shapes;
    for (std::size_t i = 0; i < states; i++) {
        in.push_back(plain_state(n, n.input(i + 2)));
        state_shapes.push_back(in.back()->get_shape());
    }
    auto& whole = n.whole();
    auto* m = settled_body(n, state_shapes, [&](const std::vector<shape>& now) {
        std::vector<shape> parameters{shape{shape::int64_type}, condition->get_shape()};
        parameters.insert(parameters.end(), now.begin(), now.end());
        auto* read =
            whole.read_subgraph(body, n.mod().name() + "_loop", whole.current(), parameters);
        // A state that begins as an optional may go on as what it holds.
        auto returns = read->get_returns();
        for (std::size_t i = 0; i < std::min(now.size(), returns.size() - 1); i++)
            if (now[i].is_optional() and not returns[i + 1]->get_shape().is_optional())
                returns[i + 1] = read->insert_instruction(read->insert_end(), make_op("optional"),
                                                          returns[i + 1]);
        read->replace_return(returns);
        return read;
    });
    const auto runs = n.has(1) ? n.constant_ints(1) : ints{1};
    const bool unconditional =
        runs and runs->size() == 1 and runs->front() != 0 and
        is_always_true(m->get_returns().front(), m->get_parameter(m->get_parameter_names()[1]));
    // A constant count is its own bound; what a run decides may be endless.
    const bool counted = known_trips and *known_trips <= most_counted and unconditional;
    const auto loop = n.add(make_op(counted ? "loop" : "loop_dynamic",
                                    {{"max_iterations", counted ? *known_trips : most}}),
                            in, {m});
    return stacked_scalars(n, m, states, results_of(n, loop));
}

const operators control_operators{{"If", read_if}, {"Loop", read_loop}};

} // namespace

} // namespace migraphx::onnx
