// SPDX-License-Identifier: MIT
// Blocks of rows of A, in place, times all panels: a panel comes from memory once for a block,
// fetched while the panel before it is multiplied.
#include "targets/cpu/kernels/gemm.hpp"
#include "targets/cpu/kernels/pack_columns.hpp"
#include "targets/cpu/kernels/row_gemm.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

// n rows in parts of about the same size, none above `most`.
struct row_parts {
    int64_t count, base, extra;
    row_parts(int64_t n, int64_t most) {
        count = (n + most - 1) / most;
        base = n / count;
        extra = n % count;
    }
    int64_t start(int64_t i) const { return i * base + (i < extra ? i : extra); }
    int64_t size(int64_t i) const { return base + (i < extra ? 1 : 0); }
};

// Ten rows take their addresses from few registers and are as fast as more. At a distance of whole
// pages they share one set of the first cache, which has 8 ways or more.
int64_t tile_height(const gemm_params& p) {
    constexpr int64_t page = 4096 / sizeof(float), ways = 8, best = 10;
    const int64_t most = p.a_row % page == 0 ? ways : best;
    return most < row_most ? most : row_most;
}

struct block {
    const gemm_params* p;
    int64_t first; // row
    row_parts tiles;
};

// Units [begin, end) of one block: unit u is tile u % tiles of panel u / tiles.
void multiply_units(const block& b, int64_t begin, int64_t end) {
    const gemm_params& p = *b.p;
    const int64_t line = 64 / sizeof(float);
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
            float bias[row_panel];
            for (int64_t j = 0; j < row_panel; ++j)
                bias[j] = p.epilogue.bias != nullptr && depth == 0 && j < columns
                              ? p.epilogue.bias[column + j]
                              : 0;
            row_product q{p.a + depth, p.a_row, w, bias, part};
            q.add = depth > 0;
            q.finish = last;
            // The same part of the panel after this one, in equal shares.
            const int64_t tiles = stop - u;
            const bool more = column + row_panel < p.n && stop < end;
            const int64_t share = (part * row_panel + tiles * line - 1) / (tiles * line);
            q.fetch = more ? (share * fetch_depth > part ? 2 : 1) : 0;
            const float* next = w + p.k * row_panel;
            for (; u < stop; ++u) {
                const int64_t t = u - panel * b.tiles.count;
                const int64_t row = b.first + b.tiles.start(t);
                q.x = p.a + row * p.a_row + depth;
                q.next = reinterpret_cast<const char*>(next);
                next += share * line;
                row_block<true>(q, p.epilogue,
                                {p.c + row * p.c_row + column, p.c_row, 0, row, column, columns},
                                b.tiles.size(t));
            }
        }
    }
}

int64_t panels_of(const gemm_params& p) {
    return (p.n + row_panel - 1) / row_panel;
}

block block_at(const gemm_params& p, const row_parts& blocks, int64_t i) {
    return {&p, blocks.start(i), row_parts(blocks.size(i), tile_height(p))};
}

int64_t units(const gemm_params& p) {
    const row_parts blocks(p.m, p.block_rows);
    int64_t n = 0;
    for (int64_t i = 0; i < blocks.count; ++i)
        n += block_at(p, blocks, i).tiles.count * panels_of(p);
    return n;
}

void run(const gemm_params& p, int64_t begin, int64_t end) {
    const row_parts blocks(p.m, p.block_rows);
    int64_t first = 0; // unit of the block
    for (int64_t i = 0; i < blocks.count && first < end; ++i) {
        const block b = block_at(p, blocks, i);
        const int64_t count = b.tiles.count * panels_of(p);
        const int64_t from = begin > first ? begin - first : 0;
        const int64_t to = end - first < count ? end - first : count;
        if (from < to)
            multiply_units(b, from, to);
        first += count;
    }
}

void pack(const gemm_weights& w, float* to, int64_t begin, int64_t end) {
    pack_columns(w.b, w.b_k, w.b_n, w.k, w.n, row_panel, to, begin, end);
}

} // namespace

void fill_gemm(gemm_kernels& table) {
    table.panel = row_panel;
    table.pack = pack;
    table.units = units;
    table.run = run;
}

} // namespace migraphx::cpu::KERNEL_ISA
