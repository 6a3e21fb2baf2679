// SPDX-License-Identifier: MIT
// scatter, scatternd: device_code/scatter.cuh.
#include "targets/gpu/lower/named_axes.hpp"

#include <migraphx/instruction.hpp>

#include "base/str.hpp"

namespace migraphx::gpu {

namespace {

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
            launches.push_back(fill_scratch(*p.on, u.places, scratch));
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
    if (auto why = indexing_refusal(p, 0, 1); not why.empty())
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
    if (auto why = indexing_refusal(p, 0, 1); not why.empty())
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

const implementations scatter_choices{
    {"scatter_none", "scatter_add", "scatter_mul", "scatter_min", "scatter_max"},
    {{"scatter", scatter}}};
const implementations scatternd_choices{
    {"scatternd_none", "scatternd_add", "scatternd_mul", "scatternd_min", "scatternd_max"},
    {{"scatternd", scatternd}}};

} // namespace

} // namespace migraphx::gpu
