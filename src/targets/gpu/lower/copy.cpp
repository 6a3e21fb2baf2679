// SPDX-License-Identifier: MIT
#include "targets/gpu/lower/copy.hpp"

#include "base/str.hpp"

#include <algorithm>

namespace migraphx::gpu {

namespace {

// ---- transpositions

// The axis along which the input is contiguous, when that is not the output's and both are long
// enough for tiles.
std::optional<std::size_t> tiled_axis(const box& b) {
    constexpr int64_t shortest = 8, smallest = 1024;
    const auto a = b.rank() - 1;
    if (b.strides[0][a] != 1 or b.strides[1][a] == 1 or b.lens[a] < shortest)
        return std::nullopt;
    for (std::size_t d = 0; d < a; d++)
        if (b.strides[1][d] == 1 and b.lens[d] >= shortest and b.lens[d] * b.lens[a] >= smallest)
            return d;
    return std::nullopt;
}

int64_t widest(std::size_t elem, int64_t tile, std::initializer_list<int64_t> multiples,
               const sizes& strides) {
    for (int64_t v = int64_t(16 / elem); v > 1; v /= 2) {
        const auto fits = [v](int64_t x) { return x % v == 0; };
        if (tile % v == 0 and std::all_of(multiples.begin(), multiples.end(), fits) and
            std::all_of(strides.begin(), strides.end(), fits))
            return v;
    }
    return 1;
}

// The axes that a transposition does not exchange.
box other_axes(const box& b, std::size_t axis_b) {
    box outer{{}, {{}, {}}};
    for (std::size_t d = 0; d + 1 < b.rank(); d++)
        if (d != axis_b) {
            outer.lens.push_back(b.lens[d]);
            for (int k = 0; k < 2; k++)
                outer.strides[k].push_back(b.strides[k][d]);
        }
    outer.simplify();
    return outer;
}

// Few channels that become neighbours.
std::optional<generated> interleaved_copy(const device& on, std::size_t elem, const box& b,
                                          int64_t from) {
    constexpr int64_t most_channels = 8;
    const auto axis_a = b.rank() - 1;
    const auto channels = b.lens[axis_a];
    if (b.rank() < 2 or b.strides[0][axis_a] != 1 or channels > most_channels)
        return std::nullopt;
    const auto axis_b = axis_a - 1;
    if (b.strides[0][axis_b] != channels or b.strides[1][axis_b] != 1)
        return std::nullopt;
    const auto in_a = b.strides[1][axis_a], len_b = b.lens[axis_b];
    const auto outer = other_axes(b, axis_b);
    auto run = std::min<int64_t>(int64_t(16 / elem), elem == 1 ? 8 : 4);
    const auto fits = [&](int64_t x) { return x % run == 0; };
    while (run > 1 and not(fits(in_a) and fits(len_b) and fits(from) and
                           std::all_of(outer.strides[0].begin(), outer.strides[0].end(), fits) and
                           std::all_of(outer.strides[1].begin(), outer.strides[1].end(), fits)))
        run /= 2;
    if (run == 1)
        return std::nullopt;
    const auto n = outer.elements() * (len_b / run);
    index_params params{b.is_large()};
    params.add(outer);
    params.add_divider(len_b / run);
    for (auto x : {n, in_a, from})
        params.add(x);
    generated g;
    g.name = g.entry = "interleave";
    g.source = entry_text("tiles.cuh", g.entry,
                          str("const char* x, char* y, const interleave_params<", outer.rank(),
                              ", ", params.type(), "> p"),
                          str("interleave_runs<", elem, ", ", channels, ", ", run, ">(y, x, p);"));
    g.params = params.data();
    g.launch = launch_for(on, n);
    return g;
}

generated tiled_copy(const device& on, std::size_t elem, const box& b, std::size_t axis_b,
                     int64_t from) {
    const auto axis_a = b.rank() - 1;
    const int64_t tile = elem <= 2 ? 64 : 32;
    const auto len_a = b.lens[axis_a], len_b = b.lens[axis_b];
    const auto out_b = b.strides[0][axis_b], in_a = b.strides[1][axis_a];
    const auto outer = other_axes(b, axis_b);
    const auto va = widest(elem, tile, {len_a, out_b}, outer.strides[0]);
    const auto vb = widest(elem, tile, {len_b, in_a, from}, outer.strides[1]);
    const auto tiles_a = (len_a + tile - 1) / tile, tiles_b = (len_b + tile - 1) / tile;
    const auto blocks = tiles_a * tiles_b * outer.elements();

    index_params params{b.is_large() or blocks * 64 >= (int64_t{1} << 30)};
    params.add(outer);
    params.add_divider(tiles_a);
    params.add_divider(tiles_b);
    for (auto x : {blocks, len_a, len_b, out_b, in_a, from})
        params.add(x);

    generated g;
    g.name = "transpose";
    g.entry = "transpose";
    g.source = entry_text(
        "tiles.cuh", g.entry,
        str("const char* x, char* y, const tile_params<", outer.rank(), ", ", params.type(), "> p"),
        str("transpose_tiles<", elem, ", ", tile, ", ", va, ", ", vb, ">(y, x, p);"));
    g.params = params.data();
    g.launch = {{uint32_t(std::min<int64_t>(
                    blocks, int64_t{64} * std::max(1, on.properties().multiprocessors)))},
                {block_size}};
    return g;
}

} // namespace

bool is_movable(const shape& s) {
    const auto size = s.type_size();
    return s.type() != shape::tuple_type and (size == 1 or size == 2 or size == 4 or size == 8);
}

generated strided_copy(const device& on, std::size_t elem, box b, std::size_t input, int64_t from) {
    b.simplify();
    generated g;
    const auto axis = b.elements() == 0 ? std::nullopt : tiled_axis(b);
    if (axis)
        g = tiled_copy(on, elem, b, *axis, from);
    else if (auto few = b.elements() == 0 ? std::nullopt : interleaved_copy(on, elem, b, from))
        g = std::move(*few);
    else {
        const auto last = b.rank() - 1;
        auto wide = b.widest_access(elem, 2, {from});
        // Neighbours in the output that are one element of the input.
        const bool splat = wide == 1 and b.strides[1][last] == 0 and b.lens[last] > 1 and
                           (wide = b.widest_access(elem, 1)) > 1;
        b.widen(wide, splat ? 1 : 2);
        if (not splat)
            from /= wide;
        index_params params{b.is_large()};
        params.add(b);
        params.add(b.elements());
        params.add(from);
        g.name = g.entry = "copy";
        g.source = entry_text(
            "move.cuh", g.entry,
            str("const char* x, char* y, const copy_params<", b.rank(), ", ", params.type(), "> p"),
            str("copy_elements<", wide * int64_t(elem), ", ", elem, ", ", splat ? "true" : "false",
                ">(y, x, p);"));
        g.params = params.data();
        g.launch = launch_for(on, b.elements());
    }
    g.inputs = {input};
    return g;
}

generated copy_between(const device& on, const shape& from, const shape& to, std::size_t input) {
    const auto elem = from.type_size();
    if (from.lens() == to.lens())
        return strided_copy(on, elem, {lens_of(to), {strides_of(to), strides_of(from)}}, input);
    const auto dense_as = [](const shape& like) { return row_major_strides(lens_of(like)); };
    if (is_dense(to))
        return strided_copy(on, elem, {lens_of(from), {dense_as(from), strides_of(from)}}, input);
    if (is_dense(from))
        return strided_copy(on, elem, {lens_of(to), {strides_of(to), dense_as(to)}}, input);
    // Row-major order splits differently on the two sides.
    box out{lens_of(to), {strides_of(to)}}, in{lens_of(from), {strides_of(from)}};
    out.simplify(true);
    in.simplify(true);
    index_params params{out.is_large() or in.is_large()};
    params.add(out);
    params.add(in);
    params.add(out.elements());
    generated g;
    g.name = g.entry = "reshape";
    g.source = entry_text("move.cuh", g.entry,
                          str("const char* x, char* y, const reshape_params<", out.rank(), ", ",
                              in.rank(), ", ", params.type(), "> p"),
                          str("reshape_elements<", elem, ">(y, x, p);"));
    g.params = params.data();
    g.launch = launch_for(on, out.elements());
    g.inputs = {input};
    return g;
}

generated fill_box(const device& on, box b, const std::vector<char>& element) {
    const auto elem = element.size();
    b.simplify();
    const auto wide = b.widest_access(elem, 1);
    b.widen(wide, 1);
    index_params params{b.is_large()};
    add_repeated(params, element);
    params.add(b);
    params.add(b.elements());
    generated g;
    g.name = g.entry = "fill";
    g.source = entry_text("move.cuh", g.entry,
                          str("char* y, const fill_params<", b.rank(), ", ", params.type(), "> p"),
                          str("fill_elements<", wide * int64_t(elem), ", ", elem, ">(y, p);"));
    g.params = params.data();
    g.launch = launch_for(on, b.elements());
    g.takes_inputs = false;
    return g;
}

generated fill_scratch(const device& on, int64_t count, std::size_t scratch) {
    auto g = fill_box(on, {{count}, {{1}}}, std::vector<char>(4));
    // The scratch in the place of the output.
    const std::string output = "char* y";
    g.source.replace(g.source.find(output), output.size(), "char*, " + output);
    g.scratch = scratch;
    return g;
}

// ---- copies by look-up

namespace {

// A box whose axes keep their numbers where they are looked up: the others merge with neighbours of
// their kind. Axes are put in the order of the output's memory.
struct looked_up_box {
    box b;
    std::vector<const axis_source*> from;

    looked_up_box(const box& given, const std::vector<axis_source>& sources) {
        std::vector<std::size_t> order;
        for (std::size_t d = 0; d < given.rank(); d++)
            if (given.lens[d] != 1 or not sources[d].empty())
                order.push_back(d);
        std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
            return given.strides[0][i] > given.strides[0][j];
        });
        b.strides.resize(2);
        for (auto d : order) {
            const auto len = given.lens[d];
            if (not from.empty() and from.back() == nullptr and sources[d].empty() and
                b.strides[0].back() == given.strides[0][d] * len and
                b.strides[1].back() == given.strides[1][d] * len) {
                b.lens.back() *= len;
                for (int k = 0; k < 2; k++)
                    b.strides[k].back() = given.strides[k][d];
                continue;
            }
            b.lens.push_back(len);
            for (int k = 0; k < 2; k++)
                b.strides[k].push_back(given.strides[k][d]);
            from.push_back(sources[d].empty() ? nullptr : &sources[d]);
        }
        if (from.empty()) {
            b = {{1}, {{0}, {0}}};
            from = {nullptr};
        }
    }
};

// Positions that are all `from + c`.
bool is_shift(const axis_source& from) {
    for (std::size_t i = 0; i < from.size(); i++)
        if (from[i] < 0 or from[i] != from[0] + int64_t(i))
            return false;
    return true;
}

template <class I>
void append(std::vector<char>& table, int64_t x) {
    const auto value = I(x);
    const auto* bytes = reinterpret_cast<const char*>(&value);
    table.insert(table.end(), bytes, bytes + sizeof(I));
}

} // namespace

generated mapped_copy(const device& on, std::size_t elem, const box& given,
                      const std::vector<axis_source>& from, const std::vector<char>& element,
                      std::optional<std::size_t> element_input) {
    // Shifts move the first element instead.
    auto sources = from;
    int64_t first = 0;
    for (std::size_t d = 0; d < sources.size(); d++)
        if (not sources[d].empty() and is_shift(sources[d])) {
            first += sources[d][0] * given.strides[1][d];
            sources[d].clear();
        }
    if (std::all_of(sources.begin(), sources.end(), [](const auto& s) { return s.empty(); }))
        return strided_copy(on, elem, given, 0, first);

    looked_up_box l{given, sources};
    auto& b = l.b;
    const auto wide = l.from.back() == nullptr ? b.widest_access(elem, 2, {first}) : 1;
    b.widen(wide, 2);
    first /= wide;
    box reach = b; // the source's positions may be more than the output's
    for (std::size_t d = 0; d < b.rank(); d++)
        if (l.from[d] != nullptr)
            reach.lens[d] = std::max<int64_t>(
                b.lens[d], *std::max_element(l.from[d]->begin(), l.from[d]->end()) + 1);
    index_params params{reach.is_large()};
    const int64_t nowhere = int64_t{1} << (params.large() ? 62 : 30);
    add_repeated(params, element);
    params.add(box{b.lens, {b.strides[0]}});
    params.add(b.strides[1]);
    int64_t looked = 0, entries = 0;
    generated g;
    for (std::size_t d = 0; d < b.rank(); d++) {
        params.add(entries);
        if (l.from[d] == nullptr)
            continue;
        looked |= int64_t{1} << d;
        entries += b.lens[d];
        for (auto at : *l.from[d]) {
            const auto offset = at < 0 ? nowhere : at * b.strides[1][d];
            params.large() ? append<int64_t>(g.table, offset) : append<int32_t>(g.table, offset);
        }
    }
    params.add(first);
    params.add(b.elements());
    g.name = g.entry = "map";
    g.source = entry_text(
        "move.cuh", g.entry,
        str("const char* x, ", element_input ? "const char* element, " : "", "char* y, const ",
            params.type(), "* table, const map_params<", b.rank(), ", ", params.type(), "> p"),
        str("map_elements<", wide * int64_t(elem), ", ", elem, ", ", looked, ">(y, x, table, ",
            element_input ? str("filled_with<", elem, ">(p, element)") : "p", ");"));
    g.params = params.data();
    g.launch = launch_for(on, b.elements());
    g.inputs = {0};
    if (element_input)
        g.inputs.push_back(*element_input);
    return g;
}

lowered one_launch(const device_problem& p, generated g) {
    return make_generated(p, std::move(g));
}

} // namespace migraphx::gpu
