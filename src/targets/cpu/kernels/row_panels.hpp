// SPDX-License-Identifier: MIT
// Rows times panels of weights, a few rows by all panels at a time, so that the result is written
// in the order of memory. For kernel files only.
#pragma once

#include "targets/cpu/kernels/paired_gemm.hpp"
#include "targets/cpu/kernels/separable.hpp"

namespace migraphx::cpu::KERNEL_ISA {

// Packed rows save instructions where a multiplication reads memory.
constexpr bool packs = lanes == 16;
constexpr int64_t strip_tiles_most = 4;      // that are packed at once
constexpr int64_t block_rows = 2 * row_most; // that go by all panels together

struct row_strips {
    float* at;       // memory for `tiles` packed tiles, or null
    int64_t tiles;   // that go by all panels together
    channel_map map; // of the rows
    bool fetches;    // the lines that the next tile writes
};

constexpr int64_t tile_rows(const row_product& x) {
    return x.pairs != nullptr ? paired_rows : strip_rows;
}

// n rows in tiles of about the same height, at most `most`: f(tile, first row, rows).
template <class F>
MIGRAPHX_VEC_INLINE void each_tile(int64_t n, int64_t most, F f) {
    const int64_t tiles = (n + most - 1) / most;
    for (int64_t t = 0, r = 0; t < tiles; ++t) {
        const int64_t rows = (n - r + tiles - t - 1) / (tiles - t);
        f(t, r, rows);
        r += rows;
    }
}

// Heads of strips for pairs have room in the rows that these leave over.
static_assert(lanes < 16 || pair_parts(16) * strip_head + paired_rows * 16 <= strip_floats(16));

// Packs rows in tiles of about the same height; returns what follows them.
inline float* pack_tiles(const row_product& x, int64_t rows, const channel_map& map,
                         float* strips) {
    each_tile(rows, tile_rows(x), [&](int64_t, int64_t r, int64_t n) {
        const float* from = x.x + r * x.x_row;
        if (x.pairs != nullptr)
            pack_paired_strip(from, x.x_row, n, x.depth, map, x.weight_exponent, strips);
        else
            pack_strip(from, x.x_row, n, x.depth, map, strips);
        strips += strip_floats(x.depth);
    });
    return strips;
}

// A packed tile of n rows times a panel.
inline void multiply_packed(const row_product& x, const float* strip, const tile_fetch& fetch,
                            const row_epilogue& e, const tile_place& at, int64_t n) {
    const strip_product product{strip, x.panel, x.bias, x.depth, false, true, &fetch};
    if (x.pairs != nullptr)
        multiply_paired_tile(product, x.pairs, pair_depth, e, at, n);
    else
        multiply_tile(product, e, at, n);
}

// Of the next panel.
inline void next_panel(row_product& x) {
    x.panel += row_panel * x.depth;
    x.bias += row_panel;
    if (x.pairs != nullptr)
        x.pairs += row_panel * pair_parts(x.depth);
}

// Packed rows times one panel, to memory that is near; returns the strips that follow.
inline const float* strips_by_panel(const row_product& x, const row_epilogue& e,
                                    const tile_place& at, int64_t rows, const float* strips) {
    tile_fetch none;
    none.next = reinterpret_cast<const char*>(x.panel);
    each_tile(rows, tile_rows(x), [&](int64_t, int64_t r, int64_t n) {
        tile_place place = at;
        place.y += r * at.y_row;
        place.row += r;
        multiply_packed(x, strips, none, e, place, n);
        strips += strip_floats(x.depth);
    });
    return strips;
}

// Packed rows times all panels. What the next tile writes comes near meanwhile if that is wanted,
// and the next panel if it is `far`.
inline void strips_by_panels(row_product x, int64_t panels, const row_epilogue& e,
                             const tile_place& at, int64_t rows, const row_strips& strips,
                             bool far) {
    constexpr int64_t line = 64, size = sizeof(float);
    const int64_t most = tile_rows(x), tiles = (rows + most - 1) / most;
    const int64_t floats = row_panel * x.depth;
    for (int64_t j = 0; j < panels; ++j, next_panel(x)) {
        const float* panel = x.panel;
        const bool last = j + 1 == panels;
        tile_fetch fetch;
        fetch.next = reinterpret_cast<const char*>(panel);
        if (far && !last) {
            fetch.next = reinterpret_cast<const char*>(panel + floats);
            fetch.bytes = (floats * size / tiles + line - 1) / line * line;
        }
        each_tile(rows, most, [&](int64_t t, int64_t r, int64_t n) {
            tile_place place = at;
            place.y += r * at.y_row + j * row_panel;
            place.row += r;
            place.channel += j * row_panel;
            place.channels -= j * row_panel;
            const float* next = t + 1 < tiles ? place.y + n * at.y_row : at.y + (j + 1) * row_panel;
            fetch.lists[0] = {reinterpret_cast<const char*>(next), at.y_row * size,
                              strips.fetches && !(last && t + 1 == tiles) ? n : 0};
            multiply_packed(x, strips.at + t * strip_floats(x.depth), fetch, e, place, n);
            fetch.next += fetch.bytes;
        });
    }
}

// Rows that are packed.
inline void packed_rows_by_panels(row_product x, int64_t panels, const row_epilogue& e,
                                  tile_place at, int64_t rows, const row_strips& strips) {
    constexpr int64_t near_floats = 256 * 1024; // of panels that stay near after the first block
    const int64_t most = strips.tiles * tile_rows(x);
    for (int64_t done = 0; done < rows;) {
        const int64_t blocks = (rows - done + most - 1) / most;
        const int64_t n = (rows - done + blocks - 1) / blocks;
        pack_tiles(x, n, strips.map, strips.at);
        strips_by_panels(x, panels, e, at, n, strips,
                         done == 0 || panels * row_panel * x.depth > near_floats);
        x.x += n * x.x_row;
        at.y += n * at.y_row;
        at.row += n;
        done += n;
    }
}

template <class Map>
inline void map_row(const float* from, int64_t depth, Map map, float* to) {
    int64_t c = 0;
    for (; c + lanes <= depth; c += lanes) {
        vf x = load(from + c);
        map(x, c, load);
        store(to + c, x);
    }
    for (; c < depth; ++c) {
        to[c] = from[c];
        map(to[c], c, [](const float* p) { return *p; });
    }
}

// Rows that are read where they lie, at most `most` at a time; with a map they are in `scratch`,
// which holds `most` rows.
inline void rows_by_panels(row_product x, int64_t panels, const row_epilogue& e, tile_place at,
                           int64_t rows, int64_t most, const channel_map& map, float* scratch) {
    const int64_t depth = x.depth;
    for (int64_t done = 0; done < rows;) {
        const int64_t blocks = panels == 1 && map.empty() ? 1 : (rows - done + most - 1) / most;
        const int64_t n = (rows - done + blocks - 1) / blocks;
        row_product block = x;
        if (!map.empty()) {
            with_form(map, [&](auto form) {
                for (int64_t i = 0; i < n; ++i)
                    map_row(x.x + i * x.x_row, depth, form, scratch + i * depth);
            });
            block.x = scratch;
            block.x_row = depth;
        }
        for (int64_t j = 0; j < panels; ++j) {
            tile_place place = at;
            place.y += j * row_panel;
            place.channel += j * row_panel;
            place.channels -= j * row_panel;
            // The result's lines are often another core's: those of the next rows are asked for.
            if (most == block_rows && done + n < rows)
                for (int64_t i = n; i < 2 * n; ++i)
                    for (int64_t c = 0; c < row_panel; c += 16)
                        __builtin_prefetch(place.y + i * at.y_row + c, 1);
            row_block(block, e, place, n);
            next_panel(block);
        }
        x.x += n * x.x_row;
        at.y += n * at.y_row;
        at.row += n;
        done += n;
    }
}

// Packed if that pays and there is memory for it.
inline void all_panels(const row_product& x, int64_t panels, const row_epilogue& e,
                       const tile_place& at, int64_t rows, const row_strips& strips) {
    if (strips.at != nullptr && packs_rows(panels))
        packed_rows_by_panels(x, panels, e, at, rows, strips);
    else
        rows_by_panels(x, panels, e, at, rows, block_rows, {}, nullptr);
}

} // namespace migraphx::cpu::KERNEL_ISA
