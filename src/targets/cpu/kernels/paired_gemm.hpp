// SPDX-License-Identifier: MIT
// Tiles of a product in pairs (paired_tile.hpp): rows are scaled by powers of two so that their
// numbers are about as large as the weights. For kernel files only.
#pragma once

#include "targets/cpu/kernels/paired_tile.hpp"
#include "targets/cpu/kernels/panel_gemm.hpp"

namespace migraphx::cpu::KERNEL_ISA {

// Before the rows of a strip: what pairs of each row add, from strip_factors on what results of
// each row are multiplied by, and whether that is so: a strip with a number that is not finite or
// too large is multiplied plainly.
constexpr int64_t strip_head = 32, strip_factors = 16;
constexpr int64_t strip_scaled = strip_head - 1; // 1 or 0

// What pairs of one row add (as pair_products), whose parts are `step` floats apart.
inline float pairs_of_row(const float* row, int64_t step, int64_t depth) {
    const auto part = [&](int64_t i) -> const strip_part& {
        return *reinterpret_cast<const strip_part*>(row + i * step);
    };
    // Pairs begin at every third k: in three parts at 0, 3, 6 of the first, 1, 4, 7 of the second,
    // 2, 5 of the third. Every other one has the other sign.
    constexpr strip_part begins[3] = {
        {-1, 0, 0, 1, 0, 0, -1, 0}, {0, 1, 0, 0, -1, 0, 0, 0}, {0, 0, -1, 0, 0, 1, 0, 0}};
    strip_part sums[3]{};
    float sum = 0;
    int64_t k = 0;
    for (int64_t i = 0; k + 3 * strip_depth <= depth; k += 3 * strip_depth, i += 3) {
#pragma GCC unroll 3
        for (int j = 0; j < 3; ++j) {
            const strip_part x = part(i + j);
            sums[j] += x * begins[j] * __builtin_shufflevector(x, x, 1, 2, 3, 4, 5, 6, 7, 0);
        }
        sum += part(i + 1)[7] * part(i + 2)[0];
    }
    for (; k + 3 <= depth; k += 3)
        sum += row[k / strip_depth * step + k % strip_depth] *
               row[(k + 1) / strip_depth * step + (k + 1) % strip_depth] * (k % 2 == 0 ? -1 : 1);
    sums[0] += sums[1] + sums[2];
    for (int j = 0; j < strip_depth; ++j)
        sum += sums[0][j];
    return sum;
}

// Factors are made about as large by powers of two. How large numbers are is told by the root of
// their mean square: single large ones, which trained weights have, say little of most sums.
struct magnitude {
    int exponent; // of the root, rounded down
    bool usual;   // finite, not 0, and the exponent is at most most_exponent either way
};

// Of n numbers whose squares are `squares` in sum, infinite or NaN where one is or where they are
// too large.
inline magnitude magnitude_of(float squares, int64_t n) {
    const float mean = squares / float(n);
    int32_t x;
    __builtin_memcpy(&x, &mean, sizeof(x));
    const int exponent = ((x >> 23) - 127) >> 1;
    return {exponent, x > 0 && exponent <= most_exponent && exponent >= -most_exponent};
}

// Of one row of a strip, whose parts are `step` floats apart.
inline float squares_of_row(const float* row, int64_t step, int64_t parts) {
    strip_part sums[4]{};
    const auto add = [&](int j, const float* at) __attribute__((always_inline)) {
        const strip_part x = *reinterpret_cast<const strip_part*>(at);
        sums[j] += x * x;
    };
    int64_t i = 0;
    for (; i + 4 <= parts; i += 4, row += 4 * step)
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j)
            add(j, row + j * step);
    for (; i < parts; ++i, row += step)
        add(0, row);
    sums[0] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    float sum = 0;
    for (int j = 0; j < strip_depth; ++j)
        sum += sums[0][j];
    return sum;
}

// Of a packed strip of which `depth` is a multiple of strip_depth. Each row has a factor of its
// own: rows are samples, tokens or pixels, and a large one among them is not to cost the others
// digits.
inline void scale_strip(float* head, int64_t rows, int64_t depth, int weight_exponent) {
    float* const strip = head + strip_head;
    const int64_t step = rows * strip_depth, parts = depth / strip_depth;
    float scales[paired_rows];
    head[strip_scaled] = 0;
    for (int64_t r = 0; r < rows; ++r) {
        const float squares = squares_of_row(strip + r * strip_depth, step, parts);
        const auto size = magnitude_of(squares, depth);
        if (squares == 0) { // of nothing but zeros, results are 0 to the last bit
            scales[r] = 1;
            head[strip_factors + r] = 0;
        } else if (size.usual) {
            scales[r] = power_of_two(weight_exponent - size.exponent);
            head[strip_factors + r] = power_of_two(size.exponent - weight_exponent);
        } else {
            return;
        }
    }
    head[strip_scaled] = 1;
    for (int64_t r = 0; r < rows; ++r) {
        float* const row = strip + r * strip_depth;
        for (int64_t i = 0; i < parts; ++i)
            *reinterpret_cast<strip_part*>(row + i * step) *= scales[r];
        head[r] = pairs_of_row(row, step, depth);
    }
}

#if MIGRAPHX_VEC_BYTES == 64
// The sums of 16 vectors of eight.
inline vf sums_of_eights(const float* from) {
    const auto eight = [&](const float* at) __attribute__((always_inline)) {
        const auto two = [&](int i) __attribute__((always_inline)) {
            return _mm256_hadd_ps(_mm256_loadu_ps(at + 16 * i), _mm256_loadu_ps(at + 16 * i + 8));
        };
        const __m256 low = _mm256_hadd_ps(two(0), two(1)), high = _mm256_hadd_ps(two(2), two(3));
        return _mm256_add_ps(_mm256_permute2f128_ps(low, high, 0x20),
                             _mm256_permute2f128_ps(low, high, 0x31));
    };
    return vf(_mm512_insertf32x8(_mm512_castps256_ps512(eight(from)), eight(from + 64), 1));
}

// The squares of a row, mapped, in eight sums.
template <class Map>
MIGRAPHX_VEC_INLINE __m256 squares_in_eight(const float* from, int64_t depth, Map map) {
    vf sums[2]{};
    int64_t k = 0;
    const auto add = [&](int j) __attribute__((always_inline)) {
        vf x = load(from + k);
        map(x, k, load);
        sums[j] = fma(x, x, sums[j]);
        k += lanes;
    };
    while (k + 2 * lanes <= depth) {
        add(0);
        add(1);
    }
    if (k + lanes <= depth)
        add(0);
    const __m512 all = __m512(sums[0] + sums[1]);
    __m256 sum = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
    if (k < depth) {
        __m256 x = _mm256_loadu_ps(from + k);
        map(x, k, _mm256_loadu_ps);
        sum = _mm256_fmadd_ps(x, x, sum);
    }
    return sum;
}

// Packs floats [k, end) of a row, mapped and times `scale`, to parts of a strip that are `step`
// floats apart; returns what its pairs add, in eight sums.
template <class Map>
MIGRAPHX_VEC_INLINE __m256 pack_row_in_pairs(const float* from, int64_t k, int64_t end, Map map,
                                             __m256 scale, float* to, int64_t step) {
    // The first of each pair that one more follows.
    constexpr __mmask8 begins[3] = {0b01001001, 0b10010010, 0b00100100};
    constexpr __mmask8 last_of_one = 0b00001001, last_of_two = 0b00010010;
    __m256 sum[3]{};
    const auto pack = [&](int j, __mmask8 first) __attribute__((always_inline)) {
        const auto next = [&](const float* p) { return _mm256_maskz_loadu_ps(first, p); };
        __m256 x = _mm256_loadu_ps(from + k), y = next(from + k + 1);
        map(x, k, _mm256_loadu_ps);
        map(y, k + 1, next);
        x = _mm256_mul_ps(x, scale);
        _mm256_storeu_ps(to, x);
        sum[j] = _mm256_mask3_fmadd_ps(x, y, sum[j], first);
        k += strip_depth;
        to += step;
    };
    while (k + 3 * strip_depth <= end) {
        pack(0, begins[0]);
        pack(1, begins[1]);
        pack(2, begins[2]);
    }
    if (k + 2 * strip_depth <= end) {
        pack(0, begins[0]);
        pack(1, last_of_two);
    } else if (k < end) {
        pack(0, last_of_one);
    }
    // As pair_products: every other pair has the other sign.
    constexpr strip_part signs[3] = {
        {1, 0, 0, -1, 0, 0, 1, 0}, {0, -1, 0, 0, 1, 0, 0, -1}, {0, 0, 1, 0, 0, -1, 0, 0}};
    return sum[0] * signs[0] + sum[1] * signs[1] + sum[2] * signs[2];
}

// Returns false if a row has no usual magnitude. What is told of each row is told of all together.
template <class Map>
inline bool pack_rows_in_pairs(const float* a, int64_t a_row, int64_t rows, int64_t depth, Map map,
                               int weight_exponent, float* head) {
    static_assert(strip_factors == lanes && paired_rows < lanes);
    alignas(64) float eights[lanes * strip_depth]{}, scales[lanes];
    for (int64_t r = 0; r < rows; ++r)
        _mm256_store_ps(eights + r * strip_depth, squares_in_eight(a + r * a_row, depth, map));
    // As magnitude_of tells it.
    const vf squares = sums_of_eights(eights);
    const vi exponent = ((bits(squares * (1 / float(depth))) >> 23) - 127) >> 1;
    const vi zero = squares == 0.0f;
    if (any((iota() < int32_t(rows)) & ~zero &
            ~((bits(squares) > 0) & (exponent <= most_exponent) & (exponent >= -most_exponent))))
        return false;
    const auto powers = [](vi e) { return from_bits((e + 127) << 23); };
    const vf scale = select(zero, splat(1), powers(weight_exponent - exponent));
    store(scales, scale);
    store(head + strip_factors, select(zero, vf{}, powers(exponent - weight_exponent)));
    const int64_t step = rows * strip_depth;
    float* to = head + pair_parts(depth) * strip_head;
    for (int64_t k = 0; k < depth; k += pair_depth, to += pair_depth * rows, head += strip_head) {
        const int64_t part = depth - k < pair_depth ? depth - k : pair_depth;
        for (int64_t r = 0; r < rows; ++r)
            _mm256_store_ps(eights + r * strip_depth,
                            pack_row_in_pairs(a + r * a_row, k, k + part, map,
                                              _mm256_set1_ps(scales[r]), to + r * strip_depth,
                                              step));
        store(head, -scale * sums_of_eights(eights));
    }
    return true;
}
#endif

// As pack_strip and scale_strip do it, in one go, for sums of any length: heads of all parts of
// pair_depth lie before the rows. `depth` is a multiple of strip_depth.
inline void pack_paired_strip(const float* a, int64_t a_row, int64_t rows, int64_t depth,
                              const channel_map& map, int weight_exponent, float* head) {
    bool paired = false;
#if MIGRAPHX_VEC_BYTES == 64
    paired = with_form(map, [&](auto form) {
        return pack_rows_in_pairs(a, a_row, rows, depth, form, weight_exponent, head);
    });
#else
    (void)weight_exponent;
#endif
    head[strip_scaled] = paired ? 1 : 0;
    if (!paired)
        pack_strip(a, a_row, rows, depth, map, head + pair_parts(depth) * strip_head);
}

// A division takes as long as a row of a tile.
constexpr int64_t heads_of(int64_t depth, int64_t part) {
    return depth <= part ? 1 : (depth + part - 1) / part;
}

// A strip by a panel, in parts of the depth: heads of all of them lie before the rows.
template <int R, int V, class After>
MIGRAPHX_VEC_INLINE void multiply_parts_in_pairs(vf (&acc)[R][V], const float* head,
                                                 const float* panel, const float* pairs,
                                                 int64_t depth, int64_t most, After after) {
    const float* a = head + heads_of(depth, most) * strip_head;
    start_pairs<R, V>(acc, head, pairs);
    for (;;) {
        const int64_t part = depth < most ? depth : most;
        add_strip_pairs<R, V>(acc, a, panel, row_panel, part, after);
        depth -= part;
        if (depth == 0)
            return;
        head += strip_head;
        pairs += row_panel;
        a += part * R;
        panel += part * row_panel;
        go_on_with_pairs<R, V>(acc, head, pairs);
    }
}

template <int R, int V>
inline void paired_tile(const strip_product& p, const float* pairs, int64_t part,
                        const row_epilogue& e, const tile_place& at) {
    vf acc[R][V];
    tile_approach come_near(*p.fetch, p.depth);
    multiply_parts_in_pairs<R, V>(acc, p.strip, p.panel, pairs, p.depth, part, come_near);
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
        const vf bias = load(p.bias + v * lanes);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r)
            acc[r][v] = fma(acc[r][v], splat(p.strip[strip_factors + r]), bias);
    }
    if (p.add)
        add_sums<R, V>(acc, at);
    if (p.finish)
        finish_tile<R, V>(acc, e, at);
    else
        store_sums<R, V>(acc, at);
}

// `rows` is at most paired_rows; `pairs`: pair_products of the panel for each part of the depth.
inline void multiply_paired_tile(strip_product p, const float* pairs, int64_t part,
                                 const row_epilogue& e, const tile_place& at, int64_t rows) {
    if (p.strip[strip_scaled] == 0) {
        p.strip += heads_of(p.depth, part) * strip_head;
        multiply_tile(p, e, at, rows);
        return;
    }
    if constexpr (lanes == 16)
        with_rows<paired_rows>(rows, [&](auto r) {
            if (at.channels > lanes)
                paired_tile<decltype(r)::value, 2>(p, pairs, part, e, at);
            else
                paired_tile<decltype(r)::value, 1>(p, pairs, part, e, at);
        });
}

} // namespace migraphx::cpu::KERNEL_ISA
