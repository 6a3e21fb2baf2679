// SPDX-License-Identifier: MIT
// Parts of tensors and their opposite: slices, splits, concatenation, padding, tiling.
#include <migraphx/make_op.hpp>
#include <migraphx/op/pad.hpp>

#include "import/onnx/importer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

// A slice of one dimension of a vector keeps its dimension: stride 0 would make it a scalar.
instruction_ref keep_dimension(node_reader& n, instruction_ref x) {
    return node_reader::is_scalar(x->get_shape())
               ? n.add(make_op("unsqueeze", {{"axes", {0}}}), {x})
               : x;
}

// Known bounds: a view, reversed and thinned out where the steps say so.
instructions slice_known(node_reader& n, ints axes, ints starts, ints ends, const ints& steps) {
    auto x = n.input(0);
    const auto lens = x->get_shape().lens();
    ints reversed, stepped, step_sizes;
    for (std::size_t i = 0; i < axes.size(); i++) {
        const auto len = int64_t(lens[std::size_t(axes[i])]);
        auto from_front = [&](int64_t v) {
            return v < 0 ? std::max(v, -len - 1) + len : std::min(v, len);
        };
        auto start = from_front(starts[i]), end = from_front(ends[i]);
        if (steps[i] < 0) {
            // Positions start, start - 1 … end + 1, seen from the other side.
            const auto last = std::min(start, len - 1);
            start = std::max<int64_t>(end + 1, 0);
            end = last + 1;
            reversed.push_back(axes[i]);
        }
        starts[i] = std::clamp<int64_t>(start, 0, len);
        ends[i] = std::max(starts[i], std::clamp<int64_t>(end, 0, len));
        if (steps[i] > 1 or steps[i] < -1) {
            stepped.push_back(axes[i]);
            const auto most = std::max<int64_t>(ends[i] - starts[i], 1);
            step_sizes.push_back(steps[i] > most or steps[i] < -most ? most : std::abs(steps[i]));
        }
    }
    x = n.add(make_op("slice", {{"axes", axes}, {"starts", starts}, {"ends", ends}}), {x});
    if (not reversed.empty())
        x = n.add(make_op("reverse", {{"axes", reversed}}), {x});
    if (not stepped.empty())
        x = n.add(make_op("step", {{"axes", stepped}, {"steps", step_sizes}}), {x});
    return {keep_dimension(n, x)};
}

instruction_ref int64_vector(node_reader& n, const ints& v) {
    return n.literal(migraphx::literal{shape{shape::int64_type, {v.size()}}, v});
}

instructions read_slice(node_reader& n) {
    std::optional<ints> starts, ends, axes, steps;
    const bool by_attribute = n.opset() < 10 or n.input_count() == 1;
    if (by_attribute) {
        n.expect_inputs(1, 1);
        starts = n.integers("starts");
        ends = n.integers("ends");
        if (n.has_attribute("axes"))
            axes = n.integers("axes");
    } else {
        n.expect_inputs(3, 5);
        starts = n.constant_ints(1);
        ends = n.constant_ints(2);
        axes = n.constant_ints(3);
        steps = n.constant_ints(4);
    }
    const bool known = starts and ends and (axes or not n.has(3)) and (steps or not n.has(4));
    if (known) {
        if (not axes) {
            axes.emplace(starts->size());
            std::iota(axes->begin(), axes->end(), 0);
        }
        if (not steps)
            steps.emplace(starts->size(), 1);
        if (ends->size() != starts->size() or axes->size() != starts->size() or
            steps->size() != starts->size())
            n.malformed(str("as many ends, axes and steps as starts were expected, got ",
                            ends->size(), ", ", axes->size(), " and ", steps->size(), " for ",
                            starts->size()));
        for (auto& a : *axes)
            a = int64_t(n.axis(a, n.rank_of(0)));
        if (std::find(steps->begin(), steps->end(), 0) != steps->end())
            n.malformed("steps other than 0 were expected, got 0");
        if (axes->empty())
            return {n.input(0)};
        if (not n.shape_of(0).dynamic())
            return slice_known(n, *axes, *starts, *ends, *steps);
        if (std::all_of(steps->begin(), steps->end(), [](auto s) { return s == 1; }))
            return {n.add(make_op("slice", {{"axes", *axes}, {"starts", *starts}, {"ends", *ends}}),
                          {n.input(0)})};
        return {n.add("slice_dynamic", n.input(0), int64_vector(n, *starts), int64_vector(n, *ends),
                      int64_vector(n, *axes), int64_vector(n, *steps))};
    }
    instructions in{n.input(0), n.input(1), n.input(2)};
    if (n.has(4) and not n.has(3)) {
        ints all(n.shape_of(1).elements());
        std::iota(all.begin(), all.end(), 0);
        in.push_back(int64_vector(n, all));
    } else if (n.has(3))
        in.push_back(n.input(3));
    if (n.has(4))
        in.push_back(n.input(4));
    return {n.add(make_op("slice_dynamic"), in)};
}

// Lengths of the parts, in the order: input (opset 13), attribute, equal parts.
std::optional<ints> split_lengths(node_reader& n, std::size_t parts,
                                  const shape::dynamic_dimension& d) {
    if (n.has(1))
        return n.constant_ints(1);
    if (n.has_attribute("split"))
        return n.integers("split");
    if (not d.is_fixed())
        return std::nullopt;
    const auto len = d.get_interval().max;
    const auto chunk = (len + parts - 1) / parts;
    ints result;
    for (std::size_t i = 0; i < parts; i++)
        result.push_back(int64_t(std::min(chunk, len - std::min(len, i * chunk))));
    return result;
}

// Near-equal parts of a dimension that only a run knows: chunk = ceil(len / parts).
instructions split_unknown(node_reader& n, std::size_t axis, std::size_t parts) {
    const auto size =
        n.add(make_op("dimensions_of", {{"start", axis}, {"end", axis + 1}}), {n.input(0)});
    const auto count = int64_t(parts);
    const auto chunk =
        n.add("div", n.add("add", size, int64_vector(n, {count - 1})), int64_vector(n, {count}));
    const auto axes = int64_vector(n, {int64_t(axis)});
    instructions result;
    for (int64_t i = 0; i < count; i++) {
        const auto start = n.add("mul", chunk, int64_vector(n, {i}));
        const auto end = n.add("mul", chunk, int64_vector(n, {i + 1}));
        result.push_back(n.add("slice_dynamic", n.input(0), start, end, axes));
    }
    return result;
}

// Parts whose lengths only a run knows: from the sum of the lengths before each to that with its
// own.
instructions split_by_input(node_reader& n, std::size_t axis, std::size_t parts) {
    if (n.shape_of(1).dynamic() or n.shape_of(1).elements() != parts)
        n.malformed(str(parts, " split lengths were expected, got ", n.shape_of(1)));
    const auto ends = n.add(make_op("prefix_scan_sum", {{"axis", 0}}), {n.input(1)});
    const auto starts = n.add("sub", ends, n.input(1));
    const auto axes = int64_vector(n, {int64_t(axis)});
    const auto pick = [&](instruction_ref v, int64_t i) {
        return n.add(make_op("slice", {{"axes", {0}}, {"starts", ints{i}}, {"ends", ints{i + 1}}}),
                     {v});
    };
    instructions result;
    for (int64_t i = 0; i < int64_t(parts); i++)
        result.push_back(n.add("slice_dynamic", n.input(0), pick(starts, i), pick(ends, i), axes));
    return result;
}

instructions read_split(node_reader& n) {
    n.expect_inputs(1, 2);
    const auto axis = n.axis(n.integer("axis", 0), n.rank_of(0));
    const auto& s = n.shape_of(0);
    const auto dim =
        s.dynamic() ? s.dyn_dims()[axis] : shape::dynamic_dimension{s.lens()[axis], s.lens()[axis]};
    auto parts = n.output_count();
    if (n.has_attribute("num_outputs")) {
        parts = std::size_t(n.integer("num_outputs"));
        if (n.has(1) or parts != n.output_count())
            n.malformed(str("num_outputs of ", n.output_count(),
                            " without split lengths was expected, got ", parts));
    }
    if (parts == 0)
        n.malformed("at least one output was expected, got none");
    const auto lengths = split_lengths(n, parts, dim);
    if (not lengths and n.has(1))
        return split_by_input(n, axis, parts);
    if (not lengths)
        return split_unknown(n, axis, parts);
    if (lengths->size() != parts)
        n.malformed(str(parts, " split lengths were expected, got ", lengths->size()));
    int64_t sum = 0;
    for (auto l : *lengths)
        if (l < 0 or __builtin_add_overflow(sum, l, &sum))
            n.malformed(str("split lengths of 0 or more were expected, got ", *lengths));
    if (dim.is_fixed() and sum != int64_t(dim.get_interval().max))
        n.malformed(str("split lengths that add up to ", dim.get_interval().max,
                        " were expected, got ", *lengths));
    instructions result;
    int64_t start = 0;
    for (auto l : *lengths) {
        const auto part = n.add(make_op("slice", {{"axes", ints{int64_t(axis)}},
                                                  {"starts", ints{start}},
                                                  {"ends", ints{start + l}}}),
                                {n.input(0)});
        result.push_back(keep_dimension(n, part));
        start += l;
    }
    return result;
}

instructions read_concat(node_reader& n) {
    if (n.input_count() == 0)
        n.malformed("at least one input was expected, got none");
    const auto axis = n.opset() < 4 ? n.integer("axis", 1) : n.integer("axis");
    instructions in;
    for (auto x : n.inputs()) {
        const auto& s = x->get_shape();
        // Nothing to add; before opset 13 of onnx exporters such inputs may have any rank.
        if (not s.dynamic() and s.elements() == 0)
            continue;
        in.push_back(node_reader::is_scalar(s) ? n.add(make_op("unsqueeze", {{"axes", {0}}}), {x})
                                               : x);
    }
    if (in.empty())
        return {n.input(0)};
    n.axis(axis, in[0]->get_shape().ndim());
    if (in.size() == 1)
        return {in[0]};
    return {n.add(make_op("concat", {{"axis", axis}}), in)};
}

instructions read_tile(node_reader& n) {
    // Opset 1 repeats one axis so many times.
    if (n.opset() < 6) {
        n.expect_inputs(3, 3);
        const auto tiles = n.constant_ints(1), axis = n.constant_ints(2);
        if (not tiles or not axis or tiles->size() != 1 or axis->size() != 1)
            n.unsupported(
                "tiles and axis that are known at import were expected, got values of a run");
        ints repeats(n.rank_of(0), 1);
        repeats[n.axis(axis->front(), repeats.size())] = tiles->front();
        return {n.expand("tile", {n.input(0)}, {{"repeats", repeats}})};
    }
    n.expect_inputs(2, 2);
    const auto repeats = n.constant_ints(1);
    if (not repeats or n.shape_of(0).dynamic())
        return {n.add("tile_dynamic", n.input(0), n.input(1))};
    if (node_reader::is_scalar(n.shape_of(0)) and repeats->empty())
        return {n.input(0)};
    return {n.expand("tile", {n.input(0)}, {{"repeats", *repeats}})};
}

op::pad::pad_op_mode_t pad_mode(node_reader& n) {
    const auto mode = n.text("mode", "constant");
    if (mode == "constant")
        return op::pad::constant_pad;
    if (mode == "reflect")
        return op::pad::reflect_pad;
    if (mode == "edge")
        return op::pad::edge_pad;
    if (mode == "wrap")
        return op::pad::wrap_pad;
    n.malformed("mode: constant, reflect, edge or wrap was expected, got '" + mode + "'");
}

struct pad_inputs {
    std::optional<ints> pads;
    double fill = 0;
    bool known_fill = true;
};

pad_inputs read_pad_inputs(node_reader& n) {
    pad_inputs p;
    const auto rank = n.onnx_rank(0);
    if (n.opset() < 11 and n.get_node().domain != "com.microsoft") {
        n.expect_inputs(1, 1);
        p.pads = n.has_attribute("pads") ? n.integers("pads") : n.integers("paddings");
        p.fill = double(n.real("value", 0));
    } else {
        n.expect_inputs(2, 4);
        p.pads = n.constant_ints(1);
        if (n.has(2)) {
            const auto v = n.constant(2);
            p.known_fill = v.has_value();
            if (v and v->get_shape().elements() > 0) {
                p.fill = v->at<double>();
                // The attribute is a float; a number that it cannot hold stays an input.
                p.known_fill = not shape::is_integral(n.shape_of(2).type()) or
                               (std::abs(p.fill) < 16777217.0 and double(float(p.fill)) == p.fill);
            }
        }
        if (n.has(3) and p.pads) {
            const auto axes = n.constant_ints(3);
            if (not axes)
                p.pads.reset();
            else {
                ints all(2 * rank, 0);
                if (p.pads->size() != 2 * axes->size())
                    n.malformed(str(2 * axes->size(), " pads were expected, got ", p.pads->size()));
                for (std::size_t i = 0; i < axes->size(); i++) {
                    const auto a = n.axis((*axes)[i], rank);
                    all[a] = (*p.pads)[i];
                    all[a + rank] = (*p.pads)[i + axes->size()];
                }
                p.pads = all;
            }
        }
    }
    if (p.pads and p.pads->size() != 2 * rank)
        n.malformed(str(2 * rank, " pads were expected, got ", p.pads->size()));
    return p;
}

instructions read_pad(node_reader& n) {
    const auto mode = pad_mode(n);
    const auto p = read_pad_inputs(n);
    if (p.pads and std::all_of(p.pads->begin(), p.pads->end(), [](auto x) { return x == 0; }))
        return {n.input(0)};
    if (p.pads and (p.known_fill or mode != op::pad::constant_pad))
        return {n.add(make_op("pad", {{"mode", mode}, {"pads", *p.pads}, {"value", float(p.fill)}}),
                      {n.input(0)})};
    return {n.add(make_op("pad_dynamic", {{"mode", mode}}), n.inputs())};
}

const operators slice_operators{{"Slice", read_slice},   {"Split", read_split},
                                {"Concat", read_concat}, {"Tile", read_tile},
                                {"Pad", read_pad},       {"Pad", read_pad, "com.microsoft"}};

} // namespace

} // namespace migraphx::onnx
