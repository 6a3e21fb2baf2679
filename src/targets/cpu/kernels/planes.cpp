// SPDX-License-Identifier: MIT
#include "targets/cpu/kernels/planes.hpp"
#include "targets/cpu/kernels/panel_gemm.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

// Where each place of the first window of a row of the result lies, channel by channel.
struct plane_row {
    const float* taps[planes_kernels::most_taps];
    int64_t count;
};

// R neighbours, the first window of which is `first` floats behind that of the row; S columns lie
// between them.
template <int R, int V, int S>
inline void plane_tile(const plane_row& row, const row_epilogue& e, const tile_place& at,
                       const float* w, const float* bias, int64_t first) {
    vf acc[R][V];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v)
            acc[r][v] = load(bias + v * lanes);
    const float* const* end = row.taps + row.count;
    // The places of the next tile come near, one each time.
    const float* next = at.y + R * at.y_row;
    int64_t to_next = 0;
    for (const float* const* tap = row.taps; tap < end; ++tap, w += row_panel) {
        fetch_to_write(next + to_next);
        if (to_next == (V - 1) * lanes)
            next += at.y_row;
        to_next = V == 2 ? lanes - to_next : 0;
        add_strip_step<R, V, S>(acc, *tap + first, w);
    }
    finish_tile<R, V>(acc, e, at);
}

// All panels of a row of the result, in blocks of R; the last one ends at the last column, so it
// may repeat some of its neighbour's.
template <int R, int S>
void plane_columns(const plane_params& p, const plane_row& row, const tile_place& first) {
    const int64_t panel = p.windows.channels * p.kernel_h * p.windows.kernel_w * row_panel;
    const int64_t columns = p.windows.out_width;
    for (int64_t j = 0; j < panels_of(p.outputs); ++j) {
        const float* w = p.w + j * panel;
        const float* bias = p.bias + j * row_panel;
        for (int64_t c = 0; c < columns; c += R) {
            const int64_t column = c + R <= columns ? c : columns - R;
            tile_place at = first;
            at.y += column * p.y_col + j * row_panel;
            at.row += column;
            at.channel = j * row_panel;
            at.channels = p.outputs - at.channel;
            if (at.channels > lanes)
                plane_tile<R, 2, S>(row, p.epilogue, at, w, bias, column * S);
            else
                plane_tile<R, 1, S>(row, p.epilogue, at, w, bias, column * S);
        }
    }
}

using columns_function = void (*)(const plane_params&, const plane_row&, const tile_place&);

// Of the heights that fit, the one that repeats least; of equal ones the largest.
template <int S>
columns_function columns_for(int64_t columns) {
    constexpr int heights = lanes == 16 ? 6 : 4;
    constexpr int height[] = {
        strip_rows, lanes == 16 ? 12 : 5, lanes == 16 ? 8 : 3, lanes == 16 ? 5 : 1, 3, 1};
    constexpr columns_function functions[] = {
        plane_columns<height[0], S>, plane_columns<height[1], S>, plane_columns<height[2], S>,
        plane_columns<height[3], S>, plane_columns<3, S>,         plane_columns<1, S>};
    int best = heights - 1;
    int64_t least = 0;
    for (int i = 0; i < heights; ++i) {
        // A tile costs as much as a position, beside its own.
        const int64_t tiles = (columns + height[i] - 1) / height[i];
        const int64_t cost = tiles * (height[i] + 1);
        if (height[i] <= columns && (least == 0 || cost < least)) {
            least = cost;
            best = i;
        }
    }
    return functions[best];
}

columns_function columns_of(const gemm_windows& w) {
    switch (w.stride_w) {
    case 1:
        return columns_for<1>(w.out_width);
    case 2:
        return columns_for<2>(w.out_width);
    case 3:
        return columns_for<3>(w.out_width);
    default:
        return columns_for<4>(w.out_width);
    }
}

// What windows see of a line of the image, to column 0 of `line`.
void copy_line(const gemm_windows& w, const float* x, float* line) {
    const int64_t seen =
        (w.out_width - 1) * w.stride_w + (w.kernel_w - 1) * w.dilation_w + 1 - w.pad_left;
    const int64_t n = w.width < seen ? w.width : seen;
    int64_t c = 0;
    if (w.x_col == 1)
        for (; c + lanes <= n; c += lanes)
            store(line + c, load(x + c));
    for (; c < n; ++c)
        line[c] = x[c * w.x_col];
}

void run(const plane_params& p, float* scratch, int64_t image, int64_t begin, int64_t end) {
    const gemm_windows& w = p.windows;
    const columns_function columns = columns_of(w);
    const int64_t rows = plane_rows(p), line = plane_line(w);
    const float* x = p.x + image * w.x_image;
    float* zeros = scratch + w.channels * rows * line; // a line outside the image
    for (float* at = scratch; at < zeros + line; at += lanes)
        store(at, vf{}); // what is left of the lines and right of them stays
    const int64_t left = plane_left(w);
    plane_row row;
    row.count = w.channels * p.kernel_h * w.kernel_w;
    int64_t done = 0; // rows of the image
    for (int64_t o = begin; o < end; ++o) {
        const int64_t top = o * w.stride_h - w.pad_top;
        const int64_t need = top + rows < w.height ? top + rows : w.height;
        for (done = done > top ? done : top; done < need; ++done)
            for (int64_t c = 0; c < w.channels; ++c)
                copy_line(w, x + c * p.x_channel + done * w.x_row,
                          scratch + (c * rows + done % rows) * line + left);
        const float** tap = row.taps;
        for (int64_t c = 0; c < w.channels; ++c)
            for (int64_t i = 0; i < p.kernel_h; ++i) {
                const int64_t at = top + i * w.dilation_h;
                const float* from =
                    at < 0 || at >= w.height ? zeros : scratch + (c * rows + at % rows) * line;
                from += left - w.pad_left;
                for (int64_t j = 0; j < w.kernel_w; ++j, from += w.dilation_w)
                    *tap++ = from;
            }
        columns(p, row,
                {p.y + image * p.y_image + o * p.y_row, p.y_col, image, o * w.out_width, 0, 0});
    }
}

} // namespace

void fill_planes(planes_kernels& table) {
    table.run = run;
}

} // namespace migraphx::cpu::KERNEL_ISA
