// SPDX-License-Identifier: MIT
// Scan: a loop whose body picks its elements of sequences by the iteration.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_control.hpp"

#include <numeric>
#include <optional>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

// Inputs: state…, sequences…; body (state…, elements…) → (state…, scan elements…).
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

scan_node read_counts(node_reader& n, const graph& body, std::size_t inputs) {
    scan_node s;
    const auto sequences = n.integer("num_scan_inputs");
    if (sequences < 1 or std::size_t(sequences) > inputs or inputs != body.inputs.size())
        n.malformed(str("num_scan_inputs of 1 to ", inputs,
                        " and as many inputs as the body has were expected, got ", sequences,
                        " and ", inputs, " for ", body.inputs.size()));
    s.sequences = std::size_t(sequences);
    s.states = inputs - s.sequences;
    if (body.outputs.size() < s.states)
        n.malformed(str("a body with at least ", s.states, " outputs was expected, got ",
                        body.outputs.size()));
    s.scans = body.outputs.size() - s.states;
    s.input_axes.assign(s.sequences, 0);
    s.output_axes = s.output_directions = ints(s.scans, 0);
    return s;
}

// Steps of the sequences: their number, or the most there can be and the instruction that tells.
struct scan_length {
    std::size_t most = 0;
    bool known = true;
    instruction_ref value;
};

scan_length length_of(node_reader& n, const scan_node& s) {
    scan_length length;
    for (std::size_t i = 0; i < s.sequences; i++) {
        const auto x = n.input(s.states + i);
        const auto& shape_x = x->get_shape();
        const auto axis = std::size_t(s.input_axes[i]);
        const bool known = shape_x.min_lens()[axis] == shape_x.max_lens()[axis];
        const auto steps = shape_x.max_lens()[axis];
        if (i == 0) {
            length.most = steps;
            length.known = known;
            length.value =
                known ? int64_scalar(n, int64_t(steps))
                      : n.add(make_op("squeeze", {{"axes", {0}}}),
                              {n.add(make_op("dimensions_of", {{"start", axis}, {"end", axis + 1}}),
                                     {x})});
        } else if (known and length.known and steps != length.most)
            n.malformed(str("sequences of ", length.most, " steps were expected, got ", steps));
    }
    return length;
}

// What the body sees of sequence `i`, of which `length` steps are used (`all`: as many as it has).
instruction_ref element_of(module& m, const scan_node& s, std::size_t i, instruction_ref x,
                           instruction_ref iteration, instruction_ref length, bool all) {
    const auto axis = s.input_axes[i];
    const bool backwards = s.input_directions[i] != 0;
    if (not x->get_shape().dynamic() and (all or not backwards)) {
        const auto piece = m.add_instruction(
            make_op("scan_slice", {{"axis", axis}, {"direction", backwards ? 1 : 0}}),
            instructions{x, iteration});
        return m.add_instruction(make_op("squeeze", {{"axes", ints{axis}}}), instructions{piece});
    }
    auto index = iteration;
    if (backwards) {
        const auto one = m.add_literal(literal{shape{shape::int64_type}, ints{1}});
        const auto last = m.add_instruction(make_op("sub"), instructions{length, one});
        index = m.add_instruction(make_op("sub"), instructions{last, iteration});
    }
    return m.add_instruction(make_op("gather", {{"axis", axis}}), instructions{x, index});
}

// The loop of a scan whose operands are the inputs of `n`; `limit`, if any, stops it earlier, and
// the rows of the scan outputs that are missing then are zero.
instructions scan_loop(node_reader& n, const graph& body, const scan_node& s,
                       std::optional<instruction_ref> limit = std::nullopt) {
    auto& whole = n.whole();
    const auto length = length_of(n, s);
    const auto running = n.literal(migraphx::literal{shape{shape::bool_type}, std::vector<int>{1}});
    instructions in{limit.value_or(length.value), running};
    std::vector<shape> states;
    for (std::size_t i = 0; i < s.states; i++) {
        in.push_back(plain_state(n, n.input(i)));
        states.push_back(in.back()->get_shape());
    }
    // The module: parameters iteration, condition, state…; the sequences are captured.
    auto* m = settled_body(n, states, [&](const std::vector<shape>& now) {
        auto* read = whole.new_module(n.mod().name() + "_scan");
        const auto iteration =
            read->insert_parameter(read->end(), "scan_iteration", shape{shape::int64_type});
        const auto condition =
            read->insert_parameter(read->end(), "scan_condition", shape{shape::bool_type});
        scope names{&whole.current()};
        for (std::size_t i = 0; i < s.states; i++)
            names.set(
                body.inputs[i].name,
                read->insert_parameter(read->end(), std::string(body.inputs[i].name), now[i]));
        for (std::size_t i = 0; i < s.sequences; i++)
            names.set(body.inputs[s.states + i].name, element_of(*read, s, i, n.input(s.states + i),
                                                                 iteration, in.front(), not limit));
        auto outputs = whole.read_subgraph_body(*read, body, names);
        outputs.insert(outputs.begin(), condition);
        for (auto& o : outputs)
            if (not read->has_instruction(o))
                o = read->add_instruction(make_op("identity"), o);
        read->add_return(outputs);
        return read;
    });
    if (limit and not length.known)
        n.unsupported(
            "sequence_lens with sequences of known length were expected, got an open one");
    const auto options =
        value{{"max_iterations", length.most}, {"scan_output_directions", s.output_directions}};
    const auto loop =
        n.add(make_op_from_value(length.known ? "loop" : "loop_dynamic", options), in, {m});
    return stacked_scalars(n, m, s.states, results_of(n, loop));
}

instructions read_scan(node_reader& n) {
    const auto& body = n.subgraph("body");
    auto s = read_counts(n, body, n.input_count());
    s.input_axes = scan_values(n, "scan_input_axes", s.sequences);
    s.output_axes = scan_values(n, "scan_output_axes", s.scans);
    s.input_directions = scan_values(n, "scan_input_directions", s.sequences);
    s.output_directions = scan_values(n, "scan_output_directions", s.scans);
    for (std::size_t i = 0; i < s.sequences; i++)
        s.input_axes[i] = int64_t(n.axis(s.input_axes[i], n.rank_of(s.states + i)));
    auto results = scan_loop(n, body, s);
    // Scan outputs are stacked in front; other axes are moved there.
    for (std::size_t i = 0; i < s.scans; i++) {
        auto& y = results[s.states + i];
        const auto rank = y->get_shape().ndim();
        const auto axis = n.axis(s.output_axes[i], rank);
        if (axis == 0)
            continue;
        ints perm(rank - 1);
        std::iota(perm.begin(), perm.end(), 1);
        perm.insert(perm.begin() + std::ptrdiff_t(axis), 0);
        y = n.add(make_op("transpose", {{"permutation", perm}}), {y});
    }
    return results;
}

// Opset 8: every operand has a batch in front of its other dimensions. The batch becomes a loop
// around the scan of each entry, whose final states and scan outputs are stacked.
instructions read_batched_scan(node_reader& n) {
    const auto& body = n.subgraph("body");
    if (n.input_count() < 2)
        n.malformed(str("sequence_lens (may be left out) and operands were expected, got ",
                        n.input_count(), " inputs"));
    auto s = read_counts(n, body, n.input_count() - 1);
    s.input_directions = scan_values(n, "directions", s.sequences);
    const auto batch = n.known_size(n.input(1), 0);
    for (std::size_t i = 1; i < n.input_count(); i++)
        if (n.known_size(n.input(i), 0) != batch)
            n.malformed(
                str("operands of one batch size, ", batch, ", were expected, got ", n.shape_of(i)));

    auto& whole = n.whole();
    auto* m = whole.new_module(n.mod().name() + "_batch");
    const auto entry = m->insert_parameter(m->end(), "scan_entry", shape{shape::int64_type});
    const auto running = m->insert_parameter(m->end(), "scan_batch", shape{shape::bool_type});
    const auto of_entry = [&](instruction_ref x) {
        return m->add_instruction(make_op("gather", {{"axis", 0}}), instructions{x, entry});
    };
    instructions operands;
    for (std::size_t i = 1; i < n.input_count(); i++)
        operands.push_back(of_entry(n.input(i)));
    node_reader inner{whole, *m, n.get_node(), n.opset(), operands};
    std::optional<instruction_ref> limit;
    if (n.has(0))
        limit = inner.convert(of_entry(n.input(0)), shape::int64_type);
    auto outputs = scan_loop(inner, body, s, limit);
    outputs.insert(outputs.begin(), running);
    m->add_return(outputs);
    const auto yes = n.literal(migraphx::literal{shape{shape::bool_type}, std::vector<int>{1}});
    const auto loop =
        n.add(make_op("loop", {{"max_iterations", batch}}), {int64_scalar(n, batch), yes}, {m});
    return stacked_scalars(n, m, 0, results_of(n, loop));
}

instructions read_any_scan(node_reader& n) {
    return n.opset() < 9 ? read_batched_scan(n) : read_scan(n);
}

const operators scan_operators{{"Scan", read_any_scan}};

} // namespace

} // namespace migraphx::onnx
