// SPDX-License-Identifier: MIT
#include "targets/cpu/kernels/winograd.hpp"
#include "targets/cpu/kernels/strip_tile.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

// Panels of u: two vectors of outputs and up to 14 tiles in registers, or one and up to 28, so that
// weights from afar are read once.
constexpr int wide_vectors = 2;
constexpr int narrow_rows = wide_vectors * strip_rows;
constexpr double root2 = 1.41421356237309504880;

// The one-dimensional transforms: a tile of outputs has as many points as it reads inputs. Points
// may share a transformed weight.
struct filter_2 {
    static constexpr int tile = 2, stride = 1, points = 4, weights = 4;
    static constexpr int weight_of(int point) { return point; }
    MIGRAPHX_VEC_INLINE static void input(const vf* d, vf* o) {
        o[0] = d[0] - d[2];
        o[1] = d[1] + d[2];
        o[2] = d[2] - d[1];
        o[3] = d[1] - d[3];
    }
    MIGRAPHX_VEC_INLINE static void output(const vf* m, vf* y) {
        y[0] = m[0] + m[1] + m[2];
        y[1] = m[1] - m[2] - m[3];
    }
    MIGRAPHX_VEC_INLINE static void weight(const vd* g, vd* o) {
        const vd even = 0.5 * (g[0] + g[2]), odd = 0.5 * g[1];
        o[0] = g[0];
        o[1] = even + odd;
        o[2] = even - odd;
        o[3] = g[2];
    }
};

struct filter_4 {
    static constexpr int tile = 4, stride = 1, points = 6, weights = 6;
    static constexpr int weight_of(int point) { return point; }
    MIGRAPHX_VEC_INLINE static void input(const vf* d, vf* o) {
        constexpr float r = float(root2), h = float(root2 / 2);
        const vf odd1 = h * (d[3] - 2.0f * d[1]), even1 = d[4] - 2.0f * d[2];
        const vf odd2 = r * (d[3] - 0.5f * d[1]), even2 = d[4] - 0.5f * d[2];
        o[0] = d[0] + d[4] - 2.5f * d[2];
        o[1] = even1 + odd1;
        o[2] = even1 - odd1;
        o[3] = even2 + odd2;
        o[4] = even2 - odd2;
        o[5] = d[1] + d[5] - 2.5f * d[3];
    }
    MIGRAPHX_VEC_INLINE static void output(const vf* m, vf* y) {
        constexpr float r = float(root2), h = float(root2 / 2);
        const vf sum1 = m[1] + m[2], difference1 = h * (m[1] - m[2]);
        const vf sum2 = m[3] + m[4], difference2 = r * (m[3] - m[4]);
        y[0] = m[0] + sum1 + sum2;
        y[1] = difference1 + difference2;
        y[2] = 0.5f * sum1 + 2.0f * sum2;
        y[3] = m[5] + 0.5f * difference1 + 2.0f * difference2;
    }
    MIGRAPHX_VEC_INLINE static void weight(const vd* g, vd* o) {
        const vd even1 = (g[0] + 0.5 * g[2]) * (-2.0 / 3), odd1 = g[1] * (-root2 / 3);
        const vd even2 = (g[0] + 2.0 * g[2]) * (1.0 / 6), odd2 = g[1] * (root2 / 6);
        o[0] = g[0];
        o[1] = even1 + odd1;
        o[2] = even1 - odd1;
        o[3] = even2 + odd2;
        o[4] = even2 - odd2;
        o[5] = g[2];
    }
};

// With stride 2 the outer taps see every second input, by F(2,2) at 0, 1 and infinity; the middle
// one the inputs between, as they are.
struct filter_2_of_stride_2 {
    static constexpr int tile = 2, stride = 2, points = 5, weights = 4;
    static constexpr int weight_of(int point) { return point < 3 ? point : 3; }
    MIGRAPHX_VEC_INLINE static void input(const vf* d, vf* o) {
        o[0] = d[0] - d[2];
        o[1] = d[2];
        o[2] = d[4] - d[2];
        o[3] = d[1];
        o[4] = d[3];
    }
    MIGRAPHX_VEC_INLINE static void output(const vf* m, vf* y) {
        y[0] = m[0] + m[1] + m[3];
        y[1] = m[1] + m[2] + m[4];
    }
    MIGRAPHX_VEC_INLINE static void weight(const vd* g, vd* o) {
        o[0] = g[0];
        o[1] = g[0] + g[2];
        o[2] = g[2];
        o[3] = g[1];
    }
};

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
    return {first * weights * p.channels * p.panel, panel - first,
            left < p.panels ? left : p.panels};
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
                for (int i = 0; i < N * N; ++i)
                    store(u + at.block_start +
                              ((i * at.of_block + at.in_block) * p.channels + c) * p.panel + k,
                          narrow(low[i / N][i % N], high[i / N][i % N]));
            }
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
template <class F, bool Part, bool Inside>
MIGRAPHX_VEC_INLINE void gather_channels(const winograd_params& p, const float* x, int64_t top,
                                         int64_t left, float* v, int64_t rows, int64_t n) {
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
            store_in_strip(v + (i * N + j) * p.v_step, rows, o[j], n);
    }
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
        const auto gather = [&](int64_t t, const image_place& place, int64_t c) {
            const float* x = p.x + place.image * p.x_image + c;
            float* row =
                strip + (c / strip_depth * rows + t - start) * strip_depth + c % strip_depth;
            const int64_t top = place.y * F::stride - p.pad_top;
            const int64_t left = place.x * F::stride - p.pad_left;
            const int64_t n = p.channels - c;
            if (n < lanes)
                gather_channels<F, true, false>(p, x, top, left, row, rows, n);
            else if (top >= 0 && left >= 0 && top + N <= p.height && left + N <= p.width)
                gather_channels<F, false, true>(p, x, top, left, row, rows, lanes);
            else
                gather_channels<F, false, false>(p, x, top, left, row, rows, lanes);
        };
        // Rows share lines of a strip: two go together.
        for (int64_t t = from; t < to; t += 2) {
            const bool both = t + 1 < to;
            const image_place places[] = {tile_at(p, block.first + t),
                                          tile_at(p, block.first + t + 1)};
            for (int64_t c = 0; c < p.channels; c += lanes)
                for (int64_t i = 0; i <= (both ? 1 : 0); ++i)
                    gather(t + i, places[i], c);
        }
    }
}

// Inside: the whole tile is part of the result.
template <class F, bool Part, bool Inside>
MIGRAPHX_VEC_INLINE void scatter_outputs(const winograd_params& p, const float* m,
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
            vf y = o[j] + bias;
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

struct strip_product {
    const float *v, *u;
    float* m;
    int64_t m_row, depth;
    // What is multiplied later and comes to the second cache meanwhile, in equal shares.
    const char* next;
    int64_t bytes;
};

template <int R, int V, bool Fetch>
inline void multiply(const strip_product& p) {
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

template <int V, bool Fetch>
inline void multiply_rows(const strip_product& p, int64_t rows) {
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
    const int64_t panel_floats = p.channels * p.panel;
    const auto strips = strips_of(p, block);
    const auto multiply_point = [&](const float* u, int64_t point, int64_t column,
                                    const char*& next, int64_t share) {
        for (int64_t s = 0; s < strips.count; ++s, next += share) {
            const int64_t start = strips.start(s), rows = strips.size(s);
            const strip_product product{v + point * p.v_step + start * v_row(p.channels),
                                        u,
                                        m + point * p.m_step + start * width + column,
                                        width,
                                        p.channels,
                                        next,
                                        share};
            if (p.panel == lanes)
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
                    scatter_outputs<F, false, true>(p, row + k, place, k0 + k, lanes);
            else
                for (; k + lanes <= outputs; k += lanes)
                    scatter_outputs<F, false, false>(p, row + k, place, k0 + k, lanes);
            if (k < outputs)
                scatter_outputs<F, true, false>(p, row + k, place, k0 + k, outputs - k);
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
    table.v_row = v_row;
    table.points = points;
    table.weights = weights;
    table.transform = transform;
    table.gather = gather;
    table.produce = produce;
}

} // namespace migraphx::cpu::KERNEL_ISA
