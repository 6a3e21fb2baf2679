// SPDX-License-Identifier: MIT
// Parts of tensors and their opposite: slices, splits, concatenation, padding, reversal.
#include "import/tf/node_reader.hpp"

#include <migraphx/make_op.hpp>
#include <migraphx/op/pad.hpp>

#include <algorithm>
#include <limits>
#include <numeric>

namespace migraphx::tf {

namespace {

// Joined on the other side of a transpose when all have it.
instruction_ref concat(const node_reader& n, instructions in, std::size_t axis) {
    if (in.size() == 1)
        return in[0];
    const auto p = see_through(in[0]).permutation;
    const bool same = not p.empty() and std::all_of(in.begin(), in.end(), [&](auto x) {
        return see_through(x).permutation == p;
    });
    if (not same)
        return n.add(make_op("concat", {{"axis", axis}}), in);
    for (auto& x : in)
        x = see_through(x).source;
    return n.transpose(n.add(make_op("concat", {{"axis", p[axis]}}), in), p);
}

instructions read_concat(node_reader& n) {
    const bool axis_first = n.op_type() == "Concat";
    if (n.input_count() < 2)
        n.malformed(
            str("an axis and at least one tensor were expected, got ", n.input_count(), " inputs"));
    const auto at = axis_first ? 0 : n.input_count() - 1;
    auto in = n.inputs();
    in.erase(in.begin() + std::ptrdiff_t(at));
    const auto axis = n.axis(n.constant_int(at, "axis"), node_reader::rank(in[0]));
    return {concat(n, in, axis)};
}

instructions read_pack(node_reader& n) {
    if (n.input_count() == 0)
        n.malformed("at least one input was expected, got none");
    const auto axis = n.axis(n.integer("axis", 0), n.rank(0) + 1);
    auto in = n.inputs();
    for (auto& x : in)
        x = n.unsqueeze(x, {int64_t(axis)});
    return {in.size() == 1 ? in[0] : n.add(make_op("concat", {{"axis", axis}}), in)};
}

instructions read_unpack(node_reader& n) {
    n.expect_inputs(1);
    const auto axis = int64_t(n.axis(n.integer("axis", 0), n.rank(0)));
    const auto count = n.dims(0)[std::size_t(axis)];
    if (n.integer("num", count) != count or count > 65536)
        n.malformed(str("num of ", count, ", as the data says, was expected, got ",
                        n.integer("num", count)));
    instructions result;
    for (int64_t i = 0; i < count; i++)
        result.push_back(n.squeeze(n.slice(n.input(0), {axis}, {i}, {i + 1}), {axis}));
    return result;
}

instructions split_at(const node_reader& n, instruction_ref x, std::size_t axis,
                      const ints& lengths) {
    instructions result;
    int64_t at = 0;
    for (auto length : lengths) {
        result.push_back(n.slice(x, {int64_t(axis)}, {at}, {at + length}));
        at += length;
    }
    return result;
}

instructions read_split(node_reader& n) {
    n.expect_inputs(2);
    const auto axis = n.axis(n.constant_int(0, "split_dim"), n.rank(1));
    const auto size = n.dims(1)[axis], parts = n.integer("num_split", 0);
    if (parts < 1 or parts > 65536 or size % parts != 0)
        n.malformed(str("num_split that divides ", size, " was expected, got ", parts));
    return split_at(n, n.input(1), axis, ints(std::size_t(parts), size / parts));
}

instructions read_split_v(node_reader& n) {
    n.expect_inputs(3);
    const auto axis = n.axis(n.constant_int(2, "split_dim"), n.rank(0));
    auto lengths = n.constant_ints(1, "size_splits");
    const auto size = n.dims(0)[axis];
    const auto known =
        std::accumulate(lengths.begin(), lengths.end(), int64_t{0},
                        [](auto sum, auto v) { return sum + std::max<int64_t>(v, 0); });
    for (auto& v : lengths)
        if (v == -1)
            v = size - known;
    if (std::any_of(lengths.begin(), lengths.end(), [](auto v) { return v < 0; }) or
        std::accumulate(lengths.begin(), lengths.end(), int64_t{0}) != size)
        n.malformed(str("size_splits that add up to ", size, " were expected, got ",
                        n.constant_ints(1, "size_splits")));
    return split_at(n, n.input(0), axis, lengths);
}

instructions read_slice(node_reader& n) {
    n.expect_inputs(3);
    const auto begin = n.constant_ints(1, "begin"), size = n.constant_ints(2, "size");
    const auto d = n.dims(0);
    if (begin.size() != d.size() or size.size() != d.size())
        n.malformed(str("begin and size of ", d.size(), " values were expected, got ", begin,
                        " and ", size));
    ints axes, starts, ends;
    for (std::size_t i = 0; i < d.size(); i++) {
        const auto count = size[i] == -1 ? d[i] - begin[i] : size[i];
        if (begin[i] < 0 or count < 0 or begin[i] > d[i] or count > d[i] - begin[i])
            n.malformed(
                str("begin and size inside of ", d, " were expected, got ", begin, " and ", size));
        if (count == d[i])
            continue;
        axes.push_back(int64_t(i));
        starts.push_back(begin[i]);
        ends.push_back(begin[i] + count);
    }
    return {n.slice(n.input(0), axes, starts, ends)};
}

// ---- strided slices: the operands are a list of items for the dimensions, of which some are new
// dimensions, drop one, or stand for all that are not named.
struct strided_item {
    bool is_new = false, is_ellipsis = false, drops = false, from_start = false, to_end = false;
    int64_t begin = 0, end = 0, stride = 1;
};

std::vector<strided_item> read_items(const node_reader& n) {
    const auto begin = n.constant_ints(1, "begin"), end = n.constant_ints(2, "end"),
               stride = n.constant_ints(3, "strides");
    if (begin.size() != end.size() or begin.size() != stride.size() or begin.size() > 32)
        n.malformed(str("begin, end and strides of equal length, at most 32, were expected, got ",
                        begin, ", ", end, " and ", stride));
    const auto bit = [&](const char* mask, std::size_t i) {
        return ((n.integer(mask, 0) >> i) & 1) != 0;
    };
    std::vector<strided_item> items;
    for (std::size_t i = 0; i < begin.size(); i++) {
        strided_item item;
        item.is_ellipsis = bit("ellipsis_mask", i);
        item.is_new = not item.is_ellipsis and bit("new_axis_mask", i);
        item.drops = not item.is_ellipsis and not item.is_new and bit("shrink_axis_mask", i);
        item.from_start = bit("begin_mask", i);
        item.to_end = bit("end_mask", i);
        item.begin = begin[i];
        item.end = end[i];
        item.stride = stride[i];
        if (item.stride == 0)
            n.malformed("strides other than 0 were expected, got 0");
        if (item.stride == std::numeric_limits<int64_t>::min())
            item.stride++;
        items.push_back(item);
    }
    if (std::count_if(items.begin(), items.end(), [](const auto& i) { return i.is_ellipsis; }) > 1)
        n.malformed("at most one ellipsis was expected, got more");
    return items;
}

struct strided_plan {
    ints axes, starts, ends;      ///< what is cut out, from front to back
    ints reversed, stepped, step; ///< then reversed, then thinned out
    ints dropped, added;          ///< axes of the input; positions in the result
};

void plan_axis(const node_reader& n, strided_plan& p, const strided_item& item, int64_t axis,
               int64_t len) {
    if (item.drops) {
        const auto at = item.begin < 0 ? item.begin + len : item.begin;
        if (at < 0 or at >= len)
            n.malformed(str("an index in [", -len, ", ", len - 1, "] was expected for axis ", axis,
                            ", got ", item.begin));
        p.axes.push_back(axis);
        p.starts.push_back(at);
        p.ends.push_back(at + 1);
        p.dropped.push_back(axis);
        return;
    }
    const bool forward = item.stride > 0;
    const int64_t low = forward ? 0 : -1, high = forward ? len : len - 1;
    const auto bound = [&](int64_t v) { return std::clamp(v < 0 ? v + len : v, low, high); };
    const auto begin = item.from_start ? (forward ? low : high) : bound(item.begin);
    const auto end = item.to_end ? (forward ? high : low) : bound(item.end);
    const auto count = std::max<int64_t>(0, forward ? end - begin : begin - end);
    if (count == len and item.stride == 1)
        return;
    p.axes.push_back(axis);
    p.starts.push_back(count == 0 ? 0 : forward ? begin : end + 1);
    p.ends.push_back(p.starts.back() + count);
    if (not forward)
        p.reversed.push_back(axis);
    if (const auto step = std::min(std::abs(item.stride), std::max<int64_t>(count, 1)); step > 1) {
        p.stepped.push_back(axis);
        p.step.push_back(step);
    }
}

strided_plan make_plan(const node_reader& n, const std::vector<strided_item>& items,
                       const ints& d) {
    const auto named = std::size_t(std::count_if(items.begin(), items.end(), [](const auto& i) {
        return not i.is_new and not i.is_ellipsis;
    }));
    if (named > d.size())
        n.malformed(str("at most ", d.size(), " indices were expected, got ", named));
    strided_plan p;
    std::size_t axis = 0;
    int64_t position = 0; // in the result
    for (const auto& item : items) {
        if (item.is_ellipsis) {
            axis += d.size() - named;
            position += int64_t(d.size() - named);
        } else if (item.is_new) {
            p.added.push_back(position++);
        } else {
            plan_axis(n, p, item, int64_t(axis), d[axis]);
            axis++;
            position += item.drops ? 0 : 1;
        }
    }
    return p;
}

instructions read_strided_slice(node_reader& n) {
    n.expect_inputs(4);
    const auto p = make_plan(n, read_items(n), n.dims(0));
    auto x = n.slice(n.input(0), p.axes, p.starts, p.ends);
    if (not p.reversed.empty())
        x = n.add(make_op("reverse", {{"axes", p.reversed}}), {x});
    if (not p.stepped.empty())
        x = n.at_least_1d(n.add(make_op("step", {{"axes", p.stepped}, {"steps", p.step}}), {x}));
    return {n.unsqueeze(n.squeeze(x, p.dropped), p.added)};
}

// ---- borders
instructions read_pad(node_reader& n) {
    const bool valued = n.op_type() == "PadV2";
    n.expect_inputs(valued ? 3 : 2);
    const auto rank = n.rank(0);
    const auto pairs = n.constant_ints(1, "paddings");
    if (pairs.size() != 2 * rank)
        n.malformed(str("paddings of ", 2 * rank, " values were expected, got ", pairs.size()));
    if (rank == 0)
        return {n.input(0)};
    const auto x = see_through(n.input(0));
    ints pads(2 * rank, 0);
    for (std::size_t i = 0; i < rank; i++) {
        const auto at = x.is_transposed() ? std::size_t(x.permutation[i]) : i;
        pads[at] = pairs[2 * i];
        pads[rank + at] = pairs[2 * i + 1];
        if (pairs[2 * i] < 0 or pairs[2 * i + 1] < 0)
            n.malformed(str("paddings of 0 or more were expected, got ", pairs));
    }
    value options = {{"pads", pads}};
    if (valued)
        options["value"] = float(n.constant_real(2, "constant_values"));
    auto source = x.source;
    if (n.op_type() == "MirrorPad") {
        const auto mode = n.text("mode", "");
        if (mode != "REFLECT" and mode != "SYMMETRIC")
            n.malformed("attribute \"mode\": REFLECT or SYMMETRIC was expected, got '" + mode +
                        "'");
        const auto d = n.dims(source);
        const auto most = [&](std::size_t i) { return mode == "REFLECT" ? d[i] - 1 : d[i]; };
        for (std::size_t i = 0; i < rank; i++)
            if (pads[i] > std::max<int64_t>(0, most(i)) or
                pads[rank + i] > std::max<int64_t>(0, most(i)))
                n.malformed(str("paddings of at most ", most(i), " were expected for axis ", i,
                                ", got ", pads[i], " and ", pads[rank + i]));
        if (mode == "SYMMETRIC") {
            // The edge is mirrored as well: the reversed ends, one axis after another.
            for (std::size_t i = 0; i < rank; i++) {
                instructions parts;
                const auto axis = int64_t(i);
                const auto end = [&](int64_t from, int64_t to) {
                    return n.add(make_op("reverse", {{"axes", ints{axis}}}),
                                 {n.slice(source, {axis}, {from}, {to})});
                };
                if (pads[i] > 0)
                    parts.push_back(end(0, pads[i]));
                parts.push_back(source);
                if (pads[rank + i] > 0)
                    parts.push_back(end(d[i] - pads[rank + i], d[i]));
                if (parts.size() > 1)
                    source = n.add(make_op("concat", {{"axis", axis}}), parts);
            }
        } else {
            options["mode"] = int(op::pad::reflect_pad);
            source = n.add(make_op("pad", options), {source});
        }
    } else if (std::any_of(pads.begin(), pads.end(), [](auto v) { return v != 0; })) {
        source = n.add(make_op("pad", options), {source});
    }
    return {x.is_transposed() ? n.transpose(source, x.permutation) : source};
}

instructions read_reverse(node_reader& n) {
    n.expect_inputs(2);
    ints axes;
    if (n.op_type() == "ReverseV2") {
        for (auto a : n.constant_ints(1, "axis"))
            axes.push_back(int64_t(n.axis(a, n.rank(0))));
    } else {
        const auto flags = n.constant_ints(1, "dims");
        if (flags.size() != n.rank(0))
            n.malformed(str("dims of ", n.rank(0), " values were expected, got ", flags.size()));
        for (std::size_t i = 0; i < flags.size(); i++)
            if (flags[i] != 0)
                axes.push_back(int64_t(i));
    }
    return {axes.empty() ? n.input(0) : n.add(make_op("reverse", {{"axes", axes}}), {n.input(0)})};
}

// Rotated along axes: the last elements come to the front.
instructions read_roll(node_reader& n) {
    n.expect_inputs(3);
    const auto shifts = n.constant_ints(1, "shift"), axes = n.constant_ints(2, "axis");
    if (shifts.size() != axes.size())
        n.malformed(
            str("a shift for each axis was expected, got ", shifts.size(), " and ", axes.size()));
    auto x = n.input(0);
    const auto d = n.dims(x);
    for (std::size_t i = 0; i < axes.size(); i++) {
        const auto axis = int64_t(n.axis(axes[i], d.size()));
        const auto len = d[std::size_t(axis)];
        const auto shift = len == 0 ? 0 : ((shifts[i] % len) + len) % len;
        if (shift != 0)
            x = n.add(
                make_op("concat", {{"axis", axis}}),
                {n.slice(x, {axis}, {len - shift}, {len}), n.slice(x, {axis}, {0}, {len - shift})});
    }
    return {x};
}

const operators slice_operators{
    {"Concat", read_concat, "constant axis"},
    {"ConcatV2", read_concat, "constant axis"},
    {"Pack", read_pack},
    {"Unpack", read_unpack},
    {"Split", read_split, "constant axis"},
    {"SplitV", read_split_v, "constant sizes and axis"},
    {"Slice", read_slice, "constant begin and size"},
    {"StridedSlice", read_strided_slice, "constant begin, end and strides"},
    {"Pad", read_pad, "constant paddings"},
    {"PadV2", read_pad, "constant paddings and value"},
    {"MirrorPad", read_pad, "constant paddings"},
    {"Reverse", read_reverse, "constant dims"},
    {"ReverseV2", read_reverse, "constant axis"},
    {"Roll", read_roll, "constant shift and axis"}};

} // namespace

} // namespace migraphx::tf
