// SPDX-License-Identifier: MIT
#include "targets/cpu/kernels/winograd.hpp"
#include "targets/cpu/kernels/paired_gemm.hpp"
#include "targets/cpu/kernels/winograd_filters.hpp"

#include <array>
#include <cmath>
#include <type_traits>

namespace migraphx::cpu::KERNEL_ISA {
namespace {

// Panels of u: two vectors of outputs and up to 14 tiles in registers, or one and up to 28, so that
// weights from afar are read once.
constexpr int wide_vectors = 2;
constexpr int narrow_rows = wide_vectors * strip_rows;
constexpr int paired_narrow_rows = wide_vectors * paired_rows;

// In pairs, channels go by 16: channel i and i + 8 of the first five of eight are a pair, the
// others are multiplied plainly. Two of the five go by differences.
constexpr int64_t pair_channels = 2 * strip_depth, pairs_of_channels = 5, sums_of_channels = 3;

// Rows of a panel: in pairs the first holds what pairs of the others add.
inline int64_t panel_rows(const winograd_params& p) {
    return p.channels + (p.paired ? 1 : 0);
}

// Weights × channels × outputs of all panels before `panel`, and what its block holds.
struct panel_place {
    int64_t block_start; // in u
    int64_t in_block, of_block;
};

inline int64_t panels_of(const winograd_params& p) {
    return (p.outputs + p.panel - 1) / p.panel;
}

inline panel_place place_of(const winograd_params& p, int64_t weights, int64_t panel) {
    const int64_t block = panel / p.panels, first = block * p.panels;
    const int64_t left = panels_of(p) - first;
    return {first * weights * panel_rows(p) * p.panel, panel - first,
            left < p.panels ? left : p.panels};
}

// The power of two that makes numbers whose squares are `mean` on average about 1, and what undoes
// it. What vanishes when it is squared counts as 0.
struct pair_scale {
    float scale, factor;
};

inline pair_scale scale_of(float mean) {
    constexpr int most = 60;
    int exponent = magnitude_of(mean, 1).exponent;
    exponent = exponent > most ? most : exponent < -most ? -most : exponent;
    return {power_of_two(-exponent), mean == 0 ? 0 : power_of_two(exponent)};
}

// In pairs u ends with what results of its columns are multiplied by.
inline int64_t column_factors(const winograd_params& p, int64_t weights) {
    return panels_of(p) * p.panel * panel_rows(p) * weights;
}

// What makes the weights of an output about 2^magnified, and the float that undoes it.
inline double scale_of_output(const winograd_params& p, const winograd_weights& w, int64_t output,
                              int magnified, float& factor) {
    double squares = 0;
    for (int64_t c = 0; c < p.channels; ++c)
        for (int i = 0; i < 9; ++i) {
            const double x =
                w.data[output * w.output + c * w.channel + i / 3 * w.row + i % 3 * w.col];
            squares += x * x;
        }
    const double mean = squares / (9.0 * double(p.channels));
    constexpr double most = 0x1p120;
    factor = 0;
    if (mean < 1 / most) // NaN goes on
        return 1;
    factor = float(std::sqrt(mean < most ? mean : most) * std::exp2(-magnified));
    return 1 / double(factor);
}

// What pairs of a panel's rows, which follow, add: minus their products, those by differences their
// products.
inline void sum_pairs(const winograd_params& p, float* panel) {
    for (int64_t k = 0; k < p.panel; k += lanes) {
        vf sum{};
        const float* row = panel + p.panel + k;
        for (int64_t c = 0; c + pair_channels <= p.channels;
             c += pair_channels, row += pair_channels * p.panel)
            for (int64_t i = 0; i < pairs_of_channels; ++i) {
                const vf x = load(row + i * p.panel);
                sum = fma(i < sums_of_channels ? -x : x, load(row + (i + strip_depth) * p.panel),
                          sum);
            }
        store(panel + k, sum);
    }
}

template <class F>
void transform_weights(const winograd_params& p, const winograd_weights& w, float* u, int64_t begin,
                       int64_t end) {
    constexpr int N = F::weights;
    // Windows that are all the same are transformed once.
    const bool uniform = w.output == 0 && w.channel == 0;
    for (int64_t panel = begin; panel < end; ++panel) {
        const auto at = place_of(p, N * N, panel);
        vd low[N][N], high[N][N];
        int64_t transformed = 0; // windows in `low` and `high`
        std::array<double, wide_vectors * lanes> scales;
        scales.fill(1);
        for (int64_t k = 0; p.paired && k < p.panel; ++k) {
            const int64_t output = panel * p.panel + k;
            float& factor = u[column_factors(p, N * N) + output];
            factor = 0;
            if (output < p.outputs)
                scales[size_t(k)] = scale_of_output(p, w, output, F::magnified, factor);
        }
        const auto panel_of = [&](int weight) {
            return u + at.block_start +
                   (weight * at.of_block + at.in_block) * panel_rows(p) * p.panel;
        };
        for (int64_t c = 0; c < p.channels; ++c)
            for (int64_t k = 0; k < p.panel; k += lanes) {
                const int64_t first = panel * p.panel + k;
                const int64_t count = p.outputs - first < lanes ? p.outputs - first : lanes;
                alignas(64) float taps[9][lanes] = {};
                for (int64_t l = 0; l < count; ++l) {
                    const float* g = w.data + (first + l) * w.output + c * w.channel;
                    for (int i = 0; i < 9; ++i)
                        taps[i][l] = g[i / 3 * w.row + i % 3 * w.col];
                }
                const auto both_axes = [&](auto half, vd(&result)[N][N]) {
                    vd rows[N][3];
                    for (int j = 0; j < 3; ++j) {
                        vd g[3], o[N];
                        for (int i = 0; i < 3; ++i)
                            g[i] = half(load(taps[i * 3 + j]));
                        F::weight(g, o);
                        for (int i = 0; i < N; ++i)
                            rows[i][j] = o[i];
                    }
                    for (int i = 0; i < N; ++i)
                        F::weight(rows[i], result[i]);
                };
                if (!uniform || count != transformed) {
                    both_axes([](vf x) { return widen_low(x); }, low);
                    both_axes([](vf x) { return widen_high(x); }, high);
                    transformed = count;
                }
                vd scale_low, scale_high;
                __builtin_memcpy(&scale_low, &scales[size_t(k)], sizeof(vd));
                __builtin_memcpy(&scale_high, &scales[size_t(k) + lanes / 2], sizeof(vd));
                for (int i = 0; i < N * N; ++i)
                    store(panel_of(i) + (c + panel_rows(p) - p.channels) * p.panel + k,
                          narrow(low[i / N][i % N] * scale_low, high[i / N][i % N] * scale_high));
            }
        for (int i = 0; p.paired && i < N * N; ++i)
            sum_pairs(p, panel_of(i));
    }
}

struct image_place {
    int64_t image, y, x; // of a tile's first output
};

inline image_place tile_at(const winograd_params& p, int64_t tile) {
    const int64_t column = tile % p.tiles_x, rest = tile / p.tiles_x;
    return {rest / p.tiles_y, rest % p.tiles_y * p.tile, column * p.tile};
}

// A block's strips, and what a tile and point takes in them.
inline row_parts strips_of(const winograd_params& p, const winograd_block& block) {
    if (p.paired)
        return {block.count, p.panel == lanes ? paired_narrow_rows : paired_rows};
    return {block.count, p.panel == lanes ? narrow_rows : strip_rows};
}

inline int64_t v_row(int64_t channels) {
    return (channels + strip_depth - 1) / strip_depth * strip_depth;
}

// A vector of channels from a whole one on, of which n count, to a row of a strip of `rows`.
MIGRAPHX_VEC_INLINE void store_in_strip(float* to, [[maybe_unused]] int64_t rows, vf x,
                                        [[maybe_unused]] int64_t n) {
#if MIGRAPHX_VEC_BYTES == 64
    _mm256_storeu_ps(to, _mm512_castps512_ps256(__m512(x)));
    if (n > strip_depth)
        _mm256_storeu_ps(to + rows * strip_depth, _mm512_extractf32x8_ps(__m512(x), 1));
#else
    store(to, x);
#endif
}

// One vector of channels of a tile to a row of a strip of `rows`; Part: of it `n` are loaded.
// Inside: no part of the tile is padding.
template <class F, bool Part, bool Inside, bool Scaled>
MIGRAPHX_VEC_INLINE void gather_channels(const winograd_params& p, const float* x, int64_t top,
                                         int64_t left, float* v, int64_t rows, int64_t n,
                                         float scale) {
    constexpr int N = F::points;
    vf columns[N][N]; // transformed along y
    for (int j = 0; j < N; ++j) {
        vf d[N], o[N];
        const bool in_x = Inside || (left + j >= 0 && left + j < p.width);
        for (int i = 0; i < N; ++i) {
            d[i] = vf{};
            if (Inside || (in_x && top + i >= 0 && top + i < p.height)) {
                const float* at = x + (top + i) * p.x_row + (left + j) * p.x_col;
                d[i] = Part ? load_first(at, n) : load(at);
            }
        }
        F::input(d, o);
        for (int i = 0; i < N; ++i)
            columns[i][j] = o[i];
    }
    for (int i = 0; i < N; ++i) {
        vf o[N];
        F::input(columns[i], o);
        for (int j = 0; j < N; ++j)
            store_in_strip(v + (i * N + j) * p.v_step, rows, Scaled ? o[j] * scale : o[j], n);
    }
}

// Of all numbers of a tile.
template <class F>
float squares_of_tile(const winograd_params& p, const float* x, int64_t top, int64_t left) {
    constexpr int N = F::points;
    const int64_t t = top < 0 ? -top : 0, l = left < 0 ? -left : 0;
    const int64_t b = p.height - top < N ? p.height - top : N;
    const int64_t r = p.width - left < N ? p.width - left : N;
    vf sums[4]{};
    for (int64_t i = t; i < b; ++i)
        for (int64_t j = l; j < r; ++j) {
            const float* at = x + (top + i) * p.x_row + (left + j) * p.x_col;
            int64_t c = 0;
            for (; c + 4 * lanes <= p.channels; c += 4 * lanes)
#pragma GCC unroll 4
                for (int v = 0; v < 4; ++v) {
                    const vf d = load(at + c + v * lanes);
                    sums[v] = fma(d, d, sums[v]);
                }
            for (int v = 0; c < p.channels; c += lanes, v = (v + 1) % 4) {
                const vf d = load_first(at + c, p.channels - c < lanes ? p.channels - c : lanes);
                sums[v] = fma(d, d, sums[v]);
            }
        }
    return sum_of((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

// What results of a block's tiles are multiplied by lies behind V.
template <class F>
inline int64_t tile_factors(const winograd_params& p) {
    return F::points * F::points * p.v_step;
}

template <class F>
void gather_tiles(const winograd_params& p, const winograd_block& block, float* v, int64_t begin,
                  int64_t end) {
    constexpr int N = F::points;
    const auto strips = strips_of(p, block);
    for (int64_t s = 0; s < strips.count; ++s) {
        const int64_t start = strips.start(s), rows = strips.size(s);
        const int64_t from = begin > start ? begin : start;
        const int64_t to = end < start + rows ? end : start + rows;
        float* strip = v + start * v_row(p.channels);
        const auto scale_of_tile = [&](int64_t t, const image_place& place) {
            const float squares = squares_of_tile<F>(p, p.x + place.image * p.x_image,
                                                     place.y * F::stride - p.pad_top,
                                                     place.x * F::stride - p.pad_left);
            const auto scale = scale_of(squares / float(N * N * p.channels));
            v[tile_factors<F>(p) + t] = scale.factor;
            return scale.scale;
        };
        const auto gather = [&](auto scaled, int64_t t, const image_place& place, int64_t c,
                                float scale) {
            constexpr bool S = decltype(scaled)::value;
            const float* x = p.x + place.image * p.x_image + c;
            float* row =
                strip + (c / strip_depth * rows + t - start) * strip_depth + c % strip_depth;
            const int64_t top = place.y * F::stride - p.pad_top;
            const int64_t left = place.x * F::stride - p.pad_left;
            const int64_t n = p.channels - c;
            if (n < lanes)
                gather_channels<F, true, false, S>(p, x, top, left, row, rows, n, scale);
            else if (top >= 0 && left >= 0 && top + N <= p.height && left + N <= p.width)
                gather_channels<F, false, true, S>(p, x, top, left, row, rows, lanes, scale);
            else
                gather_channels<F, false, false, S>(p, x, top, left, row, rows, lanes, scale);
        };
        // Rows share lines of a strip: two go together.
        for (int64_t t = from; t < to; t += 2) {
            const bool both = t + 1 < to;
            const image_place places[] = {tile_at(p, block.first + t),
                                          tile_at(p, block.first + t + 1)};
            if (!p.paired) {
                for (int64_t c = 0; c < p.channels; c += lanes)
                    for (int64_t i = 0; i <= (both ? 1 : 0); ++i)
                        gather(std::false_type{}, t + i, places[i], c, 1.0f);
                continue;
            }
            const float scales[] = {scale_of_tile(t, places[0]),
                                    both ? scale_of_tile(t + 1, places[1]) : 1.0f};
            for (int64_t c = 0; c < p.channels; c += lanes)
                for (int64_t i = 0; i <= (both ? 1 : 0); ++i)
                    gather(std::true_type{}, t + i, places[i], c, scales[i]);
        }
    }
}

// Inside: the whole tile is part of the result.
template <class F, bool Part, bool Inside>
MIGRAPHX_VEC_INLINE void scatter_outputs(const winograd_params& p, const float* m, vf factor,
                                         const image_place& place, int64_t k, int64_t n) {
    constexpr int N = F::points;
    vf columns[F::tile][N]; // transformed along y
    for (int j = 0; j < N; ++j) {
        vf d[N], o[F::tile];
        for (int i = 0; i < N; ++i)
            d[i] = load(m + (i * N + j) * p.m_step);
        F::output(d, o);
        for (int i = 0; i < F::tile; ++i)
            columns[i][j] = o[i];
    }
    const auto read = [&](const float* from) { return Part ? load_first(from, n) : load(from); };
    const vf bias = p.bias == nullptr ? vf{} : read(p.bias + k);
    const vf low = splat(p.low), high = splat(p.high);
    for (int i = 0; i < F::tile && (Inside || place.y + i < p.out_height); ++i) {
        vf o[F::tile];
        F::output(columns[i], o);
        for (int j = 0; j < F::tile; ++j) {
            if (!Inside && place.x + j >= p.out_width)
                break;
            vf y = fma(o[j], factor, bias);
            if (p.residual != nullptr)
                y += read(p.residual + place.image * p.r_image + (place.y + i) * p.r_row +
                          (place.x + j) * p.r_col + k);
            y = raw_max(low, raw_min(high, y)); // NaN stays
            float* to = p.y + place.image * p.y_image + (place.y + i) * p.y_row +
                        (place.x + j) * p.y_col + k;
            if (Part)
                store_first(to, y, n);
            else
                store(to, y);
        }
    }
}

struct tile_product {
    const float *v, *u;
    const float* rows; // what pairs of the rows of v add
    float* m;
    int64_t m_row, depth;
    // What is multiplied later and comes to the second cache meanwhile, in equal shares.
    const char* next;
    int64_t bytes;
};

template <int R, int V, bool Fetch>
__attribute__((noinline)) void multiply(const tile_product& p) {
    vf acc[R][V];
#pragma GCC unroll 32
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v)
            acc[r][v] = vf{};
    constexpr int64_t line = 64;
    const char* next = p.next;
    const int64_t share = (p.bytes / (p.depth / strip_depth * 2 + 1) / line + 1) * line;
    const auto come_near = [&]() __attribute__((always_inline)) {
        if (!Fetch)
            return;
        for (int64_t i = 0; i < share; i += line)
            __builtin_prefetch(next + i, 0, 2);
        next += share;
    };
    multiply_strip<R, V>(acc, p.v, p.u, V * lanes, p.depth, come_near);
#pragma GCC unroll 32
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v)
            store(p.m + r * p.m_row + v * lanes, acc[r][v]);
}

// Sums of parts err less: those of 512 channels in pairs less than plain ones in one part, which
// costs a fiftieth of the time.
constexpr int64_t part_channels = 128;

template <int R, int V>
__attribute__((noinline)) void multiply_in_pairs(const tile_product& p) {
    vf acc[R][V];
    constexpr int64_t row = V * lanes, half = R * strip_depth, line = 64;
    start_pairs<R, V>(acc, p.rows, p.u);
    const float *a = p.v, *b = p.u + row;
    const char* next = p.next;
    const int64_t share =
        p.bytes == 0 ? 0 : (p.bytes / (p.depth / pair_channels + 1) / line + 1) * line;
    const auto each_sum = [&](auto f) __attribute__((always_inline)) {
#pragma GCC unroll 32
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v)
                f(acc[r][v], p.m + r * p.m_row + v * lanes);
    };
    int64_t left = p.depth;
    for (bool first = true; first || left > 0; first = false) {
        if (!first)
            each_sum([](vf& sum, float*) { sum = vf{}; });
        const int64_t part = left >= 2 * part_channels ? part_channels : left;
        left -= part;
        int64_t depth = part;
        for (; depth >= pair_channels; depth -= pair_channels) {
            for (int64_t i = 0; i < share; i += line)
                __builtin_prefetch(next + i, 0, 2);
            next += share;
            // Of eleven places for multiply-adds ten see an addition.
#pragma GCC unroll 1
            for (int i = 0; i < sums_of_channels; ++i)
                add_pair_and_one<R, V, strip_depth, false>(acc, a + i, a + i + half, a + i + 5,
                                                           b + i * row, b + (i + 8) * row,
                                                           b + (i + 5) * row);
#pragma GCC unroll 1
            for (int i = sums_of_channels; i < pairs_of_channels; ++i)
                add_pair_and_one<R, V, strip_depth, true>(acc, a + i, a + i + half,
                                                          a + i + half + 2, b + i * row,
                                                          b + (i + 8) * row, b + (i + 10) * row);
            add_strip_step<R, V>(acc, a + 7 + half, b + 15 * row);
            a += 2 * half;
            b += pair_channels * row;
        }
        multiply_strip<R, V>(acc, a, b, row, depth, [] {});
        if (!first)
            each_sum([](vf& sum, float* m) { sum += load(m); });
        each_sum([](vf& sum, float* m) { store(m, sum); });
    }
}

// What pairs of 2 N rows of a strip of `rows` add, as those of a panel do.
template <int N>
inline void sum_pairs_of_rows(const float* strip, int64_t rows, int64_t channels, float* sums) {
    constexpr int at_once = lanes / strip_depth; // rows
    vf sum[N]{};
    for (int64_t c = 0; c + pair_channels <= channels;
         c += pair_channels, strip += rows * pair_channels)
#pragma GCC unroll 8
        for (int i = 0; i < N; ++i)
            sum[i] =
                fma(load(strip + i * lanes), load(strip + rows * strip_depth + i * lanes), sum[i]);
    alignas(64) float parts[N * lanes];
    for (int i = 0; i < N; ++i)
        store(parts + i * lanes, sum[i]);
    for (int r = 0; r < N * at_once; ++r) {
        float s = 0;
        for (int i = 0; i < pairs_of_channels; ++i)
            s += (i < sums_of_channels ? -1.0f : 1.0f) * parts[r * strip_depth + i];
        sums[r] = s;
    }
}

// Those of all points and tiles of a block; one more is written than there are.
template <class F>
void sum_pairs_of_block(const winograd_params& p, const winograd_block& block, const float* v,
                        float* sums) {
    if constexpr (lanes == 16) {
        constexpr int64_t most = 6; // vectors of two rows
        const auto strips = strips_of(p, block);
        for (int i = 0; i < F::points * F::points; ++i, sums += block.count)
            for (int64_t s = 0; s < strips.count; ++s) {
                const int64_t start = strips.start(s), rows = strips.size(s);
                const float* strip = v + i * p.v_step + start * v_row(p.channels);
                for (int64_t r = 0; r < rows; r += 2 * most) {
                    const int64_t left = (rows - r + 1) / 2;
                    with_rows<most>(left < most ? left : most, [&](auto n) {
                        sum_pairs_of_rows<decltype(n)::value>(strip + r * strip_depth, rows,
                                                              p.channels, sums + start + r);
                    });
                }
            }
    }
}

template <int V>
inline void multiply_rows_in_pairs(const tile_product& p, int64_t rows) {
    if constexpr (lanes == 16)
        with_rows<(V == 1 ? paired_narrow_rows : paired_rows)>(
            rows, [&](auto r) { multiply_in_pairs<decltype(r)::value, V>(p); });
}

template <int V, bool Fetch>
inline void multiply_rows(const tile_product& p, int64_t rows) {
    with_rows<(V == 1 ? narrow_rows : strip_rows)>(
        rows, [&](auto r) { multiply<decltype(r)::value, V, Fetch>(p); });
}

template <class F>
void produce_blocks(const winograd_params& p, const winograd_block& block, const float* v, float* m,
                    int64_t begin, int64_t end) {
    constexpr int N = F::points;
    // Weights that stay in the second cache beside V and M.
    constexpr int64_t near_floats = 256 * 1024;
    constexpr int W = F::weights;
    const bool far = W * W * p.channels * p.outputs > near_floats;
    const int64_t width = p.panels * p.panel; // of a row of M
    const int64_t panel_floats = panel_rows(p) * p.panel;
    const auto strips = strips_of(p, block);
    // What results are multiplied by.
    const auto factors = [&](int64_t t, int64_t k, int64_t n) {
        if (!p.paired)
            return splat(1.0f);
        return load_first(p.u + column_factors(p, W * W) + k, n) * v[tile_factors<F>(p) + t];
    };
    float* sums = m + N * N * p.m_step; // of pairs of rows
    if (p.paired)
        sum_pairs_of_block<F>(p, block, v, sums);
    const auto multiply_point = [&](const float* u, int64_t point, int64_t column,
                                    const char*& next, int64_t share) {
        for (int64_t s = 0; s < strips.count; ++s, next += share) {
            const int64_t start = strips.start(s), rows = strips.size(s);
            const tile_product product{v + point * p.v_step + start * v_row(p.channels),
                                       u,
                                       sums + point * block.count + start,
                                       m + point * p.m_step + start * width + column,
                                       width,
                                       p.channels,
                                       next,
                                       share};
            if (p.paired)
                p.panel == lanes ? multiply_rows_in_pairs<1>(product, rows)
                                 : multiply_rows_in_pairs<wide_vectors>(product, rows);
            else if (p.panel == lanes)
                share > 0 ? multiply_rows<1, true>(product, rows)
                          : multiply_rows<1, false>(product, rows);
            else
                share > 0 ? multiply_rows<wide_vectors, true>(product, rows)
                          : multiply_rows<wide_vectors, false>(product, rows);
        }
    };
    for (int64_t outputs_at = begin; outputs_at < end; ++outputs_at) {
        const auto at = place_of(p, W * W, outputs_at * p.panels);
        const int64_t k0 = outputs_at * width;
        const int64_t outputs = p.outputs - k0 < width ? p.outputs - k0 : width;
        const float* u = p.u + at.block_start;
        for (int weight = 0; weight < W * W; ++weight) {
            int points[N * N], count = 0; // that have it
            for (int i = 0; i < N * N; ++i)
                if (F::weight_of(i / N) * W + F::weight_of(i % N) == weight)
                    points[count++] = i;
            for (int64_t panel = 0; panel < at.of_block; ++panel, u += panel_floats) {
                const bool last =
                    weight + 1 == W * W && panel + 1 == at.of_block && outputs_at + 1 == end;
                const char* next = reinterpret_cast<const char*>(u + panel_floats);
                const int64_t share =
                    far && !last ? panel_floats * int64_t(sizeof(float)) / (strips.count * count)
                                 : 0;
                for (int i = 0; i < count; ++i)
                    multiply_point(u, points[i], panel * p.panel, next, share);
            }
        }
        for (int64_t t = 0; t < block.count; ++t) {
            const auto place = tile_at(p, block.first + t);
            const float* row = m + t * width;
            int64_t k = 0;
            if (place.y + F::tile <= p.out_height && place.x + F::tile <= p.out_width)
                for (; k + lanes <= outputs; k += lanes)
                    scatter_outputs<F, false, true>(p, row + k, factors(t, k0 + k, lanes), place,
                                                    k0 + k, lanes);
            else
                for (; k + lanes <= outputs; k += lanes)
                    scatter_outputs<F, false, false>(p, row + k, factors(t, k0 + k, lanes), place,
                                                     k0 + k, lanes);
            if (k < outputs)
                scatter_outputs<F, true, false>(p, row + k, factors(t, k0 + k, outputs - k), place,
                                                k0 + k, outputs - k);
        }
    }
}

template <class Call>
void with_filter(const winograd_params& p, Call call) {
    if (p.stride == 2)
        call(filter_2_of_stride_2{});
    else if (p.tile == 4)
        call(filter_4{});
    else
        call(filter_2{});
}

int64_t points(const winograd_params& p) {
    int64_t n = 0;
    with_filter(p, [&](auto f) { n = decltype(f)::points * decltype(f)::points; });
    return n;
}

int64_t weights(const winograd_params& p) {
    int64_t n = 0;
    with_filter(p, [&](auto f) { n = decltype(f)::weights * decltype(f)::weights; });
    return n;
}

void transform(const winograd_params& p, const winograd_weights& w, float* u, int64_t begin,
               int64_t end) {
    with_filter(p, [&](auto f) { transform_weights<decltype(f)>(p, w, u, begin, end); });
}

void gather(const winograd_params& p, const winograd_block& block, float* v, int64_t begin,
            int64_t end) {
    with_filter(p, [&](auto f) { gather_tiles<decltype(f)>(p, block, v, begin, end); });
}

void produce(const winograd_params& p, const winograd_block& block, const float* v, float* m,
             int64_t begin, int64_t end) {
    with_filter(p, [&](auto f) { produce_blocks<decltype(f)>(p, block, v, m, begin, end); });
}

} // namespace

void fill_winograd(winograd_kernels& table) {
    table.wide_panel = wide_vectors * lanes;
    table.narrow_panel = lanes;
    table.narrow_tiles = narrow_rows;
    table.paired_narrow_tiles = lanes == 16 ? paired_narrow_rows : 0;
    table.v_row = v_row;
    table.points = points;
    table.weights = weights;
    table.transform = transform;
    table.gather = gather;
    table.produce = produce;
}

} // namespace migraphx::cpu::KERNEL_ISA
