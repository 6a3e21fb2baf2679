// SPDX-License-Identifier: MIT
#include "targets/cpu/kernels/separable.hpp"
#include "targets/cpu/kernels/row_panels.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

constexpr int block_most = lanes == 16 ? 8 : 4; // positions of a register tile
alignas(64) constexpr float zeros[lanes] = {};

// A row of the result, or two of them.
struct depthwise_row {
    const float* const* rows; // of the input, for each row of the windows; null: outside
    int64_t x_col, width;
    int64_t kernel_h, kernel_w, stride, dilation;
    const float* w;
    const float* bias;
    int64_t channels; // that each position has
    int64_t from, to; // vectors of channels
    bool filled_up;
    int64_t fetch;            // from a place of the result to one that is written soon, or 0
    int64_t y_next, row_next; // from a row of the result to the next: floats, positions
};

// Which columns that a block sees may be outside the image.
enum class edges {
    none,
    half, // so many on either side as half a window has
    any,
};

// Column c of `columns`, K to a window, may be.
template <edges Edge, int K>
constexpr bool may_be_outside(int c, int columns) {
    return Edge == edges::any || (Edge == edges::half && (c < K / 2 || c >= columns - K / 2));
}

// P neighbours, the first window of which starts at column `first`, and one vector of channels, the
// first of which is `channel`. K and S are the window's width and step, or 0.
template <int K, int S, int P, edges Edge>
inline void depthwise_block(const depthwise_row& d, const row_epilogue& e, const tile_place& at,
                            const float* taps, const float* bias_at, int64_t first) {
    vf acc[P][1];
    const vf bias = load(bias_at);
    // Copies: a store may alias what is behind a reference.
    const int64_t kernel_h = d.kernel_h, kernel_w = d.kernel_w, x_col = d.x_col, width = d.width;
    const int64_t stride = d.stride, dilation = d.dilation, channel = at.channel;
    const float* const* rows = d.rows;
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p)
        acc[p][0] = bias;
    const auto column = [&](const float* row, int64_t c) __attribute__((always_inline)) {
        const float* from = row + c * x_col;
        if constexpr (Edge != edges::none)
            from = uint64_t(c) < uint64_t(width) ? from : zeros;
        return load(from);
    };
    for (int64_t i = 0; i < kernel_h; ++i) {
        const float* row = rows[i];
        const float* w = taps;
        taps += (K > 0 ? K : kernel_w) * lanes;
        if (row == nullptr)
            continue;
        row += channel;
        if constexpr (K > 0) {
            constexpr int columns = (P - 1) * S + K;
            vf x[columns];
            const float* from = row + first * x_col;
#pragma GCC unroll 32
            for (int c = 0; c < columns; ++c, from += x_col)
                x[c] = may_be_outside<Edge, K>(c, columns) ? column(row, first + c) : load(from);
#pragma GCC unroll 8
            for (int j = 0; j < K; ++j) {
                const vf tap = load(w + j * lanes);
#pragma GCC unroll 8
                for (int p = 0; p < P; ++p)
                    acc[p][0] = fma(x[p * S + j], tap, acc[p][0]);
            }
        } else {
            for (int64_t j = 0; j < kernel_w; ++j) {
                const vf tap = load(w + j * lanes);
#pragma GCC unroll 8
                for (int p = 0; p < P; ++p)
                    acc[p][0] = fma(column(row, first + j * dilation + p * stride), tap, acc[p][0]);
            }
        }
    }
    finish_tile<P, 1>(acc, e, at);
}

// The same for a pair of rows, whose windows are S rows apart: what both see is loaded once. Sums
// have the same order.
template <int K, int S, int P, edges Edge>
inline void depthwise_pair(const depthwise_row& d, const row_epilogue& e, const tile_place& at,
                           const float* taps, const float* bias_at, int64_t first) {
    vf acc[2][P][1];
    const vf bias = load(bias_at);
    const int64_t kernel_h = d.kernel_h, x_col = d.x_col, width = d.width, channel = at.channel;
    const float* const* rows = d.rows;
#pragma GCC unroll 2
    for (int r = 0; r < 2; ++r)
#pragma GCC unroll 8
        for (int p = 0; p < P; ++p)
            acc[r][p][0] = bias;
    // Row i of those that the pair sees, as one of the windows of the first or the second.
    const auto add_row = [&](int64_t i, auto in_first, auto in_second)
        __attribute__((always_inline)) {
        const float* row = rows[i];
        if (row == nullptr)
            return;
        vf tap[2][K];
#pragma GCC unroll 8
        for (int j = 0; j < K; ++j) {
            if (in_first.value)
                tap[0][j] = load(taps + (i * K + j) * lanes);
            if (in_second.value)
                tap[1][j] = load(taps + ((i - S) * K + j) * lanes);
        }
        constexpr int columns = (P - 1) * S + K;
        const float* from = row + channel + first * x_col;
#pragma GCC unroll 32
        for (int c = 0; c < columns; ++c, from += x_col) {
            const bool outside =
                may_be_outside<Edge, K>(c, columns) && uint64_t(first + c) >= uint64_t(width);
            const vf x = load(outside ? zeros : from);
#pragma GCC unroll 8
            for (int j = 0; j < K; ++j) {
                const int p = (c - j) / S;
                if (c < j || (c - j) % S != 0 || p >= P)
                    continue;
                if (in_first.value)
                    acc[0][p][0] = fma(x, tap[0][j], acc[0][p][0]);
                if (in_second.value)
                    acc[1][p][0] = fma(x, tap[1][j], acc[1][p][0]);
            }
        }
    };
    using yes = row_count<1>;
    using no = row_count<0>;
    for (int64_t i = 0; i < S; ++i)
        add_row(i, yes{}, no{});
    for (int64_t i = S; i < kernel_h; ++i)
        add_row(i, yes{}, yes{});
    for (int64_t i = kernel_h; i < kernel_h + S; ++i)
        add_row(i, no{}, yes{});
    finish_tile<P, 1>(acc[0], e, at);
    tile_place next = at;
    next.y += d.y_next;
    next.row += d.row_next;
    finish_tile<P, 1>(acc[1], e, next);
}

// A pair of rows if there is a function for one.
template <int K, int S, int P, edges Edge, bool Pair>
inline void depthwise_blocks(const depthwise_row& d, const row_epilogue& e, const tile_place& at,
                             const float* taps, const float* bias, int64_t first) {
    if constexpr (Pair)
        depthwise_pair<K, S, P, Edge>(d, e, at, taps, bias, first);
    else
        depthwise_block<K, S, P, Edge>(d, e, at, taps, bias, first);
}

// Blocks of P; the last one ends at the last column, so it may repeat some of its neighbour's. All
// channels of a block before the next one: memory is gone through in its order.
template <int K, int S, int P, bool Pair>
inline void depthwise_columns(const depthwise_row& d, const row_epilogue& e, const tile_place& row,
                              int64_t columns, int64_t pad) {
    const int64_t reach = (P - 1) * d.stride + (d.kernel_w - 1) * d.dilation;
    const int64_t taps = d.kernel_h * d.kernel_w * lanes;
    for (int64_t c = 0; c < columns; c += P) {
        const int64_t at_column = c + P <= columns ? c : columns - P;
        const int64_t first = at_column * d.stride - pad;
        const bool inside = first >= 0 && first + reach < d.width;
        const bool nearly = K > 0 && first + K / 2 >= 0 && first + reach - K / 2 < d.width;
        for (int64_t v = d.from; v < d.to; ++v) {
            tile_place at = row;
            at.channel = first_channel(v, lanes, d.channels, d.filled_up);
            at.channels = d.channels - at.channel;
            at.y += at_column * row.y_row + at.channel;
            at.row += at_column;
            for (int p = 0; d.fetch != 0 && p < P; ++p)
                fetch_to_write(at.y + d.fetch + p * row.y_row);
            const float *w = d.w + v * taps, *bias = d.bias + v * lanes;
            if (inside)
                depthwise_blocks<K, S, P, edges::none, Pair>(d, e, at, w, bias, first);
            else if (nearly)
                depthwise_blocks<K, S, P, K == 0 ? edges::any : edges::half, Pair>(d, e, at, w,
                                                                                   bias, first);
            else
                depthwise_blocks<K, S, P, edges::any, Pair>(d, e, at, w, bias, first);
        }
    }
}

template <int K, int S, bool Pair>
void depthwise_line(const depthwise_row& d, const row_epilogue& e, const tile_place& row,
                    int64_t columns, int64_t pad) {
    if constexpr (lanes == 16) {
        const int64_t by8 = (columns + 7) / 8 * 8, by7 = (columns + 6) / 7 * 7,
                      by4 = (columns + 3) / 4 * 4;
        if (columns >= 8 && by8 <= by7 && by8 <= by4 + 4)
            return depthwise_columns<K, S, 8, Pair>(d, e, row, columns, pad);
        if (columns >= 7 && by7 <= by4 + 4)
            return depthwise_columns<K, S, 7, Pair>(d, e, row, columns, pad);
    }
    if (columns >= 4)
        depthwise_columns<K, S, 4, Pair>(d, e, row, columns, pad);
    else if (columns >= 2)
        depthwise_columns<K, S, 2, Pair>(d, e, row, columns, pad);
    else
        depthwise_columns<K, S, 1, Pair>(d, e, row, columns, pad);
}

using line_function = void (*)(const depthwise_row&, const row_epilogue&, const tile_place&,
                               int64_t, int64_t);

struct line_functions {
    line_function one, two; // rows; null: there is none for two
};

template <int K, int S>
line_functions lines_of(const depthwise_params& p) {
    const bool pairs = lanes == 16 && p.dilation_h == 1 && p.stride_h == S && p.kernel_h >= S;
    return {depthwise_line<K, S, false>, pairs ? depthwise_line<K, S, true> : nullptr};
}

line_functions lines_for(const depthwise_params& p) {
    if (p.dilation_w == 1 && p.kernel_w == 3 && p.stride_w == 1)
        return lines_of<3, 1>(p);
    if (p.dilation_w == 1 && p.kernel_w == 3 && p.stride_w == 2)
        return lines_of<3, 2>(p);
    if (p.dilation_w == 1 && p.kernel_w == 5 && p.stride_w == 1)
        return lines_of<5, 1>(p);
    if (p.dilation_w == 1 && p.kernel_w == 5 && p.stride_w == 2)
        return lines_of<5, 2>(p);
    return {depthwise_line<0, 0, false>, nullptr};
}

// What is gone through together: vectors of channels, columns of the result and of the image.
struct depthwise_part {
    int64_t from, to;    // vectors
    int64_t left, right; // of the result
    int64_t low, high;   // of the image
};

// Rows [from, to) of the 1x1 result as they lie in the ring: f(their place, first, how many).
template <class F>
MIGRAPHX_VEC_INLINE void ring_parts(const depthwise_params& p, int64_t from, int64_t to, F f) {
    while (from < to) {
        const int64_t slot = from % p.ring_rows;
        int64_t n = p.ring_rows - slot;
        n = n < to - from ? n : to - from;
        f(slot, from, n);
        from += n;
    }
}

row_product ring_product(const depthwise_params& p, const depthwise_part& part, int64_t image,
                         int64_t row) {
    const int64_t first = part.from / row_vectors;
    return {p.x + image * p.x_image + (row * p.width + part.low) * p.x_col, p.x_col,
            p.panels + first * row_panel * p.depth, p.panel_bias + first * row_panel, p.depth};
}

// Rows [from, to) of one panel of the 1x1 result into the ring; `strips`: rows that are packed, or
// null.
void fill_ring(const depthwise_params& p, const depthwise_part& part, float* ring,
               const float* strips, int64_t image, int64_t from, int64_t to) {
    const int64_t columns = part.high - part.low;
    const int64_t channels = (part.to - part.from) * lanes; // a panel's or less
    ring_parts(p, from, to, [&](int64_t slot, int64_t row, int64_t n) {
        tile_place at{ring + slot * columns * row_panel, row_panel, image, 0, 0, channels};
        auto x = ring_product(p, part, image, row);
        if (strips != nullptr) {
            strips = strips_by_panel(x, p.between, at, n * columns, strips);
            return;
        }
        // Whole rows follow each other without a gap.
        const int64_t together = columns == p.width ? n : 1;
        for (int64_t i = 0; i < n; i += together) {
            rows_by_panels(x, 1, p.between, at, together * columns, block_rows, {}, nullptr);
            x.x += p.width * p.x_col;
            at.y += columns * row_panel;
        }
    });
}

// Rows [from, to) of the last 1x1 from those in the strip.
void finish_strip(const depthwise_params& p, const float* strip, float* strips, int64_t image,
                  int64_t from, int64_t to) {
    const int64_t col = panels_of(p.channels) * row_panel;
    all_panels({strip, col, p.last_panels, p.last_bias, p.channels}, panels_of(p.outputs), p.last,
               {p.y + image * p.y_image + from * p.y_row, p.y_col, image, from * p.out_width, 0,
                p.outputs},
               (to - from) * p.out_width, {strips, 2, {}, p.fetches});
}

void depthwise_rows(const depthwise_params& p, const depthwise_part& part, float* scratch,
                    int64_t image, int64_t begin, int64_t end) {
    const bool fused = p.panels != nullptr;
    const line_functions line = lines_for(p);
    const int64_t extent = (p.kernel_h - 1) * p.dilation_h + 1;
    const float* rows[depthwise_rows_most + 2]; // of a pair, 2 apart
    depthwise_row d{};
    d.rows = rows;
    d.kernel_h = p.kernel_h;
    d.kernel_w = p.kernel_w;
    d.stride = p.stride_w;
    d.dilation = p.dilation_w;
    d.width = p.width;
    d.w = p.w;
    d.bias = p.bias;
    d.channels = p.channels;
    d.filled_up = fused;
    const float* x = p.x + image * p.x_image;
    d.x_col = p.x_col;
    int64_t x_row = p.x_row, panel_floats = 0; // of the ring
    if (fused) {
        d.x_col = row_panel;
        x_row = (part.high - part.low) * row_panel;
        panel_floats = p.ring_rows * x_row;
    }
    const bool strips = p.last_panels != nullptr;
    const int64_t strip_col = panels_of(p.channels) * row_panel;
    d.y_next = strips ? p.out_width * strip_col : p.y_row;
    d.row_next = p.out_width;
    float* strip =
        scratch + (fused ? panels_of(part.to * lanes) - part.from / row_vectors : 0) * panel_floats;
    float* packed = strips && packs ? strip + p.strip_rows * p.out_width * strip_col : nullptr;
    // Panel by panel, so that a depthwise convolution finds its rows in the first cache.
    const bool packs_x = fused && packed != nullptr && packs_rows(panels_of(p.channels));
    const int64_t vectors = fused ? row_vectors : part.to - part.from;
    // Rows of the result that one filling of the ring serves.
    const int64_t group = fused ? (p.ring_rows - extent) / p.stride_h + 1 : 1;
    int64_t strip_begin = begin, group_end = begin;
    int64_t done = 0; // rows of the 1x1 result
    for (int64_t o = begin; o < end;) {
        int64_t need = done;
        if (fused && o == group_end) {
            group_end = o + group < end ? o + group : end;
            need = (group_end - 1) * p.stride_h - p.pad_top + extent;
            need = need < p.height ? need : p.height;
            // Rows that no window sees are left out.
            const int64_t first = o * p.stride_h - p.pad_top;
            done = done > first ? done : first;
            if (packs_x && done < need) {
                float* to = packed;
                ring_parts(p, done, need, [&](int64_t, int64_t row, int64_t n) {
                    to = pack_tiles(ring_product(p, part, image, row), n * p.width, {}, to);
                });
            }
        }
        int64_t stop = fused ? group_end : end;
        if (strips && stop > strip_begin + p.strip_rows)
            stop = strip_begin + p.strip_rows;
        for (int64_t v = part.from; v < part.to; v += vectors) {
            depthwise_part own = part;
            own.from = d.from = v;
            own.to = d.to = v + vectors < part.to ? v + vectors : part.to;
            if (fused) {
                float* ring = scratch + (v - part.from) / row_vectors * panel_floats;
                x = ring - part.low * row_panel - v * lanes;
                if (done < need)
                    fill_ring(p, own, ring, packs_x ? packed : nullptr, image, done, need);
            }
            for (int64_t r = o; r < stop;) {
                const bool pair = line.two != nullptr && r + 1 < stop;
                const int64_t seen = p.kernel_h + (pair ? p.stride_h : 0);
                for (int64_t i = 0; i < seen; ++i) {
                    const int64_t row = r * p.stride_h - p.pad_top + i * p.dilation_h;
                    rows[i] = row < 0 || row >= p.height
                                  ? nullptr
                                  : x + (fused ? row % p.ring_rows : row) * x_row;
                }
                // Another core may write the row after the last.
                d.fetch = fused && !strips && r + 1 < end ? p.y_row : 0;
                float* y = strips ? strip + (r - strip_begin) * d.y_next
                                  : p.y + image * p.y_image + r * p.y_row + part.left * p.y_col;
                (pair ? line.two : line.one)(
                    d, p.epilogue,
                    {y, strips ? strip_col : p.y_col, image, r * p.out_width + part.left, 0, 0},
                    part.right - part.left, p.pad_left - part.left * p.stride_w);
                r += pair ? 2 : 1;
            }
        }
        done = done > need ? done : need;
        if (strips && (stop == end || stop == strip_begin + p.strip_rows)) {
            finish_strip(p, strip, packed, image, strip_begin, stop);
            strip_begin = stop;
        }
        o = stop;
    }
}

void depthwise(const depthwise_params& p, float* scratch, int64_t image, int64_t begin, int64_t end,
               int64_t from, int64_t to) {
    const int64_t rows = p.block_rows > 0 ? p.block_rows : end - begin;
    const int64_t columns = p.block_columns > 0 ? p.block_columns : p.out_width;
    const int64_t vectors = p.block_vectors > 0 ? p.block_vectors : to - from;
    const auto least = [](int64_t a, int64_t b) { return a < b ? a : b; };
    const int64_t extent = (p.kernel_w - 1) * p.dilation_w + 1;
    for (int64_t r = begin; r < end; r += rows)
        for (int64_t v = from; v < to; v += vectors)
            for (int64_t c = 0; c < p.out_width; c += columns) {
                depthwise_part part{
                    v, least(v + vectors, to), c, least(c + columns, p.out_width), 0, p.width};
                if (columns < p.out_width) {
                    const int64_t low = c * p.stride_w - p.pad_left;
                    const int64_t high = (part.right - 1) * p.stride_w - p.pad_left + extent;
                    part.low = low > 0 ? least(low, p.width) : 0;
                    part.high = high > part.low ? least(high, p.width) : part.low;
                }
                depthwise_rows(p, part, scratch, image, r, least(r + rows, end));
            }
}

void pointwise(const pointwise_params& p, float* scratch, int64_t image, int64_t begin, int64_t end,
               int64_t from, int64_t to) {
    const float* w = p.w;
    channel_map map = p.map;
    if (map.scale != nullptr)
        map.scale += image * p.scale_image;
    if (map.shift != nullptr)
        map.shift += image * p.shift_image;
    const bool packed = packs && packs_rows(p, to - from);
    if (!packed && scales_weights(map, end - begin, (to - from) * row_panel)) {
        for (int64_t j = from; j < to; ++j)
            for (int64_t k = 0; k < p.channels; ++k)
                for (int64_t v = 0; v < row_panel; v += lanes)
                    store(scratch + ((j - from) * p.channels + k) * row_panel + v,
                          load(p.w + (j * p.channels + k) * row_panel + v) * map.scale[k]);
        w = scratch - from * p.channels * row_panel;
        map = {};
    }
    // A few rows and all panels at a time, so that the result is written in the order of memory;
    // panels beyond the second cache are read for many rows instead.
    constexpr int64_t many_weights = 128 * 1024, near_floats = 64 * 1024;
    const bool many = (to - from) * row_panel * p.channels > many_weights;
    row_product x{p.x + image * p.x_image + begin * p.x_row, p.x_row,
                  w + from * row_panel * p.channels, p.bias + from * row_panel, p.channels};
    if (packed && p.pairs != nullptr) {
        x.pairs = p.pairs + from * row_panel * pair_parts(p.channels);
        x.weight_exponent = p.weight_exponent;
    }
    const tile_place at{p.y + image * p.y_image + begin * p.y_row + from * row_panel,
                        p.y_row,
                        image,
                        begin,
                        from * row_panel,
                        p.outputs - from * row_panel};
    if (packed)
        return packed_rows_by_panels(x, to - from, p.epilogue, at, end - begin,
                                     {scratch, many ? strip_tiles_most : 2, map, p.fetches});
    int64_t most = block_rows;
    if (!map.empty())
        most = row_most;
    else if (many)
        most =
            near_floats / p.channels > most ? near_floats / p.channels / row_most * row_most : most;
    rows_by_panels(x, to - from, p.epilogue, at, end - begin, most, map, scratch);
}

// Of two inputs, one vector of each at a time.
inline int64_t interleave_two(const float* a, const float* b, float* y, int64_t channels) {
    vi low, high; // lanes of both vectors
    for (int i = 0; i < lanes; ++i) {
        low[i] = i / 2 + i % 2 * lanes;
        high[i] = low[i] + lanes / 2;
    }
    int64_t c = 0;
    for (; c + lanes <= channels; c += lanes) {
        const vf p = load(a + c), q = load(b + c);
        store(y + 2 * c, __builtin_shuffle(p, q, low));
        store(y + 2 * c + lanes, __builtin_shuffle(p, q, high));
    }
    return c;
}

void interleave(const interleave_params& p, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
        const int64_t image = row / p.rows, at = row % p.rows;
        const float* x[interleave_params::most];
        for (int64_t j = 0; j < p.parts; ++j)
            x[j] = p.x[j] + image * p.x_image[j] + at * p.x_row[j];
        float* y = p.y + image * p.y_image + at * p.y_row;
        int64_t c = p.parts == 2 ? interleave_two(x[0], x[1], y, p.channels) : 0;
        for (; c < p.channels; ++c)
            for (int64_t j = 0; j < p.parts; ++j)
                y[c * p.parts + j] = x[j][c];
    }
}

int64_t packed_floats(int64_t depth) {
    return packs ? strip_tiles_most * strip_floats(depth) : 0;
}

} // namespace

void fill_separable(separable_kernels& table) {
    table.vector = lanes;
    table.pair_depth = pair_depth;
    table.strip_floats = packed_floats;
    table.pointwise = pointwise;
    table.depthwise = depthwise;
    table.interleave = interleave;
}

} // namespace migraphx::cpu::KERNEL_ISA
