// SPDX-License-Identifier: MIT
// Operators that see the same elements with other dimensions, and those that give dimensions as
// values.
#include <migraphx/common_shape.hpp>
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"

#include <algorithm>
#include <numeric>

namespace migraphx::onnx {

namespace {

std::vector<std::size_t> as_sizes(const std::vector<int64_t>& v) {
    return {v.begin(), v.end()};
}

instructions reshape_to(node_reader& n, const std::vector<int64_t>& dims, bool allow_zero) {
    const auto x = n.input(0);
    if (dims.empty())
        return {n.to_scalar(x)};
    const auto& s = x->get_shape();
    for (std::size_t i = 0; allow_zero and i < dims.size(); i++) {
        // A size of 0 that the input does not have at the same place cannot be an attribute.
        if (dims[i] == 0 and (s.dynamic() or i >= s.ndim() or s.lens()[i] != 0))
            return {n.add(make_op("reshape_dynamic", {{"allowzero", true}}), {x, n.input(1)})};
    }
    // 0 copies a dimension; a tensor without dimensions has none.
    if (node_reader::is_scalar(s) and std::find(dims.begin(), dims.end(), 0) != dims.end())
        n.malformed("sizes other than 0 were expected for a scalar, got 0");
    return {n.add(make_op("reshape", {{"dims", dims}}), {x})};
}

instructions read_reshape(node_reader& n) {
    if (n.opset() < 5)
        return reshape_to(n, n.integers("shape"), false);
    n.expect_inputs(2, 2);
    const bool allow_zero = n.integer("allowzero", 0) != 0;
    if (n.rank_of(1) != 1)
        n.malformed(str("a shape of one dimension was expected, got ", n.shape_of(1)));
    if (const auto dims = n.constant_ints(1))
        return reshape_to(n, *dims, allow_zero);
    const auto known = n.sizes(1);
    if (not known.empty() and not allow_zero)
        if (const auto dims = reshape_attribute(known, n.input(0)); not dims.empty())
            return {n.add(make_op("reshape", {{"dims", dims}}), {n.input(0)})};
    return {
        n.add(make_op("reshape_dynamic", {{"allowzero", allow_zero}}), {n.input(0), n.input(1)})};
}

// Axes as an attribute or, from opset 13 on, an input; none when only a run gives them.
std::optional<std::vector<int64_t>> read_axes(node_reader& n) {
    return n.has_attribute("axes") ? n.integers("axes") : n.constant_ints(1);
}

instructions read_squeeze(node_reader& n) {
    n.expect_inputs(1, 2);
    const auto x = n.input(0);
    const auto axes = read_axes(n);
    if (n.has(1) and not axes)
        return {drop_axes(n, x, n.input(1))};
    if (node_reader::is_scalar(x->get_shape()) and (not axes or axes->empty()))
        return {x};
    if (axes and axes->empty())
        return {x};
    return {n.add(make_op("squeeze", {{"axes", axes.value_or(std::vector<int64_t>{})}}), {x})};
}

instructions read_unsqueeze(node_reader& n) {
    n.expect_inputs(1, 2);
    auto axes = read_axes(n);
    if (not axes)
        return {insert_axes(n, n.input(0), n.input(1))};
    if (axes->empty())
        return {n.input(0)};
    const auto rank = n.onnx_rank(0) + axes->size();
    for (auto& a : *axes)
        a = int64_t(n.axis(a, rank));
    std::sort(axes->begin(), axes->end());
    if (std::adjacent_find(axes->begin(), axes->end()) != axes->end())
        n.malformed("different axes were expected, got one twice");
    // The one element of a scalar is one for any axes.
    return {n.add(make_op("unsqueeze", {{"axes", *axes}}), {n.input(0)})};
}

instructions read_flatten(node_reader& n) {
    n.expect_inputs(1, 1);
    auto axis = n.integer("axis", 1);
    const auto rank = int64_t(n.onnx_rank(0));
    if (axis < -rank or axis > rank)
        n.malformed(str("axis in [", -rank, ", ", rank, "] was expected, got ", axis));
    return {n.add(make_op("flatten", {{"axis", axis}}), {n.input(0)})};
}

instructions read_transpose(node_reader& n) {
    n.expect_inputs(1, 1);
    if (node_reader::is_scalar(n.shape_of(0)))
        return {n.input(0)};
    const auto rank = n.rank_of(0);
    std::vector<int64_t> reversed(rank);
    std::iota(reversed.rbegin(), reversed.rend(), 0);
    const auto perm = n.integers("perm", reversed);
    auto sorted = perm;
    std::sort(sorted.begin(), sorted.end());
    std::vector<int64_t> all(rank);
    std::iota(all.begin(), all.end(), 0);
    if (sorted != all)
        n.malformed(str("perm: a permutation of ", rank, " axes was expected, got ", perm));
    return {n.add(make_op("transpose", {{"permutation", perm}}), {n.input(0)})};
}

// The result of an Expand, with those dimensions fixed that do not depend on a run.
instruction_ref with_known_sizes(node_reader& n, instruction_ref y) {
    const auto target = n.sizes(1);
    const auto& s = n.shape_of(0);
    const auto rank = y->get_shape().ndim();
    if (target.empty() or node_reader::is_scalar(s) or target.size() != rank)
        return y;
    const auto lo = s.min_lens(), hi = s.max_lens();
    std::vector<int64_t> dims(rank, 0);
    bool any = false;
    for (std::size_t d = 0; d < rank; d++) {
        const auto own = d + s.ndim() < rank ? std::size_t{1} : hi[d + s.ndim() - rank];
        const bool fixed = d + s.ndim() < rank or lo[d + s.ndim() - rank] == own;
        if (target[d].is_number() and target[d].number > 1)
            dims[d] = target[d].number;
        else if (fixed and own > 1)
            dims[d] = int64_t(own);
        any = any or dims[d] != 0;
    }
    // 0 leaves a dimension as it is.
    return any ? n.add(make_op("reshape", {{"dims", dims}}), {y}) : y;
}

instructions read_expand(node_reader& n) {
    n.expect_inputs(2, 2);
    const auto x = n.input(0);
    const auto dims = n.constant_ints(1);
    if (not dims or x->get_shape().dynamic())
        return {with_known_sizes(n, n.add("broadcast_with_dims", x, n.input(1)))};
    if (dims->empty())
        return {x};
    for (auto d : *dims)
        if (d < 0)
            n.malformed(str("sizes of 0 or more were expected, got ", d));
    const auto lens = compute_broadcasted_lens(x->get_shape().lens(), as_sizes(*dims));
    if (node_reader::is_scalar(x->get_shape()) and lens.size() == 1 and lens[0] == 1)
        return {n.add(make_op("unsqueeze", {{"axes", {0}}}), {x})};
    if (lens == x->get_shape().lens())
        return {x};
    return {n.add(make_op("multibroadcast", {{"out_lens", lens}}), {x})};
}

instructions read_shape(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto& s = n.shape_of(0);
    const auto rank = int64_t(n.onnx_rank(0));
    auto bound = [&](const char* name, int64_t fallback) {
        const auto v = n.integer(name, fallback);
        return std::clamp<int64_t>(v < 0 ? v + rank : v, 0, rank);
    };
    const auto start = bound("start", 0), end = std::max(start, bound("end", rank));
    const auto lo = s.min_lens(), hi = s.max_lens();
    const auto count = std::size_t(end - start);
    if (std::equal(lo.begin() + start, lo.begin() + end, hi.begin() + start))
        return {
            n.literal({shape{shape::int64_type, {count}}, lo.begin() + start, lo.begin() + end})};
    return {n.add(make_op("dimensions_of", {{"start", start}, {"end", end}}), {n.input(0)})};
}

instructions read_size(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto& s = n.shape_of(0);
    if (not s.dynamic())
        return {n.literal({shape{shape::int64_type}, std::vector<std::size_t>{s.elements()}})};
    const auto dims = n.add(make_op("dimensions_of", {{"end", s.ndim()}}), {n.input(0)});
    return {n.to_scalar(n.add(make_op("reduce_prod", {{"axes", {0}}}), {dims}))};
}

instructions read_identity(node_reader& n) {
    n.expect_inputs(1, 1);
    return {n.input(0)};
}

// Blocks of b x b channels become pixels.
instructions read_depth_to_space(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto b = n.integer("blocksize");
    const auto mode = n.text("mode", "DCR");
    const auto& s = n.shape_of(0);
    if (s.ndim() != 4)
        n.malformed(str("four dimensions were expected, got ", s));
    const auto channels = n.known_size(n.input(0), 1);
    if (b < 1 or b > 65536 or channels % (b * b) != 0)
        n.malformed(str("blocksize whose square divides ", channels, " was expected, got ", b));
    if (mode != "DCR" and mode != "CRD")
        n.malformed("mode: DCR or CRD was expected, got '" + mode + "'");
    const auto c = channels / (b * b);
    const bool depth_first = mode == "DCR";
    const auto split_channels =
        depth_first ? std::vector<int64_t>{b, b, c} : std::vector<int64_t>{c, b, b};
    const auto perm = depth_first ? std::vector<int64_t>{0, 3, 4, 1, 5, 2}
                                  : std::vector<int64_t>{0, 1, 4, 2, 5, 3};
    if (not s.dynamic()) {
        const auto l = std::vector<int64_t>(s.lens().begin(), s.lens().end());
        std::vector<int64_t> dims{
            l[0], split_channels[0], split_channels[1], split_channels[2], l[2], l[3]};
        const auto split = n.add(make_op("reshape", {{"dims", dims}}), {n.input(0)});
        const auto moved = n.add(make_op("transpose", {{"permutation", perm}}), {split});
        return {n.add(make_op("reshape", {{"dims", {l[0], c, l[2] * b, l[3] * b}}}), {moved})};
    }
    // Channels split where they are, so that the unknown sizes can be copied: N C H W, one axis a
    // time.
    auto x = n.add(make_op("transpose", {{"permutation", {0, 2, 3, 1}}}), {n.input(0)});
    std::vector<int64_t> dims{0, 0, 0, split_channels[0], split_channels[1], split_channels[2]};
    x = n.add(make_op("reshape", {{"dims", dims}}), {x});
    const auto order = depth_first ? std::vector<int64_t>{0, 5, 1, 3, 2, 4}
                                   : std::vector<int64_t>{0, 3, 1, 4, 2, 5};
    x = n.add(make_op("transpose", {{"permutation", order}}), {x});
    // N c H b W b: the sizes to merge into are computed from the input's.
    const auto size = n.add(make_op("dimensions_of", {{"start", 2}, {"end", 4}}), {n.input(0)});
    const auto block = n.literal({shape{shape::int64_type, {2}}, std::vector<int64_t>{b, b}});
    const auto head = n.literal({shape{shape::int64_type, {2}}, std::vector<int64_t>{0, c}});
    const auto target = n.add(make_op("concat", {{"axis", 0}}), {head, n.add("mul", size, block)});
    return {n.add("reshape_dynamic", x, target)};
}

// Space to depth with sizes that only a run knows.
instruction_ref space_to_depth_unknown(node_reader& n, int64_t b,
                                       const std::vector<int64_t>& perm) {
    const auto vector_of = [&](const std::vector<int64_t>& v) {
        return n.literal(migraphx::literal{shape{shape::int64_type, {v.size()}}, v});
    };
    const auto x = n.input(0);
    const auto sizes = n.add(make_op("dimensions_of", {{"end", 4}}), {x});
    const auto blocks = n.add("div", sizes, vector_of({1, 1, b, b}));
    const auto part = [&](int64_t from, int64_t to) {
        return n.add(make_op("slice", {{"axes", {0}},
                                       {"starts", std::vector<int64_t>{from}},
                                       {"ends", std::vector<int64_t>{to}}}),
                     {blocks});
    };
    const auto split = n.add(make_op("concat", {{"axis", 0}}),
                             {part(0, 3), vector_of({b}), part(3, 4), vector_of({b})});
    const auto moved =
        n.add(make_op("transpose", {{"permutation", perm}}), {n.add("reshape_dynamic", x, split)});
    return n.add("reshape_dynamic", moved, n.add("mul", blocks, vector_of({1, b * b, 1, 1})));
}

// The other way round.
instructions read_space_to_depth(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto b = n.integer("blocksize");
    const auto& s = n.shape_of(0);
    if (s.ndim() != 4)
        n.malformed(str("four dimensions were expected, got ", s));
    if (b < 1 or b > 65536)
        n.malformed(str("blocksize of 1 or more was expected, got ", b));
    const auto mode = n.text("mode", "DCR");
    if (mode != "DCR" and mode != "CRD")
        n.malformed("mode: DCR or CRD was expected, got '" + mode + "'");
    const auto perm = mode == "DCR" ? std::vector<int64_t>{0, 3, 5, 1, 2, 4}
                                    : std::vector<int64_t>{0, 1, 3, 5, 2, 4};
    if (s.dynamic())
        return {space_to_depth_unknown(n, b, perm)};
    const auto l = std::vector<int64_t>(s.lens().begin(), s.lens().end());
    if (l[2] % b != 0 or l[3] % b != 0)
        n.malformed(str("blocksize that divides ", l[2], " and ", l[3], " was expected, got ", b));
    const auto split =
        n.add(make_op("reshape", {{"dims", {l[0], l[1], l[2] / b, b, l[3] / b, b}}}), {n.input(0)});
    const auto moved = n.add(make_op("transpose", {{"permutation", perm}}), {split});
    return {
        n.add(make_op("reshape", {{"dims", {l[0], l[1] * b * b, l[2] / b, l[3] / b}}}), {moved})};
}

const operators shape_operators{{"Reshape", read_reshape},
                                {"Squeeze", read_squeeze},
                                {"Unsqueeze", read_unsqueeze},
                                {"Flatten", read_flatten},
                                {"Transpose", read_transpose},
                                {"Expand", read_expand},
                                {"Shape", read_shape},
                                {"Size", read_size},
                                {"Identity", read_identity},
                                {"DepthToSpace", read_depth_to_space},
                                {"SpaceToDepth", read_space_to_depth}};

} // namespace

} // namespace migraphx::onnx
