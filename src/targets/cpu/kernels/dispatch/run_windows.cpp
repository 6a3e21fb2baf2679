// SPDX-License-Identifier: MIT
// Splits convolutions over blocks of rows and panels of weights.
#include "targets/cpu/kernels/dispatch/run_windows.hpp"

#include "base/parallel.hpp"
#include "base/rounding.hpp"

#include <algorithm>

namespace migraphx::cpu {

namespace {

struct panel_cut {
    int64_t vectors, panels;
    panel_cut(int64_t outputs, const windows_kernels& k)
        : vectors(ceil_div(outputs, k.vector)), panels(ceil_div(vectors, k.panel)) {}
    int64_t first(int64_t panel) const { return vectors * panel / panels; }
};

} // namespace

int64_t window_columns(int64_t outputs, const kernel_table& table) {
    return round_up(outputs, table.windows.vector);
}

void pack_window_weights(const float* w, int64_t o_step, int64_t outputs, int64_t depth, float* to,
                         const kernel_table& table) {
    const auto& t = table.windows;
    const panel_cut cut(outputs, t);
    parallel_for(cut.panels, 1, [&](int64_t begin, int64_t end) {
        for (auto i = begin; i < end; i++) {
            const int64_t from = cut.first(i) * t.vector, until = cut.first(i + 1) * t.vector;
            float* panel = to + from * depth;
            for (auto o = from; o < until; o++)
                for (int64_t k = 0; k < depth; k++)
                    panel[k * (until - from) + o - from] = o < outputs ? w[o * o_step + k] : 0;
        }
    });
}

// Rows of a block are to stay in the second cache while they meet all panels. There are as many
// blocks for each thread.
void block_windows(window_params& p, int64_t threads, const kernel_table&) {
    constexpr int64_t floats = 96 * 1024, fewest = 24, most = 96;
    const int64_t fitting =
        std::min(std::clamp(floats / std::max<int64_t>(1, p.windows.channels), fewest, most),
                 windows_kernels::most_places / std::max<int64_t>(1, p.places));
    const int64_t blocks = std::max<int64_t>(1, ceil_div(p.rows, fitting));
    const int64_t even = round_up(blocks, threads);
    constexpr int64_t least = 12; // rows that threads share
    p.block_rows = std::max<int64_t>(1, ceil_div(p.rows, p.rows >= least * even ? even : blocks));
}

void run_windows(const window_params& p, int64_t threads, const kernel_table& table) {
    constexpr int64_t least = 200 * 1000; // multiplications of a part
    const panel_cut cut(p.outputs, table.windows);
    const int64_t units = ceil_div(p.rows, p.block_rows) * cut.panels;
    if (units == 0)
        return;
    const int64_t products = p.rows * p.outputs * p.places * p.windows.channels;
    const int64_t parts = std::clamp<int64_t>(products / least, 1, std::min(units, threads));
    parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
        for (auto i = begin; i < end; i++)
            table.windows.run(p, units * i / parts, units * (i + 1) / parts);
    });
}

} // namespace migraphx::cpu
