// SPDX-License-Identifier: MIT
// Splits products over rows and panels of columns.
#include "targets/cpu/kernels/dispatch/run_gemm.hpp"

#include "base/parallel.hpp"
#include "base/rounding.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace migraphx::cpu {

namespace {

int64_t panels_of(int64_t n, const kernel_table& table) {
    return ceil_div(n, table.gemm.panel);
}

// Of products by halves. The rows that meet in sums depend on the blocks, so these do not depend on
// the number of threads. Seven strips of each two tiles stay in the second cache.
int64_t halved_rows(const gemm_params& p) {
    constexpr int64_t most = 140;
    return std::max<int64_t>(1, ceil_div(p.m, std::max<int64_t>(1, ceil_div(p.m, most))));
}

int64_t halved_depth(const gemm_params& p) {
    constexpr int64_t depth = 768, step = 16;
    const int64_t parts = std::max<int64_t>(1, ceil_div(p.k, depth));
    return std::max(step, round_up(ceil_div(p.k, parts), step));
}

// Of sums in pairs, which err more than others: even parts of at most 384.
int64_t paired_depth(int64_t k) {
    constexpr int64_t depth = 384, step = 8;
    return round_up(ceil_div(k, std::max<int64_t>(1, ceil_div(k, depth))), step);
}

// Before the sums of pairs of columns: the root of the weights' mean square, in a whole line.
constexpr int64_t pairs_head = 16;

} // namespace

int64_t packed_weights_size(int64_t k, int64_t n, const kernel_table& table) {
    return panels_of(n, table) * table.gemm.panel * k;
}

void pack_gemm_weights(const gemm_weights& w, float* to, const kernel_table& table) {
    constexpr int64_t floats_at_once = 64 * 1024;
    parallel_for(
        panels_of(w.n, table),
        std::max<int64_t>(1, floats_at_once / (table.gemm.panel * std::max<int64_t>(1, w.k))),
        [&](int64_t begin, int64_t end) { table.gemm.pack(w, to, begin, end); });
}

// A part of A, packed, is to stay in the second cache beside two parts of panels, one of them on
// its way. Measured on 2 MiB: parts of a depth of 768 and blocks of 64 to 128 rows lose nothing.
// Parts are summed on their own, which keeps errors below twice those of the library. Threads that
// share a block pack it each, so there are as many blocks for each thread where that makes none
// small, unless panels, which then meet all threads, are many: in pairs on a Zen 4, 128 rows are
// 10 % faster undivided with 3072 columns, 3 % slower with 768.
void block_gemm(gemm_params& p, int64_t threads, const kernel_table&) {
    if (p.halved) {
        p.block_rows = halved_rows(p);
        p.block_depth = p.sum_depth = halved_depth(p);
        return;
    }
    constexpr int64_t floats = 96 * 1024, fewest = 64, most = 128, depth = 768;
    const int64_t parts = std::max<int64_t>(1, ceil_div(p.k, depth));
    p.block_depth = p.sum_depth = std::max<int64_t>(1, ceil_div(p.k, parts));
    if (p.paired) {
        p.sum_depth = paired_depth(p.k);
        p.block_depth = std::max<int64_t>(1, depth / p.sum_depth) * p.sum_depth;
    }
    const int64_t fitting = std::clamp(floats / p.block_depth, fewest, most);
    const int64_t blocks = std::max<int64_t>(1, ceil_div(p.m, fitting));
    const int64_t even = round_up(blocks, threads);
    const bool wide = p.paired and p.n >= 16 * p.m;
    p.block_rows =
        std::max<int64_t>(1, ceil_div(p.m, p.m >= fewest * even and not wide ? even : blocks));
}

// Measured on an Intel Xeon with 2 MiB of second cache, against the direct form on one and two
// threads. Beside 7/8 of the multiplications, packing rows takes 3.5 % of them at 768 columns (for
// each thread that shares a block), sums of panels 2.5 % with 128 rows and 5 % with 64, sums of
// tiles 1 % at a depth of 768 and 2 % at 384. 128 rows of 768 are 0 % faster with 768 to 2048
// columns, 4 % with 2304, 5 % with 3072, 9 % with 50257; 128 rows of 3072 with 768 columns not at
// all; 1500 rows of 384 with 1536 columns 5 %.
//
// Where sums run beside multiply-adds little is left of that. Measured on a Zen 4 with 1 MiB of
// second cache and two threads, weights from memory: 128 rows of 768 are 9 % to 12 % faster with
// 768 columns, 13 % with 3072; 8 % of 512 with 512, 4 % of 256 with 256; 56 rows of 768 with 768
// columns 8 %, 28 rows 3 %. With AVX2 the same, but 28 rows are 13 % slower.
bool gains_by_halves(const gemm_params& p, const kernel_table& table, bool adds_beside) {
    constexpr int64_t step = 16, least_depth = 384;
    const int64_t rows = halved_rows(p), panels = panels_of(p.n, table);
    const int64_t least_rows = adds_beside ? 56 : 84;
    const int64_t least_columns = adds_beside ? 384 : rows < p.m ? 1536 : 2304;
    const int64_t most_padded = adds_beside ? 24 : 64; // panels, of which one of zeros costs little
    return p.windows.channels == 0 && rows >= least_rows && p.n >= least_columns &&
           p.k >= least_depth && p.k % step == 0 && (panels % 2 == 0 || panels > most_padded);
}

// Measured on a Zen 4: one core needs 9.5 ms instead of 12.5 for 1500 rows of 384 with 1152
// columns, 0.184 instead of 0.232 for 196 of 256 with 256, as much as plainly for 64 columns.
bool gains_by_pairs(const gemm_params& p, const kernel_table& table, bool adds_beside) {
    constexpr int64_t step = 8, least_rows = 28, least_columns = 128, least_depth = 64;
    return adds_beside and table.gemm.pairs and p.m >= least_rows and p.n >= least_columns and
           p.k >= least_depth and p.k % step == 0;
}

int64_t weight_pairs_size(int64_t k, int64_t n, const kernel_table& table, int64_t depth) {
    return pairs_head + panels_of(n, table) * table.gemm.panel *
                            ceil_div(k, depth > 0 ? depth : std::max<int64_t>(1, paired_depth(k)));
}

void sum_weight_pairs(const float* panels, int64_t k, int64_t n, float* to,
                      const kernel_table& table, int64_t depth) {
    gemm_params p{};
    p.b = panels;
    p.k = k;
    p.sum_depth = depth > 0 ? depth : paired_depth(k);
    std::vector<float> squares(std::size_t(panels_of(n, table)));
    parallel_for(int64_t(squares.size()), 4, [&](int64_t begin, int64_t end) {
        table.gemm.sum_pairs(p, to + pairs_head, squares.data(), begin, end);
    });
    std::fill_n(to, pairs_head, 0.0f);
    to[0] = float(std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0) / double(k * n)));
}

bool can_pair(gemm_params& p, const float* pairs) {
    constexpr float most = 0x1p40f;
    const float root = pairs[0];
    if (not(root >= 1 / most and root <= most)) // nor NaN
        return false;
    p.weight_exponent = std::ilogb(root);
    p.pairs = pairs + pairs_head;
    return true;
}

int64_t gemm_scratch(const gemm_params& p, int64_t threads, const kernel_table& table) {
    return threads * table.gemm.form(p).scratch(p);
}

void run_gemm(const gemm_params& p, float* scratch, int64_t threads, const kernel_table& table) {
    constexpr int64_t least = 200 * 1000; // multiplications of a part
    const gemm_form& form = table.gemm.form(p);
    const int64_t units = form.units(p);
    if (units == 0)
        return;
    const int64_t parts = std::clamp<int64_t>(p.m * p.n * p.k / least, 1, std::min(units, threads));
    const int64_t own = form.scratch(p);
    parallel_shares(units, parts, [&](int part, int64_t begin, int64_t end) {
        form.run(p, scratch + part * own, begin, end);
    });
}

} // namespace migraphx::cpu
