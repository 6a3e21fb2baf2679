// SPDX-License-Identifier: MIT
// Register tiles of a few rows by four vectors: ten loads for 24 multiply-adds, so rows need no
// packing, and a pointer for each lets them lie anywhere: in several lines or images, or, where a
// window reaches over the edge, in a line of zeros. The sum of an output has one order, whatever
// tile it falls into.
#include "targets/cpu/kernels/windows.hpp"
#include "targets/cpu/kernels/row_tile.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

// 24 accumulators of 32 registers, with as many vectors of weights and one value of a row; or 12
// of 16. Fewer vectors leave rows, up to the pointers that registers hold.
constexpr int panel_vectors = lanes == 16 ? 4 : 2;
constexpr int tile_most(int vectors) {
    constexpr int wide[] = {10, 10, 8, 6};
    return lanes == 16 ? wide[vectors - 1] : 6;
}

// Where each place of each window lies, that of row r at table[place * count + r].
void find_places(const window_params& p, int64_t first, int64_t count, const float** table) {
    const gemm_windows& w = p.windows;
    int64_t line = first / w.out_width, col = first - line * w.out_width;
    int64_t image = line / w.out_height;
    line -= image * w.out_height;
    for (int64_t r = 0; r < count; ++r) {
        const int64_t top = line * w.stride_h - w.pad_top, left = col * w.stride_w - w.pad_left;
        const float* x = p.x + image * w.x_image;
        int64_t down = top, right = left, in_line = 0;
        for (int64_t i = 0; i < p.places; ++i) {
            const bool inside =
                uint64_t(down) < uint64_t(w.height) && uint64_t(right) < uint64_t(w.width);
            table[i * count + r] = inside ? x + down * w.x_row + right * w.x_col : p.zeros;
            right += w.dilation_w;
            if (++in_line == w.kernel_w) {
                in_line = 0;
                right = left;
                down += w.dilation_h;
            }
        }
        if (++col == w.out_width) {
            col = 0;
            if (++line == w.out_height) {
                line = 0;
                ++image;
            }
        }
    }
}

// A part of the sums of tiles, one after another: some places of their windows, and of each `depth`
// values.
struct tile_part {
    const float* const* rows; // of the first place; those of the next are `step` further
    int64_t step, places, tiles;
    const float* zeros;
    int64_t offset, depth;
    const float* w;
    const float* bias; // null: sums start from 0
    vf* sums;          // of the parts before, if it is not the first; then there is one tile
    bool first, last;
};

// acc += rows * panel for `depth` values of each row, which end at x. `next`: where the rows of the
// next tile lie, if they follow each other; images may come from far.
template <int R, int V>
MIGRAPHX_VEC_INLINE void add_products(vf (&acc)[R][V], const float* const (&x)[R], const float* w,
                                      int64_t depth, const float*& next) {
    const auto step = [&](int64_t k, const float* b) __attribute__((always_inline)) {
        vf y[V];
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v)
            y[v] = load(b + v * lanes);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
            const vf a = splat(x[r][k]);
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v)
                add_product(acc[r][v], a, y[v]);
        }
        // The compiler would load ahead more than registers hold.
        asm volatile("" ::: "memory");
    };
    constexpr int64_t line = 64 / sizeof(float);
    int64_t k = -depth;
    for (; k <= -4; k += 4, w += 4 * V * lanes) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i)
            step(k + i, w + i * V * lanes);
        __builtin_prefetch(next, 0, 2); // to the second level
        __builtin_prefetch(next + line, 0, 2);
        next += 2 * line;
    }
    for (; k < 0; ++k, w += V * lanes)
        step(k, w);
}

template <int R, int V>
__attribute__((noinline)) void window_tiles(const tile_part& p, const row_epilogue& e,
                                            tile_place at) {
    const float* const* first = p.rows;
    for (int64_t tile = 0; tile < p.tiles; ++tile) {
        vf acc[R][V];
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v)
                acc[r][v] = p.bias == nullptr ? vf{} : load(p.bias + v * lanes);
        const float* w = p.w;
        const float* const* rows = first;
        const float* next = first[tile + 1 < p.tiles ? R : 0];
        for (int64_t i = p.places; i > 0; --i, rows += p.step, w += p.depth * V * lanes) {
            const float* x[R];
            bool outside = true;
#pragma GCC unroll 16
            for (int r = 0; r < R; ++r) {
                x[r] = rows[r];
                outside = outside && x[r] == p.zeros;
                x[r] += p.offset + p.depth;
#if defined(__x86_64__)
                asm("" : "+r"(x[r])); // one counter for all rows
#endif
            }
            if (!outside)
                add_products<R, V>(acc, x, w, p.depth, next);
        }
        if (!p.first) {
#pragma GCC unroll 16
            for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
                for (int v = 0; v < V; ++v)
                    acc[r][v] += p.sums[r * V + v];
        }
        if (p.last) {
            finish_tile<R, V>(acc, e, at);
        } else {
#pragma GCC unroll 16
            for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
                for (int v = 0; v < V; ++v)
                    p.sums[r * V + v] = acc[r][v];
        }
        first += R;
        at.y += R * at.y_row;
        at.row += R;
    }
}

// Longer sums are sums of parts, which keeps errors near those of the library.
constexpr int64_t longest_part = 768;

template <int R, int V>
void sum_parts(const window_params& p, const float* w, const float* const* rows, int64_t step,
               tile_place at, int64_t tiles) {
    vf sums[R * V];
    const int64_t channels = p.windows.channels;
    const int64_t depth = channels < longest_part ? channels : longest_part;
    const int64_t places = longest_part / depth; // of a part; 1 where its channels are not all
    const float* bias = p.epilogue.bias == nullptr ? nullptr : p.epilogue.bias + at.channel;
    if (p.places <= places && depth == channels) {
        window_tiles<R, V>(
            {rows, step, p.places, tiles, p.zeros, 0, depth, w, bias, sums, true, true}, p.epilogue,
            at);
        return;
    }
    for (; tiles > 0; --tiles) {
        tile_part t{rows, step, 0, 1, p.zeros, 0, 0, w, bias, sums, true, false};
        for (int64_t i = 0; i < p.places; i += places)
            for (t.offset = 0; t.offset < channels; t.offset += depth) {
                const int64_t left = channels - t.offset;
                t.rows = rows + i * step;
                t.depth = left < depth ? left : depth;
                t.places = p.places - i < places ? p.places - i : places;
                t.last = i + places >= p.places && left <= depth;
                window_tiles<R, V>(t, p.epilogue, at);
                t.w += t.places * t.depth * V * lanes;
                t.bias = nullptr;
                t.first = false;
            }
        rows += R;
        at.y += R * at.y_row;
        at.row += R;
    }
}

// The rows of a block times a panel of V vectors, in tiles of about the same height.
template <int V>
void multiply_rows(const window_params& p, const float* w, const float* const* rows, int64_t count,
                   tile_place at) {
    constexpr int most = tile_most(V);
    const int64_t step = count, all = (count + most - 1) / most;
    const auto multiply = [&](int64_t tiles, int64_t height) {
        if (tiles == 0)
            return;
        with_rows<most>(
            height, [&](auto r) { sum_parts<decltype(r)::value, V>(p, w, rows, step, at, tiles); });
        rows += tiles * height;
        at.y += tiles * height * at.y_row;
        at.row += tiles * height;
    };
    multiply(count % all, count / all + 1);
    multiply(all - count % all, count / all);
}

void run(const window_params& p, int64_t begin, int64_t end) {
    const int64_t vectors = (p.outputs + lanes - 1) / lanes;
    const int64_t panels = (vectors + panel_vectors - 1) / panel_vectors;
    const int64_t depth = p.places * p.windows.channels;
    const float* rows[windows_kernels::most_places];
    for (int64_t unit = begin; unit < end;) {
        const int64_t block = unit / panels, first = block * p.block_rows;
        const int64_t left = p.rows - first, count = left < p.block_rows ? left : p.block_rows;
        const int64_t stop = (block + 1) * panels < end ? (block + 1) * panels : end;
        find_places(p, first, count, rows);
        for (; unit < stop; ++unit) {
            const int64_t i = unit - block * panels;
            const int64_t from = vectors * i / panels, n = vectors * (i + 1) / panels - from;
            const int64_t column = from * lanes;
            const tile_place at{
                p.y + first * p.y_row + column, p.y_row, 0, first, column, p.outputs - column};
            const float* w = p.w + column * depth;
            switch (n) {
            case 1:
                multiply_rows<1>(p, w, rows, count, at);
                break;
            case 2:
                multiply_rows<2>(p, w, rows, count, at);
                break;
#if MIGRAPHX_VEC_BYTES == 64
            case 3:
                multiply_rows<3>(p, w, rows, count, at);
                break;
            case 4:
                multiply_rows<4>(p, w, rows, count, at);
                break;
#endif
            default:
                break;
            }
        }
    }
}

} // namespace

void fill_windows(windows_kernels& table) {
    table.vector = lanes;
    table.panel = panel_vectors;
    table.run = run;
}

} // namespace migraphx::cpu::KERNEL_ISA
