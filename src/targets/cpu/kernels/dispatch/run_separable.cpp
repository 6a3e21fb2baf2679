// SPDX-License-Identifier: MIT
#include "targets/cpu/kernels/dispatch/run_separable.hpp"

#include "base/parallel.hpp"
#include "base/rounding.hpp"

#include <algorithm>
#include <limits>

namespace migraphx::cpu {

namespace {

// Costs are counted in the time of a row times a panel. A float from beyond the core's own caches
// costs `far`; one that another core holds, `foreign`: layers cut into rows leave their results to
// the same core's rows of the next layer, layers cut into panels do not.
constexpr double far = 0.4, foreign = 5;
constexpr double inline_products = 400e3; // less is not worth a second thread
constexpr double weight_products = 10;    // that a weight from beyond the caches costs

// Tries cuts into rows and into panels; `cost` of the largest unit, given its rows and panels.
template <class Cost>
separable_schedule cut(int64_t images, int64_t rows, int64_t panels, int threads, Cost cost) {
    separable_schedule best;
    double least = std::numeric_limits<double>::max();
    const auto consider = [&](int64_t row_parts, int64_t panel_parts) {
        const auto at_once = ceil_div(images * row_parts * panel_parts, threads);
        const auto c =
            double(at_once) * cost(ceil_div(rows, row_parts), ceil_div(panels, panel_parts));
        if (c < least * 0.98) { // the first of equal ones
            least = c;
            best.row_parts = row_parts;
            best.panel_parts = panel_parts;
        }
    };
    for (int64_t r = 1; r <= std::min<int64_t>(rows, 2 * threads); r++)
        consider(r, 1);
    for (int64_t k = 2; k <= std::min<int64_t>(panels, 2 * threads); k++)
        consider(1, k);
    best.images = images;
    best.threads = int(std::min<int64_t>(threads, best.units()));
    return best;
}

// f(unit of images, rows, panels; part) for all units, in as many parts as there are threads.
template <class F>
void share(const separable_schedule& s, F f) {
    const auto units = s.units(), parts = int64_t(s.threads);
    parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
        for (int64_t part = begin; part < end; part++)
            for (int64_t u = part * units / parts; u < (part + 1) * units / parts; u++)
                f(u / (s.row_parts * s.panel_parts), u / s.panel_parts % s.row_parts,
                  u % s.panel_parts, part);
    });
}

} // namespace

std::size_t depthwise_weight_floats(int64_t channels, int64_t taps, const kernel_table& table) {
    const auto vector = table.separable.vector;
    return std::size_t(ceil_div(channels, vector) * vector * taps);
}

void pack_depthwise(const float* w, int64_t channel_step, int64_t row_step, int64_t col_step,
                    int64_t channels, int64_t kernel_h, int64_t kernel_w, bool filled_up, float* to,
                    const kernel_table& table) {
    const auto vector = table.separable.vector;
    for (int64_t v = 0; v < ceil_div(channels, vector); v++)
        for (int64_t i = 0; i < kernel_h; i++)
            for (int64_t j = 0; j < kernel_w; j++)
                for (int64_t l = 0; l < vector; l++) {
                    const auto c = first_channel(v, vector, channels, filled_up) + l;
                    *to++ = c < channels ? w[c * channel_step + i * row_step + j * col_step] : 0;
                }
}

bool fetches_results(int64_t positions, int64_t channels, int64_t outputs, const processor& p) {
    constexpr int64_t far_floats = 512 * 1024;
    return not p.fetches_beyond or positions * (channels + outputs) > far_floats;
}

// Measured on one core of a Zen 4, in its caches: 196 positions of 64 channels to 384 outputs take
// 70 us instead of 88, of 384 to 64 67 instead of 83, 49 of 960 to 320 188 instead of 261; 784 of
// 120 to 40 78 instead of 74.
bool gains_by_pairs(int64_t rows, int64_t channels, int64_t outputs, const kernel_table& table,
                    bool adds_beside) {
    constexpr int64_t step = 8, least_rows = 8, least_outputs = 64, least_channels = 16;
    return adds_beside and table.gemm.pairs and rows >= least_rows and outputs >= least_outputs and
           channels >= least_channels and channels % step == 0;
}

separable_schedule schedule_pointwise(const pointwise_params& p, int64_t images, int threads,
                                      const kernel_table& table) {
    const auto panels = ceil_div(p.outputs, table.gemm.panel);
    if ((double(images * p.rows) + weight_products) * double(p.channels * p.outputs) <
        inline_products)
        threads = 1;
    auto s = cut(images, p.rows, panels, threads, [&](int64_t rows, int64_t n) {
        // Tiles cost something of their own.
        const auto tiles = ceil_div(rows, pointwise_block);
        return double(n) * double(rows + 2 * tiles) * double(p.channels) +
               (p.map.empty() ? 0 : double(rows * p.channels) / 4) +
               far * double(n * table.gemm.panel * p.channels) +
               (n == panels ? 0 : foreign * double(rows * (p.channels + p.outputs)) / 2);
    });
    s.fetches = fetches_results(images * p.rows, p.channels, p.outputs);
    s.packs = packs_rows(p, ceil_div(panels, s.panel_parts));
    if (s.packs)
        s.scratch_floats = std::size_t(round_up(table.separable.strip_floats(p.channels), 16));
    if (not p.map.empty()) {
        // Units differ by a row or a panel: room for either way.
        const auto rows = ceil_div(p.rows, s.row_parts);
        const auto outputs = ceil_div(panels, s.panel_parts) * table.gemm.panel;
        const auto most = scales_weights(p.map, rows, outputs - table.gemm.panel)
                              ? std::max(outputs, pointwise_block)
                              : pointwise_block;
        s.scratch_floats = std::max(s.scratch_floats, std::size_t(round_up(most * p.channels, 16)));
    }
    return s;
}

namespace {

// What a depthwise convolution reads again and again should stay in a core's caches, in floats: of
// the first one (most of 32 KiB), and of the second.
constexpr int64_t first_cache = 6 * 1024, second_cache = 128 * 1024;

// Sets the blocks, and the ring and its columns.
int64_t block_depthwise(depthwise_params& p, const kernel_table& table) {
    const auto vector = table.separable.vector, panel = table.gemm.panel;
    const auto extent_h = (p.kernel_h - 1) * p.dilation_h + 1;
    const auto extent_w = (p.kernel_w - 1) * p.dilation_w + 1;
    p.block_rows = p.block_columns = p.block_vectors = 0;
    if (p.last_panels != nullptr) { // which reads all channels of a position
        p.ring_rows =
            std::clamp(7 * 1024 / (p.width * panel), extent_h, std::max(extent_h, p.height));
        return p.width;
    }
    if (p.panels == nullptr) {
        constexpr int64_t fewest = 2; // a pair of lines
        const auto vectors = first_cache / (extent_h * p.width * vector) / fewest * fewest;
        p.block_vectors = std::max(vectors, fewest);
        return p.width;
    }
    p.block_vectors = panel / vector;
    constexpr int64_t fewest_columns = 8;
    const auto reads = [&](int64_t columns) {
        return std::min(p.width, (columns - 1) * p.stride_w + extent_w);
    };
    for (int64_t parts = 1;; parts++) {
        p.block_columns = ceil_div(p.out_width, parts);
        if (reads(p.block_columns) * extent_h * panel <= first_cache or
            p.block_columns <= fewest_columns)
            break;
    }
    const auto columns = reads(p.block_columns);
    p.ring_rows =
        std::clamp(first_cache / (columns * panel), extent_h, std::max(extent_h, p.height));
    // Each panel reads these rows of x again; those of the next block repeat some of the 1x1.
    p.block_rows = std::max(second_cache / (p.stride_h * p.width * p.x_col), 8 * extent_h);
    return columns;
}

} // namespace

int64_t packed_floats(const depthwise_params& p, const kernel_table& table) {
    // strip_floats is for this many rows or more; a ring is filled in two parts at most.
    constexpr int64_t rows_of_strips = 32;
    const auto packs = [&](int64_t n) { return packs_rows(ceil_div(n, table.gemm.panel)); };
    const auto after = packs(p.outputs) ? table.separable.strip_floats(p.channels) : 0;
    const auto before =
        p.panels != nullptr and packs(p.channels)
            ? (p.ring_rows * p.width / rows_of_strips + 2) * table.separable.strip_floats(p.depth)
            : 0;
    return round_up(std::max(before, after), 16);
}

separable_schedule schedule_depthwise(depthwise_params& p, int64_t images, int threads,
                                      const kernel_table& table) {
    constexpr int64_t strip_floats = 24 * 1024; // in the second cache
    const auto vector = table.separable.vector, vectors = ceil_div(p.channels, vector);
    const auto panel = table.gemm.panel, width = ceil_div(p.channels, panel) * panel;
    const auto taps = double(p.kernel_h * p.kernel_w);
    const bool fused = p.panels != nullptr, strips = p.last_panels != nullptr;
    const auto outputs = strips ? double(p.outputs) : 0;
    const auto extent = (p.kernel_h - 1) * p.dilation_h + 1;
    constexpr double depthwise_product = 3; // one that is no part of a 1x1 takes as long as these
    if (double(images * p.channels * p.out_width * p.out_height) *
                (taps * (fused or strips ? 1 : depthwise_product) + outputs) +
            (fused ? double(images * p.height * p.width) * double(p.depth * p.channels) : 0) <
        inline_products)
        threads = 1;
    const auto blocks = fused or strips ? 1 : vectors;
    auto s = cut(images, p.out_height, blocks, threads, [&](int64_t rows, int64_t n) {
        const auto before = double((rows - 1) * p.stride_h + extent) * double(p.width);
        if (fused or strips)
            return double(rows * p.out_width) * (taps + 4 + outputs) +
                   (fused ? before * double(p.depth + 4) : 0);
        const auto whole = before * double(p.channels) + double(rows * p.out_width * p.channels);
        return double(n) * double(rows * p.out_width) * (taps + 4) / 2 +
               (n == vectors ? 0 : foreign * whole / 2);
    });
    const auto columns = block_depthwise(p, table);
    p.fetches =
        strips and fetches_results(images * p.out_height * p.out_width, p.channels, p.outputs);
    if (strips) {
        const auto most = ceil_div(p.out_height, s.row_parts);
        p.strip_rows = std::clamp<int64_t>(strip_floats / (p.out_width * width), 1, most);
        if (fused) { // what one filling of the ring serves
            p.strip_rows = std::min(p.strip_rows, (p.ring_rows - extent) / p.stride_h + 1);
            p.ring_rows = (p.strip_rows - 1) * p.stride_h + extent;
        }
        s.scratch_floats += std::size_t(p.strip_rows * p.out_width * width);
        const auto packed = packed_floats(p, table);
        s.scratch_floats += std::size_t(packed);
        s.packs = packed > 0;
    }
    if (fused)
        s.scratch_floats += std::size_t(p.ring_rows * columns * (strips ? width : panel));
    return s;
}

void run_pointwise(const separable_schedule& s, const pointwise_params& p, float* scratch,
                   const kernel_table& table) {
    const auto panels = ceil_div(p.outputs, table.gemm.panel);
    auto q = p;
    q.fetches = s.fetches;
    share(s, [&](int64_t image, int64_t row, int64_t panel, int64_t part) {
        table.separable.pointwise(q, scratch + part * int64_t(s.scratch_floats), image,
                                  row * p.rows / s.row_parts, (row + 1) * p.rows / s.row_parts,
                                  panel * panels / s.panel_parts,
                                  (panel + 1) * panels / s.panel_parts);
    });
}

void run_depthwise(const separable_schedule& s, const depthwise_params& p, float* scratch,
                   const kernel_table& table) {
    const auto vectors = ceil_div(p.channels, table.separable.vector);
    share(s, [&](int64_t image, int64_t row, int64_t block, int64_t part) {
        table.separable.depthwise(
            p, scratch + part * int64_t(s.scratch_floats), image, row * p.out_height / s.row_parts,
            (row + 1) * p.out_height / s.row_parts, block * vectors / s.panel_parts,
            (block + 1) * vectors / s.panel_parts);
    });
}

void run_interleave(const interleave_params& p, int64_t images, const kernel_table& table) {
    constexpr int64_t grain = 16 * 1024; // floats that are worth a thread
    parallel_for(images * p.rows, std::max<int64_t>(1, grain / (p.parts * p.channels)),
                 [&](int64_t begin, int64_t end) { table.separable.interleave(p, begin, end); });
}

} // namespace migraphx::cpu
