// SPDX-License-Identifier: MIT
// If, Loop, Scan.
#include <migraphx/make_op.hpp>

#include "import/onnx/importer.hpp"

#include <algorithm>
#include <limits>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

instructions results_of(node_reader& n, instruction_ref tuple) {
    instructions result;
    for (std::size_t i = 0; i < tuple->get_shape().sub_shapes().size(); i++)
        result.push_back(n.add(make_op("get_tuple_elem", {{"index", i}}), {tuple}));
    return result;
}

bool other_ranks(module_ref a, module_ref b) {
    const auto x = a->get_output_shapes(), y = b->get_output_shapes();
    return not std::equal(x.begin(), x.end(), y.begin(), y.end(),
                          [](const auto& s, const auto& t) { return s.ndim() == t.ndim(); });
}

bool squeezes(const graph& g) {
    return std::any_of(g.nodes.begin(), g.nodes.end(), [](const auto& x) { return x.op_type == "Squeeze"; });
}

// A branch that does not fit the shapes of this model, in place of which `error` is raised.
module_ref impossible_branch(node_reader& n, const std::string& name, module_ref other, const std::string& error) {
    auto* m = n.whole().new_module(name);
    instructions outputs;
    for (const auto& s : other->get_output_shapes())
        outputs.push_back(m->add_instruction(make_op("unreachable", {{"shape", to_value(s)}, {"message", error}}), instructions{}));
    m->add_return(outputs);
    return m;
}

// Both branches. Of a model with fixed sizes one may be impossible; that is an error when it is taken.
std::pair<module_ref, module_ref> read_branches(node_reader& n, const std::string& name, const graph& yes, const graph& no) {
    auto& whole = n.whole();
    std::string errors[2];
    module_ref modules[2] = {nullptr, nullptr};
    for (int i = 0; i < 2; i++) {
        try {
            modules[i] = whole.read_subgraph(i == 0 ? yes : no, name + (i == 0 ? "_then" : "_else"), whole.current());
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
    // Exporters squeeze a dimension "if it is 1", though the rest of the model fits that rank only. The
    // squeeze itself fails where the condition would not hold.
    if (other_ranks(first, second)) {
        const bool taken = squeezes(yes);
        if (taken == squeezes(no))
            n.unsupported("branches with results of equal rank were expected for a condition of a run, got other ranks");
        return whole.read_inline(n.mod(), taken ? yes : no);
    }
    return results_of(n, n.add(make_op("if"), {n.input(0)}, {first, second}));
}

// Values of stride 0 would pass for scalars or for views inside of the body.
instruction_ref plain_state(node_reader& n, instruction_ref x) {
    const auto& s = x->get_shape();
    return node_reader::is_scalar(s) or s.dynamic() or s.standard() ? x : n.add("contiguous", x);
}

instruction_ref int64_scalar(node_reader& n, int64_t v) {
    return n.literal(migraphx::literal{shape{shape::int64_type}, ints{v}});
}

// Scan outputs without dimensions stack to vectors.
instructions stacked_scalars(node_reader& n, module_ref body, std::size_t states, instructions results) {
    const auto outputs = body->get_output_shapes();
    for (auto i = states; i < results.size(); i++)
        if (node_reader::is_scalar(outputs[i + 1]))
            results[i] = n.add(make_op("squeeze", {{"axes", ints{1}}}), {results[i]});
    return results;
}

// Inputs: trip count, condition, state…; body (iteration, condition, state…) → (condition, state…, scans…).
instructions read_loop(node_reader& n) {
    const auto& body = n.subgraph("body");
    if (body.inputs.size() < 2)
        n.malformed(str("a body with at least 2 inputs was expected, got ", body.inputs.size()));
    const auto states = body.inputs.size() - 2;
    n.expect_inputs(std::min<std::size_t>(n.input_count(), 2), states + 2);
    if (n.input_count() != states + 2 and states > 0)
        n.malformed(str(states + 2, " inputs were expected for the body, got ", n.input_count()));
    const auto& options = n.options();
    // The default bound of unknown counts would cut loops short without a word.
    int64_t most = options.max_loop_iterations == onnx_options{}.max_loop_iterations ? options.limit_max_iterations
                                                                                   : options.max_loop_iterations;
    instruction_ref trips = int64_scalar(n, std::numeric_limits<int64_t>::max());
    if (n.has(0)) {
        trips = n.convert(n.input(0), shape::int64_type);
        if (const auto count = n.constant_ints(0); count and count->size() == 1)
            most = std::clamp<int64_t>(count->front(), 0, options.limit_max_iterations);
    }
    const auto condition =
        n.has(1) ? n.convert(n.input(1), shape::bool_type)
                 : n.literal(migraphx::literal{shape{shape::bool_type}, std::vector<int>{1}});
    instructions in{trips, condition};
    for (std::size_t i = 0; i < states; i++)
        in.push_back(plain_state(n, n.input(i + 2)));
    auto inner = in;
    inner[0] = int64_scalar(n, 0);
    auto& whole = n.whole();
    auto* m = whole.read_subgraph(body, n.mod().name() + "_loop", whole.current(), inner);
    const auto loop = n.add(make_op("loop_dynamic", {{"max_iterations", most}}), in, {m});
    return stacked_scalars(n, m, states, results_of(n, loop));
}

// One step of a sequence for each iteration. Inputs: state…, sequences…; body (state…, elements…) →
// (state…, scan elements…).
struct scan_node {
    std::size_t states, sequences, scans;
    ints input_axes, output_axes, input_directions, output_directions;
};

ints scan_values(node_reader& n, const char* name, std::size_t count) {
    auto v = n.integers(name);
    if (v.empty())
        v.assign(count, 0);
    if (v.size() != count)
        n.malformed(str(name, ": ", count, " values were expected, got ", v.size()));
    return v;
}

scan_node read_scan_attributes(node_reader& n, const graph& body) {
    scan_node s;
    const auto sequences = n.integer("num_scan_inputs");
    if (sequences < 1 or std::size_t(sequences) > n.input_count() or n.input_count() != body.inputs.size())
        n.malformed(str("num_scan_inputs of 1 to ", n.input_count(), " and as many inputs as the body has were expected, got ",
                        sequences, " and ", n.input_count(), " for ", body.inputs.size()));
    s.sequences = std::size_t(sequences);
    s.states = n.input_count() - s.sequences;
    if (body.outputs.size() < s.states)
        n.malformed(str("a body with at least ", s.states, " outputs was expected, got ", body.outputs.size()));
    s.scans = body.outputs.size() - s.states;
    s.input_axes = scan_values(n, "scan_input_axes", s.sequences);
    s.output_axes = scan_values(n, "scan_output_axes", s.scans);
    s.input_directions = scan_values(n, "scan_input_directions", s.sequences);
    s.output_directions = scan_values(n, "scan_output_directions", s.scans);
    return s;
}

// The scan becomes a loop whose body picks its elements by the iteration.
instructions read_scan(node_reader& n) {
    if (n.opset() < 9)
        n.unsupported("opset 9 or later was expected");
    const auto& body = n.subgraph("body");
    auto s = read_scan_attributes(n, body);
    auto& whole = n.whole();
    instructions in, elements;
    std::size_t steps = 0;
    instruction_ref length;
    for (std::size_t i = 0; i < s.sequences; i++) {
        const auto x = n.input(s.states + i);
        const auto& shape_x = x->get_shape();
        const auto axis = n.axis(s.input_axes[i], shape_x.ndim());
        s.input_axes[i] = int64_t(axis);
        if (i == 0) {
            steps = shape_x.max_lens()[axis];
            if (shape_x.dynamic() and shape_x.min_lens()[axis] != steps)
                length = n.add(make_op("squeeze", {{"axes", {0}}}),
                               {n.add(make_op("dimensions_of", {{"start", axis}, {"end", axis + 1}}), {x})});
            else
                length = int64_scalar(n, int64_t(steps));
        } else if (not shape_x.dynamic() and not n.shape_of(s.states).dynamic() and shape_x.lens()[axis] != steps)
            n.malformed(str("sequences of ", steps, " steps were expected, got ", shape_x.lens()[axis]));
    }
    const auto yes = n.literal(migraphx::literal{shape{shape::bool_type}, std::vector<int>{1}});
    in = {length, yes};
    for (std::size_t i = 0; i < s.states; i++)
        in.push_back(plain_state(n, n.input(i)));
    // The module: parameters iteration, condition, state…; the sequences are captured.
    auto* m = whole.new_module(n.mod().name() + "_scan");
    const auto iteration = m->insert_parameter(m->end(), "scan_iteration", shape{shape::int64_type});
    const auto running = m->insert_parameter(m->end(), "scan_condition", shape{shape::bool_type});
    scope names{&whole.current()};
    for (std::size_t i = 0; i < s.states; i++)
        names.set(body.inputs[i].name,
                  m->insert_parameter(m->end(), std::string(body.inputs[i].name), in[i + 2]->get_shape()));
    for (std::size_t i = 0; i < s.sequences; i++) {
        const auto axis = s.input_axes[i];
        const auto x = n.input(s.states + i);
        const bool backwards = s.input_directions[i] != 0;
        if (x->get_shape().dynamic()) {
            auto index = iteration;
            if (backwards) {
                const auto last = m->add_instruction(make_op("sub"), instructions{length, int64_scalar(n, 1)});
                index = m->add_instruction(make_op("sub"), instructions{last, iteration});
            }
            names.set(body.inputs[s.states + i].name, m->add_instruction(make_op("gather", {{"axis", axis}}), instructions{x, index}));
            continue;
        }
        const auto piece = m->add_instruction(make_op("scan_slice", {{"axis", axis}, {"direction", s.input_directions[i]}}),
                                              instructions{x, iteration});
        names.set(body.inputs[s.states + i].name,
                  m->add_instruction(make_op("squeeze", {{"axes", ints{axis}}}), instructions{piece}));
    }
    auto outputs = whole.read_subgraph_body(*m, body, names);
    outputs.insert(outputs.begin(), running);
    m->add_return(outputs);
    const auto loop = n.add(make_op("loop_dynamic", {{"max_iterations", steps}, {"scan_output_directions", s.output_directions}}), in, {m});
    auto results = stacked_scalars(n, m, s.states, results_of(n, loop));
    // Scan outputs are stacked in front; other axes are moved there.
    for (std::size_t i = 0; i < s.scans; i++) {
        auto& y = results[s.states + i];
        const auto rank = y->get_shape().ndim();
        const auto axis = n.axis(s.output_axes[i], rank);
        if (axis == 0)
            continue;
        ints perm;
        for (std::size_t d = 1; d < rank; d++)
            perm.push_back(int64_t(d));
        perm.insert(perm.begin() + std::ptrdiff_t(axis), 0);
        y = n.add(make_op("transpose", {{"permutation", perm}}), {y});
    }
    return results;
}

const operators control_operators{{"If", read_if}, {"Loop", read_loop}, {"Scan", read_scan}};

} // namespace

} // namespace migraphx::onnx
