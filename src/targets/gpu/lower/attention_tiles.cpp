// SPDX-License-Identifier: MIT
#include "targets/gpu/lower/attention_tiles.hpp"

#include "base/str.hpp"

#include <algorithm>

namespace migraphx::gpu {

namespace {

int64_t div_up(int64_t x, int64_t y) {
    return (x + y - 1) / y;
}
int64_t round_up(int64_t x, int64_t unit) {
    return div_up(x, unit) * unit;
}

// As attention_tile::shared_bytes says; the text asserts that they agree.
std::size_t shared_bytes(const attention_sizes& s, const attention_tiles& t) {
    const auto unit = 16 / s.element;
    const auto k_row = (std::size_t(t.size) + unit) * s.element,
               v_row = (std::size_t(t.outs) + (s.matrix_units ? unit : 0)) * s.element;
    const auto warps = std::size_t(t.query_warps * t.key_warps);
    const auto own = s.matrix_units ? 0 : 16 * (std::size_t(t.warp_keys) + 4) * s.sum * warps;
    const auto tiles = std::size_t(t.rows()) * k_row +
                       std::size_t(t.stages) * std::size_t(t.keys()) * (k_row + v_row) + own;
    const auto joined = std::size_t(t.key_warps * t.rows()) * (std::size_t(t.outs) + 4 + 2) * s.sum;
    return std::max(tiles, joined);
}

struct warp_grid {
    int query, key;
};
constexpr warp_grid grids[] = {{4, 1}, {2, 2}, {1, 4}, {1, 8}};
constexpr int split_variant = 5;

} // namespace

std::string attention_tiles::warp_text() const {
    return str(size, ", ", outs, ", ", warp_keys);
}
std::string attention_tiles::tile_text() const {
    return str(query_warps, ", ", key_warps, ", ", stages);
}

std::optional<attention_tiles> choose_attention_tiles(const attention_sizes& s,
                                                      const device_properties& on, int variant) {
    attention_tiles t;
    const int64_t out_unit = s.matrix_units ? 16 : 32;
    // What a lane keeps of a row's result must stay in registers.
    const int64_t most_outs = s.sum == 8 ? 64 : s.matrix_units ? 256 : 128;
    t.size = int(round_up(s.q_size, s.matrix_units ? 16 : 8));
    t.slices = std::max<int64_t>(1, div_up(s.v_size, most_outs));
    t.outs = int(round_up(std::max<int64_t>(1, div_up(s.v_size, t.slices)), out_unit));

    const auto blocks = [&](const warp_grid& g) {
        return div_up(s.rows, 16 * g.query) * s.products * t.slices;
    };
    const auto enough = int64_t(2) * on.multiprocessors;
    auto grid = grids[2];
    if (variant > 0)
        grid = variant < split_variant ? grids[variant - 1] : grids[2];
    else {
        // Sums without matrix units take long: more warps hide what each of them waits for.
        if (not s.matrix_units and s.keys >= 128)
            grid = grids[3];
        for (const auto& g : grids)
            if (g.query > 1 and s.rows > 8 * g.query and blocks(g) >= enough) {
                grid = g;
                break;
            }
    }
    t.query_warps = grid.query;
    t.key_warps = grid.key;
    t.warp_keys = s.matrix_units and grid.key == 1 and t.size <= 64 and t.outs <= 64 ? 64
                  : grid.key == 8                                                    ? 16
                                                                                     : 32;
    const int least_keys = s.matrix_units ? 16 : 8;
    while (t.warp_keys > least_keys and t.warp_keys / 2 * t.key_warps >= s.keys)
        t.warp_keys /= 2;

    // Few blocks for the device, many keys: each block takes a part of them.
    const auto parts = std::max<int64_t>(1, div_up(s.keys, t.keys()));
    if (variant == split_variant)
        t.splits = std::min<int64_t>(parts, 3);
    else if (variant == 0 and grid.query == 1 and blocks(grid) < on.multiprocessors)
        t.splits =
            std::min({parts, div_up(enough, std::max<int64_t>(1, blocks(grid))), int64_t{256}});
    t.split_keys = round_up(div_up(std::max<int64_t>(1, s.keys), t.splits), t.keys());
    t.splits = std::max<int64_t>(1, div_up(s.keys, t.split_keys));

    t.stages = t.split_keys > t.keys() ? 2 : 1;
    // Where blocks outnumber processors, two share one: no second wave that is nearly empty.
    constexpr std::size_t reserved = 1024; // of each block
    const bool crowded = blocks(grid) * t.splits > on.multiprocessors;
    const auto room = crowded ? on.shared / 2 - reserved : on.shared;
    for (;;) {
        t.shared = shared_bytes(s, t);
        if (t.shared <= room or (t.stages == 1 and t.warp_keys <= 16 and t.shared <= on.shared))
            return t;
        if (t.stages == 2)
            t.stages = 1;
        else if (t.warp_keys > least_keys)
            t.warp_keys /= 2; // split_keys stays a multiple of the tile
        else if (t.query_warps == 4)
            t.query_warps = t.key_warps = 2;
        else if (t.query_warps == 2)
            t.query_warps = 1;
        else if (t.key_warps > 1)
            t.key_warps /= 2;
        else
            return std::nullopt;
    }
}

} // namespace migraphx::gpu
