// SPDX-License-Identifier: MIT
#include "targets/cpu/kernels/dispatch/run_winograd.hpp"

#include "base/parallel.hpp"
#include "base/rounding.hpp"

#include <algorithm>

namespace migraphx::cpu {

namespace {

// Lines between the points of V and of M, so that they do not meet in the same sets of a cache.
constexpr int64_t line_pad = 5 * 16;

int64_t panels_of(const winograd_params& p) {
    return ceil_div(p.outputs, p.panel);
}

int64_t blocks_of(const winograd_schedule& s) {
    return ceil_div(panels_of(s.params), s.params.panels);
}

winograd_block block_at(const winograd_schedule& s, int64_t i) {
    return {i * s.block, std::min(s.block, s.tiles - i * s.block)};
}

// Of a block. Strips are of 12 rows in pairs, else of 14.
int64_t most_tiles(const winograd_params& p) {
    constexpr int64_t few_channels = 256;
    if (not p.paired)
        return p.channels <= few_channels ? 28 : 56;
    return p.channels > few_channels ? 60 : p.tile == 4 ? 36 : 48;
}

} // namespace

// Measured on one core of a Zen 4: 64 to 64 channels at 56 x 56 take 0.55 ms instead of 0.64,
// 128 to 128 at 28 x 28 0.46 instead of 0.60, 256 to 256 at 14 x 14 0.71 instead of 0.95. With 32
// outputs the additional work on tiles takes that back: DenseNet-121 is 8 % slower.
bool winograd_gains_by_pairs(const winograd_params& p, const kernel_table& table,
                             bool adds_beside) {
    constexpr int64_t least_channels = 32, least_outputs = 64;
    return adds_beside and table.winograd.paired_narrow_tiles > 0 and
           p.channels >= least_channels and p.outputs >= least_outputs;
}

std::size_t winograd_schedule::weight_floats() const {
    const auto& p = params;
    const int64_t columns = ceil_div(p.outputs, p.panel) * p.panel;
    return std::size_t(p.paired ? columns * (weights * (p.channels + 1) + 1)
                                : columns * weights * p.channels);
}

int64_t winograd_schedule::v_floats() const {
    return points * params.v_step + round_up(block, 16);
}

int64_t winograd_schedule::m_floats() const {
    return points * params.m_step + round_up(points * block + 1, 16);
}

std::size_t winograd_schedule::scratch_floats() const {
    const auto m = m_floats(), v = v_floats();
    return std::size_t(split_outputs ? v + threads * m : threads * (v + m));
}

winograd_schedule schedule_winograd(winograd_params p, int64_t images, int threads,
                                    const kernel_table& table) {
    winograd_schedule s{};
    p.tiles_y = ceil_div(p.out_height, p.tile);
    p.tiles_x = ceil_div(p.out_width, p.tile);
    s.tiles = images * p.tiles_y * p.tiles_x;
    const auto& k = table.winograd;
    s.points = k.points(p);
    s.weights = k.weights(p);
    s.threads = std::max(1, threads);
    // V of a block stays in the second-level cache; each block streams the weights once more.
    const int64_t most = most_tiles(p);
    s.split_outputs = s.threads > 1 and (s.tiles < 14 * s.threads or p.channels >= 512);
    const int64_t units = s.split_outputs ? 1 : s.threads;
    const int64_t blocks = std::max(units, ceil_div(ceil_div(s.tiles, most), units) * units);
    s.block = std::max<int64_t>(1, ceil_div(s.tiles, blocks));
    // Weights from far that a thread reads once: narrow panels meet all tiles of a block at once.
    constexpr int64_t near = int64_t{3} << 20;
    const bool far = s.weights * p.channels * p.outputs * int64_t(sizeof(float)) > near;
    const int64_t narrow = p.paired ? k.paired_narrow_tiles : k.narrow_tiles;
    p.panel = far and blocks <= units and s.block <= narrow ? k.narrow_panel : k.wide_panel;
    const int64_t outputs = p.channels <= 256 ? 64 : 128;
    p.panels = int32_t(std::max<int64_t>(1, outputs / p.panel));
    if (s.split_outputs) // a block for each thread at least
        p.panels = int32_t(std::clamp<int64_t>(panels_of(p) / s.threads, 1, p.panels));
    p.v_step = round_up(s.block * k.v_row(p.channels), 16) + line_pad;
    p.m_step = s.block * p.panels * p.panel + line_pad;
    s.params = p;
    return s;
}

void transform_winograd(const winograd_schedule& s, const winograd_weights& w, float* u,
                        const kernel_table& table) {
    parallel_for(panels_of(s.params), 1, [&](int64_t begin, int64_t end) {
        table.winograd.transform(s.params, w, u, begin, end);
    });
}

void run_winograd(const winograd_schedule& s, const winograd_params& p, float* scratch,
                  const kernel_table& table) {
    const auto& k = table.winograd;
    const int64_t v_floats = s.v_floats(), m_floats = s.m_floats();
    const int64_t outputs = blocks_of(s);
    const int64_t blocks = ceil_div(s.tiles, s.block);
    if (not s.split_outputs) {
        const int64_t share = ceil_div(blocks, s.threads); // of a thread
        parallel_for(s.threads, 1, [&](int64_t begin, int64_t end) {
            for (int64_t thread = begin; thread < end; ++thread) {
                float* v = scratch + thread * (v_floats + m_floats);
                const int64_t stop = std::min(blocks, (thread + 1) * share);
                for (int64_t b = thread * share; b < stop; ++b) {
                    const auto block = block_at(s, b);
                    k.gather(p, block, v, 0, block.count);
                    k.produce(p, block, v, v + v_floats, 0, outputs);
                }
            }
        });
        return;
    }
    for (int64_t b = 0; b < blocks; ++b) {
        const auto block = block_at(s, b);
        parallel_for(block.count, ceil_div(block.count, s.threads),
                     [&](int64_t begin, int64_t end) { k.gather(p, block, scratch, begin, end); });
        const int64_t share = ceil_div(outputs, s.threads);
        parallel_for(s.threads, 1, [&](int64_t begin, int64_t end) {
            for (int64_t thread = begin; thread < end; ++thread)
                if (thread * share < outputs)
                    k.produce(p, block, scratch, scratch + v_floats + thread * m_floats,
                              thread * share, std::min(outputs, (thread + 1) * share));
        });
    }
}

} // namespace migraphx::cpu
