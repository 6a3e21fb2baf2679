// SPDX-License-Identifier: MIT
// Blocks of rows of A times all panels, two panels at a time, by seven products instead of eight
// (strassen_tile.hpp), or eight where rows hold an infinity or NaN. Rows are packed as they meet
// their first panels; the next panels and the results come near meanwhile.
#include "targets/cpu/kernels/gemm.hpp"
#include "targets/cpu/kernels/strassen_tile.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

struct block {
    const gemm_params* p;
    int64_t first, rows;
    row_parts tiles; // of half the rows
};

// All have as many tiles, as in gemm.cpp.
block block_at(const gemm_params& p, const row_parts& blocks, int64_t i) {
    const auto half = [&](int64_t b) { return (blocks.size(b) + 1) / 2; };
    const int64_t tiles = row_parts(half(0), strip_rows).count;
    return {&p, blocks.start(i), blocks.size(i), row_parts::in_parts(half(i), tiles)};
}

int64_t pairs_of(const gemm_params& p) {
    return (panels_of(p.n) + 1) / 2;
}

constexpr int64_t line = 16; // floats

// The floats that one thread needs, whole lines, so that the panels of every thread begin with one:
// strips of a block of rows, sums of panels, a panel of zeros, for each tile whether its strips are
// plain ones.
struct room {
    int64_t tiles, strip, strips, panel;
    room(const gemm_params& p, int64_t tiles_of_block)
        : tiles(tiles_of_block), strip(strip_floats(p.block_depth / 2)),
          strips(tiles * strassen_strips * strip), panel(p.block_depth / 2 * row_panel) {}
    int64_t floats() const {
        return (strips + (strassen_panels + 1) * panel + tiles + line - 1) / line * line;
    }
};

// Parts of two panels that are wanted next come near in equal shares.
class panel_fetches {
public:
    panel_fetches() = default;
    // `floats` at `first` and at `second`.
    panel_fetches(const float* first, const float* second, int64_t floats, int64_t shares)
        : at{first, second}, size(floats), share((2 * floats / shares + line - 1) / line * line) {}
    void plan(tile_fetch& fetch) {
        const bool any = done < 2 * size;
        if (any)
            fetch.next = bytes(done < size ? at[0] + done : at[1] + (done - size));
        fetch.bytes = any ? share * int64_t(sizeof(float)) : 0;
        done += share;
    }

private:
    const float* at[2] = {};
    int64_t size = 0, share = 0, done = 0;
};

// Lines of a quadrant of the result and, at the end, of what is added to it.
void plan_results(const tile_place& at, int64_t rows, const row_step* added, tile_fetch& fetch) {
    fetch.lists[0] = {bytes(at.y), at.y_row * int64_t(sizeof(float)), rows};
    fetch.lists[1] = {};
    if (added == nullptr)
        return;
    fetch.lists[1] = {bytes(added->operand + at.row * added->row + at.channel),
                      added->row * int64_t(sizeof(float)), rows};
    fetch.lists[2] = {};
}

// Units [begin, end) of one block: unit u is tile u % tiles of pair u / tiles of panels.
void multiply_units(const block& b, float* scratch, int64_t begin, int64_t end, bool first) {
    const gemm_params& p = *b.p;
    // Panels that are all near stay there after the first block.
    constexpr int64_t near_floats = 256 * 1024;
    const bool fetches_panels = first || p.k * p.n > near_floats;
    const int64_t tiles = b.tiles.count, pair_floats = 2 * p.k * row_panel;
    const room space(p, tiles);
    float* const sums = scratch + space.strips;
    float* const zeros = sums + strassen_panels * space.panel;
    float* const plain = zeros + space.panel; // 1 or 0
    const row_step* const added = added_rows(p.epilogue);
    for (int64_t depth = 0; depth < p.k; depth += p.block_depth) {
        const int64_t left = p.k - depth;
        const bool last = left <= p.block_depth;
        const int64_t part = last ? left : p.block_depth;
        for (int64_t u = begin; u < end;) {
            const int64_t pair = u / tiles, column = 2 * pair * row_panel;
            const int64_t stop = (pair + 1) * tiles < end ? (pair + 1) * tiles : end;
            const float* w = p.b + pair * pair_floats + depth * row_panel;
            const bool both = column + row_panel < p.n;
            if (!both)
                for (int64_t i = 0; i < space.panel; ++i)
                    zeros[i] = 0;
            float bias[2 * row_panel];
            for (int64_t j = 0; j < 2 * row_panel; ++j)
                bias[j] = p.epilogue.bias != nullptr && depth == 0 && column + j < p.n
                              ? p.epilogue.bias[column + j]
                              : 0;
            strassen_product product{};
            product.strip = space.strip;
            product.half = part / 2;
            product.b11 = w;
            product.b21 = w + product.half * row_panel;
            product.b12 = both ? w + p.k * row_panel : zeros;
            product.b22 = both ? product.b12 + product.half * row_panel : zeros;
            product.sums = sums;
            product.make = true;
            product.bias = bias;
            product.add = depth > 0;
            product.finish = last;
            panel_fetches panels;
            if (fetches_panels && pair + 1 < pairs_of(p) && stop < end) {
                const float* next = w + pair_floats;
                const bool one = column + 3 * row_panel >= p.n;
                panels = {next, one ? next : next + p.k * row_panel, part * row_panel,
                          (stop - u) * strassen_strips};
            }
            for (; u < stop; ++u) {
                const int64_t t = u % tiles, row = b.first + 2 * b.tiles.start(t);
                const int64_t rows = b.tiles.size(t), below = b.first + b.rows - row - rows;
                const int64_t lower = below < rows ? below : rows;
                float* strips = scratch + t * strassen_strips * space.strip;
                if (u < begin + tiles) {
                    const float* rows_of_a = p.a + row * p.a_row + depth;
                    plain[t] = 0;
                    if (!pack_quadrants<true>(rows_of_a, p.a_row, rows, lower, product.half, strips,
                                              space.strip)) {
                        plain[t] = 1;
                        pack_quadrants<false>(rows_of_a, p.a_row, rows, lower, product.half, strips,
                                              space.strip);
                    }
                }
                product.strips = strips;
                tile_place places[4];
                for (int q = 0; q < 4; ++q) {
                    const int64_t r = row + q / 2 * rows, c = column + q % 2 * row_panel;
                    const int64_t columns = p.n - c < row_panel ? p.n - c : row_panel;
                    places[q] = {p.c + r * p.c_row + c, p.c_row, 0, r, c, columns};
                }
                tile_fetch fetch;
                fetch.next = bytes(w);
                const auto come_near = [&](int quadrant) -> const tile_fetch& {
                    panels.plan(fetch);
                    fetch.lists[0] = {};
                    if (quadrant >= 0 && places[quadrant].channels > 0)
                        plan_results(places[quadrant], quadrant < 2 ? rows : lower,
                                     last ? added : nullptr, fetch);
                    return fetch;
                };
                strassen_tile tile(product, p.epilogue, places, rows, lower, come_near);
                if (plain[t] != 0) {
                    tile.run_plain();
                    continue;
                }
                tile.run();
                product.make = false;
            }
        }
    }
}

int64_t units(const gemm_params& p) {
    const row_parts blocks(p.m, p.block_rows);
    return blocks.count == 0 ? 0 : blocks.count * block_at(p, blocks, 0).tiles.count * pairs_of(p);
}

int64_t scratch(const gemm_params& p) {
    const row_parts blocks(p.m, p.block_rows);
    return blocks.count == 0 ? 0 : room(p, block_at(p, blocks, 0).tiles.count).floats();
}

void run(const gemm_params& p, float* scratch, int64_t begin, int64_t end) {
    const row_parts blocks(p.m, p.block_rows);
    int64_t first = 0; // unit of the block
    for (int64_t i = 0; i < blocks.count && first < end; ++i) {
        const block b = block_at(p, blocks, i);
        const int64_t count = b.tiles.count * pairs_of(p);
        const int64_t from = begin > first ? begin - first : 0;
        const int64_t to = end - first < count ? end - first : count;
        if (from < to)
            multiply_units(b, scratch, from, to, begin >= first);
        first += count;
    }
}

} // namespace

void fill_strassen(gemm_kernels& table) {
    table.halved = {units, scratch, run};
}

} // namespace migraphx::cpu::KERNEL_ISA
