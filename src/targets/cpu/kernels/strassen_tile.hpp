// SPDX-License-Identifier: MIT
// Two strips of rows times two panels of columns, by halves of the depth: seven products of a strip
// and a panel where the sum has eight, and additions. For kernel files only.
//
// With C = A B in quadrants (rows, columns or depth in halves), Winograd's form of Strassen's
// algorithm (Strassen 1969; Winograd 1971; Huang et al., "Strassen's Algorithm Reloaded", SC'16):
//
//     S1 = A21 + A22   S2 = S1 - A11    S3 = A11 - A21   S4 = A12 - S2
//     T1 = B12 - B11   T2 = B22 - T1    T3 = B22 - B12   T4 = B21 - T2
//     P1 = A11 B11   P2 = A12 B21   P3 = S4 B22   P4 = A22 T4   P5 = S1 T1   P6 = S2 T2   P7 = S3
//     T3 C11 = P1 + P2              C12 = P1 + P6 + P5 + P3 C21 = P1 + P6 + P7 + P4    C22 = P1 +
//     P6 + P7 + P5
//
// The sums S are made while rows are packed, the sums T while the first strips are multiplied by
// them, so both cost a fraction of an operation each.
#pragma once

#include "targets/cpu/kernels/panel_gemm.hpp"

namespace migraphx::cpu::KERNEL_ISA {

// In the order of their use: A11, A12, S1, S2, S4, S3, A22. Plain strips: A11, A12, A21, A22.
constexpr int strassen_strips = 7;
// T1 to T4.
constexpr int strassen_panels = 4;

// Parts of quadrants, eight floats of a row each, to strips that are `strip` floats apart; with
// Sums they are summed first. NaN goes to a lane of `not_finite` when a sum is not finite.
template <bool Sums>
MIGRAPHX_VEC_INLINE void pack_parts(strip_part a11, strip_part a12, strip_part a21, strip_part a22,
                                    float* to, int64_t strip, strip_part& not_finite) {
    const auto put = [&](int i, const strip_part& x) {
        *reinterpret_cast<strip_part*>(to + i * strip) = x;
    };
    put(0, a11);
    put(1, a12);
    if (Sums) {
        const strip_part s1 = a21 + a22, s2 = s1 - a11, s4 = a12 - s2;
        put(2, s1);
        put(3, s2);
        put(4, s4);
        put(5, a11 - a21);
        put(6, a22);
        not_finite += s4 * 0.0f; // of all four
    } else {
        put(2, a21);
        put(3, a22);
    }
}

// Rows [0, rows) of a and the `lower` rows after them (rows, or one less: a row of zeros), of depth
// 2 * half, to strips, `strip` floats apart. half is a multiple of strip_depth. False if a sum is
// not finite: an infinity or NaN would go from one row to others. Another core may hold the rows,
// and rows at a distance of whole pages share few places of the first cache: lines are read once,
// and come to the second cache ahead.
template <bool Sums>
inline bool pack_quadrants(const float* a, int64_t a_row, int64_t rows, int64_t lower, int64_t half,
                           float* strips, int64_t strip) {
    constexpr int64_t line = 2 * strip_depth, ahead = 3 * line;
    const auto part = [](const float* p) -> const strip_part& {
        return *reinterpret_cast<const strip_part*>(p);
    };
    strip_part not_finite{};
    for (int64_t k = 0; k < half; k += line) {
        const bool whole = k + line <= half;
        for (int64_t r = 0; r < rows; ++r) {
            const float *upper = a + r * a_row + k, *under = upper + rows * a_row;
            float* to = strips + k * rows + r * strip_depth;
            const bool has_lower = r < lower;
            if (whole) {
                __builtin_prefetch(upper + ahead, 0, 2);
                __builtin_prefetch(upper + half + ahead, 0, 2);
                __builtin_prefetch(under + ahead, 0, 2);
                __builtin_prefetch(under + half + ahead, 0, 2);
            }
            for (int64_t i = 0; i < (whole ? line : strip_depth); i += strip_depth) {
                const strip_part a21 = has_lower ? part(under + i) : strip_part{};
                const strip_part a22 = has_lower ? part(under + half + i) : strip_part{};
                pack_parts<Sums>(part(upper + i), part(upper + half + i), a21, a22, to + i * rows,
                                 strip, not_finite);
            }
        }
    }
    bool finite = true;
    for (int i = 0; i < int(sizeof(not_finite) / sizeof(float)); ++i)
        finite = finite && not_finite[i] == 0;
    return finite;
}

struct strassen_product {
    const float* strips; // as packed, `strip` floats apart
    int64_t strip;
    int64_t half; // of the depth
    // The halves of two panels, (k, c) at [k * row_panel + c], and room for the sums of them, one
    // after another; `make`: they are to be made.
    const float *b11, *b21, *b12, *b22;
    float* sums;
    bool make;
    const float* bias; // of both panels
    // In parts of the depth, which add to what the result holds and finish with the last.
    bool add, finish;
};

// One of the seven products and what becomes of it.
struct half_product {
    const float *strip, *panel;
    // Made: the factor is panel - less, and goes there.
    const float* less;
    float* made;
    int64_t half;
    const tile_fetch* fetch;
    // Register tiles in memory, of two vectors a row: y += add, keep = y, y += more, where they are
    // not null.
    const vf* add;
    vf* keep;
    const vf* more;
    // Then, if `at` is not null, y += bias and the quadrant there is finished, of `rows` rows.
    const tile_place* at;
    const float* bias;
    int64_t rows;
    bool add_sums, finish;
};

template <int R>
MIGRAPHX_VEC_INLINE void add_tile(vf (&acc)[R][2], const vf* more) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v)
            acc[r][v] += more[2 * r + v];
}

template <int R>
MIGRAPHX_VEC_INLINE void keep_tile(const vf (&acc)[R][2], vf* to) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v)
            to[2 * r + v] = acc[r][v];
}

template <int R>
MIGRAPHX_VEC_INLINE void finish_quadrant(vf (&acc)[R][2], const half_product& p,
                                         const row_epilogue& e) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v)
            acc[r][v] += load(p.bias + v * lanes);
    if (p.add_sums)
        add_sums<R, 2>(acc, *p.at);
    if (p.finish)
        finish_tile<R, 2>(acc, e, *p.at);
    else
        store_sums<R, 2>(acc, *p.at);
}

// Of a tile in memory, for fewer rows than were multiplied.
__attribute__((noinline)) static void finish_fewer(const vf* tile, const half_product& p,
                                                   const row_epilogue& e) {
    with_rows<strip_rows>(p.rows, [&](auto rows) {
        constexpr int R = decltype(rows)::value;
        vf acc[R][2]{};
        add_tile<R>(acc, tile);
        finish_quadrant<R>(acc, p, e);
    });
}

// acc += a strip times a panel that is made.
template <int R, class After>
MIGRAPHX_VEC_INLINE void multiply_made(vf (&acc)[R][2], const half_product& p, After after) {
    const float *strip = p.strip, *from = p.panel, *less = p.less;
    float* to = p.made;
    for (int64_t k = 0; k < p.half; k += strip_depth, strip += R * strip_depth)
#pragma GCC unroll 8
        for (int i = 0; i < strip_depth; ++i) {
            vf b[2];
#pragma GCC unroll 2
            for (int v = 0; v < 2; ++v) {
                b[v] = load(from + v * lanes) - load(less + v * lanes);
                store(to + v * lanes, b[v]);
            }
            add_strip_rows<R, 2>(acc, strip + i, b);
            from += row_panel;
            less += row_panel;
            to += row_panel;
            if (i % 4 == 3)
                after();
        }
}

template <int R, bool Made>
void multiply_half(const half_product& p, const row_epilogue& e) {
    vf acc[R][2]{};
    const tile_approach come_near(*p.fetch, p.half);
    if (Made)
        multiply_made<R>(acc, p, come_near);
    else
        multiply_strip<R, 2>(acc, p.strip, p.panel, row_panel, p.half, come_near);
    if (p.add != nullptr)
        add_tile<R>(acc, p.add);
    if (p.keep != nullptr)
        keep_tile<R>(acc, p.keep);
    if (p.more != nullptr)
        add_tile<R>(acc, p.more);
    if (p.at == nullptr || p.rows <= 0)
        return;
    if (p.rows < R) {
        vf tile[2 * R];
        keep_tile<R>(acc, tile);
        finish_fewer(tile, p, e);
    } else {
        finish_quadrant<R>(acc, p, e);
    }
}

// Multiplies and finishes four quadrants, of `rows` or `lower` rows each. fetch(quadrant): what
// comes near during a product, after which that quadrant (or none: -1) is finished.
template <class Fetch>
class strassen_tile {
public:
    strassen_tile(const strassen_product& product, const row_epilogue& epilogue,
                  const tile_place (&quadrants)[4], int64_t tile_rows, int64_t lower_rows,
                  Fetch come_near)
        : p(product), e(epilogue), places(quadrants), rows(tile_rows), lower(lower_rows),
          fetch(come_near) {}

    // By seven products.
    void run() {
        vf x[2 * strip_rows], z[2 * strip_rows];
        const int64_t sum = p.half * row_panel;
        float *const t1 = p.sums, *const t2 = t1 + sum, *const t3 = t2 + sum, *const t4 = t3 + sum;
        multiply(0, p.b11, nullptr, x, nullptr, -1); // x = P1
        multiply(1, p.b21, x, nullptr, nullptr, 0);
        multiply_sum(2, p.b12, p.b11, t1, nullptr, z, nullptr, -1); // z = P5
        multiply_sum(3, p.b22, t1, t2, x, x, nullptr, -1);          // x = P1 + P6
        multiply(4, p.b22, x, nullptr, z, 1);
        multiply_sum(5, p.b22, p.b12, t3, x, x, z, 3); // x = P1 + P6 + P7
        multiply_sum(6, p.b21, t2, t4, x, nullptr, nullptr, 2);
    }
    // By eight, of plain strips.
    void run_plain() {
        vf x[2 * strip_rows];
        for (int q = 0; q < 4; ++q) {
            const int strip = q / 2 * 2;
            multiply(strip, q % 2 == 0 ? p.b11 : p.b12, nullptr, x, nullptr, -1);
            multiply(strip + 1, q % 2 == 0 ? p.b21 : p.b22, x, nullptr, nullptr, q);
        }
    }

private:
    const strassen_product& p;
    const row_epilogue& e;
    const tile_place (&places)[4];
    int64_t rows, lower;
    Fetch fetch;

    // y = strip * panel + add, kept, then y + more finishes a quadrant.
    half_product plan(int strip, const float* panel, const vf* add, vf* keep, const vf* more,
                      int quadrant) {
        half_product h{};
        h.strip = p.strips + strip * p.strip;
        h.panel = panel;
        h.half = p.half;
        h.fetch = &fetch(quadrant);
        h.add = add;
        h.keep = keep;
        h.more = more;
        if (quadrant >= 0 && places[quadrant].channels > 0) {
            h.at = &places[quadrant];
            h.bias = p.bias + quadrant % 2 * row_panel;
            h.rows = quadrant < 2 ? rows : lower;
            h.add_sums = p.add;
            h.finish = p.finish;
        }
        return h;
    }
    void multiply(int strip, const float* panel, const vf* add, vf* keep, const vf* more,
                  int quadrant) {
        const auto h = plan(strip, panel, add, keep, more, quadrant);
        with_rows<strip_rows>(rows,
                              [&](auto r) { multiply_half<decltype(r)::value, false>(h, e); });
    }
    // Times first - less, which goes to `sum` the first time.
    void multiply_sum(int strip, const float* first, const float* less, float* sum, const vf* add,
                      vf* keep, const vf* more, int quadrant) {
        if (!p.make)
            return multiply(strip, sum, add, keep, more, quadrant);
        auto h = plan(strip, first, add, keep, more, quadrant);
        h.less = less;
        h.made = sum;
        with_rows<strip_rows>(rows, [&](auto r) { multiply_half<decltype(r)::value, true>(h, e); });
    }
};

} // namespace migraphx::cpu::KERNEL_ISA
