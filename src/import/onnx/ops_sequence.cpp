// SPDX-License-Identifier: MIT
// Sequences and optionals. Where the members of a sequence are known while the model is read, what
// is taken from it needs no sequence: exporters write `split` that way.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_control.hpp"
#include "import/onnx/tensor_argument.hpp"

#include <algorithm>
#include <optional>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

constexpr std::size_t most_known_members = 1024;

std::optional<instructions> known_members(instruction_ref sequence) {
    if (sequence->name() != "sequence_construct" or sequence->inputs().size() > most_known_members)
        return std::nullopt;
    return sequence->inputs();
}

instruction_ref construct(node_reader& n, shape::type_t t, const instructions& members) {
    return n.add(make_op("sequence_construct", {{"type", t}}), members);
}

// A known position counted from the front; `missing` where the node has none.
std::optional<std::size_t> known_position(node_reader& n, std::size_t i, std::size_t size,
                                          std::size_t most, std::size_t missing) {
    if (not n.has(i))
        return missing;
    const auto p = n.constant_ints(i);
    if (not p or p->size() != 1)
        return std::nullopt;
    const auto from_front = p->front() < 0 ? p->front() + int64_t(size) : p->front();
    // Others fail when they are reached, which may be never.
    if (from_front < 0 or from_front > int64_t(most))
        return std::nullopt;
    return std::size_t(from_front);
}

// Results of loops whose state began as an optional are optionals as well.
instruction_ref sequence_input(node_reader& n, std::size_t i) {
    if (n.shape_of(i).is_optional() and n.shape_of(i).element().is_sequence())
        return n.add("optional_get_element", n.input(i));
    if (not n.shape_of(i).is_sequence())
        n.malformed(str("a sequence was expected for input ", i, ", got ", n.shape_of(i)));
    return n.input(i);
}

instructions with_first(node_reader& n, instruction_ref first) {
    auto in = n.inputs();
    in.front() = first;
    return in;
}

instructions read_construct(node_reader& n) {
    if (n.input_count() == 0)
        n.malformed("at least one input was expected, got none");
    return {construct(n, n.shape_of(0).type(), n.inputs())};
}

instructions read_empty(node_reader& n) {
    n.expect_inputs(0, 0);
    const auto type = element_type(n.integer("dtype", 1));
    const auto t = to_shape_type(type);
    if (not t)
        n.unsupported("dtype: an element type of the engine was expected, got " + type_name(type));
    return {construct(n, *t, {})};
}

instructions read_insert(node_reader& n) {
    n.expect_inputs(2, 3);
    const auto sequence = sequence_input(n, 0);
    if (auto members = known_members(sequence); members and members->size() < most_known_members)
        if (const auto at =
                known_position(n, 2, members->size(), members->size(), members->size())) {
            members->insert(members->begin() + std::ptrdiff_t(*at), n.input(1));
            return {construct(n, n.shape_of(1).type(), *members)};
        }
    return {n.add(make_op("sequence_insert"), with_first(n, sequence))};
}

instructions read_erase(node_reader& n) {
    n.expect_inputs(1, 2);
    const auto sequence = sequence_input(n, 0);
    if (auto members = known_members(sequence); members and not members->empty())
        if (const auto at =
                known_position(n, 1, members->size(), members->size() - 1, members->size() - 1)) {
            const auto t = members->front()->get_shape().type();
            members->erase(members->begin() + std::ptrdiff_t(*at));
            return {construct(n, t, *members)};
        }
    return {n.add(make_op("sequence_erase"), with_first(n, sequence))};
}

instructions read_at(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto sequence = sequence_input(n, 0);
    if (auto members = known_members(sequence); members and not members->empty())
        if (const auto at = known_position(n, 1, members->size(), members->size() - 1, 0))
            return {(*members)[*at]};
    return {n.add(make_op("sequence_at"), with_first(n, sequence))};
}

instructions read_length(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto sequence = sequence_input(n, 0);
    if (const auto members = known_members(sequence))
        return {int64_scalar(n, int64_t(members->size()))};
    return {n.add("sequence_length", sequence)};
}

instructions read_concat(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto sequence = sequence_input(n, 0);
    const auto axis = n.integer("axis");
    const bool new_axis = n.integer("new_axis", 0) != 0;
    auto members = known_members(sequence);
    const auto& element = sequence->get_shape().element();
    if (not members or members->empty() or not element.has_rank())
        return {n.add(make_op("concat_from_sequence", {{"axis", axis}, {"new_axis", new_axis}}),
                      {sequence})};
    const auto at =
        n.axis(axis, (node_reader::is_scalar(element) ? 0 : element.ndim()) + (new_axis ? 1 : 0));
    if (new_axis)
        for (auto& m : *members)
            if (not node_reader::is_scalar(m->get_shape()))
                m = n.add(make_op("unsqueeze", {{"axes", ints{int64_t(at)}}}), {m});
    return {n.add(make_op("concat", {{"axis", at}}), *members)};
}

// Lengths of the parts along an axis of `length`; nullopt when only a run tells.
std::optional<ints> part_lengths(node_reader& n, int64_t length) {
    if (not n.has(1))
        return ints(std::size_t(length), 1);
    const auto split = n.constant_ints(1);
    if (not split)
        return std::nullopt;
    ints result = *split;
    if (node_reader::is_scalar(n.shape_of(1))) {
        if (split->front() < 1)
            n.malformed(str("split of 1 or more was expected, got ", split->front()));
        result.clear();
        for (int64_t done = 0; done < length; done += result.back())
            result.push_back(std::min(split->front(), length - done));
    }
    int64_t sum = 0;
    for (auto l : result)
        if (l < 0 or __builtin_add_overflow(sum, l, &sum))
            n.malformed(str("split lengths of 0 or more were expected, got ", result));
    if (sum != length)
        n.malformed(str("split lengths that add up to ", length, " were expected, got ", result));
    return result;
}

instructions read_split(node_reader& n) {
    n.expect_inputs(1, 2);
    const auto x = n.input(0);
    const auto& s = x->get_shape();
    const auto axis = n.axis(n.integer("axis", 0), s.ndim());
    const bool keepdims = n.integer("keepdims", 1) != 0 or n.has(1);
    const auto length = s.max_lens()[axis];
    std::optional<ints> lengths;
    if (s.min_lens()[axis] == length and (n.has(1) or length <= most_known_members))
        lengths = part_lengths(n, int64_t(length));
    // Parts of one element would be taken for scalars by nothing but a sequence of them.
    if (not lengths or lengths->size() > most_known_members or
        std::find(lengths->begin(), lengths->end(), 0) != lengths->end() or
        (s.ndim() == 1 and not keepdims))
        return {n.add(make_op("split_to_sequence", {{"axis", axis}, {"keepdims", keepdims}}),
                      n.inputs())};
    instructions parts;
    int64_t start = 0;
    for (auto l : *lengths) {
        auto part = n.add(make_op("slice", {{"axes", ints{int64_t(axis)}},
                                            {"starts", ints{start}},
                                            {"ends", ints{start + l}}}),
                          {x});
        if (not keepdims)
            part = n.add(make_op("squeeze", {{"axes", ints{int64_t(axis)}}}), {part});
        parts.push_back(part);
        start += l;
    }
    return {construct(n, s.type(), parts)};
}

// Inputs: a sequence, then sequences of its length and tensors; the body sees one element of each.
instructions read_map(node_reader& n) {
    const auto& body = n.subgraph("body");
    if (n.input_count() == 0 or body.inputs.size() != n.input_count())
        n.malformed(str("as many inputs as the body has, ", body.inputs.size(),
                        ", were expected, got ", n.input_count()));
    const auto in = with_first(n, sequence_input(n, 0));
    std::vector<shape> elements;
    for (const auto& x : in) {
        const auto& s = x->get_shape();
        elements.push_back(s.is_sequence() ? s.element() : s);
    }
    auto& whole = n.whole();
    auto* m = whole.read_subgraph(body, n.mod().name() + "_map", whole.current(), elements);
    return results_of(n, n.add(make_op("sequence_map"), in, {m}));
}

bool is_optional(node_reader& n, std::size_t i) {
    return n.shape_of(i).is_optional();
}

instructions read_optional(node_reader& n) {
    n.expect_inputs(0, 1);
    if (n.input_count() == 1)
        return {n.add("optional", n.input(0))};
    const auto* a = n.find("type");
    if (a == nullptr or a->types.empty())
        n.malformed("an input or attribute \"type\" was expected, got neither");
    const auto type = n.whole().value_shape(a->types.front(), "type");
    return {n.add(make_op("optional", {{"type", to_value(type)}}), {})};
}

// Since opset 18 tensors and sequences pass for optionals that hold them.
instructions read_get_element(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto x = n.input(0);
    if (not is_optional(n, 0))
        return {x};
    if (x->name() == "optional" and x->inputs().size() == 1)
        return {x->inputs().front()};
    return {n.add("optional_get_element", x)};
}

instructions read_has_element(node_reader& n) {
    n.expect_inputs(0, 1);
    const auto flag = [&](bool v) {
        return instructions{
            n.literal(migraphx::literal{shape{shape::bool_type}, std::vector<int>{v ? 1 : 0}})};
    };
    if (n.input_count() == 0)
        return flag(false);
    const auto x = n.input(0);
    if (not is_optional(n, 0))
        return flag(true);
    if (x->name() == "optional")
        return flag(x->inputs().size() == 1);
    return {n.add("optional_has_element", x)};
}

const operators sequence_operators{{"SequenceConstruct", read_construct},
                                   {"SequenceEmpty", read_empty},
                                   {"SequenceInsert", read_insert},
                                   {"SequenceErase", read_erase},
                                   {"SequenceAt", read_at},
                                   {"SequenceLength", read_length},
                                   {"ConcatFromSequence", read_concat},
                                   {"SplitToSequence", read_split},
                                   {"SequenceMap", read_map},
                                   {"Optional", read_optional},
                                   {"OptionalGetElement", read_get_element},
                                   {"OptionalHasElement", read_has_element}};

} // namespace

} // namespace migraphx::onnx
