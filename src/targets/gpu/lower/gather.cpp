// SPDX-License-Identifier: MIT
// gather, gather_elements, gathernd, scan_slice, onehot: device_code/gather.cuh, onehot.cuh.
#include "targets/gpu/lower/named_axes.hpp"

#include "base/str.hpp"
#include "ops/indices.hpp"
#include "ops/shape_input.hpp"

namespace migraphx::gpu {

std::string indexing_refusal(const device_problem& p, std::size_t data, std::size_t index) {
    if (not is_movable(p.inputs[data]))
        return "elements that are not of 1, 2, 4 or 8 bytes";
    if (index_type(p.inputs[index].type()).empty())
        return "indices of type " + p.inputs[index].type_string();
    if (p.inputs[data].elements() == 0 and p.output.elements() > 0)
        return "nothing to choose from";
    return {};
}

namespace {

// Tensors of the box: the output, the data (without the named axes), the indices.
lowered gathered(const device_problem& p, box b, const named_axes& named, const char* name) {
    if (named.count() > most_named)
        return lowered::refuse("tuples of more than 8 indices");
    const auto elem = p.output.type_size();
    b.simplify();
    int64_t wide = b.widest_access(elem, 2);
    while (not named.fits(wide))
        wide /= 2;
    b.widen(wide, 2);
    index_params params{b.is_large() or named.is_large()};
    params.add(b);
    named.add(params, wide);
    params.add(named.first / wide);
    params.add(b.elements());
    generated g;
    g.name = name;
    g.entry = "gather";
    g.source =
        entry_text("gather.cuh", g.entry,
                   str("const char* x, const ", index_type(p.inputs[1].type()),
                       "* index, char* y, const gather_params<", b.rank(), ", ", named.count(),
                       ", ", params.type(), "> p"),
                   str("gather_elements<", wide * int64_t(elem), ", ", elem, ">(y, x, index, p);"));
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    return one_launch(p, std::move(g));
}

sizes constant_positions(const argument& indices, std::size_t len) {
    sizes result;
    for (auto i : read_integers(indices))
        result.push_back(int64_t(position_of(i, len)));
    return result;
}

// Strides of the output's dimensions, with those of the indices put in the place of the axis.
lowered gather(const device_problem& p) {
    if (auto why = indexing_refusal(p, 0, 1); not why.empty())
        return lowered::refuse(why);
    const auto &data = p.inputs[0], &index = p.inputs[1];
    const auto axis = p.op.get<std::size_t>("axis");
    const auto out_rank = p.output.ndim();
    // An index without dimensions is one of one element; a result without dimensions likewise.
    const bool single = out_rank + 1 != data.ndim() + index.ndim() or p.output.scalar();
    const auto y = strides_of(p.output), x = strides_of(data), i = strides_of(index);
    box b{lens_of(p.output), {y, sizes(out_rank, 0), sizes(out_rank, 0)}};
    if (p.output.elements() > 1) {
        const std::size_t named = single ? 0 : index.ndim();
        for (std::size_t d = 0; d < out_rank; d++) {
            if (d < axis)
                b.strides[1][d] = x[d];
            else if (d < axis + named)
                b.strides[2][d] = i[d - axis];
            else
                b.strides[1][d] = x[d - named + 1];
        }
    }
    // Constant indices make a copy whose sources are known.
    if (p.is_constant(1) and p.output.elements() > 0 and index.elements() == 1) {
        const auto at = constant_positions(p.constants[1], data.lens()[axis]);
        auto g = strided_copy(*p.on, data.type_size(), box{b.lens, {b.strides[0], b.strides[1]}}, 0,
                              at[0] * x[axis]);
        g.name = "gather (copy)";
        return one_launch(p, std::move(g));
    }
    return gathered(p, std::move(b), {{int64_t(data.lens()[axis])}, {x[axis]}}, "gather");
}

lowered gather_elements(const device_problem& p) {
    if (auto why = indexing_refusal(p, 0, 1); not why.empty())
        return lowered::refuse(why);
    const auto axis = p.op.get<std::size_t>("axis");
    const auto x = strides_of(p.inputs[0]);
    auto rest = x;
    rest[axis] = 0;
    return gathered(p,
                    box{lens_of(p.output), {strides_of(p.output), rest, strides_of(p.inputs[1])}},
                    {{int64_t(p.inputs[0].lens()[axis])}, {x[axis]}}, "gather_elements");
}

// One position, the same for all.
lowered scan_slice(const device_problem& p) {
    if (auto why = indexing_refusal(p, 0, 1); not why.empty())
        return lowered::refuse(why);
    const auto axis = p.op.get<std::size_t>("axis");
    const auto len = int64_t(p.inputs[0].lens()[axis]);
    const auto x = strides_of(p.inputs[0]);
    named_axes named{{len}, {x[axis]}};
    if (p.op.get<int64_t>("direction") == 1) {
        named.first = (len - 1) * x[axis];
        named.steps[0] = -x[axis];
    }
    return gathered(p, box{lens_of(p.output), {strides_of(p.output), x, sizes(p.output.ndim(), 0)}},
                    named, "scan_slice");
}

lowered gathernd(const device_problem& p) {
    if (auto why = indexing_refusal(p, 0, 1); not why.empty())
        return lowered::refuse(why);
    const auto &data = p.inputs[0], &index = p.inputs[1];
    const auto batch = p.op.get<std::size_t>("batch_dims");
    const auto x = strides_of(data), i = strides_of(index);
    const auto depth = index.lens().back();
    named_axes named{{}, {}, i.back(), 0};
    for (std::size_t k = 0; k < depth; k++) {
        named.lens.push_back(int64_t(data.lens()[batch + k]));
        named.steps.push_back(x[batch + k]);
    }
    const auto rank = p.output.ndim();
    box b{lens_of(p.output), {strides_of(p.output), sizes(rank, 0), sizes(rank, 0)}};
    if (p.output.elements() > 1)
        for (std::size_t d = 0; d < rank; d++) {
            if (d < batch)
                b.strides[1][d] = x[d];
            if (d + 1 < index.ndim())
                b.strides[2][d] = i[d];
            else
                b.strides[1][d] = x[d - (index.ndim() - 1) + batch + depth];
        }
    return gathered(p, std::move(b), named, "gathernd");
}

// ---- onehot

lowered onehot(const device_problem& p) {
    const auto &index = p.inputs[0], &values = p.inputs.back(), &out = p.output;
    if (not is_movable(out))
        return lowered::refuse("elements that are not of 1, 2, 4 or 8 bytes");
    if (index_type(index.type()).empty())
        return lowered::refuse("indices of type " + index.type_string());
    const auto axis = p.op.get<std::size_t>("axis");
    auto i = strides_of(index);
    i.insert(i.begin() + std::ptrdiff_t(axis), 0);
    sizes along(out.ndim(), 0);
    along[axis] = 1;
    box b{lens_of(out), {strides_of(out), i, along}};
    b.simplify();
    index_params params{b.is_large()};
    params.add(b);
    params.add(int64_t(out.lens()[axis]));
    params.add(int64_t(values.strides()[0]));
    params.add(b.elements());
    generated g;
    g.name = g.entry = "onehot";
    g.source = entry_text("onehot.cuh", g.entry,
                          str("const ", index_type(index.type()),
                              "* index, const char* values, char* y, const onehot_params<",
                              b.rank(), ", ", params.type(), "> p"),
                          str("onehot_elements<", out.type_size(), ">(y, index, values, p);"));
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    g.inputs = {0, p.inputs.size() - 1};
    return one_launch(p, std::move(g));
}

const implementations gather_choices{{"gather"}, {{"gather", gather}}};
const implementations gather_elements_choices{{"gather_elements"},
                                              {{"gather_elements", gather_elements}}};
const implementations scan_slice_choices{{"scan_slice"}, {{"gather", scan_slice}}};
const implementations gathernd_choices{{"gathernd"}, {{"gathernd", gathernd}}};
const implementations onehot_choices{{"onehot"}, {{"onehot", onehot}}};

} // namespace

} // namespace migraphx::gpu
