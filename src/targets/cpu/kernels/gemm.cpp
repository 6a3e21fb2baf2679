// SPDX-License-Identifier: MIT
// Blocks of rows of A times all panels: a panel comes from memory once for a block, fetched while
// the panel before it is multiplied. Rows are packed in strips as they meet their first panel.
// Results beyond the caches are fetched too, a tile ahead, with what is added to them, and the rows
// of A of the next block.
#include "targets/cpu/kernels/gemm.hpp"
#include "targets/cpu/kernels/pack_columns.hpp"
#include "targets/cpu/kernels/paired_gemm.hpp"
#include "targets/cpu/kernels/panel_gemm.hpp"
#include "targets/cpu/kernels/window_rows.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

// Rows that meet two panels at most are read where they lie: packing them costs half a panel.
bool in_place(const gemm_params& p) {
    return !p.paired && p.windows.channels == 0 && p.n <= 2 * row_panel && p.k <= p.block_depth;
}

// In place, ten rows take their addresses from few registers and are as fast as more. At a distance
// of whole pages they share one set of the first cache, which has 8 ways or more.
int64_t tile_height(const gemm_params& p) {
    if (p.paired)
        return paired_rows;
    if (!in_place(p))
        return strip_rows;
    constexpr int64_t page = 4096 / sizeof(float), ways = 8, best = 10;
    const int64_t most = p.a_row % page == 0 ? ways : best;
    return most < row_most ? most : row_most;
}

struct block {
    const gemm_params* p;
    int64_t first, rows;
    row_parts tiles;
};

struct tile_at {
    int64_t row, rows, column;
};

tile_at tile_of(const block& b, int64_t unit) {
    const int64_t panel = unit / b.tiles.count, t = unit - panel * b.tiles.count;
    return {b.first + b.tiles.start(t), b.tiles.size(t), panel * row_panel};
}

constexpr int64_t line = 64; // bytes

int64_t sums_of(const gemm_params& p, int64_t depth) {
    return (depth + p.sum_depth - 1) / p.sum_depth;
}

// Of a panel's sums from k on.
const float* pairs_of(const gemm_params& p, int64_t panel, int64_t k) {
    return p.pairs + (panel * sums_of(p, p.k) + k / p.sum_depth) * row_panel;
}

// Strips hold what one sum needs after what another needs.
int64_t sum_step(const gemm_params& p) {
    return p.paired ? strip_head + paired_rows * p.sum_depth : strip_floats(p.sum_depth);
}

int64_t strip_step(const gemm_params& p) {
    return sums_of(p, p.block_depth) * sum_step(p);
}

// Tiles of some depth, that is, units [begin, end) of a block, and what comes near meanwhile.
class tile_fetches {
public:
    // next_rows: of the block after this one, if the same thread does that too.
    tile_fetches(const block& b, int64_t begin, int64_t end, int64_t next_rows)
        : own(b), stop(end), added(added_rows(b.p->epilogue)),
          a(bytes(b.p->a + (b.first + b.rows) * b.p->a_row)) {
        const auto& p = *b.p;
        const int64_t floats = p.m * (p.k + (added == nullptr ? 1 : 2) * p.n);
        far = floats * int64_t(sizeof(float)) > (p.paired ? far_bytes / 2 : far_bytes);
        a_lines = next_rows * p.k * int64_t(sizeof(float)) / line / (2 * (end - begin)) + 1;
        if (next_rows == 0 || p.windows.channels > 0)
            a_lines = 0;
    }

    // While `unit` is multiplied; `last`: it is finished then.
    void plan(int64_t unit, bool last, tile_fetch& fetch) {
        int count = 0;
        if (far && unit + 1 < stop) {
            const auto& p = *own.p;
            const auto t = tile_of(own, unit + 1);
            fetch.lists[count++] = {bytes(p.c + t.row * p.c_row + t.column),
                                    p.c_row * int64_t(sizeof(float)), t.rows};
            if (last && added != nullptr)
                fetch.lists[count++] = {bytes(added->operand + t.row * added->row + t.column),
                                        added->row * int64_t(sizeof(float)), t.rows};
        }
        if (far && last && a_lines > 0) {
            fetch.lists[count++] = {a, 2 * line, a_lines};
            a += 2 * line * a_lines;
        }
        fetch.lists[count] = {};
    }

private:
    // Results and operands of less are often still in a cache, from where they come in time:
    // measured with 2 MiB of second cache and, in pairs, with 1 MiB.
    static constexpr int64_t far_bytes = 2 << 20;
    const block& own;
    int64_t stop;
    const row_step* added;
    bool far;
    const char* a; // pairs of lines of the next block's rows
    int64_t a_lines;
};

// `depth` of rows of A from k on.
void pack_rows_of(const gemm_params& p, const tile_at& t, int64_t k, int64_t depth, float* strip) {
    float* const rows = strip + (p.paired ? strip_head : 0);
    if (p.windows.channels > 0)
        pack_windows(p.windows, p.a, t.row, t.rows, k, depth, rows);
    else
        pack_strip(p.a + t.row * p.a_row + k, p.a_row, t.rows, depth, {}, rows);
    if (p.paired)
        scale_strip(strip, t.rows, depth, p.weight_exponent);
}

// Units [begin, end) of one block: unit u is tile u % tiles of panel u / tiles.
void multiply_units(const block& b, float* strips, int64_t begin, int64_t end, bool first,
                    int64_t next_rows) {
    const gemm_params& p = *b.p;
    // Panels that are all near stay there after the first block.
    constexpr int64_t near_floats = 256 * 1024;
    const bool fetches_panels = first || p.k * p.n > near_floats;
    tile_fetches fetches(b, begin, end, next_rows);
    for (int64_t depth = 0; depth < p.k; depth += p.block_depth) {
        const int64_t left = p.k - depth;
        const bool last = left <= p.block_depth;
        const int64_t part = last ? left : p.block_depth;
        for (int64_t u = begin; u < end;) {
            const int64_t panel = u / b.tiles.count;
            const int64_t stop =
                (panel + 1) * b.tiles.count < end ? (panel + 1) * b.tiles.count : end;
            const float* w = p.b + (panel * p.k + depth) * row_panel;
            const int64_t column = panel * row_panel;
            const int64_t columns = p.n - column < row_panel ? p.n - column : row_panel;
            float bias[2][row_panel]{}; // of the first sum, of those after it
            for (int64_t j = 0; j < columns && p.epilogue.bias != nullptr && depth == 0; ++j)
                bias[0][j] = p.epilogue.bias[column + j];
            const float* pairs = pairs_of(p, panel, depth);
            if (p.paired)
                __builtin_prefetch(pairs + sums_of(p, p.k) * row_panel);
            tile_fetch fetch;
            // The same part of the panel after this one, in equal shares.
            fetch.next = bytes(w);
            if (fetches_panels && column + row_panel < p.n && stop < end) {
                const int64_t share =
                    part * row_panel * int64_t(sizeof(float)) / ((stop - u) * sums_of(p, part));
                fetch.next = bytes(w + p.k * row_panel);
                fetch.bytes = (share + line - 1) / line * line;
            }
            for (; u < stop; ++u) {
                const auto t = tile_of(b, u);
                const tile_place place{
                    p.c + t.row * p.c_row + column, p.c_row, 0, t.row, column, columns};
                const float* x = p.a + t.row * p.a_row + depth;
                if (in_place(p)) {
                    row_block({x, p.a_row, w, bias[0], part}, p.epilogue, place, t.rows);
                    continue;
                }
                fetches.plan(u, last, fetch);
                float* strip = strips + u % b.tiles.count * strip_step(p);
                for (int64_t k = 0; k < part; k += p.sum_depth, strip += sum_step(p)) {
                    const int64_t n = part - k < p.sum_depth ? part - k : p.sum_depth;
                    if (u < begin + b.tiles.count)
                        pack_rows_of(p, t, depth + k, n, strip);
                    const strip_product product{strip, w + k * row_panel, bias[k > 0],
                                                n,     depth + k > 0,     last && k + n == part,
                                                &fetch};
                    if (p.paired)
                        multiply_paired_tile(product, pairs + k / p.sum_depth * row_panel, n,
                                             p.epilogue, place, t.rows);
                    else
                        multiply_tile(product, p.epilogue, place, t.rows);
                    fetch.next += fetch.bytes;
                    fetch.lists[0] = {};
                }
            }
        }
    }
}

// All blocks have as many tiles, since threads share out tiles: with 7 in a block of 98 rows and 8
// in one of 99, the thread of the smaller block would be given tiles of both.
block block_at(const gemm_params& p, const row_parts& blocks, int64_t i) {
    const int64_t tiles = row_parts(blocks.size(0), tile_height(p)).count, rows = blocks.size(i);
    return {&p, blocks.start(i), rows, row_parts::in_parts(rows, tiles)};
}

int64_t units(const gemm_params& p) {
    const row_parts blocks(p.m, p.block_rows);
    int64_t n = 0;
    for (int64_t i = 0; i < blocks.count; ++i)
        n += block_at(p, blocks, i).tiles.count * panels_of(p.n);
    return n;
}

int64_t scratch(const gemm_params& p) {
    const row_parts blocks(p.m, p.block_rows);
    return in_place(p) ? 0 : block_at(p, blocks, 0).tiles.count * strip_step(p);
}

void run(const gemm_params& p, float* strips, int64_t begin, int64_t end) {
    const row_parts blocks(p.m, p.block_rows);
    int64_t first = 0; // unit of the block
    for (int64_t i = 0; i < blocks.count && first < end; ++i) {
        const block b = block_at(p, blocks, i);
        const int64_t count = b.tiles.count * panels_of(p.n);
        const int64_t from = begin > first ? begin - first : 0;
        const int64_t to = end - first < count ? end - first : count;
        if (from < to)
            multiply_units(b, strips, from, to, begin >= first,
                           first + count < end ? blocks.size(i + 1) : 0);
        first += count;
    }
}

void pack(const gemm_weights& w, float* to, int64_t begin, int64_t end) {
    pack_columns(w.b, w.b_k, w.b_n, w.k, w.n, row_panel, to, begin, end);
}

void sum_pairs(const gemm_params& p, float* pairs, float* squares, int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
        const float* b = p.b + panel * p.k * row_panel;
        squares[panel] = squares_of_row(b, strip_depth, p.k * row_panel / strip_depth);
        float* to = pairs + panel * sums_of(p, p.k) * row_panel;
        for (int64_t k = 0; k < p.k; k += p.sum_depth, to += row_panel)
            for (int64_t j = 0; j < row_panel; j += lanes)
                store(to + j, pair_products(b + k * row_panel + j, row_panel,
                                            p.k - k < p.sum_depth ? p.k - k : p.sum_depth, lanes));
    }
}

} // namespace

void fill_gemm(gemm_kernels& table) {
    table.pairs = lanes == 16;
    table.panel = row_panel;
    table.pack = pack;
    table.sum_pairs = sum_pairs;
    table.direct = {units, scratch, run};
}

} // namespace migraphx::cpu::KERNEL_ISA
