// SPDX-License-Identifier: MIT
// gather, gather_elements, gathernd, onehot, scatter, scatternd: device_code/gather.cuh,
// scatter.cuh.
#include "targets/gpu/lower/copy.hpp"

#include <migraphx/instruction.hpp>

#include "base/str.hpp"
#include "ops/indices.hpp"
#include "ops/shape_input.hpp"

#include <algorithm>

namespace migraphx::gpu {

namespace {

// How indices name positions: along which axes of the data, and what strides those have.
struct named_axes {
    sizes lens, steps;
    int64_t index_step = 0;
    int64_t first = 0; // where positions 0 lie

    std::size_t count() const { return lens.size(); }
    void add(index_params& params, int64_t wide = 1) const {
        params.add(lens);
        for (auto s : steps)
            params.add(s / wide);
        params.add(index_step);
    }
    // Steps that let accesses of so many elements start at any position.
    bool fits(int64_t wide) const {
        return first % wide == 0 and
               std::all_of(steps.begin(), steps.end(), [&](auto s) { return s % wide == 0; });
    }
    bool is_large() const {
        int64_t reach = 0;
        for (std::size_t k = 0; k < count(); k++)
            reach += std::abs(steps[k]) * lens[k];
        return reach >= int64_t{1} << 30;
    }
};

constexpr std::size_t most_named = 8;

std::string refusal(const device_problem& p, std::size_t data, std::size_t index) {
    if (not is_movable(p.inputs[data]))
        return "elements that are not of 1, 2, 4 or 8 bytes";
    if (index_type(p.inputs[index].type()).empty())
        return "indices of type " + p.inputs[index].type_string();
    if (p.inputs[data].elements() == 0 and p.output.elements() > 0)
        return "nothing to choose from";
    return {};
}

// ---- gather

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
    if (auto why = refusal(p, 0, 1); not why.empty())
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
    if (auto why = refusal(p, 0, 1); not why.empty())
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
    if (auto why = refusal(p, 0, 1); not why.empty())
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
    if (auto why = refusal(p, 0, 1); not why.empty())
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

// ---- scatter

// The updates' axes in row-major order, the first `numbered` of which have an index tuple each.
// Tensors of the box: updates, data, indices.
struct update_plan {
    box b;
    named_axes named;
    std::size_t numbered = 0;
    sizes place_lens;   // of the numbered axes (0: not part of a place), for places
    sizes place_steps;  // of the tuple
    int64_t places = 1; // how many there are
};

bool may_repeat(const update_plan& u) {
    int64_t tuples = 1;
    for (std::size_t d = 0; d < u.numbered; d++)
        tuples *= u.b.lens[d];
    return tuples > 1;
}

generated note_winners(const device_problem& p, const update_plan& u, std::size_t scratch) {
    box b;
    const auto first = std::ptrdiff_t(u.numbered);
    b.lens.assign(u.b.lens.begin(), u.b.lens.begin() + first);
    b.strides = {sizes(u.b.strides[2].begin(), u.b.strides[2].begin() + first),
                 row_major_strides(b.lens), u.place_lens};
    b.simplify();
    index_params params{b.is_large() or u.places >= int64_t{1} << 30};
    params.add(b);
    params.add(u.named.lens);
    params.add(u.place_steps);
    params.add(u.named.index_step);
    params.add(b.elements());
    generated g;
    g.name = "scatter (last)";
    g.entry = "winners";
    g.source = entry_text("scatter.cuh", g.entry,
                          str("const ", index_type(p.inputs[1].type()),
                              "* index, char* y, u32* winner, const winner_params<", b.rank(), ", ",
                              u.named.count(), ", ", params.type(), "> p"),
                          "note_winners(index, winner, p);");
    g.params = params.data();
    g.inputs = {1};
    g.scratch = scratch;
    g.launch = launch_for(*p.on, b.elements());
    return g;
}

generated no_winners(const device_problem& p, int64_t places, std::size_t scratch) {
    auto g = fill_box(*p.on, {{places}, {{1}}}, std::vector<char>(4));
    // The scratch in the place of the output.
    const auto at = g.source.find("char* y");
    g.source.replace(at, 7, "char*, char* y");
    g.scratch = scratch;
    return g;
}

generated update(const device_problem& p, const update_plan& u, const std::string& kind,
                 bool winners, std::size_t scratch) {
    const auto elem = p.output.type_size();
    auto b = u.b;
    sizes number(b.rank(), 0), place(b.rank(), 0);
    const auto order =
        row_major_strides(sizes(b.lens.begin(), b.lens.begin() + std::ptrdiff_t(u.numbered)));
    for (std::size_t d = 0; d < u.numbered; d++) {
        number[d] = winners ? order[d] : 0;
        place[d] = winners ? u.place_lens[d] : 0;
    }
    b.strides.push_back(number);
    b.strides.push_back(place);
    b.simplify();
    int64_t wide = 1;
    if (kind == "none") {
        wide = b.widest_access(elem, 2);
        while (not u.named.fits(wide))
            wide /= 2;
        b.widen(wide, 2);
    }
    index_params params{b.is_large() or u.named.is_large() or u.places >= int64_t{1} << 30};
    params.add(b);
    u.named.add(params, wide);
    params.add(u.place_steps);
    params.add(b.elements());
    generated g;
    g.name = p.op.name();
    g.entry = "update";
    const auto type = kind == "none" ? std::string("char") : device_type(p.output.type());
    g.source = entry_text(
        "scatter.cuh", g.entry,
        str("const ", index_type(p.inputs[1].type()), "* index, const ", type, "* updates, ", type,
            "* y, ", winners ? "const u32* winner, " : "", "const scatter_params<", b.rank(), ", ",
            u.named.count(), ", ", params.type(), "> p"),
        kind == "none" ? str("replace_elements<", wide * int64_t(elem), ", ", elem, ", ",
                             winners ? "true" : "false", ">(y, updates, index, ",
                             winners ? "winner" : "nullptr", ", p);")
                       : str("combine_elements<scatter_", kind, ">(y, updates, index, p);"));
    g.params = params.data();
    g.inputs = {1, 2};
    g.scratch = winners ? scratch : 0;
    g.launch = launch_for(*p.on, b.elements());
    return g;
}

lowered scattered(const device_problem& p, const update_plan& u) {
    const auto name = p.op.name();
    const auto kind = name.substr(name.find('_') + 1);
    if (u.named.count() > most_named)
        return lowered::refuse("tuples of more than 8 indices");
    if (kind != "none" and device_type(p.output.type()).empty())
        return lowered::refuse("sums and products of type " + p.output.type_string());
    std::vector<generated> launches;
    launches.push_back(copy_between(*p.on, p.inputs[0], p.output, 0));
    launches.back().needless = [](const kernel_args& args) {
        return args.inputs[0] == args.outputs[0];
    };
    if (p.inputs[2].elements() > 0 and p.output.elements() > 0) {
        const bool winners = kind == "none" and may_repeat(u);
        const auto scratch = std::size_t(u.places) * 4;
        if (winners) {
            if (u.b.elements() >= int64_t{1} << 31)
                return lowered::refuse("more than 2^31 updates");
            launches.push_back(no_winners(p, u.places, scratch));
            launches.push_back(note_winners(p, u, scratch));
        }
        launches.push_back(update(p, u, kind, winners, scratch));
    }
    const auto& in = p.ins->inputs();
    const bool over = p.inputs[0] == p.output and in[0] != in[1] and in[0] != in[2];
    for (auto& g : launches)
        g.writes_over = over;
    return make_generated(p, std::move(launches));
}

lowered scatter(const device_problem& p) {
    if (auto why = refusal(p, 0, 1); not why.empty())
        return lowered::refuse(why);
    const auto& out = p.output;
    const auto axis = p.op.get<std::size_t>("axis");
    for (std::size_t d = 0; d < out.ndim(); d++)
        if (d != axis and p.inputs[1].lens()[d] > out.lens()[d])
            return lowered::refuse("indices outside of the data");
    update_plan u;
    auto to = strides_of(out), places = row_major_strides(lens_of(out));
    u.named = {{int64_t(out.lens()[axis])}, {to[axis]}};
    u.place_steps = {places[axis]};
    u.places = int64_t(out.elements());
    to[axis] = places[axis] = 0;
    u.place_lens = places;
    u.b = {lens_of(p.inputs[2]), {strides_of(p.inputs[2]), to, strides_of(p.inputs[1])}};
    u.numbered = out.ndim();
    return scattered(p, u);
}

lowered scatternd(const device_problem& p) {
    if (auto why = refusal(p, 0, 1); not why.empty())
        return lowered::refuse(why);
    const auto &out = p.output, &index = p.inputs[1], &updates = p.inputs[2];
    const auto depth = index.lens().back();
    const auto tuple_rank = index.ndim() - 1;
    const auto to = strides_of(out), i = strides_of(index);
    update_plan u;
    u.named.index_step = i.back();
    for (std::size_t k = 0; k < depth; k++) {
        u.named.lens.push_back(int64_t(out.lens()[k]));
        u.named.steps.push_back(to[k]);
    }
    u.place_steps = row_major_strides(u.named.lens);
    u.places = product_of(u.named.lens);
    u.numbered = tuple_rank;
    u.place_lens = sizes(tuple_rank, 0);
    const auto rank = tuple_rank + out.ndim() - depth;
    sizes lens, data, tuples;
    for (std::size_t d = 0; d < rank; d++) {
        const bool numbered = d < tuple_rank;
        const auto axis = numbered ? d : d - tuple_rank + depth;
        lens.push_back(int64_t(numbered ? index.lens()[d] : out.lens()[axis]));
        data.push_back(numbered ? 0 : to[axis]);
        tuples.push_back(numbered ? i[d] : 0);
    }
    if (product_of(lens) != int64_t(updates.elements()))
        return lowered::refuse("another number of updates");
    // One element of data leaves no dimension of its own; {1} stands for none.
    auto from = strides_of(updates);
    if (updates.elements() == 1)
        from = sizes(rank, 0);
    u.b = {lens, {from, data, tuples}};
    return scattered(p, u);
}

const implementations gather_choices{{"gather"}, {{"gather", gather}}};
const implementations gather_elements_choices{{"gather_elements"},
                                              {{"gather_elements", gather_elements}}};
const implementations scan_slice_choices{{"scan_slice"}, {{"gather", scan_slice}}};
const implementations gathernd_choices{{"gathernd"}, {{"gathernd", gathernd}}};
const implementations onehot_choices{{"onehot"}, {{"onehot", onehot}}};
const implementations scatter_choices{
    {"scatter_none", "scatter_add", "scatter_mul", "scatter_min", "scatter_max"},
    {{"scatter", scatter}}};
const implementations scatternd_choices{
    {"scatternd_none", "scatternd_add", "scatternd_mul", "scatternd_min", "scatternd_max"},
    {{"scatternd", scatternd}}};

} // namespace

} // namespace migraphx::gpu
