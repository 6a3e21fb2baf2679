// SPDX-License-Identifier: MIT
// tensor_scatter and concat_past_present, which write rows into caches of keys and values:
// device_code/cache.cuh.
#include "targets/gpu/lower/copy.hpp"

#include "base/str.hpp"
#include "ops/shape_input.hpp"

namespace migraphx::gpu {

namespace {

struct cache_update {
    std::size_t cache = 0, update = 0, positions = 0; ///< inputs
    std::size_t axis = 0;
    bool circular = false;
    bool from_start = false; ///< whatever the positions say
    bool in_place = false;   ///< the result may lie where the cache does
};

// The box: all elements of the cache; its tensors are those that cache_params lists.
lowered replaced_rows(const device_problem& p, const cache_update& u) {
    const auto &cache = p.inputs[u.cache], &update = p.inputs[u.update];
    if (not is_movable(cache))
        return lowered::refuse("elements that are not of 1, 2, 4 or 8 bytes");
    const bool positioned = not u.from_start and not is_absent(p.inputs, u.positions);
    int64_t position_step = 0;
    if (positioned) {
        const auto& s = p.inputs[u.positions];
        if (index_type(s.type()).empty())
            return lowered::refuse("positions of type " + s.type_string());
        if (s.ndim() != 1 and not is_dense(s))
            return lowered::refuse("positions that are not dense");
        position_step = s.ndim() == 1 ? int64_t(s.strides()[0]) : 1;
    }
    const auto elem = cache.type_size();
    auto of_update = strides_of(update);
    const auto update_row = of_update[u.axis];
    of_update[u.axis] = 0;
    sizes of_positions(cache.ndim(), 0), row(cache.ndim(), 0);
    of_positions[0] = position_step;
    row[u.axis] = 1;
    box b{lens_of(cache), {strides_of(p.output), strides_of(cache), of_update, of_positions, row}};
    b.simplify();
    const auto wide = b.widest_access(elem, 3, {update_row});
    b.widen(wide, 3);
    index_params params{b.is_large() or update_row >= int64_t{1} << 30};
    params.add(b);
    params.add(update_row / wide);
    params.add(int64_t(update.lens()[u.axis]));
    params.add(int64_t(cache.lens()[u.axis]));
    params.add(int64_t(u.circular));
    params.add(b.elements());
    const auto type = positioned ? index_type(p.inputs[u.positions].type()) : "i64";
    generated g;
    g.name = "cache_rows";
    g.entry = "cache_rows";
    g.inputs = {u.cache, u.update};
    if (positioned)
        g.inputs.push_back(u.positions);
    g.source =
        entry_text("cache.cuh", g.entry,
                   str("const char* cache, const char* update, ",
                       positioned ? str("const ", type, "* positions, ") : "",
                       "char* y, const cache_params<", b.rank(), ", ", params.type(), "> p"),
                   str("replace_rows<", wide * int64_t(elem), ", ", elem, ">(y, cache, update, ",
                       positioned ? "positions" : "static_cast<const i64*>(nullptr)", ", p);"));
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    g.writes_over = u.in_place;
    return one_launch(p, std::move(g));
}

lowered tensor_scatter(const device_problem& p) {
    const auto axis = p.op.get<int64_t>("axis");
    const auto rank = int64_t(p.inputs[0].ndim());
    // An update as large as the cache must not be written over before all of it is read.
    return replaced_rows(p, {.cache = 0,
                             .update = 1,
                             .positions = 2,
                             .axis = std::size_t(axis < 0 ? axis + rank : axis),
                             .circular = p.op.get<bool>("circular"),
                             .in_place = p.inputs[1].lens() != p.inputs[0].lens()});
}

// One token goes to its batch's position, a prompt to the start.
lowered concat_past_present(const device_problem& p) {
    return replaced_rows(p, {.cache = 2,
                             .update = 0,
                             .positions = 1,
                             .axis = 2,
                             .from_start = p.inputs[0].lens()[2] > 1});
}

const implementations scatter_choices{{"tensor_scatter"}, {{"rows", tensor_scatter}}};
const implementations append_choices{{"concat_past_present"}, {{"rows", concat_past_present}}};

} // namespace

} // namespace migraphx::gpu
